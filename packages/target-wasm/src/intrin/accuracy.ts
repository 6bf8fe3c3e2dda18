/** How exact a math function of float32 is. */
export interface MathAccuracy {
  /** The name of the function without `tir.`. */
  readonly name: string;
  /** The largest error, in units of the last place of the exact result (2^-149 for subnormal ones). */
  readonly ulp: number;
  /** Arguments whose magnitude is in this range are meant; all floats unless told. */
  readonly range?: readonly [least: number, most: number];
  /** The largest error for arguments nearer to zero than that, where numbers are next to subnormal. */
  readonly nearZero?: number;
  /** What holds beside that. */
  readonly note?: string;
}

const reduced = "from about 10^7 on the error grows without bound";

/**
 * The accuracy of the functions that are computed with vector arithmetic, with and without relaxed SIMD. The test beside this
 * file holds them to it at a million floats from everywhere, infinities and NaN among them.
 */
export const mathAccuracy: readonly MathAccuracy[] = [
  { name: "exp", ulp: 1 },
  { name: "exp2", ulp: 1 },
  { name: "exp10", ulp: 1.25 },
  { name: "log", ulp: 1 },
  { name: "log2", ulp: 1.25 },
  { name: "log10", ulp: 2 },
  { name: "log1p", ulp: 2.5 },
  { name: "sin", ulp: 2, range: [0, 1e6], note: reduced },
  { name: "cos", ulp: 2, range: [0, 1e6], note: reduced },
  { name: "tan", ulp: 4, range: [0, 1e6], note: reduced },
  { name: "asin", ulp: 2.5 },
  { name: "acos", ulp: 1.5 },
  { name: "atan", ulp: 3 },
  { name: "sinh", ulp: 4 },
  { name: "cosh", ulp: 3 },
  { name: "tanh", ulp: 8, range: [1e-32, Infinity], nearZero: 104 },
  { name: "asinh", ulp: 3 },
  { name: "acosh", ulp: 4 },
  { name: "atanh", ulp: 3 },
  { name: "sigmoid", ulp: 2.5, range: [0, 80], note: "below -87 anything up to 2e-38" },
  { name: "erf", ulp: 8, range: [1e-32, Infinity], nearZero: 40 },
  { name: "rsqrt", ulp: 1.5 },
];
