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

it("a call of a function that is named anew says what it gives, whatever was written beside it", () =>
  expectPass(
    normalizeGlobalVar(),
    `
@R.function(private=True)
def f() -> R.Tensor((1,), "int32"):
    return R.const([1], "int32")

@R.function
def g() -> R.Tensor("int32"):
    R.func_attr({"global_symbol": "f"})
    cls = Module
    y: R.Tensor("int32") = cls.f()
    return y
`,
    `
@R.function(private=True)
def f1() -> R.Tensor((1,), "int32"):
    return R.const([1], "int32")

@R.function
def f() -> R.Tensor((1,), "int32"):
    cls = Module
    y: R.Tensor((1,), "int32") = cls.f1()
    return y
`,
  ));
