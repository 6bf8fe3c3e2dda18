import { it } from "vitest";
import { removeRedundantReshape } from "./remove-redundant-reshape.ts";
import { expectPass } from "./testing/expect-pass.ts";

it("the last of several reshapes is enough, and none where the shape is there", () =>
  expectPass(
    removeRedundantReshape(),
    `
@R.function
def main(x: R.Tensor((2, 6,), "float32")) -> R.Tensor((3, 4,), "float32"):
    with R.dataflow():
        a = R.reshape(x, R.shape([2, 6]))
        b = R.reshape(a, R.shape([12]))
        y = R.reshape(b, R.shape([3, 4]))
        R.output(y)
    return y
`,
    `
@R.function
def main(x: R.Tensor((2, 6,), "float32")) -> R.Tensor((3, 4,), "float32"):
    with R.dataflow():
        y = R.reshape(x, R.shape([3, 4]))
        R.output(y)
    return y
`,
  ));
