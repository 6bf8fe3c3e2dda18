import { parseDType, type DType } from "@verticil/runtime-ffi";
import { roundTo } from "./round-to.ts";
import { smallFloatOf } from "./small-float.ts";

/**
 * A scalar at run time: a `number` for everything but 64-bit integers beyond 2^53, which are bigints. A value has one
 * representation only, so that `===` compares.
 */
export type Scalar = number | bigint;

const MAX = Number.MAX_SAFE_INTEGER;

/** The IEEE half nearest to `x`, ties to even. */
export function roundHalf(x: number): number {
  return roundTo(x, 10, -14, 65504);
}

/** The bfloat16 nearest to `x`, ties to even. */
export function roundBfloat(x: number): number {
  return roundTo(x, 7, -126, 3.3895313892515355e38);
}

const f32 = new Float32Array(1);
const f32bits = new Uint32Array(f32.buffer);

/** An IEEE half from its bits. */
export function decodeHalf(bits: number): number {
  const magnitude = bits & 0x7fff;
  let value: number;
  if (magnitude < 0x400) value = magnitude * 2 ** -24;
  else {
    f32bits[0] = (magnitude >= 0x7c00 ? magnitude + 0x38000 : magnitude + 0x1c000) << 13;
    value = f32[0] ?? 0;
  }
  return bits & 0x8000 ? -value : value;
}

/** The bits of a number that is an IEEE half already. */
export function encodeHalf(x: number): number {
  if (Number.isNaN(x)) return 0x7e00;
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0;
  const abs = Math.abs(x);
  if (abs < 2 ** -14) return sign | (abs * 2 ** 24);
  if (abs === Infinity) return sign | 0x7c00;
  f32[0] = abs;
  return sign | (((f32bits[0] ?? 0) >>> 13) - 0x1c000);
}

/** A bfloat16 from its bits. */
export function decodeBfloat(bits: number): number {
  f32bits[0] = bits << 16;
  return f32[0] ?? 0;
}

/** The bits of a number that is a bfloat16 already. */
export function encodeBfloat(x: number): number {
  f32[0] = x;
  return Number.isNaN(x) ? 0x7fc0 : (f32bits[0] ?? 0) >>> 16;
}

/** Rounds a double to a floating-point type. */
export function rounding(dtype: DType): (x: number) => number {
  switch (parseDType(dtype).scalar) {
    case "float32":
      return Math.fround;
    case "float16":
      return roundHalf;
    case "bfloat16":
      return roundBfloat;
    default:
      return smallFloatOf(parseDType(dtype).scalar)?.round ?? ((x) => x);
  }
}

/** Wraps an exact integer (as a number) to an integer type of at most 32 bits. */
export function wrapping(dtype: DType): (x: number) => number {
  const { code, bits } = parseDType(dtype);
  if (code === "bool") return (x) => (x === 0 ? 0 : 1);
  if (bits === 32) return code === "int" ? (x) => x | 0 : (x) => x >>> 0;
  const shift = 32 - bits;
  return code === "int" ? (x) => (x << shift) >> shift : (x) => (x << shift) >>> shift;
}

/** The smallest and largest value of an integer type (rounded to doubles for 64 bits). */
export function integerRange(dtype: DType): readonly [lo: number, hi: number] {
  const { code, bits } = parseDType(dtype);
  if (code === "bool") return [0, 1];
  return code === "uint" ? [0, 2 ** bits - 1] : [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];
}

/** A 64-bit integer in its one representation, wrapped around. */
export function wrap64(x: bigint, unsigned: boolean): Scalar {
  const wrapped = unsigned ? BigInt.asUintN(64, x) : BigInt.asIntN(64, x);
  return wrapped <= 9007199254740991n && wrapped >= -9007199254740991n ? Number(wrapped) : wrapped;
}

/** An exact operation on 64-bit integers: in doubles where that is exact, else in bigints. */
export function wideOp(
  exact: (a: number, b: number) => number,
  big: (a: bigint, b: bigint) => bigint,
  unsigned: boolean,
): (a: Scalar, b: Scalar) => Scalar {
  const least = unsigned ? 0 : -MAX;
  return (a, b) => {
    if (typeof a === "number" && typeof b === "number") {
      const r = exact(a, b);
      if (r <= MAX && r >= least) return r;
    }
    return wrap64(big(BigInt(a), BigInt(b)), unsigned);
  };
}

/** Quotient rounded towards zero; exact for safe integers, where `a / b` may round up. */
export function truncDivNumber(a: number, b: number): number {
  return (a - (a % b)) / b + 0;
}

/** Remainder with the sign of `b`. */
export function floorModNumber(a: number, b: number): number {
  const r = a % b;
  return (r !== 0 && r < 0 !== b < 0 ? r + b : r) + 0;
}

/** Quotient rounded down; from the remainder towards zero, as `a` less the other one may not be a safe integer. */
export function floorDivNumber(a: number, b: number): number {
  const r = a % b;
  return (a - r) / b - (r !== 0 && r < 0 !== b < 0 ? 1 : 0) + 0;
}

export function floorModBig(a: bigint, b: bigint): bigint {
  const r = a % b;
  return r !== 0n && r < 0n !== b < 0n ? r + b : r;
}

export function floorDivBig(a: bigint, b: bigint): bigint {
  return (a - floorModBig(a, b)) / b;
}

/** Converts a number that may have a fraction to an integer type: towards zero, saturating at 32 or 64 bits, NaN is 0. */
export function truncating(dtype: DType): (x: number) => Scalar {
  const { code, bits } = parseDType(dtype);
  const unsigned = code === "uint";
  if (bits === 64) {
    const [lo, hi] = unsigned ? [0n, 2n ** 64n - 1n] : [-(2n ** 63n), 2n ** 63n - 1n];
    return (x) => {
      const t = Math.trunc(x);
      if (Number.isSafeInteger(t) && (t >= 0 || !unsigned)) return t + 0;
      if (Number.isNaN(t)) return 0;
      if (t <= Number(lo)) return wrap64(lo, unsigned);
      return t >= Number(hi) ? wrap64(hi, unsigned) : wrap64(BigInt(t), unsigned);
    };
  }
  const [lo, hi] = unsigned && bits === 32 ? [0, 2 ** 32 - 1] : [-(2 ** 31), 2 ** 31 - 1];
  const wrap = wrapping(dtype);
  return (x) => (Number.isNaN(x) ? 0 : wrap(Math.min(Math.max(Math.trunc(x), lo), hi)));
}
