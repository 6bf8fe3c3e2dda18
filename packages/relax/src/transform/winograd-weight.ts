import { at } from "@verticil/ir-core";
import { elementCount, getElement, tensorFrom, type Tensor } from "@verticil/runtime-ffi";
import type { WinogradScheme } from "@verticil/te";

/**
 * `G w Gᵀ` for each pair of channels of a weight in HWIO: [alpha, alpha, ci, co] in float32, each value rounded once (the
 * tensor program for upstream's `weight_transform` would round at each step).
 */
export function winogradWeight(weight: Tensor, { g, r }: WinogradScheme): Tensor {
  const channels = weight.shape.slice(2);
  const pairs = elementCount(channels);
  const values = Float64Array.from({ length: elementCount(weight.shape) }, (_, i) => Number(getElement(weight, i)));
  const out = new Float32Array(g.length * g.length * pairs);
  const sums = new Float64Array(pairs);
  for (const [eps, row] of g.entries()) {
    for (const [nu, column] of g.entries()) {
      sums.fill(0);
      for (let kh = 0; kh < r; kh++) {
        for (let kw = 0; kw < r; kw++) addScaled(sums, values.subarray((kh * r + kw) * pairs), at(row, kh) * at(column, kw));
      }
      out.set(sums, (eps * g.length + nu) * pairs);
    }
  }
  return tensorFrom(out, [g.length, g.length, ...channels], "float32");
}

function addScaled(to: Float64Array, from: Float64Array, factor: number): void {
  if (factor !== 0) for (let i = 0; i < to.length; i++) to[i] = (to[i] ?? 0) + factor * (from[i] ?? 0);
}
