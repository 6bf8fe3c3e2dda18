import { it } from "vitest";
import { removeUnusedParameters } from "./remove-unused-parameters.ts";
import { expectPass } from "./testing/expect-pass.ts";

it("what is not used is not handed over; sizes that are come as scalars", () =>
  expectPass(
    removeUnusedParameters(),
    `
@R.function
def main(a: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
    cls = Module
    b = R.exp(a)
    y = cls.ones_like(b)
    return y

@R.function(private=True)
def ones_like(x: R.Tensor(("n",), "float32")) -> R.Tensor(("n",), "float32"):
    n = T.int64()
    y = R.ones(R.shape([n]), "float32")
    return y
`,
    `
@R.function
def main(a: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
    cls = Module
    y = cls.ones_like(R.prim_value(4))
    return y

@R.function(private=True)
def ones_like(param_n: R.Prim(value="n")) -> R.Tensor(("n",), "float32"):
    n = T.int64()
    y = R.ones(R.shape([n]), "float32")
    return y
`,
  ));
