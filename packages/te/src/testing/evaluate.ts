import { elementCount, getElement, tensorFrom, zeros, type ScalarDType, type Tensor as Data } from "@verticil/runtime-ffi";
import { asInt, interpretPrimFunc } from "@verticil/tir";
import { placeholder } from "../compute.ts";
import { createPrimFunc } from "../create-prim-func.ts";
import { isTensor, type Tensor } from "../tensor.ts";

/** A tensor from plain values; small distinct ones between -1 and 1 unless given. */
export function data(shape: readonly number[], values?: readonly number[], dtype: ScalarDType = "float32"): Data {
  const count = elementCount(shape);
  return tensorFrom(values ?? Array.from({ length: count }, (_, i) => ((i * 37) % 101) / 50 - 1), shape, dtype);
}

/** The elements of a tensor as numbers. */
export function numbers(t: Data): number[] {
  return Array.from({ length: elementCount(t.shape) }, (_, i) => Number(getElement(t, i)));
}

/** Builds a computation on placeholders of the inputs' shapes and runs it in the interpreter. */
export function evaluate(inputs: readonly Data[], build: (...inputs: readonly Tensor[]) => Tensor | readonly Tensor[]): readonly Data[] {
  const placeholders = inputs.map((t, i) => placeholder(t.shape, t.dtype, `A${i}`));
  const built = build(...placeholders);
  const outputs = isTensor(built) ? [built] : built;
  const func = createPrimFunc([...placeholders, ...outputs]);
  const results = outputs.map((o) => zeros(o.dtype, o.shape.map((d) => asInt(d) ?? 0)));
  interpretPrimFunc(func, [...inputs, ...results]);
  return results;
}
