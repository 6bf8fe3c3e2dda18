import { add, div, eq, gt, lt, mul, or, select, sub, type PrimExpr } from "@verticil/tir";
import { absolute, bind, isDouble, like, nearest, polynomial, squareRoot, toDouble, toSingle, withSignOf } from "./build.ts";
import { exp, log, log1p } from "./exp-log.ts";

// Trigonometric and hyperbolic functions: float32 to a few ulp (of 1 for sin and cos), float64 to about 1e-13.

const PIO2_HIGH = 1.5707963267341256;
const PIO2_LOW = 6.077100506506192e-11;

/** (-1)^i / (2i + first)! from the highest power down: the Taylor series of sin (1) and cos (0). */
function series(terms: number, first: 0 | 1): readonly number[] {
  const out: number[] = [];
  for (let i = 0, value = 1; i < terms; i++) {
    out.push(value);
    value /= -(2 * i + first + 1) * (2 * i + first + 2);
  }
  return out.reverse();
}

/** sin(r) and cos(r) for |r| ≤ π/4. */
function sinReduced(r: PrimExpr): PrimExpr {
  return mul(polynomial(mul(r, r), isDouble(r) ? series(9, 1) : [2.718311493989822e-6, -1.9839334836096632e-4, 8.333329385889463e-3, -0.16666666641626524, 1]), r);
}

function cosReduced(r: PrimExpr): PrimExpr {
  return polynomial(mul(r, r), isDouble(r) ? series(9, 0) : [2.439044879627741e-5, -1.388676377460993e-3, 4.166662332373906e-2, -0.499999997251031, 1]);
}

/** The argument less a multiple of π/2, reduced in double precision, and which quarter it was. */
function reduce(x: PrimExpr, body: (r: PrimExpr, quarter: PrimExpr) => PrimExpr): PrimExpr {
  return bind("d", toDouble(x), (d) =>
    bind("k", nearest(mul(d, like(2 / Math.PI, d))), (k) =>
      bind("r", sub(sub(d, mul(k, like(PIO2_HIGH, k))), mul(k, like(PIO2_LOW, k))), (reduced) => {
        // The quarter as a number from -2 to 2: k less a multiple of 4.
        const quarter = sub(k, mul(nearest(mul(k, like(0.25, k))), like(4, k)));
        if (isDouble(x)) return bind("q", quarter, (q) => body(reduced, q));
        return bind("f", toSingle(reduced), (f) => bind("q", toSingle(quarter), (q) => body(f, q)));
      }),
    ),
  );
}

export function sin(x: PrimExpr): PrimExpr {
  return reduce(x, (r, q) => {
    const isCos = eq(absolute(q), like(1, q));
    const value = select(isCos, cosReduced(r), sinReduced(r));
    // Quarters -1, 2 and -2 change the sign.
    const isNegative = or(lt(q, like(0, q)), gt(q, like(1.5, q)));
    return bind("v", value, (v) => select(isNegative, sub(like(0, v), v), v));
  });
}

export function cos(x: PrimExpr): PrimExpr {
  return reduce(x, (r, q) => {
    const isSin = eq(absolute(q), like(1, q));
    const value = select(isSin, sinReduced(r), cosReduced(r));
    // cos in quarter 1 is -sin, in ±2 it is -cos, in -1 it is sin.
    const isNegative = or(gt(q, like(0.5, q)), lt(q, like(-1.5, q)));
    return bind("v", value, (v) => select(isNegative, sub(like(0, v), v), v));
  });
}

export function tan(x: PrimExpr): PrimExpr {
  return reduce(x, (r, q) =>
    bind("s", sinReduced(r), (s) => bind("c", cosReduced(r), (c) => select(eq(absolute(q), like(1, q)), sub(like(0, s), div(c, s)), div(s, c)))),
  );
}

/** atan(x) / x as a polynomial of x², for |x| ≤ tan(π/8). */
const ATAN_SINGLE = [8.05374449538e-2, -1.38776856032e-1, 1.99777106478e-1, -3.33329491539e-1, 1];
const ATAN_DOUBLE = Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? 1 : -1) / (2 * i + 1)).reverse();

