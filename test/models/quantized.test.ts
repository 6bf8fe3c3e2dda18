import { describe, expect, test } from "vitest";
import { compile, compileContext, graphPhase, wasmPipeline } from "@verticil/compiler";
import { importOnnx } from "@verticil/onnx";
import { interpretRelax, relax } from "@verticil/relax";
import { getElement, isTensor, randomTensor, tensorFrom, type Tensor } from "@verticil/runtime-ffi";
import { tir } from "@verticil/tir";
import { print } from "@verticil/tvmscript";
import { interpretable } from "../interpretable.ts";
import { QdqGraph, type QdqLayer } from "../../packages/onnx/src/testing/qdq-model.ts";
import { modelBytes, node } from "../../packages/onnx/src/testing/onnx-model.ts";
import { runExactIntegers } from "./reference.ts";

// Quantized graphs against onnxruntime, which runs them by integer kernels of its own. Both round the same sums; where
// they compute the factor in another order a result may fall on the other side of a half: one step of the scale.

const SCALE = 0.05;

interface Case {
  readonly name: string;
  readonly input: readonly number[];
  readonly layer: QdqLayer;
  readonly inputType?: "int8" | "uint8";
}

const cases: readonly Case[] = [
  { name: "3×3", input: [1, 8, 7, 9], layer: { kind: "Conv", weight: [16, 8, 3, 3], attrs: { pads: [1, 1, 1, 1] }, bias: true, scale: 0.5 } },
  { name: "3×3 with strides, a channel a scale", input: [2, 6, 9, 9], layer: { kind: "Conv", weight: [12, 6, 3, 3], attrs: { pads: [1, 0, 1, 2], strides: [2, 1] }, bias: true, perChannel: true, relu: true, scale: 0.5 } },
  { name: "three channels", input: [1, 3, 8, 8], layer: { kind: "Conv", weight: [8, 3, 3, 3], attrs: { pads: [1, 1, 1, 1], strides: [2, 2] }, bias: true, perChannel: true, scale: 0.3 } },
  { name: "1×1 of int8", input: [1, 16, 5, 5], inputType: "int8", layer: { kind: "Conv", weight: [24, 16, 1, 1], activations: "int8", perChannel: true, scale: 0.2 } },
  { name: "depthwise", input: [1, 20, 8, 8], layer: { kind: "Conv", weight: [20, 1, 3, 3], attrs: { group: 20, pads: [1, 1, 1, 1] }, bias: true, perChannel: true, relu: true } },
  { name: "groups", input: [1, 8, 6, 6], layer: { kind: "Conv", weight: [16, 4, 3, 3], attrs: { group: 2, pads: [1, 1, 1, 1] }, bias: true, scale: 0.3 } },
  { name: "weights with zero points", input: [1, 8, 6, 6], layer: { kind: "Conv", weight: [16, 8, 3, 3], weights: "uint8", bias: true, scale: 0.6 } },
  { name: "dilated", input: [1, 4, 9, 9], layer: { kind: "Conv", weight: [8, 4, 3, 3], attrs: { dilations: [2, 2] }, scale: 0.3 } },
  { name: "Gemm", input: [5, 32], layer: { kind: "Gemm", weight: [32, 24], bias: true, perChannel: true, scale: 0.2 } },
  { name: "Gemm of a row", input: [1, 64], layer: { kind: "Gemm", weight: [64, 72], bias: true, scale: 0.3 } },
  { name: "a product of an odd length", input: [4, 7], layer: { kind: "MatMul", weight: [7, 16], scale: 0.1 } },
  { name: "a stack of products", input: [2, 3, 16], inputType: "int8", layer: { kind: "MatMul", weight: [16, 8], activations: "int8", perChannel: true, scale: 0.1 } },
];

function single(c: Case): Uint8Array {
  const g = new QdqGraph(7);
  const x = g.qdq("x", SCALE, c.inputType === "int8" ? -3 : 121, c.inputType);
  return g.bytes({ x: c.input }, [g.layer(x, SCALE, c.layer)]);
}

function numbers(t: Tensor): readonly number[] {
  return Array.from({ length: t.data.length }, (_, i) => Number(getElement(t, i)));
}

