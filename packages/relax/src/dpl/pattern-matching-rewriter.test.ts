import { expect, it } from "vitest";
import { makeTuple } from "../ir/make.ts";
import { tensorFrom } from "@verticil/runtime-ffi";
import { makeConstant } from "../ir/make.ts";
import { isCall, or, wildcard } from "./pattern.ts";
import { patternContext } from "./pattern-context.ts";
import { PatternMatchingRewriter } from "./pattern-matching-rewriter.ts";
import { expectRewrite, moduleOf } from "./testing/rewrite-text.ts";

const info = 'R.Tensor((16,), "float32")';
const fromText = (pattern: string, replacement: string, params = `A: ${info}, B: ${info}`): PatternMatchingRewriter =>
  PatternMatchingRewriter.fromModule(moduleOf(`
@R.function
def pattern(${params}):
${pattern.replace(/^/gm, "    ")}

@R.function
def replacement(${params}):
${replacement.replace(/^/gm, "    ")}
`));
const fastAdd = fromText("return R.add(A, B)", `return R.call_pure_packed("fast_add", A, B, sinfo_args=${info})`);
const fastMul = fromText("return R.multiply(A, B)", `return R.call_pure_packed("fast_mul", A, B, sinfo_args=${info})`);

it("a pattern over a call is replaced until it is nowhere", () => {
  const [x, two] = [wildcard(), makeConstant(tensorFrom([2], [], "float32"))];
  const rewriter = PatternMatchingRewriter.fromPattern(isCall("relax.add", [x, x]), (_, matches, ctx) => {
    const value = matches.get(x);
    return value && ctx.call("relax.multiply", [value, two]);
  });
  expectRewrite(
    rewriter,
    `
@R.function
def main(x: ${info}) -> ${info}:
    with R.dataflow():
        a = R.add(x, x)
        b = R.add(a, a)
        R.output(b)
    return b
`,
    `
@R.function
def main(x: ${info}) -> ${info}:
    with R.dataflow():
        a = R.multiply(x, R.const(2.0, "float32"))
        b = R.multiply(a, R.const(2.0, "float32"))
        R.output(b)
    return b
`,
  );
});

it("one of several patterns says in its matches which it was", () => {
  const [x, y] = [wildcard(), wildcard()];
  const [sum, product] = [isCall("relax.add", [x, y]), isCall("relax.multiply", [x, y])];
  const both = or(sum, product);
  const rewriter = PatternMatchingRewriter.fromPattern(both, (expr, matches, ctx) => {
    expect(matches.get(both)).toBe(expr);
    const [a, b] = [matches.get(x), matches.get(y)];
    if (a === undefined || b === undefined) return undefined;
    return ctx.call(matches.has(sum) ? "relax.subtract" : "relax.divide", [a, b]);
  });
  expectRewrite(
    rewriter,
    `
@R.function
def main(x: ${info}, y: ${info}) -> ${info}:
    a = R.add(x, y)
    b = R.multiply(a, y)
    return b
`,
    `
@R.function
def main(x: ${info}, y: ${info}) -> ${info}:
    a = R.subtract(x, y)
    b = R.divide(a, y)
    return b
`,
  );
});

it("a module may say it in TVMScript; rewriters join", () =>
  expectRewrite(
    fastAdd.union(fastMul),
    `
@R.function
def main(x: ${info}, y: ${info}) -> ${info}:
    a = R.add(x, y)
    b = R.multiply(a, x)
    return b
`,
    `
@R.function
def main(x: ${info}, y: ${info}) -> ${info}:
    a = R.call_pure_packed("fast_add", x, y, sinfo_args=${info})
    b = R.call_pure_packed("fast_mul", a, x, sinfo_args=${info})
    return b
`,
  ));

it("branches are rewritten, and nothing moves across a call with an effect", () =>
  expectRewrite(
    fromText("return R.add(R.multiply(A, B), B)", `return R.call_pure_packed("fma", A, B, B, sinfo_args=${info})`),
    `
@R.function(pure=False)
def main(c: R.Tensor((), "bool"), x: ${info}, y: ${info}) -> ${info}:
    m = R.multiply(x, y)
    _ = R.print(format="between")
    s = R.add(m, y)
    if c:
        n = R.multiply(s, y)
        r = R.add(n, y)
    else:
        r = s
    return r
`,
    `
@R.function(pure=False)
def main(c: R.Tensor((), "bool"), x: ${info}, y: ${info}) -> ${info}:
    m = R.multiply(x, y)
    _ = R.print(format="between")
    s = R.add(m, y)
    if c:
        r = R.call_pure_packed("fma", s, y, y, sinfo_args=${info})
    else:
        r = s
    return r
`,
  ));

