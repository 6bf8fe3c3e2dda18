import { DiagnosticError, firstMismatch } from "@verticil/ir-core";
import { tir } from "@verticil/tir";
import { parse } from "@verticil/tvmscript";
import { expect, test } from "vitest";
import { relax } from "./relax-script.ts";

const dialects = [tir, relax];

test.each([
  ["what it was where the macro was defined", "", 2],
  ["what it is where the macro is called", "(hygienic=False)", 1],
])("a macro of graphs gives a value; a name is %s", (_, how, x) => {
  const withMacro = `x = R.prim_value(2)
@R.macro${how}
def alloc(dtype):
    made = R.builtin.alloc_tensor(R.shape([4, 4]), runtime_device_index=x, dtype=dtype)
    return R.shape_of(made)
x = R.prim_value(1)

@R.function(private=True)
def f(z: R.Tensor((4, 4), "float32")):
    shape = alloc(dtype="float32")
    return shape
`;
  const without = `@R.function(private=True)
def f(z: R.Tensor((4, 4), "float32")) -> R.Shape([4, 4]):
    made = R.builtin.alloc_tensor(R.shape([4, 4]), R.dtype("float32"), R.prim_value(${x}))
    lv: R.Shape([4, 4]) = R.shape_of(made)
    shape: R.Shape([4, 4]) = lv
    return shape
`;
  const [a, b] = [parse(withMacro, { dialects }), parse(without, { dialects })];
  expect(firstMismatch(a, b, { dialects })?.path).toBeUndefined();
});

test("names of a macro end with it", () => {
  const text = `@R.macro
def add_two(value):
    x = R.add(value, R.const(1))
    y = R.add(x, R.const(1))
    return y
@R.function(private=True)
def f(t: R.Tensor((), "int32")) -> R.Tensor((), "int32"):
    u = add_two(t)
    return x
`;
  expect(() => parse(text, { dialects })).toThrow(DiagnosticError);
  expect(() => parse(text, { dialects })).toThrow("`x` is not defined here.");
  expect(() => parse(text.replace("return x", "return u"), { dialects })).not.toThrow();
});
