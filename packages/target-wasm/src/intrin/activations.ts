import { add, div, mul, sub, type PrimExpr } from "@verticil/tir";
import { absolute, bind, clamp, isDouble, like, polynomial, withSignOf } from "./build.ts";
import { exp, logisticSingle } from "./exp-log.ts";

// The saturating functions of neural networks, to about 1e-7.

const TANH_ODD = [
  -2.76076847742355e-16, 2.00018790482477e-13, -8.60467152213735e-11, 5.12229709037114e-8, 1.48572235717979e-5,
  6.37261928875436e-4, 4.89352455891786e-3,
];
const TANH_EVEN = [1.19825839466702e-6, 1.18534705686654e-4, 2.26843463243900e-3, 4.89352518554385e-3];

/** A quotient of polynomials on [-7.9, 7.9], beyond which float32 has ±1. */
export function tanh(x: PrimExpr): PrimExpr {
  if (isDouble(x)) return tanhDouble(x);
  return bind("x", clamp(x, -7.90531110763549805, 7.90531110763549805), (c) =>
    bind("z", mul(c, c), (z) => div(mul(polynomial(z, TANH_ODD), c), polynomial(z, TANH_EVEN))),
  );
}

function tanhDouble(x: PrimExpr): PrimExpr {
  return bind("e", exp(mul(absolute(x), like(2, x))), (e) => withSignOf(sub(like(1, e), div(like(2, e), add(e, like(1, e)))), x));
}

export function sigmoid(x: PrimExpr): PrimExpr {
  return isDouble(x) ? div(like(1, x), add(like(1, x), exp(sub(like(0, x), x)))) : logisticSingle(x);
}

const ERF_ODD = [
  -2.72614225801306e-10, 2.77068142495902e-8, -2.10102402082508e-6, -5.69250639462346e-5, -7.34990630326855e-4,
  -2.95459980854025e-3, -1.60960333262415e-2,
];
const ERF_EVEN = [-1.45660718464996e-5, -2.13374055278905e-4, -1.68282697438203e-3, -7.37332916720468e-3, -1.42647390514189e-2];

/** A quotient of polynomials on [-4, 4]. The same for float64: no more than 1e-6 is promised. */
export function erf(x: PrimExpr): PrimExpr {
  return bind("x", clamp(x, -4, 4), (c) =>
    bind("z", mul(c, c), (z) => div(mul(polynomial(z, ERF_ODD), c), polynomial(z, ERF_EVEN))),
  );
}
