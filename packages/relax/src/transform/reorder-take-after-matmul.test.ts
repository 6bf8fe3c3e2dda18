import { it } from "vitest";
import { reorderTakeAfterMatmul } from "./reorder-take-after-matmul.ts";
import { expectPass } from "./testing/expect-pass.ts";

it("of a product some columns are taken", () =>
  expectPass(
    reorderTakeAfterMatmul(),
    `
@R.function
def main(x: R.Tensor((2, 4,), "float32"), w: R.Tensor((4, 16,), "float32"), i: R.Tensor((3,), "int64")) -> R.Tensor((2, 3,), "float32"):
    with R.dataflow():
        p = R.take(w, i, axis=1)
        y = R.matmul(x, p)
        R.output(y)
    return y
`,
    `
@R.function
def main(x: R.Tensor((2, 4,), "float32"), w: R.Tensor((4, 16,), "float32"), i: R.Tensor((3,), "int64")) -> R.Tensor((2, 3,), "float32"):
    with R.dataflow():
        p = R.matmul(x, w)
        y = R.take(p, i, axis=1)
        R.output(y)
    return y
`,
  ));
