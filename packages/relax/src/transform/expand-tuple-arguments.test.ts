import { it } from "vitest";
import { expandTupleArguments } from "./expand-tuple-arguments.ts";
import { expectPass } from "./testing/expect-pass.ts";

it("fields come in the place of tuples, in tuples of tuples too", () =>
  expectPass(
    expandTupleArguments(),
    `
@R.function
def main(a: R.Tensor((4,), "float32"), b: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
    cls = Module
    t = (a, (b, a))
    y = cls.sum(t)
    return y

@R.function(private=True)
def sum(t: R.Tuple(R.Tensor((4,), "float32"), R.Tuple(R.Tensor((4,), "float32"), R.Tensor((4,), "float32")))) -> R.Tensor((4,), "float32"):
    p = t[0]
    q = t[1]
    r = q[1]
    y = R.add(p, r)
    return y
`,
    `
@R.function
def main(a: R.Tensor((4,), "float32"), b: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
    cls = Module
    y = cls.sum(a, b, a)
    return y

@R.function(private=True)
def sum(p: R.Tensor((4,), "float32"), q: R.Tensor((4,), "float32"), r: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
    y = R.add(p, r)
    return y
`,
  ));
