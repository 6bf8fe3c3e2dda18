import { expect, test } from "vitest";
import { makePrimValue } from "../../ir/make.ts";
import { constant } from "@verticil/tir";
import { constantOf, ramp, runOp, t, values } from "../testing/run-op.ts";

function close(actual: readonly number[], expected: readonly number[], digits = 5): void {
  expect(actual).toHaveLength(expected.length);
  actual.forEach((v, i) => expect(v).toBeCloseTo(expected[i]!, digits));
}

const positive = t([0.25, 0.5, 0.75, 0.9], [2, 2]);
const any = t([-1.5, -0.5, 0.5, 2.5], [4]);
const big = t([1.5, 2, 3, 4.25], [4]);

test.each([
  ["abs", any, Math.abs],
  ["acos", positive, Math.acos],
  ["acosh", big, Math.acosh],
  ["asin", positive, Math.asin],
  ["asinh", any, Math.asinh],
  ["atan", any, Math.atan],
  ["atanh", positive, Math.atanh],
  ["ceil", any, Math.ceil],
  ["cos", any, Math.cos],
  ["cosh", any, Math.cosh],
  ["exp", any, Math.exp],
  ["floor", any, Math.floor],
  ["log", positive, Math.log],
  ["negative", any, (v: number) => -v],
  ["rsqrt", positive, (v: number) => 1 / Math.sqrt(v)],
  ["sigmoid", any, (v: number) => 1 / (1 + Math.exp(-v))],
  ["sign", any, Math.sign],
  ["sin", any, Math.sin],
  ["sinh", any, Math.sinh],
  ["square", any, (v: number) => v * v],
  ["sqrt", positive, Math.sqrt],
  ["tan", any, Math.tan],
  ["tanh", any, Math.tanh],
  ["trunc", any, Math.trunc],
  ["nn.relu", any, (v: number) => Math.max(v, 0)],
  ["nn.silu", any, (v: number) => v / (1 + Math.exp(-v))],
] as const)("%s", (name, x, f) => {
  const [out] = runOp(name, [x]);
  close(values(out!), values(x).map(f));
});

test("round takes ties to the even number", () => {
  expect(values(runOp("round", [t([0.5, 1.5, -2.5, 2.6], [4])])[0]!)).toEqual([0, 2, -2, 3]);
});

test("erf and gelu", () => {
  close(values(runOp("erf", [t([0, 0.5, -1], [3])])[0]!), [0, 0.5204999, -0.8427008]);
  close(values(runOp("nn.gelu", [t([0, 1, -1], [3])])[0]!), [0, 0.8413447, -0.1586553]);
  close(values(runOp("nn.gelu_tanh", [t([0, 1, -1], [3])])[0]!), [0, 0.841192, -0.158808]);
});

test("selu, leakyrelu, softplus, prelu", () => {
  close(values(runOp("nn.selu", [t([1, -1], [2])])[0]!), [1.050701, -1.1113307]);
  close(values(runOp("nn.leakyrelu", [t([1, -1], [2])], { alpha: 0.25 })[0]!), [1, -0.25]);
  close(values(runOp("nn.softplus", [t([0, 30], [2])])[0]!), [Math.log(2), 30]);
  close(values(runOp("nn.prelu", [t([-1, -2, 3, -4], [1, 2, 2]), t([0.5, 0.25], [2])])[0]!), [-0.5, -1, 3, -1]);
});

test("checks of floating-point values", () => {
  const x = t([1, Infinity, -Infinity, NaN], [4]);
  expect(values(runOp("isnan", [x])[0]!)).toEqual([0, 0, 0, 1]);
  expect(values(runOp("isinf", [x])[0]!)).toEqual([0, 1, 1, 0]);
  expect(values(runOp("isfinite", [x])[0]!)).toEqual([1, 0, 0, 0]);
});

test("logic and bits of one operand", () => {
  expect(values(runOp("logical_not", [t([1, 0], [2], "bool")])[0]!)).toEqual([0, 1]);
  expect(values(runOp("bitwise_not", [t([1, 0], [2], "int32")])[0]!)).toEqual([-2, -1]);
});

test("clip limits to both sides", () => {
  const limits = [makePrimValue(constant(0, "float32")), makePrimValue(constant(1, "float32"))] as const;
  expect(values(runOp("clip", [any, ...limits])[0]!)).toEqual([0, 0, 0.5, 1]);
});

