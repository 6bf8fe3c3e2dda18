import { it } from "vitest";
import { removePurityChecking } from "./remove-purity-checking.ts";
import { expectPass } from "./testing/expect-pass.ts";

it("pure functions are marked, and calls that were wrapped to count as pure are plain", () =>
  expectPass(
    removePurityChecking(),
    `
@R.function
def main(x: R.Tensor((2,), "float32")) -> R.Tensor((2,), "float32"):
    y = R.call_pure_packed("my.copy", x, sinfo_args=R.Tensor((2,), "float32"))
    return y
`,
    `
@R.function
def main(x: R.Tensor((2,), "float32")) -> R.Tensor((2,), "float32"):
    R.func_attr({"relax.force_pure": True})
    y = R.call_packed("my.copy", x, sinfo_args=R.Tensor((2,), "float32"))
    return y
`,
  ));
