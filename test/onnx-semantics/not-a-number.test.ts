import { tensorFrom, type ScalarDType, type Tensor } from "@verticil/runtime-ffi";
import { expect, test } from "vitest";
import { holdToOnnxruntime, type NamedCase } from "./hold-to-onnxruntime.ts";
import { runNode } from "./run-node.ts";

// What is no number, or infinite, gives on both of our sides what it gives in onnxruntime.

const t = (values: readonly number[], shape: readonly number[] = [values.length], dtype: ScalarDType = "float32"): Tensor => tensorFrom(values, shape, dtype);
const scalar = (value: number, dtype: ScalarDType = "float32"): Tensor => t([value], [], dtype);

const values = [1.5, -2.5, NaN, Infinity, -Infinity, 0, -0, 0.5, 2.5, -0.5, 3e9, -3e9];
const x = t(values);
const doubles = t(values, undefined, "float64");
const pixels = t([1, NaN, 3, 4, 5, 6, 7, 8, 9, NaN, NaN, 2, -Infinity, -Infinity, 0, 1], [1, 1, 4, 4]);
const rows = t([1, 2, 3, Infinity, -Infinity, 0, -Infinity, -Infinity, -Infinity, 2, 2, 2], [4, 3]);

const unary = ["Abs", "Ceil", "Celu", "Elu", "Exp", "Floor", "Gelu", "HardSigmoid", "HardSwish", "IsInf", "IsNaN", "LeakyRelu", "Log", "Mish", "Neg", "Reciprocal", "Relu", "Round", "Selu", "Shrink", "Sign", "Softplus", "Softsign", "Sqrt", "Tanh", "ThresholdedRelu"];

const cases: readonly NamedCase[] = [
  ...unary.map((op) => ({ op, what: "of every sort of number", inputs: [x] })),
  { op: "Sign", what: "in double precision", inputs: [doubles] },
  { op: "Round", what: "ties, and what is too large for a fraction", inputs: [t([0.5, 1.5, 2.5, -0.5, -1.5, 0.49999997, 8388609, 4194304.5])] },
  { op: "Clip", what: "bounds stored", inputs: [x, scalar(-1), scalar(1)], stored: [1, 2] },
  { op: "Clip", what: "bounds given", inputs: [x, scalar(-1), scalar(1)] },
  { op: "Clip", what: "in double precision", inputs: [doubles, scalar(-1, "float64"), scalar(1, "float64")], stored: [1, 2] },
  { op: "Clip", what: "from below only", inputs: [t([1, NaN, -5]), scalar(-1)], stored: [1] },
  { op: "Clip", what: "from above only", inputs: [t([5, NaN, -5]), undefined, scalar(1)], stored: [2] },
  { op: "Clip", what: "bounds the wrong way round", inputs: [x, scalar(1), scalar(-1)], stored: [1, 2] },
  { op: "Clip", what: "bounds as attributes", inputs: [x], attrs: { min: { float: -1 }, max: { float: 1 } }, opset: 7 },
  ...["Max", "Min"].flatMap((op) => [
    { op, what: "NaN on the left", inputs: [x, t([0])] },
    { op, what: "NaN on the right", inputs: [t([0]), x] },
    { op, what: "NaN in the middle of three", inputs: [t([1]), x, t([2])] },
    { op, what: "NaN stored", inputs: [t([1, 2]), t([NaN, 1])], stored: [1] },
    { op, what: "in double precision", inputs: [t([0], [1], "float64"), doubles] },
  ]),
  ...["MaxPool", "AveragePool"].map((op) => ({ op, what: "windows that hold some", inputs: [pixels], attrs: { kernel_shape: [2, 2], strides: [2, 2] } })),
  { op: "GlobalMaxPool", what: "the first of a channel", inputs: [t([NaN, 1, 3, 4], [1, 1, 2, 2])] },
  ...["ArgMax", "ArgMin"].flatMap((op) => [
    { op, what: "infinities alone", inputs: [rows], attrs: { axis: 1 } },
    { op, what: "infinities alone, the last of equals", inputs: [rows], attrs: { axis: 1, select_last_index: 1 } },
  ]),
  ...["ReduceMax", "ReduceMin", "ReduceSum", "ReduceMean", "ReduceLogSumExp"].map((op) => ({ op, what: "of infinities", inputs: [rows, t([1], [1], "int64")], stored: [1] })),
  { op: "Hardmax", what: "of infinities", inputs: [rows] },
  { op: "Softmax", what: "with an infinity", inputs: [rows] },
  { op: "TopK", what: "of infinities", inputs: [rows, t([2], [1], "int64")], stored: [1], outputs: 2 },
  { op: "Pow", what: "the special cases", inputs: [t([2, -2, 0, -0, -8, 1, NaN, 4, Infinity, -Infinity, -Infinity, -0, -1]), t([-1, -1, -1, -1, 1 / 3, NaN, 0, 0.5, -1, 0.5, 3, 3, Infinity])] },
  { op: "Mod", what: "infinite divisors", inputs: [t([7.5, -7.5, 6, NaN, Infinity, 1, -1, 1]), t([3, 3, 0, 1, 1, Infinity, -Infinity, NaN])], attrs: { fmod: 1 } },
  { op: "Div", what: "by zero", inputs: [t([1, -1, 0, 1]), t([0, 0, 0, -0])] },
  { op: "QuantizeLinear", what: "of infinities and ties", inputs: [t([Infinity, -Infinity, 2.5, 3.5, -2.5, 1000]), scalar(1), scalar(0, "uint8")], stored: [1, 2] },
];

holdToOnnxruntime(cases);

test("a NaN is passed over where a maximum is taken of many, wherever it stands", async () => {
  // onnxruntime gives the NaN, the maximum or another of the numbers, by where it stands and how many there are.
  const inputs = [t([1, NaN, 3, NaN, 2, 1, 3, 2, NaN], [3, 3]), t([1], [1], "int64")];
  const { interpreted, compiled } = await runNode({ op: "ReduceMax", inputs, stored: [1] });
  expect(interpreted).toEqual(["float32[3, 1] 3 2 3"]);
  expect(compiled).toEqual(interpreted);
});
