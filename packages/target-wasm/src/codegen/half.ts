import type { LaneOps } from "./lane-ops.ts";
import type { Value } from "./value.ts";

// 16-bit floats are stored as bits and computed as f32. The conversions are the usual bit arithmetic without denormal
// numbers in between, which some machines handle slowly.

/** The f32 of half-precision bits (in the low 16 bits of each lane). */
export function halfToFloat(o: LaneOps, half: Value): Value {
  const word = o.shift("shl", half, 16);
  const sign = o.and(word, o.constInt(0x80000000));
  const twice = o.int("add", word, word);
  const normal = o.float("mul", o.fromBits(o.int("add", o.shift("shr_u", twice, 4), o.constInt(0xe0 << 23))), o.constFloat(2 ** -112));
  const denormal = o.float("sub", o.fromBits(o.or(o.shift("shr_u", twice, 17), o.constInt(126 << 23))), o.constFloat(0.5));
  const isDenormal = o.int("lt_u", twice, o.constInt(1 << 27));
  return o.fromBits(o.or(sign, o.select(isDenormal, o.bits(denormal), o.bits(normal))));
}

/** The half-precision bits nearest to an f32, ties to even. */
export function floatToHalf(o: LaneOps, value: Value): Value {
  const word = o.bits(value);
  const twice = o.int("add", word, word);
  const scaled = o.float("mul", o.float("mul", o.float("abs", value), o.constFloat(2 ** 112)), o.constFloat(2 ** -110));
  const exponent = o.and(twice, o.constInt(0xff000000));
  const bias = o.select(o.int("lt_u", exponent, o.constInt(0x71000000)), o.constInt(0x71000000), exponent);
  const rounded = o.bits(o.float("add", o.fromBits(o.int("add", o.shift("shr_u", bias, 1), o.constInt(0x07800000))), scaled));
  const magnitude = o.int("add", o.and(o.shift("shr_u", rounded, 13), o.constInt(0x7c00)), o.and(rounded, o.constInt(0x0fff)));
  const isNan = o.int("gt_u", twice, o.constInt(0xff000000));
  const sign = o.shift("shr_u", o.and(word, o.constInt(0x80000000)), 16);
  return o.or(sign, o.select(isNan, o.constInt(0x7e00), magnitude));
}

/** The f32 of bfloat16 bits. */
export function bfloatToFloat(o: LaneOps, bits: Value): Value {
  return o.fromBits(o.shift("shl", bits, 16));
}

/** The bfloat16 bits nearest to an f32, ties to even. */
export function floatToBfloat(o: LaneOps, value: Value): Value {
  const word = o.bits(value);
  const odd = o.and(o.shift("shr_u", word, 16), o.constInt(1));
  const rounded = o.shift("shr_u", o.int("add", word, o.int("add", odd, o.constInt(0x7fff))), 16);
  return o.select(o.float("ne", value, value), o.constInt(0x7fc0), rounded);
}
