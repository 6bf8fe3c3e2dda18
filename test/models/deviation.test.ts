import { tensorFrom, type Tensor } from "@verticil/runtime-ffi";
import { expect, test } from "vitest";
import { deviations } from "./deviation.ts";

const t = (...values: readonly number[]): Tensor => tensorFrom(values, [values.length], "float32");
const tolerance = { absolute: 0.25, relative: 0.125 };

test("elements may be off by either measure, and the worst comes first", () => {
  expect(deviations(t(1.25, 9, 0), t(1, 8, 0), tolerance)).toEqual([]);
  expect(deviations(t(2, 16, 0), t(1, 8, 0), tolerance)).toEqual(["element 1 is 16, not 8 (off by 8)", "element 0 is 2, not 1 (off by 1)"]);
});

test("an infinity is itself only", () => {
  expect(deviations(t(Infinity), t(Infinity), tolerance)).toEqual([]);
  expect(deviations(t(5, Infinity, -Infinity), t(Infinity, 5, Infinity), tolerance)).toHaveLength(3);
});

test("NaN is NaN only", () => {
  expect(deviations(t(NaN, 1), t(NaN, NaN), tolerance)).toEqual(["element 1 is 1, not NaN (off by NaN)"]);
});

test("what is near the exact result, and nearer than the other side, is no deviation", () => {
  expect(deviations(t(2, 2), t(1, 1), tolerance, t(1.75, 1.25))).toEqual(["element 1 is 2, not 1 (off by 1)"]);
  expect(deviations(t(2), t(1), tolerance, t(3))).toHaveLength(1);
  expect(deviations(t(NaN), t(1), tolerance, t(1.75))).toHaveLength(1);
  expect(deviations(t(2), t(NaN), tolerance, t(2))).toHaveLength(1);
});
