import { expect, test } from "vitest";
import { resizeBilinear, type RgbImage } from "./rgb-image.ts";

const grey = (width: number, height: number, values: readonly number[]): RgbImage => ({
  width,
  height,
  data: Uint8Array.from(values.flatMap((v) => [v, v, v])),
});
const red = (data: Float32Array): number[] => [...data].filter((_, i) => i % 3 === 0);

test("the same size is the same picture", () => {
  const image = grey(3, 2, [1, 2, 3, 4, 5, 6]);
  expect([...resizeBilinear(image, 3, 2)]).toEqual([...image.data]);
});

test("pixel centres are at .5, edges are repeated", () => {
  expect(red(resizeBilinear(grey(2, 1, [0, 100]), 4, 1))).toEqual([0, 25, 75, 100]);
  expect(red(resizeBilinear(grey(1, 2, [0, 100]), 1, 4))).toEqual([0, 25, 75, 100]);
});

test("shrinking does not smooth: only the two nearest pixels count", () => {
  expect(red(resizeBilinear(grey(6, 1, [255, 10, 255, 255, 30, 255]), 2, 1))).toEqual([10, 30]);
});

test("channels do not mix", () => {
  const image = { width: 1, height: 1, data: Uint8Array.of(1, 2, 3) };
  expect([...resizeBilinear(image, 2, 1)]).toEqual([1, 2, 3, 1, 2, 3]);
});
