import fc from "fast-check";
import { expect, test } from "vitest";
import { floatHashKey, numberHashKey, sameFloat, sameNumber } from "./float-rule.ts";

const near = fc.tuple(fc.double(), fc.double({ min: -3e-9, max: 3e-9, noNaN: true })).map(([x, d]) => [x, x + d] as const);
const nearFloat32 = fc.tuple(fc.float(), fc.integer({ min: -3, max: 3 })).map(([x, steps]) => [x, x + steps * 2 ** -30] as const);
/** Around the values where the rule changes. */
const edges = fc
  .tuple(fc.constantFrom(2 ** -6, 2 ** 23, 0, -(2 ** -6), -(2 ** 23)), fc.integer({ min: -5, max: 5 }), fc.integer({ min: -5, max: 5 }))
  .map(([x, a, b]) => [x + a * 2 ** -30, x + b * 2 ** -30] as const);

test.each(["float16", "float32", "float64", "float32x4"])("equal %s constants have equal keys", (dtype) => {
  fc.assert(
    fc.property(fc.oneof(near, nearFloat32, edges), ([a, b]) => {
      if (sameFloat(a, b, dtype)) expect(floatHashKey(a, dtype)).toEqual(floatHashKey(b, dtype) + 0);
    }),
    { numRuns: 2000 },
  );
});

test("equal plain numbers have equal keys", () => {
  fc.assert(
    fc.property(fc.oneof(near, edges), ([a, b]) => {
      if (sameNumber(a, b)) expect(numberHashKey(a) + 0).toEqual(numberHashKey(b) + 0);
    }),
    { numRuns: 2000 },
  );
});

test("constants that differ by more than a step of their type have keys of their own", () => {
  expect(floatHashKey(0.5, "float32")).not.toBe(floatHashKey(0.25, "float32"));
  expect(floatHashKey(1e9, "float64")).not.toBe(floatHashKey(1e9 + 1, "float64"));
  expect(floatHashKey(1e-5, "float32")).toBe(floatHashKey(1e-6, "float32"));
});

test("digits that a type cannot hold do not count", () => {
  expect(sameFloat(0.1, Math.fround(0.1), "float32")).toBe(true);
  expect(sameFloat(0.1, Math.fround(0.1), "float64")).toBe(false);
});
