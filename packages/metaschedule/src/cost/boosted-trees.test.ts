import { expect, it } from "vitest";
import { boostedTrees } from "./boosted-trees.ts";

const points = Array.from({ length: 200 }, (_, i) => Float64Array.of((i * 37) % 101, (i * 53) % 97, i % 2));
const target = (x: Float64Array): number => (x[0]! > 50 ? 2 : -1) + 0.02 * x[1]!;

it("learns steps and slopes, and leaves out what says nothing", () => {
  const predict = boostedTrees(points.slice(0, 150), points.slice(0, 150).map(target));
  const errors = points.slice(150).map((p) => (predict(p) - target(p)) ** 2);
  const mean = points.reduce((sum, p) => sum + target(p), 0) / points.length;
  const spread = points.slice(150).reduce((sum, p) => sum + (target(p) - mean) ** 2, 0);
  expect(errors.reduce((a, b) => a + b, 0)).toBeLessThan(0.02 * spread);
});

it("gives the mean where there is nothing to tell samples apart", () => {
  expect(boostedTrees([Float64Array.of(1), Float64Array.of(1)], [1, 3])(Float64Array.of(1))).toBe(2);
  expect(boostedTrees([], [])(Float64Array.of(1))).toBe(0);
});
