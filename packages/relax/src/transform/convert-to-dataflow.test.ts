import { it } from "vitest";
import { convertToDataflow } from "./convert-to-dataflow.ts";
import { expectPass } from "./testing/expect-pass.ts";

it("bindings without effects become a block, up to a call that has one; a single binding stays", () =>
  expectPass(
    convertToDataflow(),
    `
@R.function(pure=False)
def main(x: R.Tensor((2,), "float32")) -> R.Tensor((2,), "float32"):
    a = R.exp(x)
    b = R.negative(a)
    u = R.print(b, format="{}")
    c = R.abs(b)
    return c
`,
    `
@R.function(pure=False)
def main(x: R.Tensor((2,), "float32")) -> R.Tensor((2,), "float32"):
    with R.dataflow():
        a = R.exp(x)
        b = R.negative(a)
        R.output(b)
    u = R.print(b, format="{}")
    c = R.abs(b)
    return c
`,
  ));

it("a binding after a block joins it", () =>
  expectPass(
    convertToDataflow(),
    `
@R.function
def main(x: R.Tensor((2,), "float32")) -> R.Tensor((2,), "float32"):
    with R.dataflow():
        a = R.exp(x)
        R.output(a)
    b = R.negative(a)
    return b
`,
    `
@R.function
def main(x: R.Tensor((2,), "float32")) -> R.Tensor((2,), "float32"):
    with R.dataflow():
        a = R.exp(x)
        b = R.negative(a)
        R.output(b)
    return b
`,
  ));
