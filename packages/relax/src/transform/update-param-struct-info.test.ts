import { it } from "vitest";
import { makeTensorStructInfo } from "../ir/make.ts";
import { updateParamStructInfo } from "./update-param-struct-info.ts";
import { expectPass } from "./testing/expect-pass.ts";

it("what is known of a parameter flows on, through branches", () =>
  expectPass(
    updateParamStructInfo((p) => (p.name === "x" ? makeTensorStructInfo([2, 3], "float16") : undefined)),
    `
@R.function
def main(c: R.Tensor((), "bool"), x: R.Tensor) -> R.Tensor:
    if c:
        a: R.Tensor = R.exp(x)
        y: R.Tensor = a
    else:
        y: R.Tensor = x
    z: R.Tensor = R.permute_dims(y)
    return z
`,
    `
@R.function
def main(c: R.Tensor((), "bool"), x: R.Tensor((2, 3), "float16")) -> R.Tensor((3, 2), "float16"):
    if c:
        a = R.exp(x)
        y = a
    else:
        y = x
    z = R.permute_dims(y)
    return z
`,
  ));
