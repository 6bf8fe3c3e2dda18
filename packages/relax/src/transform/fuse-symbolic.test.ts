import { sequential } from "@verticil/ir-core";
import { it } from "vitest";
import { annotateTIROpPattern } from "./annotate-tir-op-pattern.ts";
import { fuseOps } from "./fuse-ops.ts";
import { fuseTIR } from "./fuse-tir.ts";
import { expectPass } from "./testing/expect-pass.ts";

it("a size that no argument has is handed to the fused program beside its tensors", () =>
  expectPass(
    sequential("fuse", [annotateTIROpPattern(), fuseOps(), fuseTIR()]),
    `
@T.prim_func(private=True)
def double(a: T.handle, b: T.handle):
    n = T.int64()
    A = T.match_buffer(a, (n,), "float32")
    B = T.match_buffer(b, (n,), "float32")
    for i in range(n):
        with T.block("b"):
            v = T.axis.spatial(n, i)
            B[v] = A[v] * T.float32(2)

@T.prim_func(private=True)
def pad(a: T.handle, b: T.handle, m: T.int64):
    n = T.int64()
    A = T.match_buffer(a, (n,), "float32")
    B = T.match_buffer(b, (n + m,), "float32")
    for i in range(n + m):
        with T.block("b"):
            v = T.axis.spatial(n + m, i)
            B[v] = T.if_then_else(v < n, A[v], T.float32(0))

@R.function
def main(x: R.Tensor(("n",), "float32"), s: R.Shape(["m"])) -> R.Tensor(("n + m",), "float32"):
    n = T.int64()
    m = T.int64()
    cls = Module
    with R.dataflow():
        a = R.call_tir(cls.double, (x,), out_sinfo=R.Tensor((n,), "float32"))
        b = R.call_tir(cls.pad, (a,), out_sinfo=R.Tensor((n + m,), "float32"), tir_vars=R.shape([m]))
        R.output(b)
    return b
`,
    `
@T.prim_func(private=True)
def fused_double_pad(p_x: T.handle, p_b_out: T.handle, m: T.int64):
    T.func_attr({"tir.noalias": T.bool(True)})
    n = T.int64()
    x = T.match_buffer(p_x, (n,))
    b_out = T.match_buffer(p_b_out, (n + m,))
    a = T.alloc_buffer((n,))
    for i in range(n):
        with T.block("b"):
            v = T.axis.spatial(n, i)
            a[v] = x[v] * T.float32(2.0)
    for i in range(n + m):
        with T.block("b1"):
            v = T.axis.spatial(n + m, i)
            b_out[v] = T.if_then_else(v < n, a[v], T.float32(0.0))

@R.function
def main(x: R.Tensor(("n",), "float32"), s: R.Shape(["m"])) -> R.Tensor(("n + m",), "float32"):
    n = T.int64()
    m = T.int64()
    cls = Module
    with R.dataflow():
        b = R.call_tir(cls.fused_double_pad, (x,), out_sinfo=R.Tensor((n + m,), "float32"), tir_vars=R.shape([m]))
        R.output(b)
    return b
`,
  ));
