import { expect, test } from "vitest";
import type { Tensor } from "@verticil/runtime-ffi";
import { makeShapeExpr } from "../../ir/make.ts";
import { ramp, runOp, t, values } from "../testing/run-op.ts";

const out = (...args: Parameters<typeof runOp>): number[] => values(runOp(...args)[0]!);

function close(actual: readonly number[], expected: readonly number[], digits = 4): void {
  expect(actual).toHaveLength(expected.length);
  actual.forEach((v, i) => expect(v).toBeCloseTo(expected[i]!, digits));
}

/** A tensor's cells by index, 0 outside. */
function cells(x: Tensor): (...i: number[]) => number {
  const list = values(x);
  return (...i) => {
    if (i.some((v, d) => v < 0 || v >= x.shape[d]!)) return 0;
    return list[i.reduce((acc, v, d) => acc * x.shape[d]! + v, 0)]!;
  };
}

function transposed(x: Tensor, axes: readonly number[]): Tensor {
  return runOp("permute_dims", [x], { axes: [...axes] })[0]!;
}

interface ConvCase {
  readonly stride?: number;
  readonly pad?: readonly [number, number, number, number];
  readonly dilation?: number;
  readonly groups?: number;
}

function convReference(x: Tensor, w: Tensor, { stride = 1, pad = [0, 0, 0, 0], dilation = 1, groups = 1 }: ConvCase): number[] {
  const [n, c, h, wd] = x.shape as [number, number, number, number];
  const [oc, ic, kh, kw] = w.shape as [number, number, number, number];
  const oh = Math.floor((h + pad[0] + pad[2] - (kh - 1) * dilation - 1) / stride) + 1;
  const ow = Math.floor((wd + pad[1] + pad[3] - (kw - 1) * dilation - 1) / stride) + 1;
  const [xa, wa] = [cells(x), cells(w)];
  const result: number[] = [];
  for (let b = 0; b < n; b++)
    for (let o = 0; o < oc; o++)
      for (let i = 0; i < oh; i++)
        for (let j = 0; j < ow; j++) {
          let acc = 0;
          const g = Math.floor(o / (oc / groups)) * (c / groups);
          for (let k = 0; k < ic; k++)
            for (let r = 0; r < kh; r++)
              for (let s = 0; s < kw; s++)
                acc += xa(b, g + k, i * stride + r * dilation - pad[0], j * stride + s * dilation - pad[1]) * wa(o, k, r, s);
          result.push(acc);
        }
  return result;
}

const convCases: readonly (readonly [string, readonly number[], readonly number[], ConvCase])[] = [
  ["plain", [1, 3, 5, 6], [4, 3, 3, 3], {}],
  ["1×1", [2, 3, 4, 4], [5, 3, 1, 1], {}],
  ["stride and uneven padding", [1, 2, 6, 7], [3, 2, 3, 3], { stride: 2, pad: [0, 0, 1, 1] }],
  ["dilation", [1, 2, 7, 7], [2, 2, 3, 3], { dilation: 2, pad: [2, 2, 2, 2] }],
  ["groups", [1, 4, 5, 5], [6, 2, 3, 3], { groups: 2, pad: [1, 1, 1, 1] }],
  ["depthwise", [1, 4, 5, 5], [4, 1, 3, 3], { groups: 4, pad: [1, 1, 1, 1] }],
];

test.each(convCases)("conv2d %s, NCHW and NHWC/HWIO", (_, xs, ws, c) => {
  const [x, w] = [ramp(xs), ramp(ws)];
  const attrs = {
    strides: [c.stride ?? 1, c.stride ?? 1],
    padding: [...(c.pad ?? [0, 0, 0, 0])],
    dilation: [c.dilation ?? 1, c.dilation ?? 1],
    groups: c.groups ?? 1,
  };
  const expected = convReference(x, w, c);
  close(out("nn.conv2d", [x, w], attrs), expected);
  const nhwc = runOp("nn.conv2d", [transposed(x, [0, 2, 3, 1]), transposed(w, [2, 3, 1, 0])], {
    ...attrs,
    data_layout: "NHWC",
    kernel_layout: "HWIO",
  })[0]!;
  close(values(transposed(nhwc, [0, 3, 1, 2])), expected);
});

test("conv1d and conv3d", () => {
  close(out("nn.conv1d", [t([1, 2, 3, 4], [1, 1, 4]), t([1, 1], [1, 1, 2])], { padding: 1 }), [1, 3, 5, 7, 4]);
  close(out("nn.conv3d", [t([1, 2, 3, 4, 5, 6, 7, 8], [1, 1, 2, 2, 2]), t([1, 1, 1, 1, 1, 1, 1, 1], [1, 1, 2, 2, 2])]), [36]);
});