/** Numbers that take most of the range of a byte. */
function signedInput(shape: readonly number[]): Tensor {
  return tensorFrom(numbers(randomTensor({ shape, dtype: "float32" }, 3)).map((v) => v * 12 - 6), shape, "float32");
}

function graphText(bytes: Uint8Array): string {
  return print(graphPhase().run(importOnnx(bytes), compileContext()), { dialects: [tir, relax] });
}

async function compareAll(bytes: Uint8Array, x: Tensor, step: number): Promise<void> {
  const [theirs] = Object.values(await runExactIntegers(bytes, { x })).map(numbers);
  const value = interpretRelax(interpretable(importOnnx(bytes)), [x]);
  if (!isTensor(value)) throw new Error("one result was expected");
  const interpreted = numbers(value);
  const model = await (await compile(importOnnx(bytes), { target: "wasm" })).load();
  const [compiled] = Object.values(await model.run({ x })).map((t) => numbers(t as Tensor));
  expect(interpreted.length).toBe(theirs!.length);
  const steps = interpreted.map((v, i) => Math.abs(v - theirs![i]!) / step);
  expect(Math.max(...steps)).toBeLessThan(1.001);
  expect(new Set(theirs).size).toBeGreaterThan(6);
  // Integers, and floats that are rounded at once: nothing to differ in.
  expect(compiled).toEqual(interpreted);
}

describe("a quantized layer", () => {
  test.each(cases)("$name", async (c) => {
    const bytes = single(c);
    const text = graphText(bytes);
    expect(text).toMatch(/R\.(nn\.conv2d|matmul)\(.*out_dtype="int32"/);
    await compareAll(bytes, signedInput(c.input), c.layer.scale ?? 0.1);
  });
});

test("a block with a branch, a pooling, a joint and a mean keeps its integers between the layers", async () => {
  const g = new QdqGraph(5);
  const x = g.qdq("x", SCALE, 121);
  const a = g.layer(x, SCALE, { kind: "Conv", weight: [8, 4, 3, 3], attrs: { pads: [1, 1, 1, 1] }, bias: true, relu: true, scale: 0.3 });
  const b = g.layer(a, 0.3, { kind: "Conv", weight: [8, 8, 1, 1], bias: true, perChannel: true, scale: 0.8 });
  const sum = g.qdq(g.emit("Relu", [g.emit("Add", [a, b])]), 0.8, 0);
  const pooled = g.qdq(g.emit("MaxPool", [sum], { kernel_shape: [2, 2], strides: [2, 2] }), 0.8, 0);
  const joined = g.qdq(g.emit("Concat", [pooled, pooled], { axis: 1 }), 0.8, 0);
  const mean = g.qdq(g.emit("GlobalAveragePool", [joined]), 0.4, 0);
  const bytes = g.bytes({ x: [1, 4, 8, 8] }, [g.emit("Flatten", [mean])]);
  const text = graphText(bytes);
  expect(text).toMatch(/Tensor\(\(1, 4, 4, 8\), dtype="uint8"\) = R\.nn\.max_pool2d/);
  await compareAll(bytes, signedInput([1, 4, 8, 8]), 0.4);
});

test("integer operators give onnxruntime's sums exactly, by pairs", async () => {
  const g = new QdqGraph(3);
  const w = g.constant("w", { dims: [32, 24], type: 3, ints: Array.from({ length: 32 * 24 }, () => g.draw(-128, 127)) });
  const zeros = [g.constant("xz", { dims: [], type: 2, ints: [117] }), g.constant("wz", { dims: [], type: 3, ints: [3] })];
  const bytes = modelBytes({ nodes: [...g.nodes, node("MatMulInteger", ["x", w, ...zeros], ["y"])], initializers: g.initializers, inputs: { x: { type: 2, dims: [6, 32] } }, outputs: ["y"] });
  const x = tensorFrom(Array.from({ length: 192 }, () => g.draw(0, 255)), [6, 32], "uint8");
  const [theirs] = Object.values(await runExactIntegers(bytes, { x })).map(numbers);
  const model = await (await compile(importOnnx(bytes), { target: "wasm" })).load();
  const [ours] = Object.values(await model.run({ x })).map((t) => numbers(t as Tensor));
  expect(ours).toEqual(theirs);
  expect(print(wasmPipeline().run(importOnnx(bytes), compileContext()), { dialects: [tir, relax] })).toContain("T.dp2a(");
});
