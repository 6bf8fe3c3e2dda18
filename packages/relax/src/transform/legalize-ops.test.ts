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

it("calls that differ in their operands only share one program", () =>
  expectPass(
    legalizeOps(),
    `
@R.function
def main(x: R.Tensor((4,), "float32"), y: R.Tensor((4,), "float32")) -> R.Tensor((8,), "float32"):
    a = R.multiply(x, R.const(2, "float32"))
    b = R.multiply(y, R.const(2, "float32"))
    c = R.concat((b, a), axis=0)
    d = R.concat((a, b), axis=0)
    e = R.multiply(c, R.const(2, "float32"))
    return d
`,
    `
@T.prim_func(private=True)
def multiply(x: T.Buffer((T.int64(4),), "float32"), y: T.Buffer((T.int64(4),), "float32")):
    T.func_attr({"tir.noalias": True})
    for i in range(T.int64(4)):
        with T.block("T_multiply"):
            v = T.axis.spatial(T.int64(4), i)
            y[v] = x[v] * T.float32(2)

@T.prim_func(private=True)
def multiply1(x: T.Buffer((T.int64(8),), "float32"), y: T.Buffer((T.int64(8),), "float32")):
    T.func_attr({"tir.noalias": True})
    for i in range(T.int64(8)):
        with T.block("T_multiply"):
            v = T.axis.spatial(T.int64(8), i)
            y[v] = x[v] * T.float32(2)

@T.prim_func(private=True)
def concatenate(x: T.Buffer((T.int64(4),), "float32"), y: T.Buffer((T.int64(4),), "float32"), z: T.Buffer((T.int64(8),), "float32")):
    T.func_attr({"tir.noalias": True})
    for i in range(T.int64(8)):
        with T.block("T_concat"):
            v = T.axis.spatial(T.int64(8), i)
            z[v] = T.if_then_else(T.int64(4) <= v, y[v - T.int64(4)], x[v])

@R.function
def main(x: R.Tensor((4,), "float32"), y: R.Tensor((4,), "float32")) -> R.Tensor((8,), "float32"):
    a = R.call_tir(Module.multiply, (x,), out_sinfo=R.Tensor((4,), "float32"))
    b = R.call_tir(Module.multiply, (y,), out_sinfo=R.Tensor((4,), "float32"))
    c = R.call_tir(Module.concatenate, (b, a), out_sinfo=R.Tensor((8,), "float32"))
    d = R.call_tir(Module.concatenate, (a, b), out_sinfo=R.Tensor((8,), "float32"))
    e = R.call_tir(Module.multiply1, (c,), out_sinfo=R.Tensor((8,), "float32"))
    return d
`,
  ));

it("one value in both places of a call does not bind the places of another call", () =>
  expectPass(
    legalizeOps(),
    `
@R.function
def main(x: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
    a = R.add(x, x)
    b = R.add(a, x)
    return b
`,
    `
@T.prim_func(private=True)
def add(x: T.Buffer((T.int64(4),), "float32"), y: T.Buffer((T.int64(4),), "float32"), z: T.Buffer((T.int64(4),), "float32")):
    T.func_attr({"tir.noalias": True})
    for i in range(T.int64(4)):
        with T.block("T_add"):
            v = T.axis.spatial(T.int64(4), i)
            z[v] = x[v] + y[v]

@R.function
def main(x: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
    a = R.call_tir(Module.add, (x, x), out_sinfo=R.Tensor((4,), "float32"))
    b = R.call_tir(Module.add, (a, x), out_sinfo=R.Tensor((4,), "float32"))
    return b
`,
  ));
