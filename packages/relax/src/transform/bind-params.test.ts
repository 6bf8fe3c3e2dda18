import { tensorFrom } from "@verticil/runtime-ffi";
import { expect, it } from "vitest";
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
    bindParams("main", new Map([["w", tensorFrom([1, 1], [2], "float32")], ["other", tensorFrom([1], [1], "float32")]])),
    before,
    `
@R.function
def main(x: R.Tensor(("n", 2), "float32")) -> R.Tensor(("n", 2), "float32"):
    n = T.int64()
    y = R.add(x, R.const([1.0, 1.0], "float32"))
    return y
`,
  ));

it("a tensor that does not fit its parameter is refused, and so is a function that is not there", () => {
  const wrong = new Map([["w", tensorFrom([1, 1, 1], [3], "float32")]]);
  expect(() => expectPass(bindParams("main", wrong), before, before)).toThrow("`w` is float32[2], but its tensor is float32[3].");
  expect(() => expectPass(bindParams("decode", wrong), before, before)).toThrow("The module has no graph function `decode`.");
});
