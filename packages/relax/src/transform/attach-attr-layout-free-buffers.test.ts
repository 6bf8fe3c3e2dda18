import { it } from "vitest";
import { attachAttrLayoutFreeBuffers } from "./attach-attr-layout-free-buffers.ts";
import { expectPass } from "./testing/expect-pass.ts";

it("weights are marked, for each use of a program on its own", () =>
  expectPass(
    attachAttrLayoutFreeBuffers(),
    `
@T.prim_func(private=True)
def add(A: T.Buffer((3,), "float32"), B: T.Buffer((3,), "float32"), C: T.Buffer((3,), "float32")):
    for i in range(3):
        with T.block("C"):
            v = T.axis.spatial(3, i)
            C[v] = A[v] + B[v]

@R.function
def main(x: R.Tensor((3,), "float32"), w: R.Tensor((3,), "float32")) -> R.Tensor((3,), "float32"):
    R.func_attr({"num_input": 1})
    with R.dataflow():
        a = R.call_tir(Module.add, (x, w), out_sinfo=R.Tensor((3,), "float32"))
        y = R.call_tir(Module.add, (a, x), out_sinfo=R.Tensor((3,), "float32"))
        R.output(y)
    return y
`,
    `
@T.prim_func(private=True)
def add1(A: T.Buffer((3,), "float32"), B: T.Buffer((3,), "float32"), C: T.Buffer((3,), "float32")):
    T.func_attr({"layout_free_buffers": [1]})
    for i in range(3):
        with T.block("C"):
            v = T.axis.spatial(3, i)
            C[v] = A[v] + B[v]


@T.prim_func(private=True)
def add2(A: T.Buffer((3,), "float32"), B: T.Buffer((3,), "float32"), C: T.Buffer((3,), "float32")):
    T.func_attr({"layout_free_buffers": []})
    for i in range(3):
        with T.block("C"):
            v = T.axis.spatial(3, i)
            C[v] = A[v] + B[v]

@R.function
def main(x: R.Tensor((3,), "float32"), w: R.Tensor((3,), "float32")) -> R.Tensor((3,), "float32"):
    R.func_attr({"num_input": 1})
    with R.dataflow():
        a = R.call_tir(Module.add1, (x, w), out_sinfo=R.Tensor((3,), "float32"))
        y = R.call_tir(Module.add2, (a, x), out_sinfo=R.Tensor((3,), "float32"))
        R.output(y)
    return y
`,
  ));
