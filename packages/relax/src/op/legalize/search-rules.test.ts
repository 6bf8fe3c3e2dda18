import type { Tensor } from "@verticil/runtime-ffi";
import { expect, test } from "vitest";
import { constant } from "@verticil/tir";
import { makePrimValue } from "../../ir/make.ts";
import { constantOf, ramp, runOp, t, values } from "../testing/run-op.ts";

const out = (...args: Parameters<typeof runOp>): number[] => values(runOp(...args)[0]!);

function close(actual: readonly number[], expected: readonly number[], digits = 4): void {
  expect(actual).toHaveLength(expected.length);
  actual.forEach((v, i) => expect(v).toBeCloseTo(expected[i]!, digits));
}

test("sort and argsort are stable, up and down, along any axis", () => {
  const x = t([3, 1, 2, 3, 1, 0, 9], [7]);
  expect(out("sort", [x])).toEqual([0, 1, 1, 2, 3, 3, 9]);
  expect(out("argsort", [x], { descending: true, dtype: "int64" })).toEqual([6, 0, 3, 2, 1, 4, 5]);
  expect(out("sort", [t([3, 1, 2, 4], [2, 2])], { axis: 0 })).toEqual([2, 1, 3, 4]);
  expect(out("sort", [t([5], [1])])).toEqual([5]);
});

test("sort agrees with JavaScript's on every length", () => {
  for (let n = 1; n <= 19; n++) {
    const x = ramp([n]);
    expect(out("sort", [x])).toEqual(values(x).toSorted((a, b) => a - b));
  }
});

test("topk gives values and positions", () => {
  const [v, i] = runOp("topk", [t([1, 5, 3, 4], [1, 4])], { k: 2 });
  expect([values(v!), values(i!)]).toEqual([[5, 4], [1, 3]]);
  expect(out("topk", [t([1, 5, 3, 4], [4])], { k: 2, largest: false, ret_type: "indices" })).toEqual([0, 2]);
});

test("cumsum and cumprod, exclusive and flattened", () => {
  const x = t([1, 2, 3, 4], [2, 2]);
  expect(out("cumsum", [x], { axis: 1 })).toEqual([1, 3, 3, 7]);
  expect(out("cumsum", [x], { axis: 0, exclusive: true })).toEqual([0, 0, 1, 2]);
  expect(out("cumprod", [x])).toEqual([1, 2, 6, 24]);
  expect(runOp("cumsum", [t([1, 1], [2], "bool")], { dtype: "int32" })[0]!.dtype).toBe("int32");
});

test("median and bucketize", () => {
  const [v, i] = runOp("median", [t([3, 1, 2, 9, 7, 8], [2, 3])], { axis: [1] });
  expect([values(v!), values(i!)]).toEqual([[2, 8], [2, 2]]);
  expect(out("median", [t([4, 1, 3, 2], [2, 2])])).toEqual([2]);
  expect(out("bucketize", [t([0, 1, 2.5], [3]), t([1, 2], [2])])).toEqual([0, 0, 2]);
  expect(out("bucketize", [t([0, 1, 2.5], [3]), t([1, 2], [2])], { right: true })).toEqual([0, 1, 2]);
});

test("scatter_elements and scatter_nd, replacing and adding", () => {
  const x = t([1, 2, 3, 4], [2, 2]);
  expect(out("scatter_elements", [x, t([1, 0], [1, 2], "int64"), t([9, 8], [1, 2])], { axis: 0 })).toEqual([1, 8, 9, 4]);
  expect(out("scatter_elements", [x, t([-1], [1, 1], "int64"), t([5], [1, 1])], { axis: 1, reduction: "add" })).toEqual([1, 7, 3, 4]);
  expect(out("scatter_nd", [x, t([1, 1], [2, 1], "int64"), t([1, 1, 2, 2], [2, 2])], { reduction: "add" })).toEqual([1, 2, 6, 7]);
});

test("index_put and slice_scatter", () => {
  const x = t([0, 0, 0, 0], [2, 2]);
  expect(out("index_put", [x, [t([0, 0], [2], "int64"), t([1, 1], [2], "int64")], t([3, 4], [2])], { accumulate: true })).toEqual([0, 7, 0, 0]);
  const p = (v: number) => makePrimValue(constant(v, "int64"));
  expect(out("slice_scatter", [t([0, 0, 0, 0], [4]), t([1, 2], [2]), p(1), p(4), p(2)])).toEqual([0, 1, 0, 2]);
});

test("attention of sequences of several lengths is that of each", () => {
  // Sequences of 2 and 1 queries over 3 and 2 keys, one head of 2 features.
  const [q, k, v] = [ramp([1, 3, 1, 2]), ramp([1, 5, 1, 2], "float32", 2), ramp([1, 5, 1, 1], "float32", 3)];
  const part = (x: Tensor, from: number, to: number): Tensor => t(values(x).slice(from * (x.shape[3] ?? 1), to * (x.shape[3] ?? 1)), [1, to - from, 1, x.shape[3] ?? 1]);
  const starts = [t([0, 2, 3], [3], "int32"), t([0, 3, 5], [3], "int32"), t([2], [], "int32"), t([3], [], "int32")];
  for (const attrs of [{}, { scale: 0.5 }, { causal_mask: "TopLeft" }, { causal_mask: "BottomRight" }, { causal_mask: "BottomRight", window_size: 2 }]) {
    const each = [out("nn.attention", [part(q, 0, 2), part(k, 0, 3), part(v, 0, 3)], attrs), out("nn.attention", [part(q, 2, 3), part(k, 3, 5), part(v, 3, 5)], attrs)];
    close(out("nn.attention_var_len", [q, k, v, ...starts], attrs), each.flat());
  }
});

