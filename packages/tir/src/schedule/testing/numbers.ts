import { getElement, setElement, zeros, type ScalarDType, type Tensor } from "@verticil/runtime-ffi";
import type { InterpreterOptions } from "../../interpreter/scope.ts";
import { interpretPrimFunc } from "../../interpreter/interpret.ts";
import { asInt } from "../../ir/ops.ts";
import type { PrimFunc } from "../../ir/stmt.ts";

/** The elements of each of several tensors. */
export type Numbers = readonly (readonly (number | bigint)[])[];

/** What a program leaves in its parameters, each filled with small whole numbers first: sums of these are exact in any order. */
export function resultsOf(func: PrimFunc, options: InterpreterOptions = {}): Numbers {
  const tensors = func.params.map((p, k): Tensor => {
    const buffer = func.bufferMap.get(p);
    if (buffer === undefined) throw new Error(`Parameter \`${p.name}\` has no buffer.`);
    const t = zeros(buffer.dtype as ScalarDType, buffer.shape.map((d) => asInt(d) ?? 1));
    const isUnsigned = buffer.dtype.startsWith("u") || buffer.dtype === "bool";
    for (let i = 0; i < t.data.length; i++) {
      const x = ((i * 7 + k * 3) % 11) - 4;
      setElement(t, i, isUnsigned ? x & 1 : x);
    }
    return t;
  });
  interpretPrimFunc(func, tensors, options);
  return tensors.map((t) => Array.from({ length: t.data.length }, (_, i) => getElement(t, i)));
}
