import { tensorFrom } from "@verticil/runtime-ffi";
import { expect, it } from "vitest";
import { makePrimValue, makeShapeExpr, makeTuple, makeConstant } from "../ir/make.ts";
import { bindParams } from "./bind-params.ts";
import { expectPass } from "./testing/expect-pass.ts";

const before = `
@R.function
def main(x: R.Tensor(("n", 2), "float32"), w: R.Tensor((2,), "float32")) -> R.Tensor(("n", 2), "float32"):
    n = T.int64()
    y = R.add(x, w)
    return y
`;

it("a parameter becomes a constant, the others stay", () =>
  expectPass(
    bindParams("main", new Map([["w", tensorFrom([1, 1], [2], "float32")]])),
    before,
    `
@R.function
def main(x: R.Tensor(("n", 2), "float32")) -> R.Tensor(("n", 2), "float32"):
    n = T.int64()
    y = R.add(x, R.const([1.0, 1.0], "float32"))
    return y
`,
  ));

const symbolic = `
@R.function
def main(x: R.Tensor(("n",), "float32"), w: R.Tensor(("n",), "float32"), v: R.Tensor(("n",), "float32")) -> R.Tensor(("n",), "float32"):
    n = T.int64()
    y = R.add(x, w)
    z = R.add(R.zeros(R.shape([n]), "float32"), R.add(y, v))
    return z
`;

it("sizes that a value tells are known in all of the function", () =>
  expectPass(
    bindParams("main", new Map([["w", tensorFrom([1, 1], [2], "float32")]])),
    symbolic,
    `
@R.function
def main(x: R.Tensor((2,), "float32"), v: R.Tensor((2,), "float32")) -> R.Tensor((2,), "float32"):
    y = R.add(x, R.const([1.0, 1.0], "float32"))
    z = R.add(R.zeros(R.shape([2]), "float32"), R.add(y, v))
    return z
`,
  ));

it("tuples, shapes and scalars can be bound, and functions by the name that is known outside", () => {
  const one = tensorFrom([1, 1], [2], "float32");
  expectPass(
    bindParams("run", new Map([["t", makeTuple([makeConstant(one)])]])),
    `
@R.function
def main(x: R.Tensor((2,), "float32"), t: R.Tuple(R.Tensor((2,), "float32"))) -> R.Tensor((2,), "float32"):
    R.func_attr({"global_symbol": "run"})
    w = t[0]
    y = R.add(x, w)
    return y
`,
    `
@R.function
def main(x: R.Tensor((2,), "float32")) -> R.Tensor((2,), "float32"):
    R.func_attr({"global_symbol": "run"})
    w = (R.const([1.0, 1.0], "float32"),)[0]
    y = R.add(x, w)
    return y
`,
  );
  expectPass(
    bindParams("main", new Map([["s", makeShapeExpr([3])]])),
    `
@R.function
def main(s: R.Shape(["n"])) -> R.Tensor(("n",), "float32"):
    n = T.int64()
    y = R.zeros(s, "float32")
    return y
`,
    `
@R.function
def main() -> R.Tensor((3,), "float32"):
    y = R.zeros(R.shape([3]), "float32")
    return y
`,
  );
});

const refused = (params: Parameters<typeof bindParams>[1], text = before): (() => void) => () => expectPass(bindParams("main", params), text, text);

it("a value that does not fit its parameter is refused, and so is one of another size than a value before it", () => {
  expect(refused(new Map([["w", tensorFrom([1, 1, 1], [3], "float32")]]))).toThrow("`w` is float32[2], but its tensor is float32[3].");
  expect(refused(new Map([["w", tensorFrom([1, 1], [2], "int32")]]))).toThrow("`w` is float32[2], but its tensor is int32[2].");
  expect(refused(new Map([["w", tensorFrom([1, 1], [1, 2], "float32")]]))).toThrow("`w` is float32[2], but its tensor is float32[1, 2].");
  expect(refused(new Map([["w", makePrimValue(2)]]))).toThrow("`w` is float32[2], but its value is prim.");
  const sizes = new Map([["w", tensorFrom([1, 1], [2], "float32")], ["v", tensorFrom([1, 1, 1], [3], "float32")]]);
  expect(refused(sizes, symbolic)).toThrow("`v` is float32[2], but its tensor is float32[3].");
});

it("names without a parameter are refused, unless they may be another function's; functions that are not there are", () => {
  const other = new Map([["other", tensorFrom([1], [1], "float32")]]);
  expect(refused(other)).toThrow("The function has no parameter `other`; its parameters are `x`, `w`.");
  expectPass(bindParams("main", other, { allowUnknown: true }), before, before);
  expect(() => expectPass(bindParams("decode", other), before, before)).toThrow("The module has no graph function `decode`.");
});
