import { at } from "@verticil/ir-core";
import { tensorFrom } from "@verticil/runtime-ffi";
import { drawn, floats, whole } from "./drawn.ts";
import { holdToOnnxruntime, type NamedCase } from "./hold-to-onnxruntime.ts";

// Axes and positions counted from the end, in every operator that has any.

const x = drawn([2, 3, 4]);
const dims = [2, 3, 4];
const size = (axis: number): number => at(dims, axis + 3);
const reductions = ["ReduceL1", "ReduceL2", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare"];

const byAxis = [-1, -2, -3].flatMap((axis): readonly NamedCase[] => {
  const what = `axis ${axis}`;
  const ofSize = (value: number): readonly number[] => Array.from({ length: size(axis) }, (_, i) => value * (i + 1));
  return [
    ...["ArgMax", "ArgMin", "Flatten", "Hardmax", "LogSoftmax", "LpNormalization", "Softmax"].map((op) => ({ op, what, inputs: [x], attrs: { axis } })),
    ...["Hardmax", "LogSoftmax", "Softmax"].map((op) => ({ op, what: `${what}, before operator set 13`, inputs: [x], attrs: { axis }, opset: 11 })),
    ...reductions.flatMap((op) => [
      { op, what: `${what} as input`, inputs: [x, whole([axis])], stored: [1] },
      { op, what: `${what} not kept`, inputs: [x, whole([axis])], stored: [1], attrs: { keepdims: 0 } },
      { op, what: `${what} as attribute`, inputs: [x], attrs: { axes: [axis] }, opset: 11 },
    ]),
    { op: "CenterCropPad", what, inputs: [x, whole([5])], stored: [1], attrs: { axes: [axis] } },
    { op: "Compress", what, inputs: [x, tensorFrom([1, 1], [2], "bool")], stored: [1], attrs: { axis } },
    { op: "Concat", what, inputs: [x, x], attrs: { axis } },
    { op: "CumSum", what, inputs: [x, tensorFrom([axis], [], "int32")], stored: [1] },
    { op: "DequantizeLinear", what, inputs: [drawn(dims, "uint8"), floats(ofSize(0.1))], stored: [1], attrs: { axis } },
    { op: "DFT", what: `axis ${axis - 1}`, inputs: [drawn([...dims, 1]), undefined, whole([axis - 1], [])], stored: [2], opset: 20 },
    { op: "Gather", what, inputs: [x, whole([-1, 0])], attrs: { axis } },
    { op: "Gather", what: `${what}, positions stored`, inputs: [x, whole([-1, 0])], stored: [1], attrs: { axis } },
    { op: "GatherElements", what, inputs: [x, whole(Array.from({ length: 24 }, (_, i) => -(i % 2)), dims)], attrs: { axis } },
    { op: "LayerNormalization", what, inputs: [x, drawn(dims.slice(axis)), drawn(dims.slice(axis), "float32", 2)], attrs: { axis } },
    { op: "OneHot", what: `axis ${Math.max(axis, -2)}`, inputs: [whole([0, -1, 2]), whole([3]), floats([0, 1])], stored: [1, 2], attrs: { axis: Math.max(axis, -2) } },
    { op: "Pad", what, inputs: [x, whole([1, 2]), floats([7], []), whole([axis])], stored: [1, 2, 3] },
    { op: "QuantizeLinear", what, inputs: [x, floats(ofSize(0.1)), tensorFrom(ofSize(0), [size(axis)], "uint8")], stored: [1, 2], attrs: { axis } },
    { op: "Resize", what, inputs: [x, undefined, floats([2])], stored: [2], attrs: { axes: [axis], mode: "nearest" } },
    { op: "ScatterElements", what, inputs: [x, whole([-1], [1, 1, 1]), floats([9], [1, 1, 1])], attrs: { axis } },
    { op: "ScatterElements", what: `${what}, added`, inputs: [x, whole([-1], [1, 1, 1]), floats([9], [1, 1, 1])], attrs: { axis, reduction: "add" } },
    { op: "Shape", what: `from ${axis}`, inputs: [x], attrs: { start: axis } },
    { op: "Shape", what: `up to ${axis}`, inputs: [x], attrs: { end: axis } },
    { op: "Slice", what, inputs: [x, whole([-2]), whole([-1]), whole([axis])], stored: [1, 2, 3] },
    { op: "Slice", what: `${what} backwards`, inputs: [x, whole([-1]), whole([-9]), whole([axis]), whole([-1])], stored: [1, 2, 3, 4] },
    { op: "Split", what, inputs: [drawn([4, 4, 4]), whole([1, 3])], stored: [1], outputs: 2, attrs: { axis } },
    { op: "Squeeze", what, inputs: [drawn([1, 1, 1]), whole([axis])], stored: [1] },
    { op: "TopK", what, inputs: [x, whole([2])], stored: [1], outputs: 2, attrs: { axis } },
    { op: "Unique", what, inputs: [x], outputs: 4, attrs: { axis, sorted: 1 } },
    { op: "Unsqueeze", what, inputs: [x, whole([axis])], stored: [1] },
    { op: "Unsqueeze", what: `${what} as attribute`, inputs: [x], attrs: { axes: [axis] }, opset: 11 },
  ];
});

holdToOnnxruntime([
  ...byAxis,
  { op: "GatherND", what: "positions from the end", inputs: [x, whole([-1, -1], [1, 2])] },
  { op: "ScatterND", what: "positions from the end", inputs: [x, whole([-1, -1], [1, 2]), drawn([1, 4])] },
  { op: "Resize", what: "two axes that are not together", inputs: [x, undefined, floats([2, 0.5])], stored: [2], attrs: { axes: [-3, -1], mode: "nearest" } },
]);
