import { expect, it } from "vitest";
import { isCall, isTupleGetItem, wildcard } from "../dpl/pattern.ts";
import { fuseOpsByPattern } from "./fuse-ops-by-pattern.ts";
import { mergeCompositeFunctions } from "./merge-composite-functions.ts";
import { expectPass } from "./testing/expect-pass.ts";

const T = 'R.Tensor((4, 4), "float32")';
const product = isCall("relax.matmul", [wildcard(), wildcard()]);
const rectified = { name: "lib.matmul_relu", pattern: isCall("relax.nn.relu", [product]) };

it("a match becomes a composite function; its constants go inside", () =>
  expectPass(
    fuseOpsByPattern([{ name: "lib.scale", pattern: isCall("relax.exp", [isCall("relax.multiply", [wildcard(), wildcard()])]) }]),
    `
@R.function
def main(x: ${T}) -> ${T}:
    with R.dataflow():
        a = R.multiply(x, R.const(2.0, "float32"))
        b = R.exp(a)
        R.output(b)
    return b
`,
    `
@R.function
def main(x: ${T}) -> ${T}:
    cls = Module
    with R.dataflow():
        b = cls.fused_relax_multiply_relax_exp(x)
        R.output(b)
    return b

@R.function(private=True)
def fused_relax_multiply_relax_exp(x: ${T}) -> ${T}:
    R.func_attr({"Composite": "lib.scale", "Primitive": 1})
    with R.dataflow():
        a = R.multiply(x, R.const(2.0, "float32"))
        b = R.exp(a)
        R.output(b)
    return b
`,
  ));

it("what is used outside leaves by a tuple, in the order of its use", () =>
  expectPass(
    fuseOpsByPattern([rectified]),
    `
@R.function
def main(x: ${T}, w: ${T}) -> ${T}:
    with R.dataflow():
        m = R.matmul(x, w)
        r = R.nn.relu(m)
        a = R.exp(r)
        b = R.exp(m)
        c = R.add(a, b)
        R.output(c)
    return c
`,
    `
@R.function
def main(x: ${T}, w: ${T}) -> ${T}:
    cls = Module
    with R.dataflow():
        lv = cls.fused_relax_matmul_relax_nn_relu(x, w)
        m = lv[1]
        r = lv[0]
        a = R.exp(r)
        b = R.exp(m)
        c = R.add(a, b)
        R.output(c)
    return c

@R.function(private=True)
def fused_relax_matmul_relax_nn_relu(x: ${T}, w: ${T}) -> R.Tuple(${T}, ${T}):
    R.func_attr({"Composite": "lib.matmul_relu", "Primitive": 1})
    with R.dataflow():
        m = R.matmul(x, w)
        r = R.nn.relu(m)
        R.output(m, r)
    return (r, m)
`,
  ));

it("a match whose function would wait for its own result is left alone", () => {
  const text = `
@R.function
def main(x: ${T}, w: ${T}) -> ${T}:
    with R.dataflow():
        m = R.matmul(x, w)
        e = R.exp(m)
        c = R.add(m, e)
        R.output(c)
    return c
`;
  expectPass(fuseOpsByPattern([{ name: "lib.sum", pattern: isCall("relax.add", [product, wildcard()]) }]), text, text);
});

it("a check may refuse, and see what parts of the pattern stand for", () => {
  const w = wildcard();
  const text = `
@R.function
def main(x: ${T}, w: ${T}) -> ${T}:
    with R.dataflow():
        m = R.matmul(x, w)
        R.output(m)
    return m
`;
  const seen: string[] = [];
  const check = ({ annotatedExpr }: { readonly annotatedExpr: ReadonlyMap<string, { readonly kind: string }> }): boolean => {
    seen.push(...[...annotatedExpr].map(([name, e]) => `${name} ${e.kind}`));
    return false;
  };
  expectPass(fuseOpsByPattern([{ name: "lib.matmul", pattern: isCall("relax.matmul", [wildcard(), w]), annotationPatterns: { weight: w }, check }]), text, text);
  expect(seen).toEqual(["weight relax.Var"]);
});

