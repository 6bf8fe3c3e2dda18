import { getElement, type Tensor } from "@verticil/runtime-ffi";

/** How much two numbers may differ: by either measure. */
export interface Tolerance {
  readonly absolute: number;
  readonly relative: number;
}

/**
 * Where two tensors differ by more than allowed, in words, worst first; the empty list if they agree. NaN agrees with
 * NaN only, an infinity with itself only. With an `exact` result an element may also differ from `expected` where it is within
 * the tolerance of that, and nearer to it than `expected` is: what differs then is the other side's rounding.
 */
export function deviations(actual: Tensor | undefined, expected: Tensor, tolerance: Tolerance, exact?: Tensor): readonly string[] {
  if (actual === undefined) return ["it is missing"];
  if (actual.dtype !== expected.dtype) return [`it is ${actual.dtype}, not ${expected.dtype}`];
  if (String(actual.shape) !== String(expected.shape)) return [`its shape is [${actual.shape.join(", ")}], not [${expected.shape.join(", ")}]`];
  const bad: { readonly index: number; readonly error: number }[] = [];
  for (let i = 0; i < expected.data.length; i++) {
    const a = Number(getElement(actual, i));
    const e = Number(getElement(expected, i));
    if (Object.is(a, e) || a === e) continue;
    if (isNear(a, e, tolerance)) continue;
    const best = exact === undefined ? NaN : Number(getElement(exact, i));
    if (!isNear(a, best, tolerance) || !(Math.abs(a - best) < Math.abs(e - best))) bad.push({ index: i, error: Math.abs(a - e) });
  }
  bad.sort((a, b) => b.error - a.error);
  return bad.map(({ index, error }) => `element ${index} is ${getElement(actual, index)}, not ${getElement(expected, index)} (off by ${error})`);
}

function isNear(a: number, e: number, { absolute, relative }: Tolerance): boolean {
  // A share of infinity would be near to everything.
  if (!Number.isFinite(e)) return false;
  const error = Math.abs(a - e);
  return error <= absolute || error <= relative * Math.abs(e);
}
