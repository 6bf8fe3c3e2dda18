import { expect, it } from "vitest";
import { constant } from "@verticil/tir";
import { data, evaluate, numbers } from "../testing/evaluate.ts";
import { convTranspose } from "./nn-conv.ts";
import { adaptiveAvgPool, avgPool, maxPool } from "./nn-pool.ts";
import { collapseSum } from "./reduction.ts";

// Convolutions and pools of one and three spatial dimensions, by their definitions; those of two are compared with others elsewhere.

it("conv1d_transpose adds the kernel up at each place that the data is spread to", () => {
  const [x, w] = [[1, 2, 3], [10, 1]];
  const want = Array.from({ length: 6 }, () => 0);
  x.forEach((v, i) => w.forEach((k, j) => (want[i * 2 + j] = (want[i * 2 + j] ?? 0) + v * k)));
  const options = { strides: [2], padding: [0, 0], dilation: [1], groups: 1, outputPadding: [0], dataLayout: "NCW", kernelLayout: "IOW" };
  const [out] = evaluate([data([1, 1, 3], x), data([1, 1, 2], w)], (a, b) => convTranspose(a!, b!, options));
  expect(out!.shape).toEqual([1, 1, 6]);
  expect(numbers(out!)).toEqual(want);
});

it("conv3d_transpose does in three dimensions", () => {
  const [x, w] = [[1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 3, 4, 5, 6, 7, 8]];
  const want = Array.from({ length: 27 }, () => 0);
  const place = (i: number): number[] => [i >> 2, (i >> 1) & 1, i & 1];
  x.forEach((v, i) =>
    w.forEach((k, j) => {
      const [d = 0, h = 0, c = 0] = place(i).map((p, axis) => p + (place(j)[axis] ?? 0));
      want[(d * 3 + h) * 3 + c] = (want[(d * 3 + h) * 3 + c] ?? 0) + v * k;
    }),
  );
  const options = { strides: [1, 1, 1], padding: [0, 0, 0, 0, 0, 0], dilation: [1, 1, 1], groups: 1, outputPadding: [0, 0, 0], dataLayout: "NCDHW", kernelLayout: "IODHW" };
  const [out] = evaluate([data([1, 1, 2, 2, 2], x), data([1, 1, 2, 2, 2], w)], (a, b) => convTranspose(a!, b!, options));
  expect(out!.shape).toEqual([1, 1, 3, 3, 3]);
  expect(numbers(out!)).toEqual(want);
});

it("pool1d takes the largest or the mean of windows along one axis", () => {
  const options = { kernel: [3], strides: [2], padding: [1, 0], dilation: [1], ceilMode: false, countIncludePad: false, layout: "NCW" };
  const x = data([1, 1, 5], [4, 2, 6, 1, 3]);
  expect(numbers(evaluate([x], (t) => maxPool(t!, options))[0]!)).toEqual([4, 6]);
  expect(numbers(evaluate([x], (t) => avgPool(t!, options))[0]!)).toEqual([3, 3]);
});

it("pool3d does along three", () => {
  const options = { kernel: [2, 2, 2], strides: [2, 2, 2], padding: [0, 0, 0, 0, 0, 0], dilation: [1, 1, 1], ceilMode: false, countIncludePad: true, layout: "NCDHW" };
  const x = data([1, 1, 2, 2, 4], Array.from({ length: 16 }, (_, i) => i));
  expect(numbers(evaluate([x], (t) => maxPool(t!, options))[0]!)).toEqual([13, 15]);
  expect(numbers(evaluate([x], (t) => avgPool(t!, options))[0]!)).toEqual([6.5, 8.5]);
});

it("adaptive_pool has windows from the floor of one place to the ceiling of the next", () => {
  const [out] = evaluate([data([1, 1, 5], [1, 2, 3, 4, 5])], (t) => adaptiveAvgPool(t!, [constant(3, "int32")], "NCW"));
  expect(numbers(out!)).toEqual([1.5, 3, 4.5]);
});

it("collapse_sum adds up what broadcasting would repeat", () => {
  const x = data([2, 3], [1, 2, 3, 4, 5, 6]);
  expect(numbers(evaluate([x], (t) => collapseSum(t!, [constant(1, "int32"), constant(3, "int32")]))[0]!)).toEqual([5, 7, 9]);
});
