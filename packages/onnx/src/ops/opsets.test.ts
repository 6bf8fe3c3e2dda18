import { randomTensor, type Tensor } from "@verticil/runtime-ffi";
import { expect, it } from "vitest";
import { modelBytes, node, type TestAttribute, type TestTensor } from "../testing/onnx-model.ts";
import { runBoth } from "../testing/run-both.ts";

// Operators in the forms that older operator sets have, against onnxruntime, which reads sets from 7 on.

interface Case {
  readonly op: string;
  readonly opsets: readonly number[];
  readonly shapes: readonly (readonly number[])[];
  readonly attrs?: Readonly<Record<string, TestAttribute>>;
  /** What the node reads after its inputs. */
  readonly weights?: Readonly<Record<string, TestTensor>>;
  readonly outputs?: number;
}

const cases: readonly Case[] = [
  { op: "Softmax", opsets: [7, 11, 12, 13], shapes: [[2, 3, 4]], attrs: { axis: 1 } },
  { op: "LogSoftmax", opsets: [7, 11, 13], shapes: [[2, 3, 4]], attrs: { axis: 1 } },
  { op: "Hardmax", opsets: [7, 11, 13], shapes: [[2, 3, 4]], attrs: { axis: 1 } },
  { op: "Softmax", opsets: [7, 12, 13], shapes: [[2, 3, 4]] },
  { op: "Clip", opsets: [7, 10], shapes: [[3, 4]], attrs: { min: { float: -0.3 }, max: { float: 0.4 } } },
  { op: "Clip", opsets: [11, 12, 13], shapes: [[3, 4]], weights: { low: { dims: [], floats: [-0.3] }, high: { dims: [], floats: [0.4] } } },
  { op: "Dropout", opsets: [7, 10], shapes: [[3, 4]], attrs: { ratio: { float: 0.4 } } },
  { op: "Pad", opsets: [7, 10], shapes: [[3, 4]], attrs: { pads: [1, 0, 0, 2], value: { float: 1.5 } } },
  { op: "Pad", opsets: [11, 13, 18, 19, 21], shapes: [[3, 4]], weights: { pads: { dims: [4], ints: [1, 0, 0, 2] }, value: { dims: [], floats: [1.5] } } },
  { op: "Slice", opsets: [7, 9], shapes: [[3, 4]], attrs: { starts: [0, 1], ends: [2, -1], axes: [0, 1] } },
  { op: "Slice", opsets: [10, 11, 13], shapes: [[3, 4]], weights: { starts: { dims: [2], ints: [0, 1] }, ends: { dims: [2], ints: [2, -1] } } },
  { op: "Squeeze", opsets: [7, 11], shapes: [[3, 1, 4, 1]], attrs: { axes: [1] } },
  { op: "Squeeze", opsets: [13, 21], shapes: [[3, 1, 4, 1]], weights: { axes: { dims: [1], ints: [-1] } } },
  { op: "Unsqueeze", opsets: [7, 11], shapes: [[3, 4]], attrs: { axes: [0, 3] } },
  { op: "Unsqueeze", opsets: [13, 21], shapes: [[3, 4]], weights: { axes: { dims: [2], ints: [0, -1] } } },
  { op: "TopK", opsets: [7, 9], shapes: [[3, 5]], attrs: { k: 2 }, outputs: 2 },
  { op: "TopK", opsets: [10, 11], shapes: [[3, 5]], weights: { k: { dims: [1], ints: [2] } }, outputs: 2 },
  { op: "Upsample", opsets: [7, 8], shapes: [[1, 2, 3, 3]], attrs: { mode: "nearest", scales: { floats: [1, 1, 2, 3] } } },
  { op: "Upsample", opsets: [9], shapes: [[1, 2, 3, 3]], attrs: { mode: "linear" }, weights: { scales: { dims: [4], floats: [1, 1, 2, 2] } } },
  { op: "Resize", opsets: [10], shapes: [[1, 2, 4, 4]], attrs: { mode: "nearest" }, weights: { scales: { dims: [4], floats: [1, 1, 2, 0.5] } } },
  { op: "Resize", opsets: [10], shapes: [[1, 2, 4, 4]], attrs: { mode: "linear" }, weights: { scales: { dims: [4], floats: [1, 1, 2, 0.5] } } },
  { op: "ReduceSum", opsets: [7, 11], shapes: [[2, 3, 4]], attrs: { axes: [1], keepdims: 0 } },
  { op: "ReduceSum", opsets: [13], shapes: [[2, 3, 4]], attrs: { keepdims: 0 }, weights: { axes: { dims: [1], ints: [1] } } },
  { op: "ReduceMax", opsets: [7, 12, 13], shapes: [[2, 3, 4]], attrs: { axes: [1, 2] } },
  { op: "ReduceMax", opsets: [18, 20], shapes: [[2, 3, 4]], weights: { axes: { dims: [2], ints: [1, -1] } } },
  { op: "ReduceLogSumExp", opsets: [7, 13], shapes: [[2, 3, 4]], attrs: { axes: [2] } },
  { op: "Split", opsets: [7, 11], shapes: [[4, 3]], attrs: { split: [1, 3], axis: 0 }, outputs: 2 },
  { op: "Split", opsets: [13], shapes: [[4, 3]], weights: { split: { dims: [2], ints: [1, 3] } }, outputs: 2 },
  { op: "Split", opsets: [18], shapes: [[5, 3]], attrs: { num_outputs: 2 }, outputs: 2 },
  { op: "BatchNormalization", opsets: [7, 9, 14, 15], shapes: [[2, 3, 4, 4]], weights: { s: { dims: [3], floats: [1, 2, 3] }, b: { dims: [3], floats: [0.1, 0.2, 0.3] }, m: { dims: [3], floats: [0, 0.5, 1] }, v: { dims: [3], floats: [1, 2, 0.5] } } },
  { op: "Gemm", opsets: [7, 9, 11, 13], shapes: [[2, 3], [3, 4], [4]], attrs: { alpha: { float: 0.5 } } },
  { op: "PRelu", opsets: [7, 9, 16], shapes: [[2, 3, 4], [3, 1]] },
  { op: "MaxPool", opsets: [7, 8, 10, 11, 12], shapes: [[1, 2, 6, 6]], attrs: { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] } },
  { op: "AveragePool", opsets: [7, 10, 11, 19], shapes: [[1, 2, 6, 6]], attrs: { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], count_include_pad: 1 } },
  { op: "Flatten", opsets: [7, 9, 11, 13], shapes: [[2, 3, 4]], attrs: { axis: 2 } },
  { op: "ArgMax", opsets: [7, 11, 12, 13], shapes: [[2, 5]], attrs: { axis: 1 } },
  { op: "DepthToSpace", opsets: [7, 11, 13], shapes: [[1, 8, 2, 3]], attrs: { blocksize: 2 } },
  { op: "Sum", opsets: [7, 8, 13], shapes: [[2, 3], [2, 3], [2, 3]] },
  { op: "LayerNormalization", opsets: [17], shapes: [[2, 3, 4], [4], [4]] },
  { op: "InstanceNormalization", opsets: [7], shapes: [[2, 3, 4, 4], [3], [3]] },
  { op: "LRN", opsets: [7, 13], shapes: [[1, 4, 3, 3]], attrs: { size: 3 } },
  { op: "CumSum", opsets: [11, 14], shapes: [[2, 5]], weights: { axis: { dims: [], ints: [1] } } },
  { op: "Mean", opsets: [7, 8, 13], shapes: [[2, 3], [2, 3]] },
  { op: "HardSwish", opsets: [14], shapes: [[2, 7]] },
  { op: "Trilu", opsets: [14], shapes: [[3, 4]], attrs: { upper: 0 } },
  { op: "GridSample", opsets: [16], shapes: [[1, 2, 4, 4], [1, 3, 3, 2]], attrs: { mode: "bilinear", padding_mode: "border" } },
  { op: "GridSample", opsets: [20], shapes: [[1, 2, 4, 4], [1, 3, 3, 2]], attrs: { mode: "cubic", padding_mode: "reflection", align_corners: 1 } },
  { op: "Gelu", opsets: [20], shapes: [[2, 7]], attrs: { approximate: "tanh" } },
  { op: "GroupNormalization", opsets: [21], shapes: [[2, 4, 3, 3], [4], [4]], attrs: { num_groups: 2 } },
];

const each = cases.flatMap((c) => c.opsets.map((opset): [string, number, Case] => [c.op, opset, c]));

it.each(each)("%s of operator set %i", async (op, opset, c) => {
  const inputs = Object.fromEntries(c.shapes.map((shape, i): [string, Tensor] => [`x${i}`, randomTensor({ shape, dtype: "float32" }, i + 1)]));
  const outputs = Array.from({ length: c.outputs ?? 1 }, (_, i) => `y${i}`);
  const bytes = modelBytes({
    nodes: [node(op, [...Object.keys(inputs), ...Object.keys(c.weights ?? {})], outputs, c.attrs)],
    inputs: Object.fromEntries(Object.entries(inputs).map(([k, t]) => [k, t.shape])),
    outputs,
    initializers: c.weights ?? {},
    opset,
  });
  const { ours, theirs } = await runBoth(bytes, inputs);
  theirs.forEach((t, i) => {
    expect(ours[i]?.length).toBe(t.length);
    t.forEach((v, k) => expect(ours[i]?.[k]).toBeCloseTo(v, 4));
  });
});
