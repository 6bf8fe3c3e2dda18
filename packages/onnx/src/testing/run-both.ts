import { contextEntry, irDialect, passContext, sequential } from "@verticil/ir-core";
import { canonicalizeBindings, deadCodeElimination, decomposeOpsForInference, foldConstant, interpretRelax, layoutTable, layoutTableKey, legalizeOps, legalizeTable, legalizeTableKey, opRegistryKey, relax, relaxOps, type RelaxValue } from "@verticil/relax";
import { getElement, type Tensor } from "@verticil/runtime-ffi";
import { tir } from "@verticil/tir";
import ort from "onnxruntime-node";
import { importOnnx } from "../import-onnx.ts";

function tensors(value: RelaxValue): readonly Tensor[] {
  if (Array.isArray(value)) return value.flatMap(tensors);
  return typeof value === "object" && "dtype" in value ? [value] : [];
}

function numbers(t: Tensor): readonly number[] {
  return Array.from({ length: t.data.length }, (_, i) => Number(getElement(t, i)));
}

/** The outputs of a model by our import and interpreter, and by onnxruntime, as shapes and numbers. */
export async function runBoth(bytes: Uint8Array, inputs: Readonly<Record<string, Tensor>>): Promise<{ readonly ours: readonly (readonly number[])[]; readonly theirs: readonly (readonly number[])[] }> {
  const ctx = passContext({
    dialects: [irDialect, tir, relax],
    entries: [contextEntry(opRegistryKey, relaxOps), contextEntry(legalizeTableKey, legalizeTable), contextEntry(layoutTableKey, layoutTable)],
  });
  const passes = [canonicalizeBindings(), decomposeOpsForInference(), foldConstant(), legalizeOps(), deadCodeElimination()];
  const module = sequential("interpretable", passes).run(importOnnx(bytes), ctx);
  const ours = tensors(interpretRelax(module, Object.values(inputs)));
  const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 3 });
  const feeds = Object.fromEntries(Object.entries(inputs).map(([k, t]) => [k, new ort.Tensor(t.dtype as "float32", t.data as Float32Array, t.shape)]));
  const results = await session.run(feeds);
  const theirs = session.outputNames.map((n) => {
    const t = results[n];
    if (t === undefined) throw new Error(`onnxruntime gave no ${n}`);
    return [...t.dims, ...Array.from(t.data as ArrayLike<number | bigint>, Number)];
  });
  return { ours: ours.map((t) => [...t.shape, ...numbers(t)]), theirs };
}
