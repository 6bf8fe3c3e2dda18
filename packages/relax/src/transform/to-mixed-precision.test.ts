import { expect, it, test } from "vitest";
import { mixedPrecisionTable } from "../op/mixed-precision.ts";
import { relaxOps } from "../op/index.ts";
import { expectPass } from "./testing/expect-pass.ts";
import { toMixedPrecision } from "./to-mixed-precision.ts";

it("a product takes float16, adds up in float32, and what it gives is kept in float16", () =>
  expectPass(
    toMixedPrecision(),
    `
@R.function
def main(x: R.Tensor((2, 3), "float32"), w: R.Tensor((3, 3), "float32")) -> R.Tensor((2, 3), "float32"):
    with R.dataflow():
        a = R.matmul(x, w)
        b = R.nn.relu(a)
        c = R.nn.softmax(b)
        R.output(c)
    return c
`,
    `
@R.function
def main(x: R.Tensor((2, 3), "float32"), w: R.Tensor((3, 3), "float32")) -> R.Tensor((2, 3), "float32"):
    with R.dataflow():
        x1 = R.astype(x, dtype="float16")
        w1 = R.astype(w, dtype="float16")
        a = R.matmul(x1, w1, out_dtype="float32")
        a1 = R.astype(a, dtype="float16")
        b = R.nn.relu(a1)
        b1 = R.astype(b, dtype="float32")
        c = R.nn.softmax(b1)
        R.output(c)
    return c
`,
  ));

it("a parameter that only products use is brought to float16 once, one that others use at each product", () =>
  expectPass(
    toMixedPrecision({ outDType: "float16" }),
    `
@R.function
def main(x: R.Tensor((3, 3), "float32"), w: R.Tensor((3, 3), "float32")) -> R.Tuple(R.Tensor((3, 3), "float32"), R.Tensor((3, 3), "float32")):
    with R.dataflow():
        a = R.matmul(x, w)
        b = R.matmul(a, w)
        c = R.nn.softmax(x)
        R.output(b, c)
    return (b, c)
`,
    `
@R.function
def main(x: R.Tensor((3, 3), "float32"), w: R.Tensor((3, 3), "float32")) -> R.Tuple(R.Tensor((3, 3), "float32"), R.Tensor((3, 3), "float32")):
    with R.dataflow():
        w1 = R.astype(w, dtype="float16")
        x1 = R.astype(x, dtype="float16")
        a = R.matmul(x1, w1, out_dtype="float16")
        b1 = R.matmul(a, w1, out_dtype="float16")
        b = R.astype(b1, dtype="float32")
        c = R.nn.softmax(x)
        R.output(b, c)
    return (b, c)
`,
  ));

it("plain blocks and branches keep their types, even where a block before them computes in float16", () =>
  expectPass(
    toMixedPrecision(),
    `
@R.function
def main(p: R.Tensor((), "bool"), x: R.Tensor((3, 3), "float32")) -> R.Tensor((3, 3), "float32"):
    with R.dataflow():
        a = R.matmul(x, x)
        R.output(a)
    if p:
        b = R.nn.relu(a)
        c = b
    else:
        d = R.exp(a)
        c = d
    return c
`,
    `
@R.function
def main(p: R.Tensor((), "bool"), x: R.Tensor((3, 3), "float32")) -> R.Tensor((3, 3), "float32"):
    with R.dataflow():
        x1 = R.astype(x, dtype="float16")
        a = R.matmul(x1, x1, out_dtype="float32")
        R.output(a)
    if p:
        b = R.nn.relu(a)
        c = b
    else:
        d = R.exp(a)
        c = d
    return c
`,
  ));

test("each policy is of an operator that there is", () => {
  expect([...mixedPrecisionTable.keys()].filter((name) => !relaxOps.has(name))).toEqual([]);
});
