import { isFloat, type ScalarDType } from "@verticil/runtime-ffi";

/**
 * What a generator knows of a value without computing it: bounds, and how it may be off.
 *
 * Two implementations of a graph agree only as far as rounding lets them, and a rounding, a comparison or an index that
 * hangs on a value that is a little off makes a large difference. So each value is either exact (multiples of `grain`,
 * few enough that sums and products of them are exact in any order), or has a bound on its error.
 */
export interface Facts {
  readonly dtype: ScalarDType;
  readonly shape: readonly number[];
  readonly lo: number;
  readonly hi: number;
  /** A power of two of which every element is a multiple; 0 where the value is not exact. */
  readonly grain: number;
  /** How far an element may be off; 0 where the value is exact. */
  readonly error: number;
}

/** The largest whole numbers of grains that a type counts exactly. */
const counts: Readonly<Partial<Record<ScalarDType, number>>> = {
  float16: 2 ** 11,
  float32: 2 ** 24,
  float64: 2 ** 50,
  int32: 2 ** 31 - 1,
  int64: 2 ** 50,
  uint8: 255,
  int8: 127,
  bool: 1,
};

const spacing: Readonly<Partial<Record<ScalarDType, number>>> = { float16: 2 ** -10, float32: 2 ** -23, float64: 2 ** -52 };

/** The larger of the bounds. */
export function magnitude(f: Facts): number {
  return Math.max(Math.abs(f.lo), Math.abs(f.hi));
}

export function isExact(f: Facts): boolean {
  return f.grain > 0;
}

/**
 * True if onnxruntime 1.30 tells which of two such values is larger: where the high halves of int64 are equal it compares the low
 * ones as signed, so that it takes -4 for less than -2147483649.
 */
export function isComparable(f: Facts): boolean {
  return f.dtype !== "int64" || magnitude(f) < 2 ** 31;
}

/** True if the type holds every value between the bounds. */
export function fits(f: Facts): boolean {
  if (!Number.isFinite(f.lo) || !Number.isFinite(f.hi)) return false;
  if (f.dtype === "uint8" && f.lo < 0) return false;
  const top = magnitude(f);
  if (isFloat(f.dtype)) return top <= 1e4 && (f.grain > 0 || f.error <= 1e-3 + 1e-3 * top * (f.dtype === "float16" ? 30 : 1));
  return top <= (counts[f.dtype] ?? 0);
}

/** The result of something that adds and multiplies only: exact if its operands are and it can be. */
export function exactOr(f: Facts, sensitivity: number, terms = 1): Facts {
  if (f.grain > 0 && magnitude(f) / f.grain <= (counts[f.dtype] ?? 0)) return { ...f, error: 0 };
  return rounded(f, sensitivity, terms);
}

/** The result of something that rounds: `propagated` is what its operands' errors come to, `terms` how many are added up. */
export function rounded(f: Facts, propagated: number, terms = 1): Facts {
  const unit = spacing[f.dtype] ?? 0;
  // Sixteen: what the usual approximations of exp, tanh and erf are off by.
  return { ...f, grain: 0, error: propagated + unit * Math.max(magnitude(f), 0.1) * (16 + terms) };
}
