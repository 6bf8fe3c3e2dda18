import { interpretRelax, type RelaxValue } from "@verticil/relax";
import { randomTensor, tensorFrom, type Tensor } from "@verticil/runtime-ffi";
import type { onnx } from "onnx-proto";
import { expect, it } from "vitest";
import { importOnnx } from "../import-onnx.ts";
import { interpretable } from "../testing/interpretable.ts";
import { elementType, INT64, modelBytes, node, type TestAttribute, type TestTensor } from "../testing/onnx-model.ts";
import { runReference, shapeAndNumbers } from "../testing/run-reference.ts";
import { distanceBuckets } from "./contrib-tensors.ts";

// Operators that onnxruntime has no kernels of for CPUs: held to what it makes of the plain operators that they stand for.

interface Case {
  readonly op: string;
  readonly what: string;
  readonly inputs: readonly (readonly number[])[];
  readonly attrs?: Readonly<Record<string, TestAttribute>>;
  readonly outputs?: readonly string[];
  /** The same from `x0`, `x1`, …, in operators of the standard. */
  readonly plain: readonly onnx.INodeProto[];
  readonly stored?: Readonly<Record<string, TestTensor>>;
}

const ints = (...values: number[]): TestTensor => ({ dims: [values.length], type: INT64, ints: values });
const first = (x: string, y: string): onnx.INodeProto => node("Transpose", [x], [y], { perm: [0, 3, 1, 2] });
const last = (x: string, y: string): onnx.INodeProto => node("Transpose", [x], [y], { perm: [0, 2, 3, 1] });
/** `z` from `x`, channels last, in 2 groups of 2 channels; scale and bias are `x1` and `x2`. */
const inGroups = (x: string, z: string): readonly onnx.INodeProto[] => [first(x, "f"), node("GroupNormalization", ["f", "x1", "x2"], ["g"], { num_groups: 2, epsilon: { float: 1e-3 } }), last("g", z)];

const cases: readonly Case[] = [
  { op: "GroupNorm", what: "channels last", inputs: [[2, 3, 4, 4], [4], [4]], attrs: { groups: 2, epsilon: { float: 1e-3 }, activation: 0 }, plain: inGroups("x0", "y") },
  {
    op: "GroupNorm", what: "with SiLU", inputs: [[1, 3, 4, 4], [4], [4]], attrs: { groups: 2, epsilon: { float: 1e-3 }, activation: 1 },
    plain: [...inGroups("x0", "n"), node("Sigmoid", ["n"], ["s"]), node("Mul", ["n", "s"], ["y"])],
  },
  {
    op: "SkipGroupNorm", what: "one number a channel, and a bias", inputs: [[2, 3, 4, 4], [4], [4], [2, 4], [4]], attrs: { groups: 2, epsilon: { float: 1e-3 }, activation: 0 }, outputs: ["y", "sum"],
    plain: [node("Reshape", ["x3", "shape"], ["skip"]), node("Add", ["x0", "skip"], ["a"]), node("Add", ["a", "x4"], ["sum"]), ...inGroups("sum", "y")], stored: { shape: ints(2, 1, 1, 4) },
  },
  { op: "SkipGroupNorm", what: "an image", inputs: [[1, 3, 4, 4], [4], [4], [1, 3, 4, 4]], attrs: { groups: 2, epsilon: { float: 1e-3 }, activation: 0 }, plain: [node("Add", ["x0", "x3"], ["sum"]), ...inGroups("sum", "y")] },
  {
    op: "BiasSplitGelu", what: "halves", inputs: [[2, 3, 8], [8]],
    plain: [node("Add", ["x0", "x1"], ["a"]), node("Split", ["a"], ["l", "r"], { axis: -1, num_outputs: 2 }), node("Gelu", ["r"], ["g"]), node("Mul", ["l", "g"], ["y"])],
  },
  {
    op: "NhwcConv", what: "weights with channels last", inputs: [[1, 5, 6, 3], [4, 3, 2, 3], [4]], attrs: { pads: [1, 0, 1, 1], strides: [2, 1] },
    plain: [first("x0", "a"), first("x1", "w"), node("Conv", ["a", "w", "x2"], ["c"], { pads: [1, 0, 1, 1], strides: [2, 1] }), last("c", "y")],
  },
  {
    op: "NhwcFusedConv", what: "with an addend and ReLU", inputs: [[1, 5, 6, 3], [4, 3, 3, 2], [4], [1, 3, 5, 4]], attrs: { activation: "Relu" },
    plain: [first("x0", "a"), node("Conv", ["a", "x1", "x2"], ["c"]), last("c", "d"), node("Add", ["d", "x3"], ["e"]), node("Relu", ["e"], ["y"])],
  },
  { op: "BiasSoftmax", what: "of the last axis", inputs: [[2, 3, 4, 5], [2, 1, 1, 5]], attrs: { axis: 3, is_inner_broadcast: 1 }, plain: [node("Add", ["x0", "x1"], ["a"]), node("Softmax", ["a"], ["y"], { axis: 3 })] },
  {
    op: "BiasSoftmax", what: "of the last two axes", inputs: [[2, 3, 4, 5], [4, 5]], attrs: { axis: 2, is_inner_broadcast: 0 },
    plain: [node("Add", ["x0", "x1"], ["a"]), node("Reshape", ["a", "flat"], ["b"]), node("Softmax", ["b"], ["c"], { axis: 1 }), node("Reshape", ["c", "shape"], ["y"])],
    stored: { flat: ints(6, 20), shape: ints(2, 3, 4, 5) },
  },
  {
    op: "CausalConvWithState", what: "with what came before", inputs: [[2, 3, 6], [3, 1, 4], [3], [2, 3, 3]], outputs: ["y", "state"],
    plain: [node("Concat", ["x3", "x0"], ["a"], { axis: 2 }), node("Conv", ["a", "x1", "x2"], ["y"], { group: 3 }), node("Slice", ["a", "start", "end", "axis"], ["state"])],
    stored: { start: ints(6), end: ints(9), axis: ints(2) },
  },
];

