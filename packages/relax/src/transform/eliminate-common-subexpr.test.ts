import { it } from "vitest";
import { eliminateCommonSubexpr } from "./eliminate-common-subexpr.ts";
import { expectPass } from "./testing/expect-pass.ts";

it("a value that is computed again becomes a name of the first", () =>
  expectPass(
    eliminateCommonSubexpr(),
    `
@R.function
def main(x: R.Tensor((2,), "float32")) -> R.Tensor((2,), "float32"):
    with R.dataflow():
        a = R.exp(x)
        b = R.exp(x)
        c = R.add(a, b)
        R.output(c)
    return c
`,
    `
@R.function
def main(x: R.Tensor((2,), "float32")) -> R.Tensor((2,), "float32"):
    with R.dataflow():
        a = R.exp(x)
        b = a
        c = R.add(a, a)
        R.output(c)
    return c
`,
  ));

it("what leaves a dataflow block is not replaced by what stays in it", () =>
  expectPass(
    eliminateCommonSubexpr(),
    `
@R.function
def main(x: R.Tensor((2,), "float32")) -> R.Tuple(R.Tensor((2,), "float32"), R.Tensor((2,), "float32")):
    with R.dataflow():
        a = R.exp(x)
        b = R.exp(x)
        R.output(b)
    c = R.exp(x)
    return (b, c)
`,
    `
@R.function
def main(x: R.Tensor((2,), "float32")) -> R.Tuple(R.Tensor((2,), "float32"), R.Tensor((2,), "float32")):
    with R.dataflow():
        a = R.exp(x)
        b = a
        R.output(b)
    c = b
    return (b, b)
`,
  ));

it("two allocations are two", () => {
  const text = `
@R.function(pure=False)
def main() -> R.Tensor((2,), "float32"):
    a = R.builtin.alloc_tensor(R.shape([2]), R.dtype("float32"), R.prim_value(0), R.str("global"))
    b = R.builtin.alloc_tensor(R.shape([2]), R.dtype("float32"), R.prim_value(0), R.str("global"))
    c = R.add(a, b)
    return c
`;
  expectPass(eliminateCommonSubexpr(), text, text);
});
