/** Builtins of one number, computed in double; the caller rounds to the type. Booleans are 0 and 1. */
export const unaryMath: Readonly<Record<string, (x: number) => number>> = {
  "tir.exp": Math.exp,
  "tir.exp2": (x) => 2 ** x,
  "tir.exp10": (x) => 10 ** x,
  "tir.erf": erf,
  "tir.tanh": Math.tanh,
  "tir.sigmoid": (x) => 1 / (1 + Math.exp(-x)),
  "tir.sqrt": Math.sqrt,
  "tir.rsqrt": (x) => 1 / Math.sqrt(x),
  "tir.log": Math.log,
  "tir.log2": Math.log2,
  "tir.log1p": Math.log1p,
  "tir.log10": Math.log10,
  "tir.tan": Math.tan,
  "tir.cos": Math.cos,
  "tir.cosh": Math.cosh,
  "tir.sin": Math.sin,
  "tir.sinh": Math.sinh,
  "tir.asin": Math.asin,
  "tir.acos": Math.acos,
  "tir.atan": Math.atan,
  "tir.acosh": Math.acosh,
  "tir.asinh": Math.asinh,
  "tir.atanh": Math.atanh,
  "tir.floor": Math.floor,
  "tir.ceil": Math.ceil,
  // Ties to even, as upstream folds it, as ONNX defines it, and as `nearest` of WebAssembly does.
  "tir.round": roundEven,
  "tir.nearbyint": roundEven,
  "tir.trunc": Math.trunc,
  "tir.fabs": Math.abs,
  "tir.isnan": (x) => (Number.isNaN(x) ? 1 : 0),
  "tir.isinf": (x) => (x === Infinity || x === -Infinity ? 1 : 0),
  "tir.isfinite": (x) => (Number.isFinite(x) ? 1 : 0),
};

/** Builtins of two numbers, computed in double. */
export const binaryMath: Readonly<Record<string, (x: number, y: number) => number>> = {
  // As in C: powers of 1 are 1 even of a NaN, and -1 has even powers at infinity.
  "tir.pow": (x, y) => (x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : x ** y),
  "tir.atan2": Math.atan2,
  "tir.fmod": (x, y) => x % y,
  "tir.hypot": Math.hypot,
  "tir.ldexp": (x, y) => x * 2 ** y,
  "tir.copysign": (x, y) => (y < 0 || Object.is(y, -0) ? -Math.abs(x) : Math.abs(x)),
};

/** The nearest integer, ties to even. */
export function roundEven(x: number): number {
  if (!Number.isFinite(x)) return x;
  const floor = Math.floor(x);
  const rest = x - floor;
  const r = rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
  return r === 0 && (x < 0 || Object.is(x, -0)) ? -0 : r;
}

/**
 * The error function to about 1e-16: its Taylor series (Kummer's form, all terms of one sign) near zero, the continued
 * fraction of the complement elsewhere.
 */
export function erf(x: number): number {
  if (Number.isNaN(x)) return x;
  const a = Math.abs(x);
  if (a > 6) return Math.sign(x);
  if (a < 2.5) {
    let term = x;
    let sum = x;
    for (let n = 1; n < 80; n++) {
      term *= (2 * a * a) / (2 * n + 1);
      sum += term;
      if (Math.abs(term) < Math.abs(sum) * 1e-17) break;
    }
    return ((2 / Math.sqrt(Math.PI)) * Math.exp(-a * a)) * sum;
  }
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / 2 / (a + fraction);
  const complement = Math.exp(-a * a) / (Math.sqrt(Math.PI) * (a + fraction));
  return Math.sign(x) * (1 - complement);
}

/** The next number of the type after `x` towards `y`, for float32 and float64. */
export function nextAfter(x: number, y: number, single: boolean): number {
  if (Number.isNaN(x) || Number.isNaN(y)) return NaN;
  if (x === y) return y;
  const up = y > x;
  if (single) {
    const view = new DataView(new ArrayBuffer(4));
    if (x === 0) return (up ? 1 : -1) * 2 ** -149;
    view.setFloat32(0, x);
    view.setInt32(0, view.getInt32(0) + (up === x > 0 ? 1 : -1));
    return view.getFloat32(0);
  }
  const view = new DataView(new ArrayBuffer(8));
  if (x === 0) return (up ? 1 : -1) * 2 ** -1074;
  view.setFloat64(0, x);
  view.setBigInt64(0, view.getBigInt64(0) + (up === x > 0 ? 1n : -1n));
  return view.getFloat64(0);
}
