import { it } from "vitest";
import { inlinePrivateFunctions } from "./inline-private-functions.ts";
import { expectPass } from "./testing/expect-pass.ts";

it("a private function takes the place of its calls, sizes included", () =>
  expectPass(
    inlinePrivateFunctions(),
    `
@R.function
def main(x: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
    cls = Module
    with R.dataflow():
        a = cls.twice(x)
        b = cls.twice(a)
        R.output(b)
    return b

@R.function(private=True)
def twice(x: R.Tensor(("n",), "float32")) -> R.Tensor(("n",), "float32"):
    n = T.int64()
    z = R.zeros(R.shape([n]), "float32")
    y = R.add(x, z)
    return y
`,
    `
@R.function
def main(x: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
    with R.dataflow():
        z = R.zeros(R.shape([4]), "float32")
        a = R.add(x, z)
        z1 = R.zeros(R.shape([4]), "float32")
        b = R.add(a, z1)
        R.output(b)
    return b
`,
  ));

it("one with branches makes the blocks of its caller plain, one that calls itself stays", () =>
  expectPass(
    inlinePrivateFunctions(),
    `
@R.function
def main(c: R.Tensor((), "bool"), x: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
    cls = Module
    with R.dataflow():
        a = cls.choose(c, x)
        b = cls.forever(c, a)
        R.output(b)
    return b

@R.function(private=True)
def choose(c: R.Tensor((), "bool"), x: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
    if c:
        y = R.exp(x)
    else:
        y = R.log(x)
    return y

@R.function(private=True)
def forever(c: R.Tensor((), "bool"), x: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
    cls = Module
    y: R.Tensor((4,), "float32") = cls.forever(c, x)
    return y
`,
    `
@R.function
def main(c: R.Tensor((), "bool"), x: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
    cls = Module
    if c:
        a = R.exp(x)
    else:
        a = R.log(x)
    b = cls.forever(c, a)
    return b

@R.function(private=True)
def forever(c: R.Tensor((), "bool"), x: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
    cls = Module
    y: R.Tensor((4,), "float32") = cls.forever(c, x)
    return y
`,
  ));
