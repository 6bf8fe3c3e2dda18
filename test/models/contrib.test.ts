import { compile } from "@verticil/compiler";
import { importOnnx } from "@verticil/onnx";
import type { Tensor } from "@verticil/runtime-ffi";
import { describe, expect, it } from "vitest";
import { byteProducts, contribModel, contribOperators } from "../../packages/onnx/src/testing/contrib-model.ts";
import { runExactIntegers, runReference, shapeAndNumbers } from "../../packages/onnx/src/testing/run-reference.ts";

// ONNX Runtime's own operators compiled: what the interpreter gives for them is checked where they are imported.

const ROUNDS = 3;

async function compiled(bytes: Uint8Array, inputs: Readonly<Record<string, Tensor>>): Promise<readonly (readonly number[])[]> {
  const executable = await compile(importOnnx(bytes), { name: "contrib" });
  if (executable.kind === "webgpu") throw new Error("internal: compiled for another target");
  const model = await executable.load();
  const results = Object.values(await model.run(inputs)).map(shapeAndNumbers);
  model.dispose();
  return results;
}

describe.each(contribOperators)("%s compiled", (op) => {
  it.each(Array.from({ length: ROUNDS }, (_, i) => 101 + i))("gives what onnxruntime gives, seed %i", async (seed) => {
    const { bytes, inputs } = contribModel(op, seed);
    const reference = byteProducts.has(op) ? runExactIntegers : runReference;
    const [ours, theirs] = [await compiled(bytes, inputs), await reference(bytes, inputs)];
    expect(ours.map((t) => t.length)).toEqual(theirs.map((t) => t.length));
    theirs.forEach((t, i) => t.forEach((v, k) => expect(ours[i]?.[k]).toBeCloseTo(v, 4)));
  });
});
