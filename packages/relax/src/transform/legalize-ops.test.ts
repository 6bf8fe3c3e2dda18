import { it } from "vitest";
import { legalizeOps } from "./legalize-ops.ts";
import { expectPass } from "./testing/expect-pass.ts";

it("a scalar operand is passed to the program by value, in its place", () =>
  expectPass(
    legalizeOps(),
    `
@R.function
def main(x: R.Tensor((4,), "float32"), s: R.Prim("float32")) -> R.Tensor((4,), "float32"):
    y = R.subtract(s, x)
    return y
`,
    `
@T.prim_func(private=True)
def subtract(s: T.float32, x: T.Buffer((T.int64(4),), "float32"), y: T.Buffer((T.int64(4),), "float32")):
    T.func_attr({"tir.noalias": True})
    for i in range(T.int64(4)):
        with T.block("T_subtract"):
            v = T.axis.spatial(T.int64(4), i)
            y[v] = s - x[v]

@R.function
def main(x: R.Tensor((4,), "float32"), s: R.Prim("float32")) -> R.Tensor((4,), "float32"):
    y = R.call_tir(Module.subtract, (s, x), out_sinfo=R.Tensor((4,), "float32"))
    return y
`,
  ));

it("sizes that the result's buffer has are no parameters", () =>
  expectPass(
    legalizeOps(),
    `
@R.function
def main(x: R.Tensor((1,), "float32"), s: R.Shape(["n"])) -> R.Tensor(("n",), "float32"):
    n = T.int64()
    y = R.broadcast_to(x, R.shape([n]))
    return y
`,
    `
@T.prim_func(private=True)
def broadcast_to(x: T.Buffer((T.int64(1),), "float32"), var_y: T.handle):
    T.func_attr({"tir.noalias": True})
    n = T.int64()
    y = T.match_buffer(var_y, (n,))
    for i in range(n):
        with T.block("T_broadcast_to"):
            v = T.axis.spatial(n, i)
            y[v] = x[T.int64(0)]

@R.function
def main(x: R.Tensor((1,), "float32"), s: R.Shape(["n"])) -> R.Tensor(("n",), "float32"):
    n = T.int64()
    y = R.call_tir(Module.broadcast_to, (x,), out_sinfo=R.Tensor((n,), "float32"))
    return y
`,
  ));
