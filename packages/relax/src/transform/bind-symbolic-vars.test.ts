import { it } from "vitest";
import { bindSymbolicVars } from "./bind-symbolic-vars.ts";
import { expectPass } from "./testing/expect-pass.ts";

it("a size by name, in all that follows from it", () =>
  expectPass(
    bindSymbolicVars(new Map([["n", 3]])),
    `
@R.function
def main(x: R.Tensor(("n", "m"), "float32")) -> R.Tensor(("n * m",), "float32"):
    n = T.int64()
    m = T.int64()
    y = R.reshape(x, R.shape([n * m]))
    return y
`,
    `
@R.function
def main(x: R.Tensor((3, "m"), "float32")) -> R.Tensor(("m * 3",), "float32"):
    m = T.int64()
    y = R.reshape(x, R.shape([m * 3]))
    return y
`,
  ));
