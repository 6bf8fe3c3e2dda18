import { tensorFrom } from "@verticil/runtime-ffi";
import { drawn, floats, whole } from "./drawn.ts";
import { holdToOnnxruntime, type NamedCase } from "./hold-to-onnxruntime.ts";

// Dimensions of size 0, in every family of operators. Where onnxruntime ends the process (TopK, GRU) there is nothing to hold to.

const e = drawn([0, 3]);
const flat = drawn([2, 0]);
const middle = drawn([2, 0, 4]);
const flags = tensorFrom([], [0, 3], "bool");
const bytes = tensorFrom([], [0, 3], "uint8");
const reductions = ["ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare"];

const elementwise: readonly NamedCase[] = [
  ...["Abs", "Elu", "Erf", "Exp", "Floor", "Gelu", "HardSwish", "Identity", "IsNaN", "LeakyRelu", "Neg", "Relu", "Sigmoid", "Sign", "Softplus", "Sqrt", "Tanh"].map((op) => ({ op, what: "of nothing", inputs: [e] })),
  ...["Add", "Div", "Equal", "Less", "Max", "Mean", "Min", "Mul", "Pow", "Sum"].flatMap((op) => [
    { op, what: "with a row", inputs: [e, drawn([1, 3])] },
    { op, what: "with a column of nothing", inputs: [e, drawn([0, 1])] },
    { op, what: "with a scalar", inputs: [e, drawn([])] },
  ]),
  ...["And", "Or", "Xor"].map((op) => ({ op, what: "of nothing", inputs: [flags, flags] })),
  { op: "Not", what: "of nothing", inputs: [flags] },
  { op: "Where", what: "of nothing", inputs: [flags, e, e] },
  { op: "Cast", what: "of nothing", inputs: [e], attrs: { to: 7 } },
  { op: "Clip", what: "of nothing", inputs: [e, floats([0], []), floats([1], [])], stored: [1, 2] },
  { op: "PRelu", what: "of nothing", inputs: [e, drawn([3])] },
  { op: "Mod", what: "of nothing", inputs: [tensorFrom([], [0], "int32"), tensorFrom([3], [1], "int32")] },
];

const reducing: readonly NamedCase[] = [
  ...reductions.flatMap((op) => [
    { op, what: "no rows to reduce", inputs: [e, whole([1])], stored: [1] },
    { op, what: "rows of nothing", inputs: [e, whole([0])], stored: [1] },
    { op, what: "all of nothing", inputs: [flat] },
    { op, what: "an axis of nothing, not kept", inputs: [middle, whole([1])], stored: [1], attrs: { keepdims: 0 } },
  ]),
  { op: "ReduceMax", what: "integers of nothing", inputs: [tensorFrom([], [2, 0], "int32"), whole([1])], stored: [1] },
  { op: "ReduceMin", what: "integers of nothing", inputs: [tensorFrom([], [2, 0], "int32"), whole([1])], stored: [1] },
  ...["ArgMax", "ArgMin"].map((op) => ({ op, what: "no rows", inputs: [e], attrs: { axis: 1 } })),
  ...["LogSoftmax", "Softmax"].flatMap((op) => [
    { op, what: "no rows", inputs: [e] },
    { op, what: "rows of nothing", inputs: [flat] },
    { op, what: "columns of nothing", inputs: [e], attrs: { axis: 0 } },
  ]),
  { op: "Hardmax", what: "no rows", inputs: [e] },
  { op: "TopK", what: "none of some", inputs: [drawn([2, 3]), whole([0])], stored: [1], outputs: 2 },
  ...[0, 1].map((axis) => ({ op: "CumSum", what: `axis ${axis}`, inputs: [e, whole([axis], [])], stored: [1] })),
];

