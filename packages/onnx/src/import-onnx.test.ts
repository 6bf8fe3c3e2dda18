import { tensorFrom } from "@verticil/runtime-ffi";
import { DiagnosticError } from "@verticil/ir-core";
import { expect, test } from "vitest";
import type { Converter } from "./converter.ts";
import { importOnnx, type ImportOptions } from "./import-onnx.ts";
import { bindingsOf, callsOf, constantValues, mainOf, opsOf, resultText } from "./testing/describe-main.ts";
import { FLOAT16, graphOf, INT64, modelBytes, node, type TestModel } from "./testing/onnx-model.ts";

const relu: TestModel = { nodes: [node("Relu", ["x"], ["y"])], inputs: { x: [1, "n"] }, outputs: ["y"] };

/** The codes and the text of the errors of an import. */
function errors(bytes: Uint8Array, options?: ImportOptions): { readonly codes: readonly string[]; readonly text: string } {
  try {
    importOnnx(bytes, options);
  } catch (error) {
    if (!(error instanceof DiagnosticError)) throw error;
    return { codes: error.diagnostics.map((d) => d.code), text: error.message };
  }
  return { codes: [], text: "" };
}

test("inputs become parameters with symbolic dimensions, the result keeps them", () => {
  const module = importOnnx(modelBytes(relu));
  expect(mainOf(module).params.map((p) => p.name)).toEqual(["x"]);
  expect(resultText(module)).toBe("float32[1, n]");
  expect(opsOf(module)).toEqual(["nn.relu"]);
});

test("dims fixes dimensions by name, shapes those of an input", () => {
  expect(resultText(importOnnx(modelBytes(relu), { dims: { n: 7 } }))).toBe("float32[1, 7]");
  expect(resultText(importOnnx(modelBytes(relu), { shapes: { x: [4, "m"] } }))).toBe("float32[4, m]");
});

test("a size may be bounded instead of fixed", () => {
  const module = importOnnx(modelBytes(relu), { dims: { n: { max: 64 } } });
  expect(resultText(module)).toBe("float32[1, n]");
  expect(mainOf(module).attrs["tir_var_upper_bound"]).toEqual({ n: 64 });
});

test("constants fixes the value of an input", () => {
  const module = importOnnx(modelBytes(relu), { constants: { x: tensorFrom([1, -1], [1, 2], "float32") } });
  expect(mainOf(module).params).toEqual([]);
  expect(resultText(module)).toBe("float32[1, 2]");
});

test("the function remembers the names of the file, whatever they had to become", () => {
  const module = importOnnx(modelBytes({ nodes: [node("Add", ["a:0", "a.0"], ["out/1"])], inputs: { "a:0": [2], "a.0": [2] }, outputs: ["out/1"] }));
  expect(mainOf(module).params.map((p) => p.name)).toEqual(["a_0", "a_0_1"]);
  expect(mainOf(module).attrs).toMatchObject({ input_names: ["a:0", "a.0"], output_names: ["out/1"], num_input: 2, global_symbol: "main" });
});

test("several outputs are a tuple", () => {
  const nodes = [node("Relu", ["x"], ["y"]), node("Exp", ["x"], ["z"])];
  expect(resultText(importOnnx(modelBytes({ ...relu, nodes, outputs: ["y", "z"] })))).toBe("(float32[1, n], float32[1, n])");
});

test("nodes may stand in any order", () => {
  const nodes = [node("Exp", ["y"], ["z"]), node("Relu", ["x"], ["y"])];
  expect(opsOf(importOnnx(modelBytes({ ...relu, nodes, outputs: ["z"] })))).toEqual(["nn.relu", "exp"]);
});

test("a weight that is used twice is one constant", () => {
  const nodes = [node("Add", ["x", "w"], ["y"]), node("Mul", ["y", "w"], ["z"])];
  const calls = callsOf(importOnnx(modelBytes({ ...relu, nodes, outputs: ["z"], initializers: { w: { dims: [1], floats: [2] } } })));
  expect(calls[0]?.args[1]).toBe(calls[1]?.args[1]);
});

test("shape arithmetic leaves nothing behind", () => {
  const nodes = [
    node("Shape", ["x"], ["s"]),
    node("Gather", ["s", "zero"], ["n"], { axis: 0 }),
    node("Unsqueeze", ["n", "axes"], ["n1"]),
    node("Concat", ["n1", "rest"], ["target"], { axis: 0 }),
    node("Reshape", ["x", "target"], ["y"]),
  ];
  const initializers = { zero: { dims: [], ints: [0] }, axes: { dims: [1], ints: [0] }, rest: { dims: [1], ints: [-1] } };
  const module = importOnnx(modelBytes({ nodes, inputs: { x: ["n", 3, 4] }, outputs: ["y"], initializers }));
  expect(opsOf(module)).toEqual(["reshape"]);
  expect(resultText(module)).toBe("float32[n, 12]");
});