function convTransposeReference(x: Tensor, w: Tensor, stride: number, pad: number, outPad: number, dilation: number, groups: number): number[] {
  const [n, c, h, wd] = x.shape as [number, number, number, number];
  const [, og, kh, kw] = w.shape as [number, number, number, number];
  const oh = (h - 1) * stride - 2 * pad + (kh - 1) * dilation + 1 + outPad;
  const ow = (wd - 1) * stride - 2 * pad + (kw - 1) * dilation + 1 + outPad;
  const oc = og * groups;
  const result = new Array<number>(n * oc * oh * ow).fill(0);
  const [xa, wa] = [cells(x), cells(w)];
  for (let b = 0; b < n; b++)
    for (let k = 0; k < c; k++)
      for (let o = 0; o < og; o++)
        for (let i = 0; i < h; i++)
          for (let j = 0; j < wd; j++)
            for (let r = 0; r < kh; r++)
              for (let s = 0; s < kw; s++) {
                const [y, z] = [i * stride + r * dilation - pad, j * stride + s * dilation - pad];
                if (y < 0 || y >= oh || z < 0 || z >= ow) continue;
                const channel = Math.floor(k / (c / groups)) * og + o;
                const at = ((b * oc + channel) * oh + y) * ow + z;
                result[at] = result[at]! + xa(b, k, i, j) * wa(k, o, r, s);
              }
  return result;
}

test.each([
  ["plain", 1, 0, 0, 1, 1],
  ["stride and output padding", 2, 1, 1, 1, 1],
  ["dilation", 2, 0, 0, 2, 1],
  ["groups", 2, 1, 0, 1, 2],
  ["padding wider than the window", 1, 3, 0, 1, 1],
] as const)("conv2d_transpose %s", (_, stride, pad, outPad, dilation, groups) => {
  const [x, w] = [ramp([1, 4, 6, 6]), ramp([4, 2, 3, 3])];
  const attrs = { strides: [stride, stride], padding: [pad, pad], output_padding: [outPad, outPad], dilation: [dilation, dilation], groups };
  close(out("nn.conv2d_transpose", [x, w], attrs), convTransposeReference(x, w, stride, pad, outPad, dilation, groups));
});

const pool4 = t([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16], [1, 1, 4, 4]);

test("max_pool2d with padding, ceil_mode and dilation", () => {
  expect(out("nn.max_pool2d", [pool4], { pool_size: 2, strides: 2 })).toEqual([6, 8, 14, 16]);
  expect(out("nn.max_pool2d", [pool4], { pool_size: 3, strides: 2, padding: 1 })).toEqual([6, 8, 14, 16]);
  expect(out("nn.max_pool2d", [pool4], { pool_size: 3, strides: 2, ceil_mode: true })).toEqual([11, 12, 15, 16]);
  expect(out("nn.max_pool2d", [pool4], { pool_size: 2, dilation: 2 })).toEqual([11, 12, 15, 16]);
});

test("max_pool2d in NHWC", () => {
  const x = t([1, -1, 2, -2, 3, -3, 4, -4], [1, 2, 2, 2]);
  expect(out("nn.max_pool2d", [x], { pool_size: 2, layout: "NHWC" })).toEqual([4, -1]);
});

test("avg_pool2d counts the padding or not", () => {
  expect(out("nn.avg_pool2d", [pool4], { pool_size: 2, strides: 2 })).toEqual([3.5, 5.5, 11.5, 13.5]);
  expect(out("nn.avg_pool2d", [pool4], { pool_size: 2, strides: 4, padding: 1, count_include_pad: true })).toEqual([0.25, 1, 3.25, 4]);
  expect(out("nn.avg_pool2d", [pool4], { pool_size: 2, strides: 4, padding: 1 })).toEqual([1, 4, 13, 16]);
});

test("avg_pool1d with ceil_mode leaves out what hangs over", () => {
  const x = t([1, 2, 3, 4, 5, 6, 7], [1, 1, 7]);
  expect(out("nn.avg_pool1d", [x], { pool_size: 3, strides: 3, ceil_mode: true, count_include_pad: true })).toEqual([2, 5, 7]);
  expect(out("nn.avg_pool1d", [x], { pool_size: 3, strides: 3, ceil_mode: true })).toEqual([2, 5, 7]);
});

test("adaptive_avg_pool2d into one cell, even and uneven parts", () => {
  expect(out("nn.adaptive_avg_pool2d", [pool4], { output_size: 1 })).toEqual([8.5]);
  expect(out("nn.adaptive_avg_pool2d", [pool4], { output_size: 2 })).toEqual([3.5, 5.5, 11.5, 13.5]);
  close(out("nn.adaptive_avg_pool1d", [t([1, 2, 3, 4, 5], [1, 1, 5])], { output_size: 3 }), [1.5, 3, 4.5]);
});

