import { setElement, zeros, type ScalarDType, type Tensor } from "@verticil/runtime-ffi";
import { asInt, interpretPrimFunc, type IndexMap, type PrimFunc } from "@verticil/tir";
import { packTensorForTest } from "./pack-tensor.ts";

/** What the interpreter leaves in the last parameter; small whole numbers, whose sums are exact in any order. */
export function resultOf(func: PrimFunc, original: PrimFunc, layout: readonly { readonly param: number; readonly indexMap: IndexMap }[]): readonly number[] {
  const tensors = original.params.map((p, k): Tensor => {
    const buffer = original.bufferMap.get(p);
    if (buffer === undefined) throw new Error(`Parameter \`${p.name}\` has no buffer.`);
    const t = zeros(buffer.dtype as ScalarDType, buffer.shape.map((d) => asInt(d) ?? 1));
    for (let i = 0; i < t.data.length; i++) setElement(t, i, ((i * 7 + k * 3) % 11) - 4);
    const change = layout.find((c) => c.param === k);
    return change === undefined ? t : packTensorForTest(t, change.indexMap);
  });
  interpretPrimFunc(func, tensors);
  return Array.from((tensors.at(-1)?.data ?? []) as Float32Array);
}
