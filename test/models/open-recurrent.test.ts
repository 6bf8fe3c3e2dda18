import { describe, expect, test } from "vitest";
import { compile } from "@verticil/compiler";
import { importOnnx } from "@verticil/onnx";
import { interpretRelax } from "@verticil/relax";
import { getElement, isTensor, isTuple, randomTensor, tensorFrom, type Any, type Tensor } from "@verticil/runtime-ffi";
import { interpretable } from "../interpretable.ts";
import { modelBytes, node, type TestModel, type TestType } from "../../packages/onnx/src/testing/onnx-model.ts";
import { runBytes } from "./reference.ts";

// Recurrent layers over sequences whose length is known when the model runs: one compiled model, several lengths.

const hidden = 3;
const INT32 = 6;

/** A layer of `gates` gates over inputs of two features; weights are inputs, so that nothing is folded. */
function layer(op: "RNN" | "GRU" | "LSTM", gates: number, attrs: Readonly<Record<string, number | string>>, withLengths = false): TestModel {
  const directions = attrs["direction"] === "bidirectional" ? 2 : 1;
  const weights: Readonly<Record<string, TestType>> = { w: [directions, gates * hidden, 2], r: [directions, gates * hidden, hidden], b: [directions, 2 * gates * hidden] };
  const outputs = ["y", "h", ...(op === "LSTM" ? ["c"] : [])];
  return {
    inputs: { x: ["length", "batch", 2], ...weights, ...(withLengths ? { lengths: { type: INT32, dims: ["batch"] } } : {}) },
    nodes: [node(op, ["x", "w", "r", "b", ...(withLengths ? ["lengths"] : [])], outputs, { hidden_size: hidden, ...attrs })],
    outputs,
  };
}

const cases = [
  { name: "an RNN, backwards", model: layer("RNN", 1, { direction: "reverse" }) },
  { name: "a GRU both ways", model: layer("GRU", 3, { direction: "bidirectional", linear_before_reset: 1 }) },
  { name: "an LSTM", model: layer("LSTM", 4, {}) },
  { name: "an LSTM both ways over rows of their own lengths", model: layer("LSTM", 4, { direction: "bidirectional" }, true) },
];

const sizes = [[1, 2], [4, 2], [7, 1]] as const;

function inputsOf(model: TestModel, length: number, batch: number): Readonly<Record<string, Tensor>> {
  const entries = Object.entries(model.inputs ?? {}).map(([name, t], i): [string, Tensor] => {
    if (name === "lengths") return [name, tensorFrom(Array.from({ length: batch }, (_, k) => Math.max(1, length - k)), [batch], "int32")];
    const dims = "dims" in t ? t.dims : Array.isArray(t) ? (t as readonly (number | string)[]) : [];
    return [name, randomTensor({ shape: dims.map((d) => (d === "length" ? length : d === "batch" ? batch : Number(d))), dtype: "float32" }, i + 1)];
  });
  return Object.fromEntries(entries);
}

const tensors = (value: Any): readonly Tensor[] => (isTuple(value) ? value.flatMap(tensors) : isTensor(value) ? [value] : []);

function expectClose(actual: Tensor | undefined, expected: Tensor | undefined): void {
  if (actual === undefined || expected === undefined) throw new Error("an output is missing");
  expect(actual.shape).toEqual(expected.shape);
  for (let i = 0; i < expected.data.length; i++) expect(Number(getElement(actual, i))).toBeCloseTo(Number(getElement(expected, i)), 4);
}

describe.each(cases)("$name", ({ model }) => {
  const bytes = modelBytes(model);

  test("by the interpreter", async () => {
    const legal = interpretable(importOnnx(bytes));
    for (const [length, batch] of sizes) {
      const inputs = inputsOf(model, length, batch);
      const [expected, actual] = [await runBytes(bytes, inputs), tensors(interpretRelax(legal, Object.values(inputs)))];
      model.outputs.forEach((o, i) => expectClose(actual[i], expected[o]));
    }
  });

  test("compiled", async () => {
    const loaded = await (await compile(importOnnx(bytes))).load();
    for (const [length, batch] of sizes) {
      const inputs = inputsOf(model, length, batch);
      const [expected, actual] = [await runBytes(bytes, inputs), await loaded.run(inputs)];
      for (const o of model.outputs) expectClose(actual[o], expected[o]);
    }
    loaded.dispose();
  });
});