test("float16 weights and inputs stay float16", () => {
  const module = importOnnx(modelBytes({
    nodes: [node("Add", ["x", "w"], ["y"])],
    inputs: { x: { type: FLOAT16, dims: [2] } },
    outputs: ["y"],
    initializers: { w: { dims: [2], type: FLOAT16, raw: Uint8Array.of(0, 0x3c, 0, 0x40) } },
  }));
  expect(resultText(module)).toBe("float16[2]");
});

test("sizes that meet without being provably equal are checked at run time", () => {
  const module = importOnnx(modelBytes({ nodes: [node("Add", ["x", "y"], ["z"])], inputs: { x: ["n"], y: ["m"] }, outputs: ["z"] }));
  expect(bindingsOf(module).map((b) => b.kind)).toContain("relax.MatchCast");
  expect(resultText(module)).toBe("float32[n]");
});

test("a function of the model is put in place, with the attributes of its call", () => {
  const body = { ...node("LeakyRelu", ["a"], ["b"]), attribute: [{ name: "alpha", refAttrName: "slope", type: 1 }] };
  const func = { name: "Half", domain: "local", input: ["a"], output: ["b"], attribute: ["slope"], node: [body] };
  const nodes = [{ ...node("Half", ["x"], ["y"], { slope: { float: 0.5 } }), domain: "local" }];
  const calls = callsOf(importOnnx(modelBytes({ ...relu, nodes, functions: [func] })));
  expect(calls[0]?.attrs).toMatchObject({ alpha: 0.5 });
});

test("an If whose condition is known is the branch that is taken", () => {
  const branch = (op: string): ReturnType<typeof graphOf> => graphOf({ nodes: [node(op, ["x"], ["b"])], outputs: ["b"] });
  const nodes = [node("If", ["c"], ["y"], { then_branch: { graph: branch("Exp") }, else_branch: { graph: branch("Log") } })];
  const c = { dims: [], type: 9, ints: [0] };
  expect(opsOf(importOnnx(modelBytes({ ...relu, nodes, initializers: { c } })))).toEqual(["log"]);
});

test("converters of the caller come first", () => {
  const nodes = [{ ...node("Twice", ["x"], ["y"]), domain: "my" }];
  const twice: Converter = (ctx) => ctx.emit("add", [ctx.input(0), ctx.input(0)]);
  const converters = { "my:Twice": twice };
  expect(opsOf(importOnnx(modelBytes({ ...relu, nodes }), { converters }))).toEqual(["add"]);
});

test("bytes that are no model are refused", () => {
  const truncated = modelBytes({ ...relu, initializers: { w: { dims: [64], floats: Array.from({ length: 64 }, () => 1) } } }).subarray(0, 60);
  expect(errors(new Uint8Array()).codes).toEqual(["onnx/not-onnx"]);
  expect(errors(new TextEncoder().encode("version https://git-lfs.github.com/spec/v1")).codes).toEqual(["onnx/not-onnx"]);
  expect(errors(truncated).codes).toEqual(["onnx/not-onnx"]);
});

test("a model without a graph is refused", () => {
  expect(errors(Uint8Array.of(8, 8)).codes).toEqual(["onnx/no-graph"]);
});

test("unsupported operators are listed all at once, with their nodes", () => {
  const nodes = [node("Frobnicate", ["x"], ["a"]), node("Conv9d", ["a"], ["b"]), node("Frobnicate", ["b"], ["y"])];
  const { codes, text } = errors(modelBytes({ ...relu, nodes }));
  expect(codes).toEqual(["onnx/unsupported-op", "onnx/unsupported-op"]);
  expect(text).toContain("The operator `Frobnicate` is not supported. It is used by `Frobnicate_a`, `Frobnicate_y`.");
});

test("types that are not supported are listed beside the operators, all at once", () => {
  const model = modelBytes({
    nodes: [node("Mystery", ["x", "w"], ["y"]), node("Relu", ["s"], ["z"])],
    inputs: { x: [1], s: { type: 8, dims: [1] } },
    initializers: { w: { dims: [0], type: 14 } },
    outputs: ["y", "z"],
  });
  const { codes, text } = errors(model);
  expect(codes).toEqual(["onnx/unsupported-op", "onnx/unsupported-type", "onnx/unsupported-type"]);
  expect(text).toMatch(/Mystery[^]*`s` is of type string[^]*`w` is of type complex64/);
});

test("a cycle is shown", () => {
  const nodes = [node("Add", ["x", "b"], ["a"]), node("Relu", ["a"], ["b"])];
  const { codes, text } = errors(modelBytes({ ...relu, nodes, outputs: ["b"] }));
  expect(codes).toEqual(["onnx/cycle"]);
  expect(text).toContain("`Add_a` (Add) → `Relu_b` (Relu) → `Add_a` (Add)");
});

