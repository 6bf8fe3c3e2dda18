import { sequential } from "@verticil/ir-core";
import { it } from "vitest";
import { annotateTIROpPattern } from "./annotate-tir-op-pattern.ts";
import { fuseOps } from "./fuse-ops.ts";
import { fuseTIR } from "./fuse-tir.ts";
import { expectPass } from "./testing/expect-pass.ts";

const program = (name: string, value: string): string => `
@T.prim_func(private=True)
def ${name}(A: T.Buffer((4,), "float32"), B: T.Buffer((4,), "float32")):
    for i in range(4):
        with T.block("b"):
            v = T.axis.spatial(4, i)
            B[v] = ${value}
`;
const double = program("double", "A[v] * T.float32(2)");
const inc = program("inc", "A[v] + T.float32(1)");
const fused = `
@T.prim_func(private=True)
def fused_double_inc(x: T.Buffer((T.int64(4),), "float32"), b_out: T.Buffer((T.int64(4),), "float32")):
    T.func_attr({"tir.noalias": T.bool(True)})
    a = T.alloc_buffer((T.int64(4),))
    for i in range(4):
        with T.block("b"):
            v = T.axis.spatial(4, i)
            a[v] = x[v] * T.float32(2)
    for i in range(4):
        with T.block("b1"):
            v = T.axis.spatial(4, i)
            b_out[v] = a[v] + T.float32(1)
`;
const fuse = sequential("fuse", [annotateTIROpPattern(), fuseOps(), fuseTIR()]);

it("operators in branches are fused, with what the function has before them", () =>
  expectPass(
    fuse,
    `${double}${inc}
@R.function
def main(c: R.Tensor((), "bool"), x: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
    cls = Module
    if c:
        with R.dataflow():
            a = R.call_tir(cls.double, (x,), out_sinfo=R.Tensor((4,), "float32"))
            b = R.call_tir(cls.inc, (a,), out_sinfo=R.Tensor((4,), "float32"))
            R.output(b)
        y = b
    else:
        y = x
    return y
`,
    `${fused}
@R.function
def main(c: R.Tensor((), "bool"), x: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
    cls = Module
    if c:
        with R.dataflow():
            b = R.call_tir(cls.fused_double_inc, (x,), out_sinfo=R.Tensor((4,), "float32"))
            R.output(b)
        y = b
    else:
        y = x
    return y
`,
  ));

it("operators of a local function are fused", () =>
  expectPass(
    fuse,
    `${double}${inc}
@R.function
def main(x: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
    cls = Module
    @R.function
    def f(z: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
        with R.dataflow():
            a = R.call_tir(cls.double, (z,), out_sinfo=R.Tensor((4,), "float32"))
            b = R.call_tir(cls.inc, (a,), out_sinfo=R.Tensor((4,), "float32"))
            R.output(b)
        return b
    y = f(x)
    return y
`,
    `${fused}
@R.function
def main(x: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
    cls = Module
    @R.function
    def f(z: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
        with R.dataflow():
            b = R.call_tir(cls.fused_double_inc, (z,), out_sinfo=R.Tensor((4,), "float32"))
            R.output(b)
        return b
    y = f(x)
    return y
`,
  ));
