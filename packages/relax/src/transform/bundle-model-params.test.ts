import { it } from "vitest";
import { bundleModelParams } from "./bundle-model-params.ts";
import { expectPass } from "./testing/expect-pass.ts";

it("weights come in one tuple, and are taken out where they are first used", () =>
  expectPass(
    bundleModelParams(),
    `
@R.function
def main(x: R.Tensor((4,), "float32"), w: R.Tensor((4,), "float32"), b: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
    R.func_attr({"num_input": 1})
    with R.dataflow():
        m = R.multiply(x, w)
        y = R.add(m, b)
        R.output(y)
    return y
`,
    `
@R.function
def main(x: R.Tensor((4,), "float32"), model_params: R.Tuple(R.Tensor((4,), "float32"), R.Tensor((4,), "float32"))) -> R.Tensor((4,), "float32"):
    R.func_attr({"num_input": 1})
    with R.dataflow():
        w = model_params[0]
        m = R.multiply(x, w)
        b = model_params[1]
        y = R.add(m, b)
        R.output(w, b, y)
    return y
`,
  ));
