import onnxProto from "onnx-proto";
import type { onnx } from "onnx-proto";
import { describe, expect, test } from "vitest";
import { compile } from "@verticil/compiler";
import { importOnnx } from "@verticil/onnx";
import { interpretRelax } from "@verticil/relax";
import { getElement, isTensor, isTuple, tensorFrom, type Any, type Tensor } from "@verticil/runtime-ffi";
import { interpretable } from "../interpretable.ts";
import { runBytes } from "./reference.ts";

// Models whose results' sizes depend on what their inputs hold, not on their shapes: nothing is known of the values while
// they are compiled.

type Attribute = number | string;
type Node = readonly [op: string, inputs: readonly string[], outputs: readonly string[], attrs?: Readonly<Record<string, Attribute>>];

interface Case {
  readonly name: string;
  readonly nodes: readonly Node[];
  readonly inputs: Readonly<Record<string, Tensor>>;
  readonly outputs: readonly string[];
}

const f32 = (shape: readonly number[], ...values: number[]): Tensor => tensorFrom(values, shape, "float32");
const i64 = (shape: readonly number[], ...values: number[]): Tensor => tensorFrom(values, shape, "int64");
const bool = (...values: number[]): Tensor => tensorFrom(values, [values.length], "bool");

const x = f32([3, 4], 0, 1, 2, 0, 3, 0, 0, 4, 5, 6, 0, 7);

const cases: readonly Case[] = [
  { name: "NonZero, and what is taken there", nodes: [["NonZero", ["x"], ["i"]], ["Transpose", ["i"], ["t"]], ["GatherND", ["x", "t"], ["y"]], ["Add", ["y", "y"], ["z"]]], inputs: { x }, outputs: ["i", "z"] },
  { name: "NonZero of nothing", nodes: [["NonZero", ["x"], ["i"]]], inputs: { x: f32([2, 2], 0, 0, 0, 0) }, outputs: ["i"] },
  { name: "Unique with all outputs", nodes: [["Unique", ["v"], ["a", "b", "c", "d"]]], inputs: { v: f32([6], 2, 1, 1, 3, 4, 3) }, outputs: ["a", "b", "c", "d"] },
  { name: "Unique along an axis, unsorted", nodes: [["Unique", ["v"], ["a"], { axis: 0, sorted: 0 }]], inputs: { v: f32([3, 2], 1, 0, 1, 0, 2, 3) }, outputs: ["a"] },
  { name: "Compress along an axis", nodes: [["Compress", ["x", "c"], ["y"], { axis: 1 }]], inputs: { x, c: bool(0, 1, 1, 0) }, outputs: ["y"] },
  { name: "Compress without an axis", nodes: [["Compress", ["x", "c"], ["y"]]], inputs: { x, c: bool(0, 1, 0, 0, 1) }, outputs: ["y"] },
  { name: "TopK of a computed count", nodes: [["TopK", ["x", "k"], ["v", "i"], { axis: 1 }]], inputs: { x: f32([2, 4], 5, 3, 8, 1, 0, 7, 2, 4), k: i64([1], 3) }, outputs: ["v", "i"] },
  { name: "Range upwards", nodes: [["Range", ["a", "b", "c"], ["y"]]], inputs: { a: i64([], -3), b: i64([], 8), c: i64([], 2) }, outputs: ["y"] },
  { name: "Range downwards, of floats", nodes: [["Range", ["a", "b", "c"], ["y"]], ["Mul", ["y", "y"], ["z"]]], inputs: { a: f32([], 2.5), b: f32([], -1), c: f32([], -0.5) }, outputs: ["z"] },
  { name: "Slice by computed bounds", nodes: [["Slice", ["x", "s", "e"], ["y"]]], inputs: { x, s: i64([2], -2, 1), e: i64([2], 100, -1) }, outputs: ["y"] },
  { name: "Slice to nothing", nodes: [["Slice", ["x", "s", "e"], ["y"]]], inputs: { x, s: i64([1], 2), e: i64([1], 1) }, outputs: ["y"] },
  { name: "Reshape to a computed shape, with 0 and -1", nodes: [["Reshape", ["x", "s"], ["y"]], ["Relu", ["y"], ["z"]]], inputs: { x, s: i64([3], 0, 2, -1) }, outputs: ["z"] },
  { name: "Expand to a computed shape", nodes: [["Expand", ["v", "s"], ["y"]]], inputs: { v: f32([3, 1], 1, 2, 3), s: i64([3], 2, 3, 4) }, outputs: ["y"] },
  { name: "ConstantOfShape", nodes: [["ConstantOfShape", ["s"], ["y"]]], inputs: { s: i64([2], 2, 3) }, outputs: ["y"] },
  {
    name: "NonMaxSuppression",
    nodes: [["NonMaxSuppression", ["boxes", "scores", "limit", "iou", "least"], ["y"]]],
    inputs: {
      boxes: f32([1, 6, 4], 0, 0, 1, 1, 0, 0.1, 1, 1.1, 0, -0.1, 1, 0.9, 0, 10, 1, 11, 0, 10.1, 1, 11.1, 0, 100, 1, 101),
      scores: f32([1, 2, 6], 0.9, 0.75, 0.6, 0.95, 0.5, 0.3, 0.1, 0.2, 0.9, 0.8, 0.85, 0.05),
      limit: i64([1], 3),
      iou: f32([1], 0.5),
      least: f32([1], 0.1),
    },
    outputs: ["y"],
  },
  {
    name: "NonMaxSuppression of centres and sizes",
    nodes: [["NonMaxSuppression", ["boxes", "scores", "limit", "iou"], ["y"], { center_point_box: 1 }]],
    inputs: {
      boxes: f32([1, 4, 4], 0.5, 0.5, 1, 1, 0.6, 0.5, 1, 1, 0.5, 10.5, 1, 2, 3, 0.5, 1, 1),
      scores: f32([1, 1, 4], 0.9, 0.95, 0.5, 0.3),
      limit: i64([1], 3),
      iou: f32([1], 0.5),
    },
    outputs: ["y"],
  },
];

