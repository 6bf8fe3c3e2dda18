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
        lv2 = R.add(x, R.const(2.0, "float32"))
        R.output(lv2)
    return lv2
`,
  ));

it("so it goes in branches, and an output that is a name of a local value is that value", () =>
  expectPass(
    canonicalizeBindings(),
    `
@R.function
def main(c: R.Tensor((), "bool"), x: R.Tensor((2,), "float32")) -> R.Tensor((2,), "float32"):
    if c:
        with R.dataflow():
            a = R.negative(x)
            b = R.exp(a)
            d = b
            R.output(a, d)
        y = d
    else:
        e = x
        y = R.abs(e)
    return y
`,
    `
@R.function
def main(c: R.Tensor((), "bool"), x: R.Tensor((2,), "float32")) -> R.Tensor((2,), "float32"):
    if c:
        with R.dataflow():
            a = R.negative(x)
            d = R.exp(a)
            R.output(d)
        y = d
    else:
        y = R.abs(x)
    return y
`,
  ));

it("a tuple put together from the fields of another is that one, and adjacent blocks are one", () =>
  expectPass(
    canonicalizeBindings(),
    `
@R.function
def main(x: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
    with R.dataflow():
        s = R.split(x, 2)
        a = s[0]
        b = s[1]
        t = (a, b)
        R.output(s, t)
    with R.dataflow():
        y = R.concat(t)
        R.output(y)
    return y
`,
    `
@R.function
def main(x: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
    with R.dataflow():
        s = R.split(x, 2)
        a = s[0]
        b = s[1]
        y = R.concat(s)
        R.output(y)
    return y
`,
  ));