const products: readonly NamedCase[] = [
  { op: "MatMul", what: "no rows", inputs: [e, drawn([3, 4])] },
  { op: "MatMul", what: "sums of nothing", inputs: [flat, drawn([0, 4])] },
  { op: "MatMul", what: "no columns", inputs: [drawn([2, 3]), drawn([3, 0])] },
  { op: "MatMul", what: "no matrices", inputs: [drawn([0, 2, 3]), drawn([0, 3, 4])] },
  { op: "Gemm", what: "no rows", inputs: [e, drawn([3, 4]), drawn([4])] },
  { op: "Gemm", what: "sums of nothing", inputs: [flat, drawn([0, 4]), drawn([4])] },
  { op: "Einsum", what: "sums of nothing", inputs: [flat, drawn([0, 4])], attrs: { equation: "ij,jk->ik" } },
  { op: "MatMulInteger", what: "no rows", inputs: [bytes, drawn([3, 2], "uint8")] },
];

const images: readonly NamedCase[] = [
  { op: "Conv", what: "no images", inputs: [drawn([0, 2, 4, 4]), drawn([3, 2, 3, 3])], attrs: { kernel_shape: [3, 3] } },
  { op: "ConvTranspose", what: "no images", inputs: [drawn([0, 2, 4, 4]), drawn([2, 3, 3, 3])], attrs: { kernel_shape: [3, 3] } },
  ...["AveragePool", "MaxPool"].map((op) => ({ op, what: "no images", inputs: [drawn([0, 2, 4, 4])], attrs: { kernel_shape: [2, 2] } })),
  ...["GlobalAveragePool", "GlobalMaxPool"].map((op) => ({ op, what: "no images", inputs: [drawn([0, 2, 4, 4])] })),
  { op: "Resize", what: "no images", inputs: [drawn([0, 1, 2, 2]), undefined, floats([1, 1, 2, 2])], stored: [2] },
  { op: "GridSample", what: "no images", inputs: [drawn([0, 1, 2, 2]), drawn([0, 2, 2, 2])] },
  { op: "RoiAlign", what: "no regions", inputs: [drawn([1, 1, 4, 4]), drawn([0, 4]), whole([])], attrs: { output_height: 2, output_width: 2 } },
  { op: "NonMaxSuppression", what: "no boxes", inputs: [drawn([1, 0, 4]), drawn([1, 1, 0]), whole([3], [1])], stored: [2] },
  { op: "DepthToSpace", what: "no images", inputs: [drawn([0, 4, 2, 2])], attrs: { blocksize: 2 } },
  { op: "SpaceToDepth", what: "no images", inputs: [drawn([0, 1, 2, 2])], attrs: { blocksize: 2 } },
  { op: "BatchNormalization", what: "no images", inputs: [drawn([0, 2, 4]), drawn([2]), drawn([2]), drawn([2]), floats([1, 2])] },
  { op: "InstanceNormalization", what: "no images", inputs: [drawn([0, 2, 4]), drawn([2]), drawn([2])] },
  { op: "LayerNormalization", what: "no rows", inputs: [e, drawn([3])] },
  { op: "LRN", what: "no images", inputs: [drawn([0, 2, 4, 4])], attrs: { size: 3 } },
];

