import { it } from "vitest";
import { normalizeGlobalVar } from "./normalize-global-var.ts";
import { expectPass } from "./testing/expect-pass.ts";

it("a public function is called as it is known outside, and a private one makes room", () =>
  expectPass(
    normalizeGlobalVar(),
    `
@R.function
def inner(x: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
    R.func_attr({"global_symbol": "main"})
    cls = Module
    y = cls.main(x)
    return y

@R.function(private=True)
def main(x: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
    return x
`,
    `
@R.function
def main(x: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
    cls = Module
    y = cls.main1(x)
    return y

@R.function(private=True)
def main1(x: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
    return x
`,
  ));
