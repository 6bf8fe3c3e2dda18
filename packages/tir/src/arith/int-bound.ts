import { isFloat, parseDType, type DType } from "@verticil/runtime-ffi";
import { truncDivInt, floorDivInt } from "./int-math.ts";

/**
 * What is known of an integer's range, both ends included. An end that is unknown, or not a safe integer, is ±Infinity,
 * so that arithmetic on bounds never rounds to the wrong side.
 */
export interface IntBound {
  readonly min: number;
  readonly max: number;
}

/** Nothing known. */
export const everything: IntBound = { min: -Infinity, max: Infinity };
/** The range of a bool. */
export const boolBound: IntBound = { min: 0, max: 1 };

/** A bound from two ends; ends beyond the safe integers are given up. */
export function makeBound(min: number, max: number): IntBound {
  return {
    min: min >= Number.MIN_SAFE_INTEGER ? (min === Infinity ? Number.MAX_SAFE_INTEGER : min + 0) : -Infinity,
    max: max <= Number.MAX_SAFE_INTEGER ? (max === -Infinity ? Number.MIN_SAFE_INTEGER : max + 0) : Infinity,
  };
}

const typeBounds: Partial<Record<string, IntBound>> = {
  bool: boolBound,
  int8: { min: -128, max: 127 },
  int16: { min: -32768, max: 32767 },
  int32: { min: -(2 ** 31), max: 2 ** 31 - 1 },
  uint8: { min: 0, max: 255 },
  uint16: { min: 0, max: 65535 },
  uint32: { min: 0, max: 2 ** 32 - 1 },
  uint64: { min: 0, max: Infinity },
  int64: everything,
};

/** The range of a data type. */
export function boundOfDType(dtype: DType): IntBound {
  const known = typeBounds[dtype];
  if (known !== undefined) return known;
  if (isFloat(dtype)) return everything;
  const { code, bits } = parseDType(dtype);
  if (code === "bool") return boolBound;
  if (code === "uint") return bits > 53 ? { min: 0, max: Infinity } : { min: 0, max: 2 ** bits - 1 };
  if (code === "int") return bits > 53 ? everything : { min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 };
  return everything;
}

export function intersectBound(a: IntBound, b: IntBound): IntBound {
  return { min: Math.max(a.min, b.min), max: Math.min(a.max, b.max) };
}

export function unionBound(a: IntBound, b: IntBound): IntBound {
  return { min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) };
}

export function addBound(a: IntBound, b: IntBound): IntBound {
  return makeBound(a.min + b.min, a.max + b.max);
}

export function subBound(a: IntBound, b: IntBound): IntBound {
  return makeBound(a.min - b.max, a.max - b.min);
}

/** Product where zero times infinity is zero: an infinite end only stands for large finite values. */
function timesEnd(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : a * b;
}

export function mulBound(a: IntBound, b: IntBound): IntBound {
  const p = timesEnd(a.min, b.min);
  const q = timesEnd(a.min, b.max);
  const r = timesEnd(a.max, b.min);
  const s = timesEnd(a.max, b.max);
  return makeBound(Math.min(p, q, r, s), Math.max(p, q, r, s));
}

/** Bound of a quotient; `divide` says which. A divisor that may be zero is taken without zero: dividing by it is undefined. */
export function divBound(a: IntBound, b: IntBound, divide: "floor" | "trunc"): IntBound {
  const f = divide === "floor" ? floorDivInt : truncDivInt;
  const ends: number[] = [];
  // The quotient is monotonic in each argument while the divisor keeps its sign.
  if (b.max > 0) ends.push(Math.max(b.min, 1), b.max);
  if (b.min < 0) ends.push(b.min, Math.min(b.max, -1));
  if (ends.length === 0) return everything;
  let min = Infinity;
  let max = -Infinity;
  for (const d of ends) {
    for (const n of [a.min, a.max]) {
      // An infinite numerator over an infinite divisor can be anything of that sign, down to zero.
      const q = f(n, d);
      min = Math.min(min, q);
      max = Math.max(max, q);
      if (!Number.isFinite(n) && !Number.isFinite(d)) {
        min = Math.min(min, divide === "floor" ? -1 : 0);
        max = Math.max(max, 0);
      }
    }
  }
  return makeBound(min, max);
}

/** Bound of the remainder of floor division. */
export function floorModBound(a: IntBound, b: IntBound): IntBound {
  if (b.min > 0) {
    if (a.min >= 0 && a.max < b.min) return a;
    if (b.min === b.max && Number.isFinite(a.min) && Number.isFinite(a.max)) {
      const q = floorDivInt(a.min, b.min);
      if (q === floorDivInt(a.max, b.min)) return makeBound(a.min - q * b.min, a.max - q * b.min);
    }
    return makeBound(0, a.min >= 0 ? Math.min(a.max, b.max - 1) : b.max - 1);
  }
  // A divisor is not zero.
  if (b.min === 0 && b.max > 0) return makeBound(0, a.min >= 0 ? Math.min(a.max, b.max - 1) : b.max - 1);
  return makeBound(Math.min(0, b.min + 1), Math.max(0, b.max - 1));
}

/** Bound of the remainder of truncated division: below the divisor in size, with the sign of the numerator. */
export function truncModBound(a: IntBound, b: IntBound): IntBound {
  const largest = Math.max(Math.abs(b.min), Math.abs(b.max)) - 1;
  const smallest = b.min > 0 ? b.min : b.max < 0 ? -b.max : 0;
  if (a.min >= 0 && a.max < smallest) return a;
  return makeBound(a.min >= 0 ? 0 : Math.max(a.min, -largest), a.max <= 0 ? 0 : Math.min(a.max, largest));
}
