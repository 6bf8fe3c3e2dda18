const f64 = new Float64Array(1);
const u32 = new Uint32Array(f64.buffer);
const HIGH = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 1 : 0;

/** The binary exponent of a finite number that is not zero. */
function exponentOf(x: number): number {
  f64[0] = x;
  return (((u32[HIGH] ?? 0) >>> 20) & 0x7ff) - 1023;
}

/** 2^e for a normal exponent. */
function power(e: number): number {
  u32[HIGH] = (e + 1023) << 20;
  u32[1 - HIGH] = 0;
  return f64[0] ?? 0;
}

/** Rounds to `bits` fraction bits, ties to even: adding a number of the right size shifts the rest out. */
export function roundTo(x: number, bits: number, minExponent: number, max: number): number {
  if (x === 0 || !Number.isFinite(x)) return x;
  const e = Math.max(exponentOf(x), minExponent);
  const shift = 1.5 * power(e + 52 - bits);
  const r = x + shift - shift;
  if (r > max) return Infinity;
  if (r < -max) return -Infinity;
  return r === 0 && x < 0 ? -0 : r;
}