test("softmax and log_softmax", () => {
  const e = [1, 2, 3].map(Math.exp);
  const total = e.reduce((a, b) => a + b);
  close(out("nn.softmax", [t([1, 2, 3, 3, 2, 1], [2, 3])]), [...e, ...e.toReversed()].map((v) => v / total));
  close(out("nn.log_softmax", [t([1, 2, 3], [3, 1])], { axis: 0 }), e.map((v) => Math.log(v / total)));
});

test("batch_norm with given statistics", () => {
  const one = (v: number): Tensor => t([v, v], [2]);
  const x = t([1, 2, 3, 4], [1, 2, 2]);
  const results = runOp("nn.batch_norm", [x, one(2), one(1), one(2), one(4)], { axis: 1, training: false, epsilon: 0 });
  close(values(results[0]!), [0, 1, 2, 3]);
  expect(results).toHaveLength(3);
});

test("batch_norm in training uses and moves the statistics", () => {
  const one = (v: number): Tensor => t([v], [1]);
  const results = runOp("nn.batch_norm", [t([1, 3], [2, 1]), one(1), one(0), one(0), one(1)], { axis: 1, epsilon: 0 });
  close(values(results[0]!), [-1, 1]);
  close(values(results[1]!), [0.2]);
});

test("layer_norm, instance_norm, group_norm, rms_norm", () => {
  const x = t([1, 3, 5, 9], [2, 2]);
  close(out("nn.layer_norm", [x, t([1, 2], [2]), t([0, 1], [2])], { axes: -1, epsilon: 0 }), [-1, 3, -1, 3]);
  const y = t([1, 3, 5, 9], [1, 2, 2]);
  close(out("nn.instance_norm", [y, t([1, 2], [2]), t([0, 1], [2])], { channel_axis: 1, axes: [2], epsilon: 0 }), [-1, 1, -1, 3]);
  close(out("nn.group_norm", [y, t([1, 2], [2]), t([0, 1], [2])], { num_groups: 2, channel_axis: 1, axes: [2], epsilon: 0 }), [-1, 1, -1, 3]);
  close(out("nn.rms_norm", [t([3, 4], [1, 2]), t([1, 2], [2])], { axes: [-1], epsilon: 0 }), [3 / Math.sqrt(12.5), 8 / Math.sqrt(12.5)]);
});

test("reductions over some axes and all", () => {
  const x = t([1, 2, 3, 4, 5, 6], [2, 3]);
  expect(out("sum", [x])).toEqual([21]);
  expect(out("sum", [x], { axis: [0] })).toEqual([5, 7, 9]);
  expect(out("mean", [x], { axis: -1, keepdims: true })).toEqual([2, 5]);
  expect(out("max", [x], { axis: [1] })).toEqual([3, 6]);
  expect(out("min", [x], { axis: [0, 1] })).toEqual([1]);
  expect(out("prod", [x], { axis: [1] })).toEqual([6, 120]);
  close(out("variance", [x], { axis: [1] }), [2 / 3, 2 / 3]);
  close(out("std", [x], { axis: [1] }), [Math.sqrt(2 / 3), Math.sqrt(2 / 3)]);
});

test("argmax and argmin take the first of equal elements", () => {
  const x = t([1, 5, 5, 4, 0, 0], [2, 3]);
  expect(out("argmax", [x], { axis: 1 })).toEqual([1, 0]);
  expect(out("argmin", [x], { axis: 1, keepdims: true })).toEqual([0, 1]);
  expect(out("argmax", [x])).toEqual([1]);
});

test("pad with a constant and by mirroring", () => {
  const x = t([1, 2, 3], [3]);
  expect(out("nn.pad", [x], { pad_width: [2, 1], pad_value: 9 })).toEqual([9, 9, 1, 2, 3, 9]);
  expect(out("nn.pad", [x], { pad_width: [2, 1], pad_mode: "reflect" })).toEqual([3, 2, 1, 2, 3, 2]);
  expect(out("nn.pad", [x], { pad_width: [2, 1], pad_mode: "replicate" })).toEqual([1, 1, 1, 2, 3, 3]);
  expect(out("nn.pad", [x], { pad_width: [2, 1], pad_mode: "circular" })).toEqual([2, 3, 1, 2, 3, 1]);
});

const line = t([1, 2, 3, 4], [1, 1, 1, 4]);
const resized = (size: number, attrs: Record<string, string | number | number[]>): number[] => out("image.resize2d", [line, makeShapeExpr([1, size])], attrs);