const shapes: readonly NamedCase[] = [
  { op: "Reshape", what: "zero as it is", inputs: [e, whole([3, 0])], stored: [1], attrs: { allowzero: 1 } },
  { op: "Reshape", what: "zero as what it was", inputs: [e, whole([0, 3, 1])], stored: [1] },
  { op: "Reshape", what: "the rest of nothing", inputs: [e, whole([-1])], stored: [1] },
  { op: "Transpose", what: "of nothing", inputs: [e] },
  { op: "Flatten", what: "of nothing", inputs: [middle] },
  { op: "Squeeze", what: "of nothing", inputs: [drawn([1, 0]), whole([0])], stored: [1] },
  { op: "Unsqueeze", what: "of nothing", inputs: [e, whole([0])], stored: [1] },
  { op: "Concat", what: "nothing before something", inputs: [e, drawn([2, 3])], attrs: { axis: 0 } },
  { op: "Concat", what: "nothing after something", inputs: [drawn([2, 3]), flat], attrs: { axis: 1 } },
  { op: "Concat", what: "nothing beside nothing", inputs: [e, e], attrs: { axis: 1 } },
  { op: "Split", what: "nothing off", inputs: [drawn([2, 3]), whole([0, 2])], stored: [1], outputs: 2, attrs: { axis: 0 } },
  { op: "Split", what: "of nothing", inputs: [e, whole([1, 2])], stored: [1], outputs: 2, attrs: { axis: 1 } },
  { op: "Slice", what: "to nothing", inputs: [drawn([2, 3]), whole([1]), whole([1]), whole([0])], stored: [1, 2, 3] },
  { op: "Slice", what: "of nothing", inputs: [e, whole([0]), whole([2]), whole([1])], stored: [1, 2, 3] },
  { op: "Expand", what: "to nothing", inputs: [drawn([1, 3]), whole([0, 3])], stored: [1] },
  { op: "Expand", what: "of nothing", inputs: [e, whole([2, 1, 1])], stored: [1] },
  { op: "Tile", what: "nothing twice", inputs: [e, whole([2, 2])], stored: [1] },
  { op: "Tile", what: "no times", inputs: [drawn([2, 3]), whole([0, 2])], stored: [1] },
  { op: "Pad", what: "rows around nothing", inputs: [e, whole([1, 0, 1, 0])], stored: [1] },
  { op: "Pad", what: "columns around nothing", inputs: [e, whole([0, 1, 0, 1])], stored: [1] },
  { op: "Shape", what: "of nothing", inputs: [e] },
  { op: "Size", what: "of nothing", inputs: [e] },
  { op: "Trilu", what: "of nothing", inputs: [e] },
  { op: "ConstantOfShape", what: "of nothing", inputs: [whole([0, 2])], stored: [0] },
  { op: "Range", what: "to where it starts", inputs: [0, 0, 1].map((n) => whole([n], [])), stored: [0, 1, 2] },
  { op: "Range", what: "the wrong way, at run time", inputs: [5, 0, 1].map((n) => whole([n], [])) },
];

const positions: readonly NamedCase[] = [
  { op: "Gather", what: "no positions", inputs: [drawn([2, 3]), whole([])] },
  { op: "Gather", what: "no positions, stored", inputs: [drawn([2, 3]), whole([])], stored: [1] },
  { op: "Gather", what: "columns of nothing", inputs: [e, whole([0, 1])], attrs: { axis: 1 } },
  { op: "GatherElements", what: "no positions", inputs: [drawn([2, 3]), whole([], [0, 3])] },
  { op: "GatherND", what: "no positions", inputs: [drawn([2, 3]), whole([], [0, 1])] },
  { op: "ScatterElements", what: "no positions", inputs: [drawn([2, 3]), whole([], [0, 3]), e] },
  { op: "ScatterND", what: "no positions", inputs: [drawn([2, 3]), whole([], [0, 1]), e] },
  { op: "NonZero", what: "of nothing", inputs: [e] },
  { op: "Unique", what: "of nothing", inputs: [floats([])], outputs: 4 },
  { op: "Compress", what: "nothing left", inputs: [drawn([2, 3]), tensorFrom([0, 0], [2], "bool")], attrs: { axis: 0 } },
  { op: "OneHot", what: "of nothing", inputs: [whole([]), whole([3]), floats([0, 1])], stored: [1, 2] },
];

const quantized: readonly NamedCase[] = [
  { op: "QuantizeLinear", what: "of nothing", inputs: [e, floats([0.1], []), tensorFrom([0], [], "uint8")], stored: [1, 2] },
  { op: "DequantizeLinear", what: "of nothing", inputs: [bytes, floats([0.1], [])], stored: [1] },
  { op: "DynamicQuantizeLinear", what: "of nothing", inputs: [e], outputs: 3 },
  { op: "DynamicQuantizeLinear", what: "of zeros", inputs: [floats([0, 0])], outputs: 3 },
];

holdToOnnxruntime([...elementwise, ...reducing, ...products, ...images, ...shapes, ...positions, ...quantized]);
