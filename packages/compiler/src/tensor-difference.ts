import { getElement, type Tensor } from "@verticil/runtime-ffi";

/** How far a tensor is from what it should be. */
export interface TensorDifference {
  /** The largest difference, absolute or relative to the expected value, whichever is smaller. */
  readonly maxError: number;
  readonly worstIndex: number;
  readonly expected: number;
  readonly actual: number;
}

/** The worst difference between two tensors of one shape. NaN counts as equal to NaN only. */
export function tensorDifference(expected: Tensor, actual: Tensor): TensorDifference {
  let maxError = 0;
  let worstIndex = 0;
  for (let i = 0; i < expected.data.length; i++) {
    const e = Number(getElement(expected, i));
    const a = Number(getElement(actual, i));
    if (Object.is(e, a) || e === a || (Number.isNaN(e) && Number.isNaN(a))) continue;
    const absolute = Math.abs(e - a);
    const error = Number.isNaN(absolute) ? Infinity : Math.min(absolute, absolute / Math.abs(e));
    if (error > maxError) {
      maxError = error;
      worstIndex = i;
    }
  }
  const at = (t: Tensor): number => (t.data.length === 0 ? 0 : Number(getElement(t, worstIndex)));
  return { maxError, worstIndex, expected: at(expected), actual: at(actual) };
}
