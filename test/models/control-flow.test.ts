import { describe, expect, test } from "vitest";
import { compile } from "@verticil/compiler";
import { importOnnx } from "@verticil/onnx";
import { interpretRelax } from "@verticil/relax";
import { getElement, isTensor, isTuple, tensorFrom, type Any, type Tensor } from "@verticil/runtime-ffi";
import { interpretable } from "../interpretable.ts";
import { graphOf, INT64, modelBytes, node, type TestModel, type TestType } from "../../packages/onnx/src/testing/onnx-model.ts";
import { runBytes } from "./reference.ts";

// Models that decide while they run: which branch, how many rounds, along which axes.

const BOOL = 9;
const f32 = (shape: readonly number[], ...values: number[]): Tensor => tensorFrom(values, shape, "float32");
const i64 = (shape: readonly number[], ...values: number[]): Tensor => tensorFrom(values, shape, "int64");
const flag = (value: boolean): Tensor => tensorFrom([Number(value)], [], "bool");

const scalarInt: TestType = { type: INT64, dims: [] };
const scalarBool: TestType = { type: BOOL, dims: [] };

interface Case {
  readonly name: string;
  readonly model: TestModel;
  /** Each is a run of the same compiled model. */
  readonly runs: readonly Readonly<Record<string, Tensor>>[];
}

const branches = {
  then_branch: { graph: graphOf({ nodes: [node("Mul", ["x", "x"], ["a"])], outputs: ["a"] }) },
  else_branch: { graph: graphOf({ nodes: [node("Concat", ["x", "x"], ["b"], { axis: 0 })], outputs: ["b"] }) },
};

/** `total += x[index]` and a list of totals. */
const summing = graphOf({
  inputs: { i: scalarInt, go: scalarBool, total: [2] },
  nodes: [
    node("Gather", ["x", "i"], ["row"], { axis: 0 }),
    node("Add", ["total", "row"], ["next"]),
    node("Identity", ["go"], ["on"]),
    node("Mul", ["next", "scale"], ["scaled"]),
  ],
  outputs: ["on", "next", "scaled"],
});

const doubling = graphOf({
  inputs: { i: scalarInt, go: scalarBool, v: ["k"] },
  nodes: [
    node("Concat", ["v", "v"], ["w"], { axis: 0 }),
    node("Size", ["w"], ["n"]),
    node("Less", ["n", "limit"], ["on"]),
  ],
  outputs: ["on", "w"],
});

const scanned = graphOf({
  inputs: { s: [2], row: [2] },
  nodes: [node("Add", ["s", "row"], ["t"]), node("Mul", ["t", "row"], ["p"])],
  outputs: ["t", "p"],
});

const nested = graphOf({
  inputs: { i: scalarInt, go: scalarBool, total: [2] },
  nodes: [node("Loop", ["i", "", "total"], ["inner"], { body: { graph: graphOf({ inputs: { j: scalarInt, g: scalarBool, t: [2] }, nodes: [node("Add", ["t", "start"], ["u"]), node("Identity", ["g"], ["h"])], outputs: ["h", "u"] }) } }), node("Identity", ["go"], ["on"])],
  outputs: ["on", "inner"],
});

const x = f32([3, 2], 1, 2, 3, 4, 5, 6);

