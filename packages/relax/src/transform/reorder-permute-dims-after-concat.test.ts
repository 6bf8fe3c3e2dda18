import { it } from "vitest";
import { reorderPermuteDimsAfterConcat } from "./reorder-permute-dims-after-concat.ts";
import { expectPass } from "./testing/expect-pass.ts";

it("what is transposed alike is put together first", () =>
  expectPass(
    reorderPermuteDimsAfterConcat(),
    `
@R.function
def main(a: R.Tensor((2, 4,), "float32"), b: R.Tensor((3, 4,), "float32")) -> R.Tensor((4, 5,), "float32"):
    with R.dataflow():
        p = R.permute_dims(a)
        q = R.permute_dims(b)
        y = R.concat((p, q), axis=1)
        R.output(y)
    return y
`,
    `
@R.function
def main(a: R.Tensor((2, 4,), "float32"), b: R.Tensor((3, 4,), "float32")) -> R.Tensor((4, 5,), "float32"):
    with R.dataflow():
        p = R.concat((a, b), axis=0)
        y = R.permute_dims(p)
        R.output(y)
    return y
`,
  ));

it("what is not stays", () =>
  expectPass(
    reorderPermuteDimsAfterConcat(),
    `
@R.function
def main(a: R.Tensor((2, 2, 2,), "float32"), b: R.Tensor((2, 2, 2,), "float32")) -> R.Tensor((2, 4, 2,), "float32"):
    with R.dataflow():
        p = R.permute_dims(a, axes=[0, 2, 1])
        q = R.permute_dims(b, axes=[2, 1, 0])
        y = R.concat((p, q), axis=1)
        R.output(y)
    return y
`,
    `
@R.function
def main(a: R.Tensor((2, 2, 2,), "float32"), b: R.Tensor((2, 2, 2,), "float32")) -> R.Tensor((2, 4, 2,), "float32"):
    with R.dataflow():
        p = R.permute_dims(a, axes=[0, 2, 1])
        q = R.permute_dims(b, axes=[2, 1, 0])
        y = R.concat((p, q), axis=1)
        R.output(y)
    return y
`,
  ));