function tensors(value: RelaxValue): readonly Tensor[] {
  if (Array.isArray(value)) return value.flatMap(tensors);
  return typeof value === "object" && "dtype" in value ? [value] : [];
}

const ours = (bytes: Uint8Array, inputs: readonly Tensor[]): readonly (readonly number[])[] => tensors(interpretRelax(interpretable(importOnnx(bytes)), inputs)).map(shapeAndNumbers);

it.each(cases)("$op $what is what its plain operators are", async ({ op, inputs, attrs, outputs = ["y"], plain, stored }) => {
  const given = Object.fromEntries(inputs.map((shape, i): [string, Tensor] => [`x${i}`, randomTensor({ shape, dtype: "float32" }, i + 1)]));
  const types = Object.fromEntries(Object.entries(given).map(([k, t]) => [k, { type: elementType(t.dtype), dims: t.shape }]));
  const model = (nodes: readonly onnx.INodeProto[], initializers: Readonly<Record<string, TestTensor>> = {}): Uint8Array => modelBytes({ nodes, inputs: types, outputs, initializers, opset: 21 });
  const own = ours(model([{ ...node(op, Object.keys(given), outputs, attrs), domain: "com.microsoft" }]), Object.values(given));
  const theirs = await runReference(model(plain, stored), given);
  expect(own.length).toBe(theirs.length);
  theirs.forEach((t, i) => {
    expect(own[i]?.length).toBe(t.length);
    t.forEach((v, k) => expect(own[i]?.[k]).toBeCloseTo(v, 4));
  });
});

it("distances have the buckets of T5", () => {
  expect(distanceBuckets(16, 128).filter((_, i) => i < 20)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 8, 8, 8, 9, 9, 9, 9, 10, 10, 10, 10]);
  expect(distanceBuckets(16, 128).at(-1)).toBe(15);
  expect(distanceBuckets(32, 128).slice(15, 22)).toEqual([15, 16, 16, 16, 17, 17, 18]);
});

it.each([0, 1])("RelativePositionBias looks each distance up, both ways: %i", (both) => {
  const table = tensorFrom(Array.from({ length: 16 }, (_, i) => i), [8, 2], "float32");
  const bias = node("RelativePositionBias", ["table", "q", "k"], ["y"], { max_distance: 20, is_bidirectional: both });
  const one = (value: number): TestTensor => ({ dims: [], type: INT64, ints: [value] });
  const bytes = modelBytes({ nodes: [{ ...bias, domain: "com.microsoft" }], inputs: { table: [8, 2] }, outputs: ["y"], initializers: { q: one(3), k: one(4) } });
  const bucket = (ahead: number): number => (both === 0 ? Math.max(-ahead, 0) : distanceBuckets(4, 20)[Math.abs(ahead)]! + (ahead > 0 ? 4 : 0));
  const expected = [0, 1].flatMap((head) => [0, 1, 2].flatMap((q) => [0, 1, 2, 3].map((k) => 2 * bucket(k - q) + head)));
  expect(ours(bytes, [table])).toEqual([[1, 2, 3, 4, ...expected]]);
});