test("attention, plain and causal", () => {
  const q = t([1, 0, 0, 1], [1, 2, 1, 2]);
  const v = t([1, 2], [1, 2, 1, 1]);
  const [a, b] = [Math.exp(1), 1];
  close(out("nn.attention", [q, q, v], { scale: 1 }), [(a + 2 * b) / (a + b), (b + 2 * a) / (a + b)]);
  close(out("nn.attention", [q, q, v], { scale: 1, causal_mask: "TopLeft" }), [1, (b + 2 * a) / (a + b)]);
  close(out("nn.attention_bias", [q, q, v, t([0, -100, -100, 0], [1, 1, 2, 2])], { scale: 1 }), [1, 2]);
});

test("losses", () => {
  const p = t([-1, -2, -3, -4], [2, 2]);
  const y = t([0, 1], [2], "int64");
  expect(out("nn.nll_loss", [p, y])).toEqual([2.5]);
  expect(out("nn.nll_loss", [p, y, t([1, 3], [2])], { reduction: "none" })).toEqual([1, 12]);
  expect(out("nn.nll_loss", [p, y], { reduction: "sum", ignore_index: 1 })).toEqual([1]);
  expect(out("nn.cross_entropy_with_logits", [p, t([1, 0, 0, 1], [2, 2])])).toEqual([2.5]);
});

test("quantize and dequantize, by tensor and by channel", () => {
  const x = t([-1, 0.3, 2, 100], [2, 2]);
  expect(out("quantize", [x, constantOf(t([0.5], [])), constantOf(t([1], [], "int8"))])).toEqual([-1, 2, 5, 127]);
  expect(out("dequantize", [t([1, 2, 3, 4], [2, 2], "int8"), t([0.5, 2], [2]), t([0, 1], [2], "int8")])).toEqual([0.5, 2, 1.5, 6]);
});

test("all_class_non_max_suppression keeps the best of overlapping boxes, class by class", () => {
  const boxes = t([0, 0, 1, 1, 0, 0.1, 1, 1.1, 0, 5, 1, 6], [1, 3, 4]);
  const scores = t([0.9, 0.95, 0.5], [1, 1, 3]);
  const [rows, count] = runOp("vision.all_class_non_max_suppression", [boxes, scores, t([3], [1], "int64"), t([0.5], [1]), t([0.1], [1])]);
  expect(values(count!)).toEqual([2]);
  expect(values(rows!).slice(0, 6)).toEqual([0, 0, 1, 0, 0, 2]);
});

test("get_valid_counts and non_max_suppression", () => {
  const rows = t([0, 0.9, 0, 0, 1, 1, 0, 0.05, 0, 0, 1, 1, 0, 0.8, 0, 0.1, 1, 1.1], [1, 3, 6]);
  const [count, moved, from] = runOp("vision.get_valid_counts", [rows], { score_threshold: 0.1 });
  expect([values(count!), values(from!)]).toEqual([[2], [0, 2, -1]]);
  const [kept, number] = runOp("vision.non_max_suppression", [moved!, count!, from!], { iou_threshold: 0.5 });
  expect([values(kept!), values(number!)]).toEqual([[0, -1, -1], [1]]);
  const [left] = runOp("vision.non_max_suppression", [moved!, count!, from!], { iou_threshold: 0.99, return_indices: false });
  expect(values(left!)[7]).toBeCloseTo(0.8);
});

test("multibox_transform_loc decodes anchors", () => {
  const [boxes, scores] = runOp("vision.multibox_transform_loc", [t([0, 0], [1, 2, 1]), t([0, 0, 0, 0], [1, 4]), t([0.1, 0.2, 0.3, 0.6], [1, 1, 4])]);
  close(values(boxes!), [0.2, 0.1, 0.6, 0.3]);
  close(values(scores!), [0.5, 0.5]);
});

test("roi_align and roi_pool", () => {
  const x = t(Array.from({ length: 16 }, (_, i) => i), [1, 1, 4, 4]);
  const rois = t([0, 0, 0, 2, 2], [1, 5]);
  close(out("vision.roi_align", [x, rois], { pooled_size: 2, spatial_scale: 1, sample_ratio: 1 }), [2.5, 3.5, 6.5, 7.5]);
  close(out("vision.roi_align", [x, rois], { pooled_size: 1, spatial_scale: 1 }), [5]);
  close(out("vision.roi_pool", [x, rois], { pooled_size: 1, spatial_scale: 1 }), [10]);
});

test("take_backward adds up the gradients of all reads", () => {
  const x = t([0, 0, 0], [3]);
  expect(out("grad.take_backward", [t([1, 2, 4], [3]), x, t([0, 2, 0], [3], "int64")], { axis: 0 })).toEqual([5, 0, 2]);
});

test("size is known when compiling", () => {
  expect(out("size", [ramp([2, 3])])).toEqual([6]);
});
