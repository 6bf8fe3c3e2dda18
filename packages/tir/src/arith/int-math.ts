/** Quotient rounded down. Exact for safe integers; `Infinity` is passed through by the sign rules of division. */
export function floorDivInt(a: number, b: number): number {
  if (!Number.isFinite(a) || !Number.isFinite(b)) return floorDivInfinite(a, b);
  // A quotient of doubles may round up to the next integer when both are large.
  const q = Math.floor(a / b);
  const r = a - q * b;
  if (Math.abs(q * b) <= Number.MAX_SAFE_INTEGER) return (r !== 0 && r < 0 !== b < 0 ? q - 1 : q) + 0;
  const x = BigInt(a);
  const y = BigInt(b);
  const quotient = x / y;
  return Number(x % y !== 0n && x < 0n !== y < 0n ? quotient - 1n : quotient);
}

function floorDivInfinite(a: number, b: number): number {
  if (!Number.isFinite(a)) return a > 0 === b > 0 ? Infinity : -Infinity;
  if (a === 0) return 0;
  return a > 0 === b > 0 ? 0 : -1;
}

/** Remainder of floor division: takes the sign of `b`. */
export function floorModInt(a: number, b: number): number {
  const r = a % b;
  return (r !== 0 && r < 0 !== b < 0 ? r + b : r) + 0;
}

/** Quotient rounded towards zero; infinities by the sign rules. */
export function truncDivInt(a: number, b: number): number {
  if (!Number.isFinite(a)) return a > 0 === b > 0 ? Infinity : -Infinity;
  if (!Number.isFinite(b)) return 0;
  return a < 0 !== b < 0 ? -floorDivInt(Math.abs(a), Math.abs(b)) + 0 : floorDivInt(Math.abs(a), Math.abs(b));
}

/** Greatest common divisor, never negative; `gcd(0, n)` is `|n|`. */
export function gcd(a: number, b: number): number {
  let x = Math.abs(a);
  let y = Math.abs(b);
  while (y > 0) {
    const r = x % y;
    x = y;
    y = r;
  }
  return x;
}

/** Least common multiple, never negative; 0 if either is 0. */
export function lcm(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : Math.abs((a / gcd(a, b)) * b);
}

/** `[g, x, y]` with `a*x + b*y = g`, the greatest common divisor. */
export function extendedGcd(a: number, b: number): readonly [g: number, x: number, y: number] {
  let [r0, r1] = [a, b];
  let [x0, x1] = [1, 0];
  let [y0, y1] = [0, 1];
  while (r1 !== 0) {
    const q = Math.trunc(r0 / r1);
    [r0, r1] = [r1, r0 - q * r1];
    [x0, x1] = [x1, x0 - q * x1];
    [y0, y1] = [y1, y0 - q * y1];
  }
  return r0 < 0 ? [-r0, -x0 + 0, -y0 + 0] : [r0, x0, y0];
}
