import { compile } from "@verticil/compiler";
import { importOnnx } from "@verticil/onnx";
import { getElement, type Tensor } from "@verticil/runtime-ffi";
import ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { contribModel, contribOperators } from "../../packages/onnx/src/testing/contrib-model.ts";

// ONNX Runtime's own operators compiled: what the interpreter gives for them is checked where they are imported.

const ROUNDS = 3;

function numbers(t: Tensor): readonly number[] {
  return [...t.shape, ...Array.from({ length: t.data.length }, (_, i) => Number(getElement(t, i)))];
}

async function compiled(bytes: Uint8Array, inputs: Readonly<Record<string, Tensor>>): Promise<readonly (readonly number[])[]> {
  const executable = await compile(importOnnx(bytes), { name: "contrib" });
  if (executable.kind === "webgpu") throw new Error("internal: compiled for another target");
  const model = await executable.load();
  const results = Object.values(await model.run(inputs)).map(numbers);
  model.dispose();
  return results;
}

async function expected(bytes: Uint8Array, inputs: Readonly<Record<string, Tensor>>): Promise<readonly (readonly number[])[]> {
  const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 3 });
  const feeds = Object.fromEntries(Object.entries(inputs).map(([k, t]) => [k, new ort.Tensor(t.dtype as "float32", t.data as Float32Array, t.shape)]));
  const results = await session.run(feeds);
  return session.outputNames.map((n) => {
    const t = results[n];
    if (t === undefined) throw new Error(`onnxruntime gave no ${n}`);
    return [...t.dims, ...Array.from(t.data as ArrayLike<number | bigint>, Number)];
  });
}

describe.each(contribOperators)("%s compiled", (op) => {
  it.each(Array.from({ length: ROUNDS }, (_, i) => 101 + i))("gives what onnxruntime gives, seed %i", async (seed) => {
    const { bytes, inputs } = contribModel(op, seed);
    const [ours, theirs] = [await compiled(bytes, inputs), await expected(bytes, inputs)];
    expect(ours.map((t) => t.length)).toEqual(theirs.map((t) => t.length));
    theirs.forEach((t, i) => t.forEach((v, k) => expect(ours[i]?.[k]).toBeCloseTo(v, 4)));
  });
});