const cases: readonly Case[] = [
  {
    name: "If of branches that give different sizes",
    model: { inputs: { c: scalarBool, x: [3, 2] }, nodes: [node("If", ["c"], ["y"], branches), node("Relu", ["y"], ["z"])], outputs: ["z"] },
    runs: [{ c: flag(true), x }, { c: flag(false), x }],
  },
  {
    name: "If on what the model computes, over symbolic sizes",
    model: {
      inputs: { x: ["n", 2] },
      initializers: { zero: { dims: [], floats: [0] } },
      nodes: [node("ReduceSum", ["x"], ["s"], { keepdims: 0 }), node("Greater", ["s", "zero"], ["c"]), node("If", ["c"], ["y"], branches)],
      outputs: ["y"],
    },
    runs: [{ x }, { x: f32([1, 2], -1, 0.5) }],
  },
  {
    name: "Loop of a computed number of rounds, with a list",
    model: { inputs: { trips: scalarInt, x: ["n", 2], start: [2], scale: [1] }, nodes: [node("Loop", ["trips", "", "start"], ["sum", "list"], { body: { graph: summing } })], outputs: ["sum", "list"] },
    runs: [
      { trips: i64([], 3), x, start: f32([2], 0, 1), scale: f32([1], 2) },
      { trips: i64([], 0), x, start: f32([2], 0, 1), scale: f32([1], 2) },
      { trips: i64([], 1), x, start: f32([2], 5, 5), scale: f32([1], -1) },
    ],
  },
  {
    name: "Loop as long as a condition holds, whose state grows",
    model: { inputs: { limit: scalarInt, v: [1] }, nodes: [node("Loop", ["", "yes", "v"], ["w"], { body: { graph: doubling } })], outputs: ["w"], initializers: { yes: { dims: [], type: BOOL, ints: [1] } } },
    runs: [{ limit: i64([], 7), v: f32([1], 3) }, { limit: i64([], 1), v: f32([1], 3) }, { limit: i64([], 100), v: f32([1], 1) }],
  },
  {
    name: "Loop in a loop",
    model: { inputs: { trips: scalarInt, start: [2] }, nodes: [node("Loop", ["trips", "", "start"], ["sum"], { body: { graph: nested } })], outputs: ["sum"] },
    runs: [{ trips: i64([], 5), start: f32([2], 1, -1) }],
  },
  {
    name: "a thousand rounds",
    model: { inputs: { trips: scalarInt, x: ["n", 2], start: [2], scale: [1] }, nodes: [node("Mod", ["trips", "one"], ["zero"]), node("Loop", ["trips", "", "start"], ["sum"], { body: { graph: graphOf({ inputs: { i: scalarInt, go: scalarBool, t: [2] }, nodes: [node("Add", ["t", "scale"], ["u"]), node("Identity", ["go"], ["on"])], outputs: ["on", "u"] }) } })], outputs: ["sum", "zero"], initializers: { one: { dims: [], ints: [1] } } },
    runs: [{ trips: i64([], 1000), x, start: f32([2], 0, 1), scale: f32([1], 0.5) }],
  },
  {
    name: "Scan over an open length, backwards",
    model: {
      inputs: { s: [2], x: ["n", 2] },
      nodes: [node("Scan", ["s", "x"], ["last", "list"], { body: { graph: scanned }, num_scan_inputs: 1, scan_input_directions: [1], scan_output_directions: [1], scan_output_axes: [1] })],
      outputs: ["last", "list"],
    },
    runs: [{ s: f32([2], 0, 1), x }, { s: f32([2], 2, 1), x: f32([5, 2], 1, 2, 3, 4, 5, 6, 7, 8, 9, 10) }],
  },
  {
    name: "axes of a reduction",
    model: { inputs: { x: [3, 2], axes: { type: INT64, dims: [1] } }, opset: 18, nodes: [node("ReduceSum", ["x", "axes"], ["y"], { keepdims: 0 }), node("ReduceMax", ["x", "axes"], ["z"])], outputs: ["y", "z"] },
    runs: [{ x, axes: i64([1], 0) }, { x, axes: i64([1], -1) }],
  },
  {
    name: "axes to insert and to drop",
    model: { inputs: { x: [3, 2], axes: { type: INT64, dims: [2] } }, nodes: [node("Unsqueeze", ["x", "axes"], ["y"]), node("Squeeze", ["y", "axes"], ["z"]), node("Neg", ["y"], ["w"])], outputs: ["w", "z"] },
    runs: [{ x, axes: i64([2], 0, 2) }, { x, axes: i64([2], -1, 1) }],
  },
  {
    name: "a slice whose axes and steps are computed",
    model: { inputs: { x: [3, 2], s: { type: INT64, dims: [2] }, e: { type: INT64, dims: [2] }, a: { type: INT64, dims: [2] }, t: { type: INT64, dims: [2] } }, nodes: [node("Slice", ["x", "s", "e", "a", "t"], ["y"])], outputs: ["y"] },
    runs: [
      { x, s: i64([2], 0, -1), e: i64([2], 2, -100), a: i64([2], 1, 0), t: i64([2], 1, -1) },
      { x, s: i64([2], 2, 0), e: i64([2], -9, 9), a: i64([2], 0, -1), t: i64([2], -2, 3) },
    ],
  },
  {
    name: "padding by computed widths",
    model: { inputs: { x: [3, 2], p: { type: INT64, dims: [4] }, v: [] }, nodes: [node("Pad", ["x", "p", "v"], ["y"]), node("Pad", ["x", "p"], ["z"], { mode: "edge" })], outputs: ["y", "z"] },
    runs: [{ x, p: i64([4], 1, 0, 2, 3), v: f32([], 7) }, { x, p: i64([4], 0, 1, 0, 1), v: f32([], -1) }],
  },
  {
    name: "an image resized by computed scales",
    model: { inputs: { x: [1, 1, 4, 6], s: [4] }, opset: 18, nodes: [node("Resize", ["x", "", "s"], ["y"], { mode: "linear" }), node("Resize", ["x", "", "s"], ["z"], { mode: "nearest" })], outputs: ["y", "z"] },
    runs: [2, 0.5, 1.5].map((k) => ({ x: f32([1, 1, 4, 6], ...Array.from({ length: 24 }, (_, i) => (i * 7) % 11)), s: f32([4], 1, 1, k, 2) })),
  },
];

const numbers = (t: Tensor): readonly number[] => [...t.shape, ...Array.from({ length: t.data.length }, (_, i) => Number(Number(getElement(t, i)).toPrecision(5)))];
const tensors = (value: Any): readonly Tensor[] => (isTuple(value) ? value.flatMap(tensors) : isTensor(value) ? [value] : []);

describe.each(cases)("$name", ({ model, runs }) => {
  const bytes = modelBytes(model);
  const expected = async (inputs: Readonly<Record<string, Tensor>>): Promise<readonly (readonly number[])[]> => {
    const results = await runBytes(bytes, inputs);
    return model.outputs.map((o) => numbers(results[o] ?? f32([0])));
  };

  test("by the interpreter", async () => {
    const legal = interpretable(importOnnx(bytes));
    for (const inputs of runs) {
      const args = Object.keys(model.inputs ?? {}).flatMap((name) => inputs[name] ?? []);
      expect(tensors(interpretRelax(legal, args)).map(numbers)).toEqual(await expected(inputs));
    }
  });

  test("compiled", async () => {
    const loaded = await (await compile(importOnnx(bytes))).load();
    for (const inputs of runs) {
      const actual = await loaded.run(inputs);
      expect(model.outputs.map((o) => numbers(actual[o] ?? f32([0])))).toEqual(await expected(inputs));
    }
    loaded.dispose();
  });
});
