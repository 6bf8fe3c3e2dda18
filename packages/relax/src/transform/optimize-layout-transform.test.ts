import { it } from "vitest";
import { optimizeLayoutTransform } from "./optimize-layout-transform.ts";
import { expectPass } from "./testing/expect-pass.ts";

it("a layout that is taken back is none", () =>
  expectPass(
    optimizeLayoutTransform(),
    `
@R.function
def main(x: R.Tensor((4, 4,), "float32")) -> R.Tensor((4, 4,), "float32"):
    with R.dataflow():
        a = R.layout_transform(x, index_map=lambda i, j: (j, i))
        b = R.layout_transform(a, index_map=lambda i, j: (j, i))
        y = R.exp(b)
        R.output(y)
    return y
`,
    `
@R.function
def main(x: R.Tensor((4, 4,), "float32")) -> R.Tensor((4, 4,), "float32"):
    with R.dataflow():
        y = R.exp(x)
        R.output(y)
    return y
`,
  ));

it("one that only has the shape of before stays", () =>
  expectPass(
    optimizeLayoutTransform(),
    `
@R.function
def main(x: R.Tensor((4, 4, 4,), "float32")) -> R.Tensor((4, 4, 4,), "float32"):
    with R.dataflow():
        a = R.layout_transform(x, index_map=lambda i, j, k: (j, k, i))
        b = R.layout_transform(a, index_map=lambda i, j, k: (j, k, i))
        y = R.exp(b)
        R.output(y)
    return y
`,
    `
@R.function
def main(x: R.Tensor((4, 4, 4,), "float32")) -> R.Tensor((4, 4, 4,), "float32"):
    with R.dataflow():
        a = R.layout_transform(x, index_map=lambda i, j, k: (j, k, i))
        b = R.layout_transform(a, index_map=lambda i, j, k: (j, k, i))
        y = R.exp(b)
        R.output(y)
    return y
`,
  ));
