import { constant } from "@verticil/tir";
import { expect, it } from "vitest";
import { data, evaluate, numbers } from "../testing/evaluate.ts";
import { tensordot } from "./matmul.ts";
import { expandLike, fifoBuffer, layoutTransform, matrixSetDiag, sequenceMask, slidingWindow, upsampling } from "./rearrange.ts";
import { simulatedDequantize, simulatedQuantize } from "./loss-and-quantize.ts";
import { sparseToDense, stridedSet } from "./scatter.ts";

const count = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i + 1);

it("layout_transform tiles an axis and puts it back, the rest of the last tile zero", () => {
  const x = data([1, 6, 2, 1], count(12));
  const [tiled] = evaluate([x], (t) => layoutTransform(t!, "NCHW", "NCHW4c"));
  expect(tiled!.shape).toEqual([1, 2, 2, 1, 4]);
  expect(numbers(tiled!)).toEqual([1, 3, 5, 7, 2, 4, 6, 8, 9, 11, 0, 0, 10, 12, 0, 0]);
  const four = data([1, 8, 2, 1], count(16));
  expect(numbers(evaluate([four], (t) => layoutTransform(layoutTransform(t!, "NCHW", "NHWC4c"), "NHWC4c", "NCHW"))[0]!)).toEqual(count(16));
});

it("sequence_mask writes over what is past the length", () => {
  const x = data([3, 2], count(6));
  const lengths = data([2], [1, 3], "int32");
  expect(numbers(evaluate([x, lengths], (t, l) => sequenceMask(t!, l!, -1, 0))[0]!)).toEqual([1, 2, -1, 4, -1, 6]);
  const rows = data([3], [0, 2, 1], "int32");
  expect(numbers(evaluate([x, rows], (t, l) => sequenceMask(t!, l!, 0, 1))[0]!)).toEqual([0, 0, 3, 4, 5, 0]);
});

it("matrix_set_diag sets one diagonal or several", () => {
  const x = data([3, 4], Array.from({ length: 12 }, () => 7));
  expect(numbers(evaluate([x, data([3], [1, 2, 3])], (t, d) => matrixSetDiag(t!, d!))[0]!)).toEqual([1, 7, 7, 7, 7, 2, 7, 7, 7, 7, 3, 7]);
  // Diagonals 1 and 0; both have three cells.
  const two = data([2, 3], [4, 5, 6, 1, 2, 3]);
  expect(numbers(evaluate([x, two], (t, d) => matrixSetDiag(t!, d!, [0, 1]))[0]!)).toEqual([1, 4, 7, 7, 7, 2, 5, 7, 7, 7, 3, 6]);
});

it("sliding_window lists the windows", () => {
  const [out] = evaluate([data([1, 5], count(5))], (t) => slidingWindow(t!, 1, [3], [2]));
  expect(out!.shape).toEqual([1, 2, 3]);
  expect(numbers(out!)).toEqual([1, 2, 3, 3, 4, 5]);
});

it("expand_like repeats along the axes that are missing", () => {
  const like = data([2, 3, 2]);
  expect(numbers(evaluate([data([2, 2], count(4)), like], (t, l) => expandLike(t!, l!, [1]))[0]!)).toEqual([1, 2, 1, 2, 1, 2, 3, 4, 3, 4, 3, 4]);
});

it("fifo_buffer drops the oldest cells", () => {
  expect(numbers(evaluate([data([1, 2], [9, 8]), data([1, 5], count(5))], (t, b) => fifoBuffer(t!, b!, 1))[0]!)).toEqual([3, 4, 5, 9, 8]);
});

it("upsampling repeats cells of the spatial axes", () => {
  const [out] = evaluate([data([1, 1, 2, 1], [1, 2])], (t) => upsampling(t!, [2, 3], "NCHW"));
  expect(out!.shape).toEqual([1, 1, 4, 3]);
  expect(numbers(out!)).toEqual([1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2]);
});

it("tensordot sums over pairs of axes", () => {
  const [a, b] = [data([2, 3, 4]), data([4, 3, 5])];
  const [out] = evaluate([a, b], (x, y) => tensordot(x!, y!, [[1, 2], [1, 0]]));
  const [p, q] = [numbers(a), numbers(b)];
  const expected = [0, 1].flatMap((i) => [0, 1, 2, 3, 4].map((j) => {
    let s = 0;
    for (let u = 0; u < 3; u++) for (let v = 0; v < 4; v++) s += p[i * 12 + u * 4 + v]! * q[v * 15 + u * 5 + j]!;
    return s;
  }));
  expect(out!.shape).toEqual([2, 5]);
  numbers(out!).forEach((v, i) => expect(v).toBeCloseTo(expected[i]!, 4));
});

it("sparse_to_dense and strided_set write where they are told", () => {
  const shape = [3, 2].map((d) => constant(d, "int64"));
  const places = data([2, 2], [0, 1, 2, 0], "int32");
  expect(numbers(evaluate([places, data([2], [5, 6])], (i, v) => sparseToDense(i!, shape, v!, -1))[0]!)).toEqual([-1, 5, -1, -1, 6, -1]);
  expect(numbers(evaluate([data([6], count(6)), data([2], [0, 0])], (x, v) => stridedSet(x!, v!, [-5], [3]))[0]!)).toEqual([1, 0, 3, 4, 0, 6]);
});

it("simulated_quantize and simulated_dequantize keep what an int8 can hold", () => {
  const x = data([4], [0.26, -0.5, 100, -100]);
  const [scale, zero] = [constant(0.5, "float32"), constant(0, "int32")];
  expect(numbers(evaluate([x], (t) => simulatedQuantize(t!, "int8", scale, zero, -1))[0]!)).toEqual([1, -1, 127, -128]);
  expect(numbers(evaluate([x], (t) => simulatedDequantize(simulatedQuantize(t!, "int8", scale, zero, -1), scale, zero, -1))[0]!)).toEqual([0.5, -0.5, 63.5, -64]);
});
