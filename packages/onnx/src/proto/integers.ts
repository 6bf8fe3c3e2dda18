/** A 64-bit integer as the decoder gives it: an object of two halves, or a number where it has no class for them. */
export type ProtoInt = number | { readonly low: number; readonly high: number; readonly unsigned: boolean } | null | undefined;

/** The exact value. Numbers beyond the 64-bit range, which come from rounding, are clamped to it. */
export function toBigInt(value: ProtoInt): bigint {
  if (value === null || value === undefined) return 0n;
  if (typeof value === "number") {
    const big = BigInt(Math.trunc(value));
    return big > MAX ? MAX : big;
  }
  const bits = (BigInt(value.high >>> 0) << 32n) | BigInt(value.low >>> 0);
  return value.unsigned ? bits : BigInt.asIntN(64, bits);
}

const MAX = 2n ** 63n - 1n;

/** The value as a number; beyond 2^53 the nearest one. */
export function toNumber(value: ProtoInt): number {
  return typeof value === "number" ? value : Number(toBigInt(value));
}