export function atan(x: PrimExpr): PrimExpr {
  return bind("a", absolute(x), (a) => {
    const isLarge = gt(a, like(2.414213562373095, a));
    const isMedium = gt(a, like(0.4142135623730950, a));
    const one = like(1, a);
    const reduced = select(isLarge, div(like(-1, a), a), select(isMedium, div(sub(a, one), add(a, one)), a));
    const offset = select(isLarge, like(Math.PI / 2, a), select(isMedium, like(Math.PI / 4, a), like(0, a)));
    return bind("r", reduced, (r) => {
      const value = add(mul(polynomial(mul(r, r), isDouble(x) ? ATAN_DOUBLE : ATAN_SINGLE), r), offset);
      return withSignOf(value, x);
    });
  });
}

export function atan2(y: PrimExpr, x: PrimExpr): PrimExpr {
  return bind("y", y, (b) =>
    bind("x", x, (a) => {
      const zero = like(0, a);
      const angle = atan(div(absolute(b), absolute(a)));
      // 0 / 0 is the direction of the axis.
      const first = select(eq(b, zero), zero, angle);
      const isLeft = lt(withSignOf(like(1, a), a), zero);
      return withSignOf(select(isLeft, sub(like(Math.PI, a), first), first), b);
    }),
  );
}

const ASIN_SINGLE = [4.2163199048e-2, 2.4181311049e-2, 4.5470025998e-2, 7.4953002686e-2, 1.6666752422e-1];

export function asin(x: PrimExpr): PrimExpr {
  return bind("x", x, (v) =>
    bind("a", absolute(v), (a) => {
      if (isDouble(v)) return withSignOf(atan(div(a, squareRoot(mul(sub(like(1, a), a), add(like(1, a), a))))), v);
      const isLarge = gt(a, like(0.5, a));
      const z = select(isLarge, mul(like(0.5, a), sub(like(1, a), a)), mul(a, a));
      return bind("z", z, (square) =>
        bind("r", select(isLarge, squareRoot(square), a), (r) => {
          const value = add(mul(mul(polynomial(square, ASIN_SINGLE), square), r), r);
          return bind("s", value, (s) => withSignOf(select(isLarge, sub(like(Math.PI / 2, s), add(s, s)), s), v));
        }),
      );
    }),
  );
}

export function acos(x: PrimExpr): PrimExpr {
  return bind("x", x, (v) => {
    const half = like(0.5, v);
    // Near 1 the difference from π/2 would cancel.
    const near = (side: PrimExpr): PrimExpr => mul(like(2, v), asin(squareRoot(mul(half, sub(like(1, v), side)))));
    const middle = sub(like(Math.PI / 2, v), asin(v));
    return select(gt(v, half), near(v), select(lt(v, like(-0.5, v)), sub(like(Math.PI, v), near(sub(like(0, v), v))), middle));
  });
}

export function sinh(x: PrimExpr): PrimExpr {
  return bind("x", x, (v) =>
    bind("t", exp(mul(absolute(v), like(0.5, v))), (t) => {
      const large = sub(mul(mul(like(0.5, t), t), t), div(like(0.5, t), mul(t, t)));
      const square = mul(v, v);
      const small = mul(polynomial(square, [1 / 6227020800, 1 / 39916800, 1 / 362880, 1 / 5040, 1 / 120, 1 / 6, 1]), v);
      return select(lt(absolute(v), like(1, v)), small, withSignOf(large, v));
    }),
  );
}

export function cosh(x: PrimExpr): PrimExpr {
  // Half an exponent each way: e^x itself would overflow too early.
  return bind("t", exp(mul(absolute(x), like(0.5, x))), (t) => add(mul(mul(like(0.5, t), t), t), div(like(0.5, t), mul(t, t))));
}

export function asinh(x: PrimExpr): PrimExpr {
  return bind("x", x, (v) =>
    bind("a", absolute(v), (a) => {
      const square = mul(a, a);
      const regular = log1p(add(a, div(square, add(like(1, a), squareRoot(add(square, like(1, a)))))));
      const huge = add(log(a), like(Math.LN2, a));
      return withSignOf(select(lt(a, like(1e9, a)), regular, huge), v);
    }),
  );
}

export function acosh(x: PrimExpr): PrimExpr {
  return bind("t", sub(x, like(1, x)), (t) => {
    // Two roots, neither of which is a number below 1.
    const regular = log1p(add(t, mul(squareRoot(t), squareRoot(add(t, like(2, t))))));
    return select(lt(t, like(1e9, t)), regular, add(log(x), like(Math.LN2, x)));
  });
}

export function atanh(x: PrimExpr): PrimExpr {
  return bind("x", x, (v) =>
    bind("a", absolute(v), (a) => withSignOf(mul(like(0.5, a), log1p(div(mul(like(2, a), a), sub(like(1, a), a)))), v)),
  );
}
