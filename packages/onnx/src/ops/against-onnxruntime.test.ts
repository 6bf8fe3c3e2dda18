import { randomTensor, tensorFrom, type Tensor } from "@verticil/runtime-ffi";
import { expect, it } from "vitest";
import { modelBytes, node, type TestAttribute, type TestTensor } from "../testing/onnx-model.ts";
import { runBoth } from "../testing/run-both.ts";

interface Case {
  readonly op: string;
  readonly what: string;
  /** Inputs that are computed with, in order; names `x0`, `x1`, … */
  readonly inputs: readonly (readonly number[] | Tensor)[];
  /** What the node reads; `x0` and so on, names of initializers, or nothing. */
  readonly reads?: readonly string[];
  readonly initializers?: Readonly<Record<string, TestTensor>>;
  readonly attrs?: Readonly<Record<string, TestAttribute>>;
  readonly outputs?: number;
  readonly opset?: number;
}

const ints = (...values: number[]): TestTensor => ({ dims: [values.length], ints: values });
const floats = (...values: number[]): TestTensor => ({ dims: [values.length], floats: values });
const scalar = (value: number): TestTensor => ({ dims: [], ints: [value] });

const recurrent: readonly Case[] = [
  { op: "RNN", what: "forward", inputs: [[4, 2, 3], [1, 5, 3], [1, 5, 5], [1, 10]], attrs: { hidden_size: 5 }, outputs: 2 },
  { op: "GRU", what: "forward, reset before the product", inputs: [[4, 2, 3], [1, 15, 3], [1, 15, 5], [1, 30]], attrs: { hidden_size: 5 }, outputs: 2 },
  { op: "GRU", what: "both ways, reset after the product", inputs: [[3, 2, 3], [2, 12, 3], [2, 12, 4], [2, 24]], attrs: { hidden_size: 4, linear_before_reset: 1, direction: "bidirectional" }, outputs: 2 },
  { op: "LSTM", what: "reverse", inputs: [[4, 2, 3], [1, 20, 3], [1, 20, 5], [1, 40]], attrs: { hidden_size: 5, direction: "reverse" }, outputs: 3 },
  { op: "LSTM", what: "both ways, with states and peepholes", inputs: [[3, 2, 3], [2, 16, 3], [2, 16, 4], [2, 32], [2, 2, 4], [2, 2, 4], [2, 12]], reads: ["x0", "x1", "x2", "x3", "", "x4", "x5", "x6"], attrs: { hidden_size: 4, direction: "bidirectional" }, outputs: 3 },
  { op: "LSTM", what: "rows of their own lengths", inputs: [[4, 2, 3], [1, 8, 3], [1, 8, 2], [1, 16], tensorFrom([4, 2], [2], "int32")], attrs: { hidden_size: 2 }, outputs: 3 },
];

const spectral: readonly Case[] = [
  { op: "DFT", what: "of real numbers", inputs: [[1, 6, 1]], attrs: { axis: 1 }, opset: 17 },
  { op: "DFT", what: "one side", inputs: [[2, 7, 1]], attrs: { axis: 1, onesided: 1 }, opset: 17 },
  { op: "DFT", what: "inverse", inputs: [[1, 5, 3, 2]], attrs: { axis: 1, inverse: 1 }, opset: 17 },
  { op: "DFT", what: "longer than its signal", inputs: [[2, 7, 1]], reads: ["x0", "n"], initializers: { n: scalar(10) }, attrs: { axis: 1 }, opset: 17 },
  { op: "STFT", what: "frames of five", inputs: [[2, 17, 1], [5]], reads: ["x0", "step", "x1"], initializers: { step: scalar(3) }, opset: 17 },
  { op: "STFT", what: "frames of six without a window", inputs: [[2, 17, 1]], reads: ["x0", "step", "", "n"], initializers: { step: scalar(4), n: scalar(6) }, attrs: { onesided: 0 }, opset: 17 },
  { op: "HannWindow", what: "periodic", inputs: [], reads: ["n"], initializers: { n: scalar(9) }, opset: 17 },
  { op: "HammingWindow", what: "symmetric", inputs: [], reads: ["n"], initializers: { n: scalar(8) }, attrs: { periodic: 0 }, opset: 17 },
  { op: "BlackmanWindow", what: "periodic", inputs: [], reads: ["n"], initializers: { n: scalar(7) }, opset: 17 },
];

const quantized: readonly Case[] = [
  { op: "QuantizeLinear", what: "by blocks, the last one short", inputs: [[2, 5]], reads: ["x0", "scale"], initializers: { scale: { dims: [2, 3], floats: [0.01, 0.02, 0.03, 0.02, 0.01, 0.04] } }, attrs: { axis: 1, block_size: 2 }, opset: 21 },
];

