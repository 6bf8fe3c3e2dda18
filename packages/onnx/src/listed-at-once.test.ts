import { DiagnosticError } from "@verticil/ir-core";
import { expect, test } from "vitest";
import { importOnnx } from "./import-onnx.ts";
import { graphOf, INT64, modelBytes, node, valueInfo, type TestModel } from "./testing/onnx-model.ts";

// Everything that an import cannot do is told in one run, by node and operator.

/** The first lines of the diagnostics of an import, without their severity. */
function problems(model: TestModel): readonly string[] {
  try {
    importOnnx(modelBytes(model));
  } catch (error) {
    if (!(error instanceof DiagnosticError)) throw error;
    return error.diagnostics.map((d) => `${d.code.replace("onnx/", "")}: ${d.message}`);
  }
  return [];
}

const image = { x: [1, 3, 8, 8] };
const bad = (input: string, output: string): ReturnType<typeof node> => node("Resize", [input, "", "", input], [output], { mode: "ABC" });
const scales = { dims: [4], floats: [1, 1, 2, 2] };
const resize = (input: string, output: string, mode = "magic"): ReturnType<typeof node> => node("Resize", [input, "", "scales"], [output], { mode });

test("forms that are not supported are listed beside each other", () => {
  const found = problems({ nodes: [resize("x", "a"), node("Relu", ["x"], ["b"]), resize("b", "c", "wizard")], inputs: image, outputs: ["a", "c"], initializers: { scales } });
  expect(found).toEqual([
    "unsupported-form: `Resize_a` (Resize) is not supported in this form: its mode is `magic`.",
    "unsupported-form: `Resize_c` (Resize) is not supported in this form: its mode is `wizard`.",
  ]);
});

test("forms are listed beside operators and types", () => {
  const found = problems({
    nodes: [node("Mystery", ["x"], ["a"]), resize("x", "b"), node("Relu", ["s"], ["c"])],
    inputs: { ...image, s: { type: 8, dims: [1] } },
    outputs: ["a", "b", "c"],
    initializers: { scales },
  });
  expect(found.map((line) => line.split(":")[0])).toEqual(["unsupported-op", "unsupported-type", "unsupported-form"]);
});

test("a form after one that could not be read is listed although its input is not known", () => {
  const found = problems({ nodes: [resize("x", "a"), node("Relu", ["a"], ["b"]), resize("b", "c", "wizard")], inputs: image, outputs: ["c"], initializers: { scales } });
  expect(found).toHaveLength(2);
  expect(found[1]).toContain("`Resize_c` (Resize)");
});

test("a form after an operator that is not supported is listed", () => {
  const found = problems({ nodes: [node("Mystery", ["x"], ["a"]), resize("a", "b")], inputs: image, outputs: ["b"], initializers: { scales } });
  expect(found.map((line) => line.split(":")[0])).toEqual(["unsupported-op", "unsupported-form"]);
});

test("what follows from an unknown value is no problem of its own", () => {
  const nodes = [
    node("Mystery", ["x"], ["shape"]),
    node("Reshape", ["x", "shape"], ["y"]),
    node("Conv", ["y", "w"], ["z"]),
    node("Split", ["z"], ["p", "q"], { axis: 1 }),
    node("Concat", ["p", "q"], ["r"], { axis: -1 }),
    node("MelWeightMatrix", ["shape", "shape", "shape", "r", "r"], ["m"]),
    node("SequenceAt", ["shape", "zero"], ["t"]),
    node("Add", ["m", "t"], ["out"]),
  ];
  const initializers = { w: { dims: [2, 3, 3, 3], floats: Array.from({ length: 54 }, () => 1) }, zero: { dims: [], ints: [0] } };
  expect(problems({ nodes, inputs: image, outputs: ["out"], initializers })).toEqual(["unsupported-op: The operator `Mystery` is not supported. It is used by `Mystery_shape`."]);
});