const { AttributeType } = onnxProto.onnx.AttributeProto;
const TYPES: Readonly<Record<string, number>> = { float32: 1, int64: 7, bool: 9 };

function modelOf({ nodes, inputs, outputs }: Case): Uint8Array {
  const attribute = ([name, value]: [string, Attribute]): onnx.IAttributeProto =>
    typeof value === "number" ? { name, type: AttributeType.INT, i: value } : { name, type: AttributeType.STRING, s: new TextEncoder().encode(value) };
  return onnxProto.onnx.ModelProto.encode({
    irVersion: 8,
    opsetImport: [{ domain: "", version: 17 }],
    graph: {
      name: "g",
      node: nodes.map(([opType, input, output, attrs], i) => ({ opType, name: `${opType}_${i}`, input: [...input], output: [...output], attribute: Object.entries(attrs ?? {}).map(attribute) })),
      input: Object.entries(inputs).map(([name, t]) => ({ name, type: { tensorType: { elemType: TYPES[t.dtype] ?? 1, shape: { dim: t.shape.map((d) => ({ dimValue: d })) } } } })),
      output: outputs.map((name) => ({ name })),
    },
  }).finish();
}

const numbers = (t: Tensor): readonly number[] => [...t.shape, ...Array.from({ length: t.data.length }, (_, i) => Math.fround(Number(getElement(t, i))))];
const tensors = (value: Any): readonly Tensor[] => (isTuple(value) ? value.flatMap(tensors) : isTensor(value) ? [value] : []);

describe.each(cases)("$name", (c) => {
  const bytes = modelOf(c);

  test("by the interpreter", async () => {
    const legal = interpretable(importOnnx(bytes));
    const expected = await runBytes(bytes, c.inputs);
    const actual = tensors(interpretRelax(legal, Object.values(c.inputs)));
    expect(actual.map(numbers)).toEqual(c.outputs.map((o) => numbers(expected[o] ?? f32([0]))));
  });

  test("compiled", async () => {
    const executable = await compile(importOnnx(bytes));
    const model = await executable.load();
    const expected = await runBytes(bytes, c.inputs);
    const actual = await model.run(c.inputs);
    expect(c.outputs.map((o) => numbers(actual[o] ?? f32([0])))).toEqual(c.outputs.map((o) => numbers(expected[o] ?? f32([0]))));
  });
});
