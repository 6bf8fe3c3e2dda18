import { DiagnosticError } from "@verticil/ir-core";
import { tensorFrom } from "@verticil/runtime-ffi";
import onnxProto from "onnx-proto";
import type { onnx } from "onnx-proto";
import { expect, test } from "vitest";
import { importOnnx } from "../import-onnx.ts";
import { graphOf, modelBytes, node, type TestModel } from "../testing/onnx-model.ts";
import { runBoth } from "../testing/run-both.ts";

const x = tensorFrom(Array.from({ length: 24 }, (_, i) => Math.sin(i)), [2, 3, 4], "float32");

function func(f: onnx.IFunctionProto, opset?: number): onnx.IFunctionProto {
  return { domain: "local", input: ["a"], output: ["b"], opsetImport: opset === undefined ? [] : [{ domain: "", version: opset }], ...f };
}

const model = (f: onnx.IFunctionProto, call: onnx.INodeProto, more: Partial<TestModel> = {}): Uint8Array =>
  modelBytes({ nodes: [{ ...call, domain: "local" }], inputs: { x: [2, 3, 4] }, outputs: ["y"], functions: [f], opset: 17, ...more });

/** The numbers of a model with `x`, which onnxruntime gives too. */
async function held(bytes: Uint8Array): Promise<readonly number[]> {
  const { ours, theirs } = await runBoth(bytes, { x });
  expect(ours.map((o) => o.length)).toEqual(theirs.map((t) => t.length));
  theirs.flat().forEach((v, i) => expect(ours.flat()[i]).toBeCloseTo(v, 5));
  return ours.flat();
}

test("nodes of a function are of the function's operator set", async () => {
  // Softmax was over all axes from its own on before set 13, and ReduceSum had its axes as an attribute.
  const body = [node("Softmax", ["a"], ["s"], { axis: 1 }), node("ReduceSum", ["s"], ["b"], { axes: [1], keepdims: 0 })];
  const inFunction = await runBoth(model(func({ name: "Old", node: body }, 11), node("Old", ["x"], ["y"])), { x }, () => Promise.resolve([]));
  const plain = await held(modelBytes({ nodes: body.map((n) => ({ ...n, input: n.input?.map((i) => (i === "a" ? "x" : i)) ?? [], output: n.output?.map((o) => (o === "b" ? "y" : o)) ?? [] })), inputs: { x: [2, 3, 4] }, outputs: ["y"], opset: 11 }));
  expect(inFunction.ours.flat()).toEqual(plain);
});

test("nodes after the call are of the model's operator set again", async () => {
  const body = [node("Softmax", ["a"], ["b"], { axis: 1 })];
  const nodes = [{ ...node("Old", ["x"], ["h"]), domain: "local" }, node("Softmax", ["h"], ["y"], { axis: 1 })];
  const mixed = await runBoth(modelBytes({ nodes, inputs: { x: [2, 3, 4] }, outputs: ["y"], functions: [func({ name: "Old", node: body }, 11)], opset: 17 }), { x }, () => Promise.resolve([]));
  const twice = (opset: number): Uint8Array => modelBytes({ nodes: [node("Softmax", ["x"], ["h"], { axis: 1 }), node("Softmax", ["h"], ["y"], { axis: 1 })], inputs: { x: [2, 3, 4] }, outputs: ["y"], opset });
  expect(mixed.ours.flat()).not.toEqual(await held(twice(11)));
  expect(mixed.ours.flat()).not.toEqual(await held(twice(17)));
});

test("a function that names no operator set is of the model's", async () => {
  await held(model(func({ name: "Soft", node: [node("Softmax", ["a"], ["b"], { axis: 1 })] }, 17), node("Soft", ["x"], ["y"])));
  const { ours } = await runBoth(model(func({ name: "Soft", node: [node("Softmax", ["a"], ["b"], { axis: 1 })] }), node("Soft", ["x"], ["y"])), { x }, () => Promise.resolve([]));
  expect(ours.flat()).toEqual(await held(model(func({ name: "Soft", node: [node("Softmax", ["a"], ["b"], { axis: 1 })] }, 17), node("Soft", ["x"], ["y"]))));
});

const sloped = { ...node("LeakyRelu", ["a"], ["b"]), attribute: [{ name: "alpha", refAttrName: "slope", type: 1 }] };

/** A field of a message that holds bytes, fewer than 128 of them. */
const field = (number: number, bytes: Uint8Array): readonly number[] => [...(number < 16 ? [8 * number + 2] : [((8 * number + 2) % 128) + 128, (8 * number + 2) >> 7]), bytes.length, ...bytes];

test("what a call leaves out is what the function says", async () => {
  const { FunctionProto, AttributeProto } = onnxProto.onnx;
  const f = FunctionProto.encode(func({ name: "Sloped", node: [sloped] }, 17)).finish();
  const slope = AttributeProto.encode({ name: "slope", type: AttributeProto.AttributeType.FLOAT, f: 0.3 }).finish();
  const withSlope = Uint8Array.from([...f, ...field(11, slope)]);
  const model = (attrs = {}): Uint8Array => {
    const nodes = [{ ...node("Sloped", ["x"], ["y"], attrs), domain: "local" }];
    return Uint8Array.from([...modelBytes({ nodes, inputs: { x: [2, 3, 4] }, outputs: ["y"] }), ...field(25, withSlope)]);
  };
  expect(await held(model())).not.toEqual(await held(model({ slope: { float: 0.5 } })));
});

test("attributes of the call reach sub-graphs of the function", async () => {
  const branch = (n: onnx.INodeProto): onnx.IGraphProto => graphOf({ nodes: [n], outputs: ["b"] });
  const body = [node("Constant", [], ["c"], { value: { tensor: { dims: [], type: 9, ints: [1] } } }), node("If", ["c"], ["b"], { then_branch: { graph: branch(sloped) }, else_branch: { graph: branch(node("Neg", ["a"], ["b"])) } })];
  const call = (slope: number): onnx.INodeProto => node("Chosen", ["x"], ["y"], { slope: { float: slope } });
  const f = func({ name: "Chosen", node: body, attribute: ["slope"] }, 17);
  expect(await held(model(f, call(0.5)))).not.toEqual(await held(model(f, call(0.25))));
});

test("two functions of one name are refused", () => {
  const f = func({ name: "Soft", node: [node("Softmax", ["a"], ["b"])] }, 17);
  expect(() => importOnnx(model(f, node("Soft", ["x"], ["y"]), { functions: [f, f] }))).toThrow(DiagnosticError);
});
