import type { DType } from "@verticil/runtime-ffi";
import { halfToFloat } from "./half.ts";
import type { LaneOps } from "./lane-ops.ts";
import type { Value } from "./value.ts";

// Floats of at most 8 bits are stored in a byte and computed as f32, as 16-bit floats are.

/** What the bits of a small float say. */
interface SmallFormat {
  readonly exponentBits: number;
  readonly fractionBits: number;
  /** The bits, without sign, of the largest number, and of what is larger. */
  readonly max: number;
  readonly overflow: number;
  /** The bits of what is no number. */
  readonly nan: number;
  /** True without infinities and minus zero, whose bits are those of what is no number; exponents are one lower. */
  readonly isUnsignedZero?: true;
}

const FORMATS: ReadonlyMap<string, SmallFormat> = new Map([
  ["float8_e4m3fn", { exponentBits: 4, fractionBits: 3, max: 0x7e, overflow: 0x7f, nan: 0x7f }],
  ["float8_e5m2", { exponentBits: 5, fractionBits: 2, max: 0x7b, overflow: 0x7c, nan: 0x7d }],
  ["float8_e4m3fnuz", { exponentBits: 4, fractionBits: 3, max: 0x7f, overflow: 0x80, nan: 0x80, isUnsignedZero: true }],
  ["float8_e5m2fnuz", { exponentBits: 5, fractionBits: 2, max: 0x7f, overflow: 0x80, nan: 0x80, isUnsignedZero: true }],
  ["float4_e2m1fn", { exponentBits: 2, fractionBits: 1, max: 7, overflow: 7, nan: 7 }],
]);

function biasOf({ exponentBits, isUnsignedZero }: SmallFormat): number {
  return 2 ** (exponentBits - 1) - (isUnsignedZero === true ? 0 : 1);
}

function formatOf(scalar: DType): SmallFormat {
  const format = FORMATS.get(scalar);
  if (format === undefined) throw new Error(`internal: ${scalar} is no small float`);
  return format;
}

/** The f32 of a small float's bits (in the low byte of each lane). */
export function smallToFloat(o: LaneOps, scalar: DType, bits: Value): Value {
  // A half without its lower byte.
  if (scalar === "float8_e5m2") return halfToFloat(o, o.shift("shl", bits, 8));
  const format = formatOf(scalar);
  const { exponentBits, fractionBits, nan, isUnsignedZero } = format;
  const bias = biasOf(format);
  const size = exponentBits + fractionBits;
  const magnitude = o.and(bits, o.constInt(2 ** size - 1));
  const sign = o.shift("shl", o.and(bits, o.constInt(2 ** size)), 31 - size);
  const shifted = o.shift("shl", magnitude, 23 - fractionBits);
  const normal = o.int("add", shifted, o.constInt((127 - bias) << 23));
  // With the exponent that the smallest normal number has, whose leading one is then taken off: no denormal f32 in between.
  const denormal = o.float("sub", o.fromBits(o.or(shifted, o.constInt((128 - bias) << 23))), o.constFloat(2 ** (1 - bias)));
  const isDenormal = o.int("lt_u", magnitude, o.constInt(1 << fractionBits));
  const number = o.or(sign, o.select(isDenormal, o.bits(denormal), normal));
  if (isUnsignedZero === true) return o.fromBits(o.select(o.int("eq", o.and(bits, o.constInt(0xff)), o.constInt(nan)), o.constInt(0x7fc00000), number));
  if (scalar !== "float8_e4m3fn") return o.fromBits(number);
  return o.fromBits(o.select(o.int("eq", magnitude, o.constInt(nan)), o.constInt(0x7fc00000), number));
}

/** The bits of the small float nearest to an f32, ties to even; infinity, no number or the largest one for what is too large. */
export function floatToSmall(o: LaneOps, scalar: DType, value: Value): Value {
  const format = formatOf(scalar);
  const { exponentBits, fractionBits, max, overflow, nan, isUnsignedZero } = format;
  const bias = biasOf(format);
  const size = exponentBits + fractionBits;
  const word = o.bits(value);
  const absolute = o.float("abs", value);
  const bits = o.bits(absolute);
  const drop = 23 - fractionBits;
  const odd = o.and(o.shift("shr_u", bits, drop), o.constInt(1));
  const up = o.int("add", bits, o.int("add", odd, o.constInt(2 ** (drop - 1) - 1)));
  const normal = o.int("sub", o.shift("shr_u", up, drop), o.constInt((127 - bias) << fractionBits));
  // The sum's last bit is worth what the type's smallest number is, so that the addition rounds.
  const magic = 2 ** (1 - bias - fractionBits + 23);
  const sum = o.bits(o.float("add", absolute, o.constFloat(magic)));
  const denormal = o.and(sum, o.constInt(2 ** (fractionBits + 1) - 1));
  const magnitude = o.select(o.int("lt_u", bits, o.constInt((128 - bias) << 23)), denormal, normal);
  const isTooLarge = o.int("gt_s", magnitude, o.constInt(max));
  if (isUnsignedZero === true) {
    const sign = o.select(o.int("eq", magnitude, o.constInt(0)), o.constInt(0), o.shift("shr_u", o.and(word, o.constInt(0x80000000)), 31 - size));
    const number = o.select(isTooLarge, o.constInt(overflow), o.or(sign, magnitude));
    return o.select(o.float("ne", value, value), o.constInt(nan), number);
  }
  const signed = o.or(o.shift("shr_u", o.and(word, o.constInt(0x80000000)), 31 - size), o.select(isTooLarge, o.constInt(overflow), magnitude));
  return o.select(o.float("ne", value, value), o.constInt(nan), signed);
}
