import type { ScalarDType } from "@verticil/runtime-ffi";
import { roundTo } from "./round-to.ts";

/** A floating-point type of at most 8 bits. */
export interface SmallFloat {
  /** Rounds to the nearest value, ties to even. */
  readonly round: (x: number) => number;
  /** A value from its bits. */
  readonly decode: (bits: number) => number;
  /** The bits of a value of the type. */
  readonly encode: (x: number) => number;
}

/** `overflow`: what becomes of values beyond the largest one. */
function smallFloat(exponentBits: number, fractionBits: number, max: number, overflow: number, nan: number | undefined, infinity: number | undefined): SmallFloat {
  const bias = 2 ** (exponentBits - 1) - 1;
  const minExponent = 1 - bias;
  const signBit = 1 << (exponentBits + fractionBits);
  const decode = (bits: number): number => {
    const magnitude = bits & (signBit - 1);
    const sign = bits & signBit ? -1 : 1;
    if (infinity !== undefined && magnitude === infinity) return sign * Infinity;
    if (nan !== undefined && magnitude >= nan) return NaN;
    const exponent = magnitude >> fractionBits;
    const fraction = magnitude & ((1 << fractionBits) - 1);
    if (exponent === 0) return sign * fraction * 2 ** (minExponent - fractionBits);
    return sign * (1 + fraction / 2 ** fractionBits) * 2 ** (exponent - bias);
  };
  return {
    decode,
    round(x) {
      const r = roundTo(x, fractionBits, minExponent, Infinity);
      return Math.abs(r) > max ? Math.sign(r) * overflow : r;
    },
    encode(x) {
      if (Number.isNaN(x)) return nan ?? signBit - 1;
      const sign = x < 0 || Object.is(x, -0) ? signBit : 0;
      const abs = Math.abs(x);
      if (abs === Infinity) return sign | (infinity ?? nan ?? signBit - 1);
      if (abs < 2 ** minExponent) return sign | (abs * 2 ** (fractionBits - minExponent));
      const exponent = Math.floor(Math.log2(abs));
      return sign | ((exponent + bias) << fractionBits) | ((abs / 2 ** exponent - 1) * 2 ** fractionBits);
    },
  };
}

/** Without infinities and minus zero, whose bits stand for the only NaN: every other pattern is a number, with exponents one lower. */
function fnuz(exponentBits: number, fractionBits: number): SmallFloat {
  const bias = 2 ** (exponentBits - 1);
  const minExponent = 1 - bias;
  const max = (2 - 2 ** -fractionBits) * 2 ** (2 ** exponentBits - 1 - bias);
  return {
    decode(bits) {
      if (bits === 0x80) return NaN;
      const [exponent, fraction] = [(bits & 0x7f) >> fractionBits, (bits & ((1 << fractionBits) - 1)) / 2 ** fractionBits];
      const magnitude = exponent === 0 ? fraction * 2 ** minExponent : (1 + fraction) * 2 ** (exponent - bias);
      return bits & 0x80 ? -magnitude : magnitude;
    },
    round(x) {
      const r = roundTo(x, fractionBits, minExponent, Infinity);
      return Math.abs(r) > max ? NaN : r === 0 ? 0 : r;
    },
    encode(x) {
      const abs = Math.abs(x);
      if (Number.isNaN(x) || abs === Infinity) return 0x80;
      if (abs === 0) return 0;
      const sign = x < 0 ? 0x80 : 0;
      if (abs < 2 ** minExponent) return sign | (abs * 2 ** (fractionBits - minExponent));
      const exponent = Math.floor(Math.log2(abs));
      return sign | ((exponent + bias) << fractionBits) | ((abs / 2 ** exponent - 1) * 2 ** fractionBits);
    },
  };
}

const BY_TYPE: ReadonlyMap<ScalarDType, SmallFloat> = new Map([
  // No infinity: what is too large is not a number.
  ["float8_e4m3fn", smallFloat(4, 3, 448, NaN, 0x7f, undefined)],
  ["float8_e5m2", smallFloat(5, 2, 57344, Infinity, 0x7d, 0x7c)],
  ["float8_e4m3fnuz", fnuz(4, 3)],
  ["float8_e5m2fnuz", fnuz(5, 2)],
  // Neither infinity nor NaN: what is too large is the largest.
  ["float4_e2m1fn", smallFloat(2, 1, 6, 6, undefined, undefined)],
]);

/** The floating-point type of that name, if it is one of at most 8 bits. */
export function smallFloatOf(dtype: string): SmallFloat | undefined {
  return BY_TYPE.get(dtype as ScalarDType);
}
