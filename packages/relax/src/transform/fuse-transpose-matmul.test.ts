import { it } from "vitest";
import { fuseTransposeMatmul } from "./fuse-transpose-matmul.ts";
import { expectPass } from "./testing/expect-pass.ts";

it("rows are multiplied with rows", () =>
  expectPass(
    fuseTransposeMatmul(),
    `
@R.function
def main(x: R.Tensor((2, 4,), "float32"), w: R.Tensor((3, 4,), "float32")) -> R.Tensor((2, 3,), "float32"):
    with R.dataflow():
        p = R.permute_dims(w)
        y = R.matmul(x, p)
        R.output(y)
    return y
`,
    `
@T.prim_func(private=True)
def NT_matmul(A: T.Buffer((T.int64(2), T.int64(4)), "float32"), B: T.Buffer((T.int64(3), T.int64(4)), "float32"), NT_matmul: T.Buffer((T.int64(2), T.int64(3)), "float32")):
    T.func_attr({"tir.noalias": T.bool(True)})
    for i0, i1, k in T.grid(T.int64(2), T.int64(3), T.int64(4)):
        with T.block("NT_matmul"):
            v_i0, v_i1, v_k = T.axis.remap("SSR", [i0, i1, k])
            T.reads(A[v_i0, v_k], B[v_i1, v_k])
            T.writes(NT_matmul[v_i0, v_i1])
            with T.init():
                NT_matmul[v_i0, v_i1] = T.float32(0.0)
            NT_matmul[v_i0, v_i1] = NT_matmul[v_i0, v_i1] + A[v_i0, v_k] * B[v_i1, v_k]

@R.function
def main(x: R.Tensor((2, 4,), "float32"), w: R.Tensor((3, 4,), "float32")) -> R.Tensor((2, 3,), "float32"):
    with R.dataflow():
        y = R.call_tir(Module.NT_matmul, (x, w), out_sinfo=R.Tensor((2, 3,), "float32"))
        R.output(y)
    return y
`,
  ));