test.each([
  ["add", (a: number, b: number) => a + b],
  ["subtract", (a: number, b: number) => a - b],
  ["multiply", (a: number, b: number) => a * b],
  ["divide", (a: number, b: number) => a / b],
  ["floor_divide", (a: number, b: number) => Math.floor(a / b)],
  ["mod", (a: number, b: number) => a % b],
  ["floor_mod", (a: number, b: number) => a - Math.floor(a / b) * b],
  ["maximum", Math.max],
  ["minimum", Math.min],
  ["log_add_exp", (a: number, b: number) => Math.log(Math.exp(a) + Math.exp(b))],
  ["atan2", Math.atan2],
  ["equal", (a: number, b: number) => Number(a === b)],
  ["not_equal", (a: number, b: number) => Number(a !== b)],
  ["greater", (a: number, b: number) => Number(a > b)],
  ["greater_equal", (a: number, b: number) => Number(a >= b)],
  ["less", (a: number, b: number) => Number(a < b)],
  ["less_equal", (a: number, b: number) => Number(a <= b)],
] as const)("%s broadcasts", (name, f) => {
  const a = t([1, -2, 3, 4, 5.5, -6], [2, 3]);
  const b = t([2, -2, 3], [3]);
  const expected = values(a).map((v, i) => f(v, values(b)[i % 3]!));
  close(values(runOp(name, [a, b])[0]!), expected);
});

test("power of floats and of integers", () => {
  close(values(runOp("power", [t([2, 3], [2]), t([0.5, 2], [2])])[0]!), [Math.SQRT2, 9]);
  expect(values(runOp("power", [t([2, -3], [2], "int64"), t([5, 3], [2], "int64")])[0]!)).toEqual([32, -27]);
});

test("bits and shifts of two operands", () => {
  const a = t([12, 5], [2], "int32");
  const b = t([10, 1], [2], "int32");
  expect(values(runOp("bitwise_and", [a, b])[0]!)).toEqual([8, 1]);
  expect(values(runOp("bitwise_or", [a, b])[0]!)).toEqual([14, 5]);
  expect(values(runOp("bitwise_xor", [a, b])[0]!)).toEqual([6, 4]);
  expect(values(runOp("left_shift", [a, t([1, 2], [2], "int32")])[0]!)).toEqual([24, 20]);
  expect(values(runOp("right_shift", [a, t([1, 2], [2], "int32")])[0]!)).toEqual([6, 1]);
});

test("logic of two operands", () => {
  const a = t([1, 1, 0, 0], [4], "bool");
  const b = t([1, 0, 1, 0], [4], "bool");
  expect(values(runOp("logical_and", [a, b])[0]!)).toEqual([1, 0, 0, 0]);
  expect(values(runOp("logical_or", [a, b])[0]!)).toEqual([1, 1, 1, 0]);
  expect(values(runOp("logical_xor", [a, b])[0]!)).toEqual([0, 1, 1, 0]);
});

test("a known scalar operand goes into the program", () => {
  expect(values(runOp("multiply", [any, constantOf(t([2], []))])[0]!)).toEqual([-3, -1, 1, 5]);
  expect(values(runOp("subtract", [constantOf(t([1], [])), any])[0]!)).toEqual([2.5, 1.5, 0.5, -1.5]);
});

test("where picks by condition, scalars folded in", () => {
  const c = t([1, 0, 1], [3], "bool");
  expect(values(runOp("where", [c, t([1, 2, 3], [3]), t([-1], [1])])[0]!)).toEqual([1, -1, 3]);
  expect(values(runOp("where", [c, t([1, 2, 3], [3]), constantOf(t([9], []))])[0]!)).toEqual([1, 9, 3]);
});

test("ewise_fma", () => {
  expect(values(runOp("ewise_fma", [t([1, 2], [2]), t([3, 4], [2]), t([5, 6], [2])])[0]!)).toEqual([8, 14]);
});

test("astype truncates towards zero", () => {
  expect(values(runOp("astype", [any], { dtype: "int32" })[0]!)).toEqual([-1, 0, 0, 2]);
});

test("broadcast_to repeats dimensions of size 1", async () => {
  const { makeShapeExpr } = await import("../../ir/make.ts");
  expect(values(runOp("broadcast_to", [t([1, 2], [2, 1]), makeShapeExpr([3, 2, 2])])[0]!)).toEqual([1, 1, 2, 2, 1, 1, 2, 2, 1, 1, 2, 2]);
  expect(ramp([2]).shape).toEqual([2]);
});
