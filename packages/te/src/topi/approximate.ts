import { add, cast, constant, div, intrin, max, min, mul, sub, type PrimExpr } from "@verticil/tir";
import type { Tensor } from "../tensor.ts";
import { elementwise, type Unary } from "./elementwise.ts";

function f32(value: number): PrimExpr {
  return constant(value, "float32");
}

/** A polynomial by Horner's rule, the highest power first. */
function polynomial(x: PrimExpr, coefficients: readonly number[]): PrimExpr {
  const [first = 0, ...rest] = coefficients;
  return rest.reduce<PrimExpr>((sum, c) => add(mul(sum, x), f32(c)), f32(first));
}

function clamped(x: PrimExpr, low: number, high: number): PrimExpr {
  return max(min(x, f32(high)), f32(low));
}

/** A function of float32 in float32, of any other type in float32 and back. */
function inFloat(x: Tensor, f: (v: PrimExpr) => PrimExpr, name: string): Tensor {
  return elementwise(x, (v) => cast(x.dtype, f(cast("float32", v))), name);
}

/** The natural exponential to about 6 digits: a power of two by its bits, times a polynomial (Cephes). */
export const fastExp: Unary = (x) =>
  inFloat(
    x,
    (v) => {
      const bounded = clamped(v, -88.3762626647949, 88.3762626647949);
      const n = intrin("floor", "float32", [add(mul(bounded, f32(Math.LOG2E)), f32(0.5))]);
      const rest = sub(sub(bounded, mul(n, f32(0.693359375))), mul(n, f32(-2.12194440e-4)));
      const series = polynomial(rest, [1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1]);
      const fraction = add(add(mul(series, mul(rest, rest)), rest), f32(1));
      const power = intrin("reinterpret", "float32", [intrin("shift_left", "int32", [add(cast("int32", n), constant(127, "int32")), constant(23, "int32")])]);
      return mul(power, fraction);
    },
    "T_fast_exp",
  );

/** The hyperbolic tangent as a quotient of polynomials, to about 6 digits. */
export const fastTanh: Unary = (x) =>
  inFloat(
    x,
    (v) => {
      const bounded = clamped(v, -9, 9);
      const square = mul(bounded, bounded);
      const above = polynomial(square, [-2.76076847742355e-16, 2.00018790482477e-13, -8.60467152213735e-11, 5.12229709037114e-8, 1.48572235717979e-5, 6.37261928875436e-4, 4.89352455891786e-3]);
      const below = polynomial(square, [1.19825839466702e-6, 1.18534705686654e-4, 2.26843463243900e-3, 4.89352518554385e-3]);
      return div(mul(bounded, above), below);
    },
    "T_fast_tanh",
  );

/** The error function as a quotient of polynomials, to about 6 digits. */
export const fastErf: Unary = (x) =>
  inFloat(
    x,
    (v) => {
      const bounded = clamped(v, -4, 4);
      const square = mul(bounded, bounded);
      const above = polynomial(square, [-2.72614225801306e-10, 2.77068142495902e-8, -2.10102402082508e-6, -5.69250639462346e-5, -7.34990630326855e-4, -2.95459980854025e-3, -1.60960333262415e-2]);
      const below = polynomial(square, [-1.45660718464996e-5, -2.13374055278905e-4, -1.68282697438203e-3, -7.37332916720468e-3, -1.42647390514189e-2]);
      return div(mul(bounded, above), below);
    },
    "T_fast_erf",
  );
