import { DiagnosticError } from "@verticil/ir-core";
import { expect, test } from "vitest";
import { describeOnnx } from "../describe-onnx.ts";
import { importOnnx, type ImportOptions } from "../import-onnx.ts";
import { mainOf, opsOf, resultText } from "../testing/describe-main.ts";
import { modelBytes, node, type TestModel } from "../testing/onnx-model.ts";

const joined: TestModel = {
  nodes: [node("ConcatFromSequence", ["s"], ["y"], { axis: 0 }), node("Identity", ["s"], ["t"])],
  inputs: { s: { sequence: ["n"] } },
  outputs: ["y", "t"],
};
const maybe: TestModel = { nodes: [node("OptionalHasElement", ["o"], ["y"])], inputs: { o: { optional: [3] } }, outputs: ["y"], opset: 18 };

function codeOf(model: TestModel, options?: ImportOptions): string | undefined {
  try {
    importOnnx(modelBytes(model), options);
  } catch (error) {
    if (error instanceof DiagnosticError) return error.diagnostics[0]?.code;
    throw error;
  }
  return undefined;
}

test("the tensors of a sequence are inputs and outputs of their own", () => {
  const module = importOnnx(modelBytes(joined), { shapes: { s: [[2], [3]] } });
  expect(mainOf(module).attrs).toMatchObject({ num_input: 2, input_names: ["s.0", "s.1"], output_names: ["y", "t.0", "t.1"] });
  expect(resultText(module)).toBe("(float32[5], float32[2], float32[3])");
});

test("how long a sequence is has to be told", () => {
  expect(codeOf(joined)).toBe("onnx/open-sequence");
});

test("an optional is there unless told", () => {
  expect(mainOf(importOnnx(modelBytes(maybe))).attrs["input_names"]).toEqual(["o"]);
  expect(mainOf(importOnnx(modelBytes(maybe), { shapes: { o: null } })).attrs["input_names"]).toEqual([]);
});

test("a shape of another form than the input's is refused", () => {
  expect(codeOf(joined, { shapes: { s: [2, 3] } })).toBe("onnx/bad-shape");
  expect(codeOf(joined, { shapes: { s: null } })).toBe("onnx/bad-shape");
  expect(codeOf(maybe, { shapes: { o: [[3]] } })).toBe("onnx/bad-shape");
});

test("the body of SequenceMap is there once for each tensor", () => {
  const body = { name: "body", node: [node("Relu", ["a"], ["b"])], input: [{ name: "a" }], output: [{ name: "b" }] };
  const module = importOnnx(modelBytes({ nodes: [node("SequenceMap", ["s"], ["t"], { body: { graph: body } })], inputs: { s: { sequence: [2] } }, outputs: ["t"] }), { shapes: { s: [[2], [4]] } });
  expect(opsOf(module)).toEqual(["nn.relu", "nn.relu"]);
  expect(resultText(module)).toBe("(float32[2], float32[4])");
});

test("a model's description says what is a sequence and what is optional", () => {
  expect(describeOnnx(modelBytes(joined)).inputs).toEqual([{ name: "s", shape: ["n"], form: "sequence", isOptional: false }]);
  expect(describeOnnx(modelBytes(maybe)).inputs).toEqual([{ name: "o", shape: [3], form: "tensor", isOptional: true }]);
});