test("resize2d nearest: enlarging by a whole factor is exact in all modes", () => {
  for (const coordinate_transformation_mode of ["asymmetric", "half_pixel"]) {
    const rounding_method = coordinate_transformation_mode === "asymmetric" ? "floor" : "round_prefer_floor";
    const attrs = { method: "nearest_neighbor", coordinate_transformation_mode, rounding_method };
    expect(resized(8, attrs)).toEqual([1, 1, 2, 2, 3, 3, 4, 4]);
  }
});

test("resize2d nearest with the rounding methods of ONNX", () => {
  const at = (rounding_method: string): number[] => resized(5, { method: "nearest_neighbor", coordinate_transformation_mode: "align_corners", rounding_method });
  expect(at("round_prefer_floor")).toEqual([1, 2, 2, 3, 4]);
  expect(at("round_prefer_ceil")).toEqual([1, 2, 3, 3, 4]);
  expect(at("floor")).toEqual([1, 1, 2, 3, 4]);
  expect(at("ceil")).toEqual([1, 2, 3, 4, 4]);
});

test("resize2d linear by coordinate mode", () => {
  close(resized(8, { coordinate_transformation_mode: "half_pixel" }), [1, 1.25, 1.75, 2.25, 2.75, 3.25, 3.75, 4]);
  close(resized(7, { coordinate_transformation_mode: "align_corners" }), [1, 1.5, 2, 2.5, 3, 3.5, 4]);
  close(resized(8, { coordinate_transformation_mode: "asymmetric" }), [1, 1.5, 2, 2.5, 3, 3.5, 4, 4]);
  close(resized(1, { coordinate_transformation_mode: "pytorch_half_pixel" }), [1]);
  close(resized(3, { coordinate_transformation_mode: "tf_crop_and_resize", roi: [0, 0, 1, 2], extrapolation_value: 9 }), [1, 4, 9]);
});

test("resize2d cubic, against values of ONNX's reference", () => {
  const x = ramp([1, 1, 4, 4]);
  const grid = t(Array.from({ length: 16 }, (_, i) => i + 1), [1, 1, 4, 4]);
  const [big] = runOp("image.resize2d", [grid, makeShapeExpr([8, 8])], { method: "cubic", cubic_alpha: -0.75 });
  close(values(big!).slice(0, 8), [0.47265625, 0.76953125, 1.24609375, 1.875, 2.28125, 2.91015625, 3.38671875, 3.68359375]);
  expect(x.shape).toEqual([1, 1, 4, 4]);
});

test("resize2d in NHWC", () => {
  const x = t([1, 10, 2, 20], [1, 1, 2, 2]);
  expect(out("image.resize2d", [x, makeShapeExpr([1, 4])], { layout: "NHWC", method: "nearest_neighbor", coordinate_transformation_mode: "asymmetric", rounding_method: "floor" })).toEqual([1, 10, 1, 10, 2, 20, 2, 20]);
});

test("grid_sample reads positions between -1 and 1", () => {
  const x = t([1, 2, 3, 4], [1, 1, 2, 2]);
  const grid = t([-1, 0, 1, -1, 0, 1], [1, 2, 1, 3]);
  close(out("image.grid_sample", [x, grid], { align_corners: true }), [1, 2.5, 4]);
  close(out("image.grid_sample", [x, grid], { align_corners: true, method: "nearest" }), [1, 1, 4]);
  close(out("image.grid_sample", [x, t([3, 0], [1, 2, 1, 1])], {}), [0]);
  close(out("image.grid_sample", [x, t([3, 0], [1, 2, 1, 1])], { padding_mode: "border" }), [3]);
});

test("affine_grid of the identity is the regular grid", () => {
  close(out("image.affine_grid", [t([1, 0, 0, 0, 1, 0], [1, 2, 3]), makeShapeExpr([2, 2])]), [-1, 1, -1, 1, -1, -1, 1, 1]);
});

test("resize3d nearest repeats cells along each axis", () => {
  const x = t([1, 2, 3, 4], [1, 1, 2, 1, 2]);
  const attrs = { layout: "NCDHW", method: "nearest_neighbor", coordinate_transformation_mode: "asymmetric", rounding_method: "floor" };
  expect(out("image.resize3d", [x, makeShapeExpr([4, 1, 4])], attrs)).toEqual([1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4]);
});

test("conv2d with data and result in different layouts", () => {
  const [x, w] = [ramp([1, 3, 5, 6]), ramp([3, 3, 3, 4])];
  const attrs = { strides: 2, padding: 1, kernel_layout: "HWIO" };
  const plain = runOp("nn.conv2d", [transposed(x, [0, 2, 3, 1]), w], { ...attrs, data_layout: "NHWC", out_layout: "NHWC" });
  expect(out("nn.conv2d", [x, w], { ...attrs, data_layout: "NCHW", out_layout: "NHWC" })).toEqual(values(plain[0]!));
});
