import { winogradScheme } from "@verticil/te";
import { tensorFrom } from "@verticil/runtime-ffi";
import { expect, it } from "vitest";
import { winogradWeight } from "./winograd-weight.ts";

it("a window that takes the middle pixel becomes the outer product of the middle column of G", () => {
  const scheme = winogradScheme(2);
  const weight = tensorFrom([0, 0, 0, 0, 2, 0, 0, 0, 0], [3, 3, 1, 1], "float32");
  const middle = scheme.g.map((row) => row[1]!);
  const out = winogradWeight(weight, scheme);
  expect(out.shape).toEqual([4, 4, 1, 1]);
  middle.flatMap((a) => middle.map((b) => 2 * a * b)).forEach((v, i) => expect(out.data[i]).toBeCloseTo(v, 12));
});

it("each pair of channels is on its own", () => {
  const weight = tensorFrom(Array.from({ length: 9 }, () => [1, 0]).flat(), [3, 3, 1, 2], "float32");
  const out = winogradWeight(weight, winogradScheme(4));
  expect(out.shape).toEqual([6, 6, 1, 2]);
  expect(Array.from(out.data, Number).filter((_, i) => i % 2 === 1).every((v) => v === 0)).toBe(true);
});