test("values that nothing defines are named", () => {
  expect(errors(modelBytes({ ...relu, nodes: [node("Add", ["x", "nope"], ["y"])] })).text).toContain("`Add_y` (Add) reads `nope`, which nothing defines.");
  expect(errors(modelBytes({ ...relu, outputs: ["y", "gone"] })).codes).toEqual(["onnx/missing-output"]);
});

test("names that are defined twice are named", () => {
  const nodes = [node("Relu", ["x"], ["y"]), node("Exp", ["x"], ["y"])];
  expect(errors(modelBytes({ ...relu, nodes })).text).toContain("Two places define the value `y`: `Relu_y` (Relu) and `Exp_y` (Exp).");
});

test("initializers that do not fill their shape are refused", () => {
  const model = (w: TestModel["initializers"]): TestModel => ({ ...relu, nodes: [node("Add", ["x", "w"], ["y"])], initializers: w ?? {} });
  expect(errors(modelBytes(model({ w: { dims: [3], floats: [1, 2] } }))).text).toContain("The tensor `w` of shape [3] takes 3 elements; the file has 2.");
  expect(errors(modelBytes(model({ w: { dims: [2], raw: new Uint8Array(7) } }))).codes).toEqual(["onnx/tensor-size"]);
  expect(errors(modelBytes(model({ w: { dims: [-1], floats: [1] } }))).codes).toEqual(["onnx/tensor-size"]);
});

test("dimensions of 2^31 elements are refused before anything is allocated", () => {
  expect(errors(modelBytes({ ...relu, inputs: { x: [2 ** 31] } })).codes).toEqual(["onnx/dimension-too-large"]);
  const nodes = [node("Add", ["x", "w"], ["y"])];
  expect(errors(modelBytes({ ...relu, nodes, initializers: { w: { dims: [2 ** 40], floats: [1] } } })).codes).toEqual(["onnx/dimension-too-large"]);
  expect(errors(modelBytes(relu), { dims: { n: 2 ** 31 } }).codes).toEqual(["onnx/dimension-too-large"]);
});

test("a dimension that the model does not have is answered with those it has", () => {
  const { text } = errors(modelBytes({ ...relu, inputs: { x: ["batch", 2] } }), { dims: { bacth: 1 } });
  expect(text).toContain("The model has no dimension named `bacth`; it has `batch`. Did you mean `batch`?");
});

test("attributes of a wrong type and missing arguments are named", () => {
  expect(errors(modelBytes({ ...relu, nodes: [node("Softmax", ["x"], ["y"], { axis: "last" })] })).text).toContain("Attribute `axis` of `Softmax_y` (Softmax) is to be an integer, not a string.");
  expect(errors(modelBytes({ ...relu, nodes: [node("Add", ["x"], ["y"])] })).codes).toEqual(["onnx/missing-argument"]);
});

test("operands that do not fit are an error of the node", () => {
  const nodes = [node("MatMul", ["x", "w"], ["y"])];
  const initializers = { w: { dims: [3, 2], floats: [1, 2, 3, 4, 5, 6] } };
  expect(errors(modelBytes({ nodes, inputs: { x: [1, 4] }, outputs: ["y"], initializers })).codes).toEqual(["onnx/bad-node"]);
});

test("what has to be known at compile time says so", () => {
  const nodes = [node("MelWeightMatrix", ["s", "s", "s", "x", "x"], ["y"])];
  const { codes, text } = errors(modelBytes({ nodes, inputs: { x: [4], s: { type: INT64, dims: [2] } }, outputs: ["y"] }));
  expect(codes).toEqual(["onnx/dynamic-argument"]);
  expect(text).toContain("`MelWeightMatrix_y` (MelWeightMatrix) needs its parameters at compile time");
});

test("opsets that are not read are named", () => {
  expect(errors(modelBytes({ ...relu, opset: 99 })).codes).toEqual(["onnx/unsupported-opset"]);
});

test("a bias of a convolution is a constant in the shape that it is added in", () => {
  const nodes = [node("Conv", ["x", "w", "b"], ["y"], { pads: [1, 1, 1, 1], kernel_shape: [3, 3] })];
  const initializers = { w: { dims: [2, 1, 3, 3], floats: Array.from({ length: 18 }, () => 1) }, b: { dims: [2], floats: [5, 6] } };
  const [conv, add] = callsOf(importOnnx(modelBytes({ nodes, inputs: { x: [1, 1, 4, 4] }, outputs: ["y"], initializers })));
  expect(conv?.attrs).toMatchObject({ padding: [1, 1, 1, 1], strides: [1, 1], groups: 1, data_layout: "NCHW", kernel_layout: "OIHW" });
  expect(constantValues(add?.args[1])).toEqual([5, 6]);
});