it("fields of tuples belong to the match, branches are looked at, and a wrapper is what a backend takes", () =>
  expectPass(
    fuseOpsByPattern([{ name: "lib.first", pattern: isCall("relax.exp", [isTupleGetItem(isCall("relax.split", [wildcard()]), 0)]) }], { annotateCodegen: true }),
    `
@R.function
def main(c: R.Tensor((), "bool"), x: R.Tensor((4,), "float32")) -> R.Tensor((2,), "float32"):
    if c:
        with R.dataflow():
            s = R.split(x, 2)
            f = s[0]
            e = R.exp(f)
            R.output(e)
        y = e
    else:
        y = R.zeros(R.shape([2]), "float32")
    return y
`,
    `
@R.function
def main(c: R.Tensor((), "bool"), x: R.Tensor((4,), "float32")) -> R.Tensor((2,), "float32"):
    cls = Module
    if c:
        with R.dataflow():
            e = cls.fused_relax_split_relax_exp_lib(x)
            R.output(e)
        y = e
    else:
        y = R.zeros(R.shape([2]), "float32")
    return y

@R.function
def fused_relax_split_relax_exp_lib(x: R.Tensor((4,), "float32")) -> R.Tensor((2,), "float32"):
    R.func_attr({"Codegen": "lib"})

    @R.function(private=True)
    def local_func(x: R.Tensor((4,), "float32")) -> R.Tensor((2,), "float32"):
        R.func_attr({"Composite": "lib.first"})
        with R.dataflow():
            s = R.split(x, 2)
            f = s[0]
            e = R.exp(f)
            R.output(e)
        return e
    output = local_func(x)
    return output
`,
  ));

it("composite functions of one backend that feed each other become one, unless that makes two wait for each other", () =>
  expectPass(
    mergeCompositeFunctions(),
    `
@R.function
def main(x: ${T}) -> ${T}:
    cls = Module
    with R.dataflow():
        a = cls.fused_exp(x)
        b = cls.fused_log(a)
        c = R.abs(b)
        d = cls.fused_sum(a, c)
        R.output(d)
    return d

@R.function(private=True)
def fused_exp(x: ${T}) -> ${T}:
    R.func_attr({"Composite": "lib.exp", "Primitive": 1})
    with R.dataflow():
        y = R.exp(x)
        R.output(y)
    return y

@R.function(private=True)
def fused_log(x: ${T}) -> ${T}:
    R.func_attr({"Composite": "lib.log", "Primitive": 1})
    with R.dataflow():
        y = R.log(x)
        R.output(y)
    return y

@R.function(private=True)
def fused_sum(x: ${T}, y: ${T}) -> ${T}:
    R.func_attr({"Composite": "other.sum", "Primitive": 1})
    with R.dataflow():
        z = R.add(x, y)
        R.output(z)
    return z
`,
    `
@R.function
def main(x: ${T}) -> ${T}:
    cls = Module
    with R.dataflow():
        lv = cls.fused_exp_log_lib(x)
        a = lv[1]
        b = lv[0]
        c = R.abs(b)
        d = cls.fused_sum1_other(a, c)
        R.output(d)
    return d

@R.function
def fused_exp_log_lib(x: ${T}) -> R.Tuple(${T}, ${T}):
    R.func_attr({"Codegen": "lib"})

    @R.function(private=True)
    def f(x: ${T}) -> ${T}:
        R.func_attr({"Composite": "lib.exp"})
        with R.dataflow():
            y = R.exp(x)
            R.output(y)
        return y
    a = f(x)

    @R.function(private=True)
    def g(x: ${T}) -> ${T}:
        R.func_attr({"Composite": "lib.log"})
        with R.dataflow():
            y = R.log(x)
            R.output(y)
        return y
    b = g(a)
    return (b, a)

@R.function
def fused_sum1_other(x: ${T}, y: ${T}) -> ${T}:
    R.func_attr({"Codegen": "other"})

    @R.function(private=True)
    def f(x: ${T}, y: ${T}) -> ${T}:
        R.func_attr({"Composite": "other.sum"})
        with R.dataflow():
            z = R.add(x, y)
            R.output(z)
        return z
    d = f(x, y)
    return d
`,
  ));
