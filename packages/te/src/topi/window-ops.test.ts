import { expect, it } from "vitest";
import { data, evaluate, numbers } from "../testing/evaluate.ts";
import { conv } from "./nn-conv.ts";
import { resize1d, resize2d, type ResizeOptions } from "./resize.ts";
import { cropAndResize, deformableConv2d, dilation2d, lrn } from "./window-ops.ts";

const close = (ours: readonly number[], theirs: readonly number[]): void => {
  expect(ours.length).toBe(theirs.length);
  ours.forEach((v, i) => expect(v).toBeCloseTo(theirs[i]!, 4));
};

it("lrn divides by the energy of the neighbours", () => {
  const x = data([1, 5, 1, 2]);
  const v = numbers(x);
  const expected = v.map((e, i) => {
    const [c, j] = [Math.floor(i / 2), i % 2];
    let energy = 0;
    for (let k = Math.max(0, c - 1); k <= Math.min(4, c + 1); k++) energy += v[k * 2 + j]! ** 2;
    return e / (2 + (0.3 * energy) / 3) ** 0.75;
  });
  close(numbers(evaluate([x], (t) => lrn(t!, 3, 1, 2, 0.3, 0.75))[0]!), expected);
});

it("dilation2d takes the greatest sum in a window", () => {
  const [x, w] = [data([1, 1, 4, 4]), data([1, 2, 2])];
  const [a, b] = [numbers(x), numbers(w)];
  const [out] = evaluate([x, w], (t, u) => dilation2d(t!, u!, { strides: [1, 2], padding: [1, 0, 0, 0], dilation: [1, 2] }));
  expect(out!.shape).toEqual([1, 1, 4, 1]);
  const expected = [0, 1, 2, 3].map((y) => Math.max(...[0, 1].flatMap((i) => [0, 1].map((j) => (y + i - 1 < 0 ? -Infinity : a[(y + i - 1) * 4 + j * 2]! + b[i * 2 + j]!)))));
  close(numbers(out!), expected);
});

it("deformable_conv2d without offsets is a convolution, and a whole offset moves the window", () => {
  const [x, w] = [data([1, 2, 5, 5]), data([2, 2, 3, 3])];
  const options = { strides: [1, 1], padding: [1, 1, 1, 1], dilation: [1, 1] } as const;
  const still = data([1, 18, 5, 5], Array.from({ length: 450 }, () => 0));
  const [ours] = evaluate([x, still, w], (t, o, u) => deformableConv2d(t!, o!, u!, { ...options, deformableGroups: 1, groups: 1 }));
  const [plain] = evaluate([x, w], (t, u) => conv(t!, u!, { ...options, groups: 1, dataLayout: "NCHW", kernelLayout: "OIHW" }));
  close(numbers(ours!), numbers(plain!));
  const moved = data([1, 18, 5, 5], Array.from({ length: 450 }, (_, i) => (Math.floor(i / 25) % 2 === 0 ? 1 : 0)));
  const [below] = evaluate([x, moved, w], (t, o, u) => deformableConv2d(t!, o!, u!, { ...options, deformableGroups: 1, groups: 1 }));
  // A row further down is what the next row of the plain one sees.
  close(numbers(below!).slice(0, 20), numbers(plain!).slice(5, 25));
});

const linear: ResizeOptions = { method: "linear", coordinateMode: "align_corners", roundingMethod: "", cubicAlpha: -0.75, cubicExclude: false, extrapolationValue: 0, roi: [], layout: "NCW" };

it("resize1d is resize2d of one row", () => {
  const x = data([1, 2, 5]);
  const row = data([1, 2, 1, 5]);
  for (const method of ["linear", "cubic", "nearest_neighbor"] as const) {
    for (const coordinateMode of ["align_corners", "half_pixel", "asymmetric"] as const) {
      const o = { ...linear, method, coordinateMode };
      const [ours] = evaluate([x], (t) => resize1d(t!, [{ kind: "ir.IntImm", dtype: "int64", value: 8 }], o));
      const [theirs] = evaluate([row], (t) => resize2d(t!, [1, 8].map((value) => ({ kind: "ir.IntImm", dtype: "int64", value })), { ...o, layout: "NCHW" }));
      close(numbers(ours!), numbers(theirs!));
    }
  }
});

it("crop_and_resize of the whole image with aligned corners is a resize", () => {
  const x = data([2, 1, 4, 4]);
  const boxes = data([2, 4], [0, 0, 1, 1, 0, 0, 1, 1]);
  const indices = data([2], [1, 0], "int32");
  const [ours] = evaluate([x, boxes, indices], (t, b, i) => cropAndResize(t!, b!, i!, [3, 5], "bilinear", 0));
  const [theirs] = evaluate([x], (t) => resize2d(t!, [3, 5].map((value) => ({ kind: "ir.IntImm", dtype: "int64", value })), { ...linear, layout: "NCHW" }));
  const v = numbers(theirs!);
  close(numbers(ours!), [...v.slice(15), ...v.slice(0, 15)]);
});

it("crop_and_resize gives what is outside of the image another value", () => {
  const x = data([1, 1, 2, 2], [1, 2, 3, 4]);
  const [out] = evaluate([x, data([1, 4], [0, 0, 2, 1]), data([1], [0], "int32")], (t, b, i) => cropAndResize(t!, b!, i!, [3, 2], "nearest_neighbor", -7));
  expect(numbers(out!)).toEqual([1, 2, 3, 4, -7, -7]);
});
