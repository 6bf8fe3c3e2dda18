import { it } from "vitest";
import { removeUnusedOutputs } from "./remove-unused-outputs.ts";
import { expectPass } from "./testing/expect-pass.ts";

it("results that nobody takes are not computed", () =>
  expectPass(
    removeUnusedOutputs(),
    `
@R.function
def main(a: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
    cls = Module
    t = cls.both(a)
    u = t
    y = u[1]
    return y

@R.function(private=True)
def both(x: R.Tensor((4,), "float32")) -> R.Tuple(R.Tensor((4,), "float32"), R.Tensor((4,), "float32")):
    p = R.exp(x)
    q = R.log(x)
    return (p, q)
`,
    `
@R.function
def main(a: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
    cls = Module
    y = cls.both(a)
    return y

@R.function(private=True)
def both(x: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
    q = R.log(x)
    return q
`,
  ));