test("where the file has the type of a value, nodes after it are looked at with that type", () => {
  const nodes = [node("Mystery", ["x"], ["a"]), node("Relu", ["a"], ["b"]), node("GlobalAveragePool", ["b"], ["c"]), node("MatMul", ["b", "w"], ["y"])];
  const model: TestModel = { nodes, inputs: image, outputs: ["c", "y"], initializers: { w: { dims: [5, 2], floats: Array.from({ length: 10 }, () => 1) } }, valueInfo: [valueInfo("a", [1, 3, 4, 4])] };
  // What does not fit may fit with what the operator really gives: only refusals count.
  expect(problems(model)).toHaveLength(1);
});

test("nodes of both branches of an If are listed", () => {
  const branch = (mode: string): ReturnType<typeof graphOf> => graphOf({ nodes: [resize("x", `out_${mode}`, mode)], outputs: [`out_${mode}`] });
  const choice = node("If", ["c"], ["y"], { then_branch: { graph: branch("one") }, else_branch: { graph: branch("two") } });
  const found = problems({ nodes: [choice], inputs: { ...image, c: { type: 9, dims: [] } }, outputs: ["y"], initializers: { scales } });
  expect(found.map((line) => line.match(/`Resize_\w+`/)?.[0])).toEqual(["`Resize_out_one`", "`Resize_out_two`"]);
});

test("nodes of the body of a loop are listed, once however many rounds there are", () => {
  const body = graphOf({
    nodes: [resize("v", "w"), node("Identity", ["c"], ["d"])],
    inputs: { i: { type: INT64, dims: [] }, c: { type: 9, dims: [] }, v: [1, 3, 8, 8] },
    outputs: ["d", "w"],
  });
  const found = problems({ nodes: [node("Loop", ["n", "", "x"], ["y"], { body: { graph: body } })], inputs: image, outputs: ["y"], initializers: { scales, n: { dims: [], ints: [3] } } });
  expect(found.map((line) => line.match(/`Resize_\w+`/)?.[0])).toEqual(["`Resize_w`"]);
});

test("nodes of a function of the model are listed, and unsupported constants in it", () => {
  const func = { name: "Wrong", domain: "local", input: ["a"], output: ["b"], node: [bad("a", "b"), node("Constant", [], ["k"], { value: { tensor: { dims: [0], type: 8 } } })] };
  const nodes = [{ ...node("Wrong", ["x"], ["y"]), domain: "local" }, bad("y", "z")];
  const found = problems({ nodes, inputs: { x: [1, 4, 2, 2] }, outputs: ["z"], functions: [func] });
  expect(found).toEqual([
    "unsupported-type: The tensor `Constant_k` is of type string (tensors here hold numbers), which is not supported.",
    "unsupported-form: `Resize_b` (Resize) is not supported in this form: its mode is `ABC`.",
    "unsupported-form: `Resize_z` (Resize) is not supported in this form: its mode is `ABC`.",
  ]);
});

test("operands that do not fit are listed beside each other", () => {
  const nodes = [node("MatMul", ["x", "w"], ["a"]), node("Softmax", ["x"], ["b"], { axis: 9 }), node("Softmax", ["x"], ["c"], { axis: "last" })];
  const found = problems({ nodes, inputs: { x: [1, 4] }, outputs: ["a", "b", "c"], initializers: { w: { dims: [3, 2], floats: [1, 2, 3, 4, 5, 6] } } });
  expect(found.map((line) => line.split(":")[0])).toEqual(["bad-node", "bad-node", "attribute-type"]);
});

test("types are refused by name, with the reason", () => {
  const types = [8, 14, 24, 26];
  const nodes = types.map((_, i) => node("Identity", [`x${i}`], [`y${i}`]));
  const inputs = Object.fromEntries(types.map((type, i) => [`x${i}`, { type, dims: [2] }]));
  expect(problems({ nodes, inputs, outputs: ["y0"] }).map((line) => line.replace("unsupported-type: The input ", ""))).toEqual([
    "`x0` is of type string (tensors here hold numbers), which is not supported.",
    "`x1` is of type complex64 (numbers here are real), which is not supported.",
    "`x2` is of type float8e8m0 (of the 8-bit floats, those with a sign are), which is not supported.",
    "`x3` is of type int2 (integers here have 4 bits at least), which is not supported.",
  ]);
});
