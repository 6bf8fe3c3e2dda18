import { it } from "vitest";
import { canonicalizeBindings } from "./canonicalize-bindings.ts";
import { expectPass } from "./testing/expect-pass.ts";

it("a field of a tuple that is written out is the field", () =>
  expectPass(
    canonicalizeBindings(),
    `
@R.function
def main(x: R.Tensor((2,), "float32"), y: R.Tensor((2,), "float32")) -> R.Tensor((2,), "float32"):
    with R.dataflow():
        lv = R.add(x, y)
        lv1 = (lv, x)[0]
        lv2 = R.negative(lv1)
        R.output(lv2)
    return lv2
`,
    `
@R.function
def main(x: R.Tensor((2,), "float32"), y: R.Tensor((2,), "float32")) -> R.Tensor((2,), "float32"):
    with R.dataflow():
        lv = R.add(x, y)
        lv2 = R.negative(lv)
        R.output(lv2)
    return lv2
`,
  ));

it("so it is where the field is a constant", () =>
  expectPass(
    canonicalizeBindings(),
    `
@R.function
def main(x: R.Tensor((), "float32")) -> R.Tensor((), "float32"):
    with R.dataflow():
        lv = (x, R.const(2.0, "float32"))
        lv1 = lv[1]
        lv2 = R.add(x, lv1)
        R.output(lv2)
    return lv2
`,
    `
@R.function
def main(x: R.Tensor((), "float32")) -> R.Tensor((), "float32"):
    with R.dataflow():
        lv = (x, R.const(2.0, "float32"))
        lv1: R.Tensor((), "float32") = R.const(2.0, "float32")
        lv2 = R.add(x, lv1)
        R.output(lv2)
    return lv2
`,
  ));