const sampling: readonly Case[] = [
  { op: "DeformConv", what: "with groups, a mask and a bias", inputs: [[1, 4, 5, 5], [2, 2, 2, 2], [1, 16, 4, 4], [2], [1, 8, 4, 4]], attrs: { group: 2, offset_group: 2 }, opset: 19 },
  { op: "GridSample", what: "a volume, points outside of it among them", inputs: [[1, 2, 3, 4, 5], tensorFrom(Array.from({ length: 36 }, (_, i) => ((i * 7) % 13) / 5 - 1.2), [1, 2, 3, 2, 3], "float32")], attrs: { mode: "linear" }, opset: 20 },
];

const rearranging: readonly Case[] = [
  { op: "Col2Im", what: "overlapping windows", inputs: [[2, 8, 9]], reads: ["x0", "image", "block"], initializers: { image: ints(4, 4), block: ints(2, 2) }, opset: 18 },
  { op: "Col2Im", what: "strides and pads", inputs: [[1, 4, 9]], reads: ["x0", "image", "block"], initializers: { image: ints(5, 5), block: ints(2, 2) }, attrs: { strides: [2, 2], pads: [1, 1, 0, 0] }, opset: 18 },
  { op: "CenterCropPad", what: "cut one axis and pad another", inputs: [[5, 4]], reads: ["x0", "shape"], initializers: { shape: ints(2, 7) }, opset: 18 },
  { op: "Det", what: "of a stack", inputs: [[2, 3, 3]] },
  { op: "MaxPool", what: "rounding up without an empty window", inputs: [[1, 1, 4, 5]], attrs: { kernel_shape: [1, 1], strides: [2, 3], ceil_mode: 1 }, opset: 12 },
  { op: "MaxPool", what: "with positions", inputs: [[2, 2, 5, 6]], attrs: { kernel_shape: [3, 2], strides: [2, 1], pads: [1, 0, 1, 1] }, outputs: 2, opset: 12 },
  { op: "MaxPool", what: "with positions by columns, dilated", inputs: [[1, 2, 6, 5]], attrs: { kernel_shape: [2, 2], dilations: [2, 1], storage_order: 1 }, outputs: 2, opset: 12 },
  { op: "Resize", what: "antialiased", inputs: [[1, 1, 6, 7]], reads: ["x0", "", "scales"], initializers: { scales: floats(1, 1, 0.5, 0.6) }, attrs: { mode: "linear", antialias: 1 }, opset: 18 },
  { op: "Resize", what: "to the nearest by a scale that is not the ratio of the sizes", inputs: [[1, 2, 3, 3]], reads: ["x0", "", "scales"], initializers: { scales: floats(1, 1, 4, 0.5) }, attrs: { mode: "nearest" }, opset: 18 },
  { op: "Resize", what: "by a fraction", inputs: [[1, 1, 4, 5]], reads: ["x0", "", "scales"], initializers: { scales: floats(1, 1, 0.6, 0.7) }, attrs: { mode: "cubic" }, opset: 18 },
];

const regions: readonly Case[] = [
  {
    op: "MaxRoiPool",
    what: "regions of two images, one of them partly outside",
    inputs: [[2, 2, 8, 6], tensorFrom([0, 1, 1, 8, 12, 1, 0, 2, 3, 5, 1, 6, 6, 20, 18, 0, 3, 4, 3, 4], [4, 5], "float32")],
    attrs: { pooled_shape: [3, 2], spatial_scale: { float: 0.5 } },
  },
];

it.each([...recurrent, ...regions, ...spectral, ...quantized, ...sampling, ...rearranging])("$op: $what", async (c) => {
  const inputs = Object.fromEntries(
    c.inputs.map((x, i): [string, Tensor] => [`x${i}`, Array.isArray(x) ? randomTensor({ shape: x, dtype: "float32" }, i + 1) : (x as Tensor)]),
  );
  const outputs = Array.from({ length: c.outputs ?? 1 }, (_, i) => `y${i}`);
  const bytes = modelBytes({
    nodes: [node(c.op, c.reads ?? Object.keys(inputs), outputs, c.attrs)],
    inputs: Object.fromEntries(Object.entries(inputs).map(([k, t]) => [k, { type: t.dtype === "int32" ? 6 : 1, dims: t.shape }])),
    outputs,
    initializers: c.initializers ?? {},
    opset: c.opset ?? 14,
  });
  const { ours, theirs } = await runBoth(bytes, inputs);
  expect(ours.length).toBe(theirs.length);
  theirs.forEach((t, i) => {
    expect(ours[i]!.length).toBe(t.length);
    t.forEach((v, k) => expect(ours[i]![k]!).toBeCloseTo(v, 4));
  });
});
