import { it } from "vitest";
import { adjustMatmulOrder } from "./adjust-matmul-order.ts";
import { expectPass } from "./testing/expect-pass.ts";

it("the cheaper order is taken", () =>
  expectPass(
    adjustMatmulOrder(),
    `
@R.function
def main(a: R.Tensor((4, 64,), "float32"), b: R.Tensor((64, 64,), "float32"), c: R.Tensor((64, 1,), "float32")) -> R.Tensor((4, 1,), "float32"):
    with R.dataflow():
        p = R.matmul(a, b)
        y = R.matmul(p, c)
        R.output(y)
    return y
`,
    `
@R.function
def main(a: R.Tensor((4, 64,), "float32"), b: R.Tensor((64, 64,), "float32"), c: R.Tensor((64, 1,), "float32")) -> R.Tensor((4, 1,), "float32"):
    with R.dataflow():
        p = R.matmul(b, c)
        y = R.matmul(a, p)
        R.output(y)
    return y
`,
  ));

it("weights are multiplied together, which may happen beforehand", () =>
  expectPass(
    adjustMatmulOrder(),
    `
@R.function
def main(x: R.Tensor((1, 64,), "float32"), a: R.Tensor((64, 2,), "float32"), b: R.Tensor((2, 64,), "float32")) -> R.Tensor((1, 64,), "float32"):
    R.func_attr({"num_input": 1})
    with R.dataflow():
        p = R.matmul(x, a)
        y = R.matmul(p, b)
        R.output(y)
    return y
`,
    `
@R.function
def main(x: R.Tensor((1, 64,), "float32"), a: R.Tensor((64, 2,), "float32"), b: R.Tensor((2, 64,), "float32")) -> R.Tensor((1, 64,), "float32"):
    R.func_attr({"num_input": 1})
    with R.dataflow():
        p = R.matmul(a, b)
        y = R.matmul(x, p)
        R.output(y)
    return y
`,
  ));

it("a transposed product is a product of the transposed", () =>
  expectPass(
    adjustMatmulOrder(),
    `
@R.function
def main(x: R.Tensor((1, 64,), "float32"), a: R.Tensor((64, 2,), "float32"), b: R.Tensor((2, 64,), "float32")) -> R.Tensor((1, 64,), "float32"):
    with R.dataflow():
        p = R.matmul(a, b)
        q = R.permute_dims(p)
        y = R.matmul(x, q)
        R.output(y)
    return y
`,
    `
@R.function
def main(x: R.Tensor((1, 64,), "float32"), a: R.Tensor((64, 2,), "float32"), b: R.Tensor((2, 64,), "float32")) -> R.Tensor((1, 64,), "float32"):
    with R.dataflow():
        p = R.permute_dims(b)
        q = R.matmul(x, p)
        r = R.permute_dims(a)
        y = R.matmul(q, r)
        R.output(y)
    return y
`,
  ));