it("values that nobody put in a tuple are replaced together", () =>
  expectRewrite(
    fromText(
      "p = R.matmul(A, V)\nq = R.matmul(B, V)\nreturn (p, q)",
      "c = R.concat([A, B])\np = R.matmul(c, V)\nreturn R.split(p, 2)",
      'A: R.Tensor((4, 8), "float32"), B: R.Tensor((4, 8), "float32"), V: R.Tensor((8,), "float32")',
    ),
    `
@R.function
def main(v: R.Tensor((8,), "float32"), a: R.Tensor((4, 8), "float32"), b: R.Tensor((4, 8), "float32")) -> R.Tensor((4,), "float32"):
    p = R.matmul(a, v)
    q = R.matmul(b, v)
    r = R.subtract(p, q)
    return r
`,
    `
@R.function
def main(v: R.Tensor((8,), "float32"), a: R.Tensor((4, 8), "float32"), b: R.Tensor((4, 8), "float32")) -> R.Tensor((4,), "float32"):
    c = R.concat((a, b), axis=0)
    p = R.matmul(c, v)
    s = R.split(p, 2)
    x = s[0]
    y = s[1]
    r = R.subtract(x, y)
    return r
`,
  ));

it("sizes of a pattern stand for what they meet, and must agree", () =>
  expectRewrite(
    fromText("return R.matmul(A, B)", 'M = T.int64()\nN = T.int64()\nreturn R.call_pure_packed("square", A, B, sinfo_args=R.Tensor((M, N), "float32"))', 'A: R.Tensor(("M", "N"), "float32"), B: R.Tensor(("N", "N"), "float32")'),
    `
@R.function
def main(x: R.Tensor(("n", 8), "float32"), w: R.Tensor((8, 8), "float32"), v: R.Tensor((8, 4), "float32")) -> R.Tensor(("n", 4), "float32"):
    a = R.matmul(x, w)
    b = R.matmul(a, v)
    return b
`,
    `
@R.function
def main(x: R.Tensor(("n", 8), "float32"), w: R.Tensor((8, 8), "float32"), v: R.Tensor((8, 4), "float32")) -> R.Tensor(("n", 4), "float32"):
    n = T.int64()
    a = R.call_pure_packed("square", x, w, sinfo_args=R.Tensor((n, 8), "float32"))
    b = R.matmul(a, v)
    return b
`,
  ));

it("a graph of patterns gives new values of variables", () => {
  const x = wildcard();
  const [first, second] = [isCall("relax.matmul", [x, wildcard()]), isCall("relax.matmul", [x, wildcard()])];
  const rewriter = PatternMatchingRewriter.fromContext(patternContext([first, second]), (matches, bindings, ctx) => {
    const [a, b, lhs] = [matches.get(first), matches.get(second), matches.get(x)];
    const [p, q] = [a && bindings.get(a), b && bindings.get(b)];
    if (a === undefined || b === undefined || lhs === undefined || p?.kind !== "relax.Call" || q?.kind !== "relax.Call") return new Map();
    const rhs = ctx.call("relax.concat", [makeTuple([p.args[1] ?? lhs, q.args[1] ?? lhs])], { axis: 1 });
    const both = ctx.call("relax.split", [ctx.call("relax.matmul", [lhs, rhs])], { indices_or_sections: 2, axis: 1 });
    return new Map([
      [a, { kind: "relax.TupleGetItem", tuple: both, index: 0, structInfo: undefined }],
      [b, { kind: "relax.TupleGetItem", tuple: both, index: 1, structInfo: undefined }],
    ]);
  });
  expectRewrite(
    rewriter,
    `
@R.function
def main(x: R.Tensor((2, 4), "float32"), v: R.Tensor((4, 3), "float32"), w: R.Tensor((4, 3), "float32")) -> R.Tensor((2, 3), "float32"):
    with R.dataflow():
        a = R.matmul(x, v)
        b = R.matmul(x, w)
        c = R.add(a, b)
        R.output(c)
    return c
`,
    `
@R.function
def main(x: R.Tensor((2, 4), "float32"), v: R.Tensor((4, 3), "float32"), w: R.Tensor((4, 3), "float32")) -> R.Tensor((2, 3), "float32"):
    with R.dataflow():
        rhs = R.concat((v, w), axis=1)
        m = R.matmul(x, rhs)
        s = R.split(m, 2, axis=1)
        a = s[0]
        b = s[1]
        c = R.add(a, b)
        R.output(c)
    return c
`,
  );
});

it.each([
  ["no function `replacement`", `@R.function\ndef pattern(A: ${info}):\n    return R.exp(A)\n`],
  ["same parameters and result", `@R.function\ndef pattern(A: ${info}):\n    return R.exp(A)\n\n@R.function\ndef replacement(A: R.Tensor((8,), "float32")):\n    return R.exp(A)\n`],
  ["private", `@R.function\ndef pattern(A: ${info}):\n    return R.exp(A)\n\n@R.function\ndef replacement(A: ${info}):\n    return R.log(A)\n\n@R.function\ndef other(A: ${info}):\n    return A\n`],
])("a module that is no rewriting is refused: %s", (message, text) => {
  expect(() => PatternMatchingRewriter.fromModule(moduleOf(text))).toThrow(message);
});
