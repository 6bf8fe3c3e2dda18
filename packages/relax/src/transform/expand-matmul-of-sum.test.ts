import { it } from "vitest";
import { expandMatmulOfSum } from "./expand-matmul-of-sum.ts";
import { expectPass } from "./testing/expect-pass.ts";

it("a product with a transposed sum is a sum of products", () =>
  expectPass(
    expandMatmulOfSum(),
    `
@R.function
def main(x: R.Tensor((2, 4,), "float32"), a: R.Tensor((3, 4,), "float32"), b: R.Tensor((3, 4,), "float32")) -> R.Tensor((2, 3,), "float32"):
    with R.dataflow():
        s = R.add(a, b)
        q = R.permute_dims(s)
        y = R.matmul(x, q)
        R.output(y)
    return y
`,
    `
@R.function
def main(x: R.Tensor((2, 4,), "float32"), a: R.Tensor((3, 4,), "float32"), b: R.Tensor((3, 4,), "float32")) -> R.Tensor((2, 3,), "float32"):
    with R.dataflow():
        p = R.permute_dims(a)
        q = R.matmul(x, p)
        r = R.permute_dims(b)
        s = R.matmul(x, r)
        y = R.add(q, s)
        R.output(y)
    return y
`,
  ));

it("weights are rather added beforehand", () =>
  expectPass(
    expandMatmulOfSum(),
    `
@R.function
def main(x: R.Tensor((2, 4,), "float32"), a: R.Tensor((4, 4,), "float32"), b: R.Tensor((4, 4,), "float32")) -> R.Tensor((2, 4,), "float32"):
    R.func_attr({"num_input": 1})
    with R.dataflow():
        s = R.add(a, b)
        y = R.matmul(x, s)
        R.output(y)
    return y
`,
    `
@R.function
def main(x: R.Tensor((2, 4,), "float32"), a: R.Tensor((4, 4,), "float32"), b: R.Tensor((4, 4,), "float32")) -> R.Tensor((2, 4,), "float32"):
    R.func_attr({"num_input": 1})
    with R.dataflow():
        s = R.add(a, b)
        y = R.matmul(x, s)
        R.output(y)
    return y
`,
  ));
