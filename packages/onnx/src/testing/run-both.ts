import { contextEntry, irDialect, passContext, sequential } from "@verticil/ir-core";
import { canonicalizeBindings, deadCodeElimination, decomposeOpsForInference, foldConstant, interpretRelax, layoutTable, layoutTableKey, legalizeOps, legalizeTable, legalizeTableKey, opRegistryKey, relax, relaxOps, type RelaxValue } from "@verticil/relax";
import type { Tensor } from "@verticil/runtime-ffi";
import { tir } from "@verticil/tir";
import { importOnnx } from "../import-onnx.ts";
import { runReference, shapeAndNumbers } from "./run-reference.ts";

function tensors(value: RelaxValue): readonly Tensor[] {
  if (Array.isArray(value)) return value.flatMap(tensors);
  return typeof value === "object" && "dtype" in value ? [value] : [];
}

/** The outputs of a model by our import and interpreter, and by onnxruntime or another `reference`, as shapes and numbers. */
export async function runBoth(bytes: Uint8Array, inputs: Readonly<Record<string, Tensor>>, reference: typeof runReference = runReference): Promise<{ readonly ours: readonly (readonly number[])[]; readonly theirs: readonly (readonly number[])[] }> {
  const ctx = passContext({
    dialects: [irDialect, tir, relax],
    entries: [contextEntry(opRegistryKey, relaxOps), contextEntry(legalizeTableKey, legalizeTable), contextEntry(layoutTableKey, layoutTable)],
  });
  const passes = [canonicalizeBindings(), decomposeOpsForInference(), foldConstant(), legalizeOps(), deadCodeElimination()];
  const module = sequential("interpretable", passes).run(importOnnx(bytes), ctx);
  const ours = tensors(interpretRelax(module, Object.values(inputs)));
  return { ours: ours.map(shapeAndNumbers), theirs: await reference(bytes, inputs) };
}
