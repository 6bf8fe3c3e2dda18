import { interpretRelax, type RelaxValue } from "@verticil/relax";
import type { Tensor } from "@verticil/runtime-ffi";
import { importOnnx } from "../import-onnx.ts";
import { interpretable } from "./interpretable.ts";
import { runReference, shapeAndNumbers } from "./run-reference.ts";

function tensors(value: RelaxValue): readonly Tensor[] {
  if (Array.isArray(value)) return value.flatMap(tensors);
  return typeof value === "object" && "dtype" in value ? [value] : [];
}

/** The outputs of a model by our import and interpreter, and by onnxruntime or another `reference`, as shapes and numbers. */
export async function runBoth(bytes: Uint8Array, inputs: Readonly<Record<string, Tensor>>, reference: typeof runReference = runReference): Promise<{ readonly ours: readonly (readonly number[])[]; readonly theirs: readonly (readonly number[])[] }> {
  const ours = tensors(interpretRelax(interpretable(importOnnx(bytes)), Object.values(inputs)));
  return { ours: ours.map(shapeAndNumbers), theirs: await reference(bytes, inputs) };
}
