import { it } from "vitest";
import { decomposeOpsForTraining } from "./decompose-ops-for-training.ts";
import { expectPass } from "./testing/expect-pass.ts";

it("layer norm becomes plain operators", () =>
  expectPass(
    decomposeOpsForTraining(),
    `
@R.function
def main(x: R.Tensor((2, 4,), "float32"), g: R.Tensor((4,), "float32"), b: R.Tensor((4,), "float32")) -> R.Tensor((2, 4,), "float32"):
    with R.dataflow():
        y = R.nn.layer_norm(x, g, b, axes=[-1], epsilon=1.0)
        R.output(y)
    return y
`,
    `
@R.function
def main(x: R.Tensor((2, 4,), "float32"), g: R.Tensor((4,), "float32"), b: R.Tensor((4,), "float32")) -> R.Tensor((2, 4,), "float32"):
    with R.dataflow():
        m = R.mean(x, axis=[-1], keepdims=True)
        v = R.variance(x, axis=[-1], keepdims=True)
        e = R.add(v, R.const(1.0, "float32"))
        s = R.sqrt(e)
        d = R.subtract(x, m)
        q = R.divide(d, s)
        r = R.multiply(q, g)
        y = R.add(r, b)
        R.output(y)
    return y
`,
  ));
