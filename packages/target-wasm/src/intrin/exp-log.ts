import { add, and, cast, div, eq, gt, lt, mul, ne, select, sub, type PrimExpr } from "@verticil/tir";
import { absolute, bind, bitsOf, choose, clamp, fromBits, isDouble, like, nearest, polynomial, shiftLeft, shiftRight, squareRoot, toDouble, toSingle, withScalar } from "./build.ts";

// Exponentials and logarithms of float32 within 2 ulp over the whole range, and of float64 to about 1e-15: argument
// reduction to one binade, a polynomial, and the exponent put back by integer arithmetic on the bits.

const LOG2E = 1.4426950408889634;
// ln 2 in two parts: the first times a small integer is exact.
const LN2_HIGH = 0.693359375;
const LN2_LOW = -2.1219444005469057e-4;
const LN2_HIGH_DOUBLE = 6.93147180369123816490e-1;
const LN2_LOW_DOUBLE = 1.90821492927058770002e-10;

/** exp(r) for |r| ≤ ln(2)/2. */
function expReduced(r: PrimExpr): PrimExpr {
  if (isDouble(r)) {
    const factorials = [1];
    for (let i = 1; i <= 13; i++) factorials.push((factorials[i - 1] ?? 1) * i);
    return polynomial(r, factorials.map((f) => 1 / f).reverse());
  }
  const tail = polynomial(r, [1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1]);
  return add(add(mul(tail, mul(r, r)), r), like(1, r));
}

/** An integer-valued float of small magnitude as an integer of its size: the low bits after adding 1.5 · 2^(bits of the fraction). */
function smallInteger(n: PrimExpr): PrimExpr {
  const [magic, bits] = isDouble(n) ? [6755399441055744, 0x4338000000000000n] : [12582912, 0x4b400000];
  const shifted = bitsOf(add(n, like(magic, n)));
  return sub(shifted, like(bits, shifted));
}

/** 2^n for an integer in the range of normal exponents. */
function powerOfTwo(n: PrimExpr): PrimExpr {
  const [bias, fraction] = withScalar(n.dtype, "int64") === n.dtype ? [1023, 52] : [127, 23];
  return fromBits(shiftLeft(add(n, like(bias, n)), fraction));
}

/** `m · 2^n` in two steps, so that overflow and the subnormal numbers come out right. */
function scaleBy(m: PrimExpr, n: PrimExpr): PrimExpr {
  return bind("n", smallInteger(n), (i) =>
    bind("half", shiftRight(i, 1), (half) => mul(mul(m, powerOfTwo(half)), powerOfTwo(sub(i, half)))),
  );
}

export function exp(x: PrimExpr): PrimExpr {
  const [lo, hi, high, low] = isDouble(x) ? [-746, 710, LN2_HIGH_DOUBLE, LN2_LOW_DOUBLE] : [-104, 89, LN2_HIGH, LN2_LOW];
  return bind("x", clamp(x, lo, hi), (c) =>
    bind("k", nearest(mul(c, like(LOG2E, c))), (k) =>
      bind("r", sub(sub(c, mul(k, like(high, c))), mul(k, like(low, c))), (r) => scaleBy(expReduced(r), k)),
    ),
  );
}

/**
 * 1 / (1 + exp(-x)) for float32. exp(r) is (a + r) / (a - r) with an even a, so that one division gives quotient and
 * reciprocal, and four terms fewer are needed than for exp itself. Rounding to an integer is the addition of 1.5 · 2^23, whose
 * lowest bits then go into the exponent as they are. A NaN stays one, as it is in dividend and divisor.
 */
export function logisticSingle(x: PrimExpr): PrimExpr {
  return bind("x", clamp(x, -87.3, 87.3), (c) =>
    bind("m", add(mul(c, like(-LOG2E, c)), like(12582912, c)), (m) =>
      bind("k", sub(m, like(12582912, c)), (k) =>
        bind("r", sub(sub(mul(k, like(-LN2_HIGH, c)), c), mul(k, like(LN2_LOW, c))), (r) =>
          bind("a", polynomial(mul(r, r), HALF_COTH), (a) =>
            bind("d", sub(a, r), (d) => div(d, add(d, fromBits(add(bitsOf(add(a, r)), shiftLeft(bitsOf(m), 23)))))),
          ),
        ),
      ),
    ),
  );
}

/** r · coth(r/2) as a polynomial of r², by its series: for |r| ≤ ln(2)/2 what follows changes exp(r) by less than 2e-8. */
const HALF_COTH = [-1 / 360, 1 / 6, 2];

export function exp2(x: PrimExpr): PrimExpr {
  const [lo, hi] = isDouble(x) ? [-1076, 1025] : [-151, 129];
  return bind("x", clamp(x, lo, hi), (c) =>
    bind("k", nearest(c), (k) => bind("r", mul(sub(c, k), like(Math.LN2, c)), (r) => scaleBy(expReduced(r), k))),
  );
}

export function exp10(x: PrimExpr): PrimExpr {
  if (isDouble(x)) return exp(mul(x, like(Math.LN10, x)));
  return bind("x", clamp(x, -46, 39), (c) =>
    bind("k", nearest(mul(c, like(Math.LOG2E * Math.LN10, c))), (k) =>
      // log10(2) in two parts.
      bind("r", mul(sub(sub(c, mul(k, like(0.30078125, c))), mul(k, like(2.48745663981195e-4, c))), like(Math.LN10, c)), (r) =>
        scaleBy(expReduced(r), k),
      ),
    ),
  );
}

/** `x = m · 2^e` with m in [√½, √2), for x > 0 and finite; e is a float of x's type. */
function splitExponent(x: PrimExpr, body: (m: PrimExpr, e: PrimExpr) => PrimExpr): PrimExpr {
  const double = isDouble(x);
  const [smallest, scale, shift, root, fraction] = double
    ? [2 ** -1022, 2 ** 54, 54, 0x3fe6a09e667f3bcdn, 52]
    : [2 ** -126, 2 ** 25, 25, 0x3f3504f3, 23];
  const isSubnormal = lt(x, like(smallest, x));
  return bind("bits", bitsOf(select(isSubnormal, mul(x, like(scale, x)), x)), (bits) =>
    bind("e", shiftRight(sub(bits, like(root, bits)), fraction), (e) =>
      bind("m", fromBits(sub(bits, shiftLeft(e, fraction))), (m) =>
        bind("k", sub(cast(x.dtype, e), select(isSubnormal, like(shift, x), like(0, x))), (k) => body(m, k)),
      ),
    ),
  );
}

/** The logarithm's special cases around `regular`, which is for x > 0 and finite. */
function withSpecials(x: PrimExpr, regular: PrimExpr): PrimExpr {
  const finite = select(lt(x, like(Infinity, x)), regular, x);
  const rest = select(eq(x, like(0, x)), like(-Infinity, x), like(NaN, x));
  return select(gt(x, like(0, x)), finite, rest);
}

const LOG_COEFFICIENTS = [
  7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1, 2.0000714765e-1,
  -2.4999993993e-1, 3.3333331174e-1,
];

/** 2 · atanh(s) / s as a polynomial of s², for |s| ≤ 0.172. */
const ATANH_SERIES = [21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 1].map((n) => 2 / n);

export function log(x: PrimExpr): PrimExpr {
  return bind("x", x, (v) => withSpecials(v, isDouble(v) ? logDouble(v) : logSingle(v)));
}

function logSingle(x: PrimExpr): PrimExpr {
  return splitExponent(x, (m, e) =>
    bind("f", sub(m, like(1, m)), (f) =>
      bind("z", mul(f, f), (z) => {
        const tail = mul(mul(polynomial(f, LOG_COEFFICIENTS), f), z);
        const small = sub(add(tail, mul(e, like(LN2_LOW, e))), mul(z, like(0.5, z)));
        return add(add(f, small), mul(e, like(LN2_HIGH, e)));
      }),
    ),
  );
}

function logDouble(x: PrimExpr): PrimExpr {
  return splitExponent(x, (m, e) =>
    bind("s", div(sub(m, like(1, m)), add(m, like(1, m))), (s) => {
      const series = mul(polynomial(mul(s, s), ATANH_SERIES), s);
      return add(mul(e, like(LN2_HIGH_DOUBLE, e)), add(series, mul(e, like(LN2_LOW_DOUBLE, e))));
    }),
  );
}

export function log2(x: PrimExpr): PrimExpr {
  return bind("x", x, (v) => {
    if (isDouble(v)) return mul(withSpecials(v, logDouble(v)), like(LOG2E, v));
    // The exponent is exact, the fraction's logarithm small.
    const regular = splitExponent(v, (m, e) =>
      bind("f", sub(m, like(1, m)), (f) =>
        bind("z", mul(f, f), (z) => {
          const tail = sub(mul(mul(polynomial(f, LOG_COEFFICIENTS), f), z), mul(z, like(0.5, z)));
          // log2(e) = 1 + 0.4426950408889634: f itself needs no rounding.
          const rest = like(LOG2E - 1, f);
          return add(add(add(add(mul(tail, rest), mul(f, rest)), tail), f), e);
        }),
      ),
    );
    return withSpecials(v, regular);
  });
}

export function log10(x: PrimExpr): PrimExpr {
  return mul(log(x), like(Math.LOG10E, x));
}

export function log1p(x: PrimExpr): PrimExpr {
  return bind("x", x, (v) =>
    bind("u", add(v, like(1, v)), (u) =>
      bind("d", sub(u, like(1, u)), (d) => {
        // What rounding 1 + x lost is put back in proportion.
        const corrected = mul(log(u), div(v, d));
        const regular = select(lt(u, like(Infinity, u)), corrected, u);
        return select(eq(d, like(0, d)), v, select(eq(u, like(0, u)), like(-Infinity, u), regular));
      }),
    ),
  );
}

/** x^y in double precision inside, with the sign and the special cases of C's `pow`. */
export function pow(x: PrimExpr, y: PrimExpr): PrimExpr {
  const constant = y.kind === "tir.Broadcast" ? y.value : y;
  if (constant.kind === "ir.FloatImm" || constant.kind === "ir.IntImm") {
    const simple = powConstant(x, Number(constant.value));
    if (simple !== undefined) return simple;
  }
  return bind("x", x, (a) => bind("y", y, (b) => powGeneral(a, b)));
}

function powConstant(x: PrimExpr, y: number): PrimExpr | undefined {
  switch (y) {
    case 0:
      return like(1, x);
    case 1:
      return x;
    case 2:
      return bind("x", x, (v) => mul(v, v));
    case 3:
      return bind("x", x, (v) => mul(mul(v, v), v));
    case 4:
      return bind("x", x, (v) => bind("q", mul(v, v), (q) => mul(q, q)));
    case 0.5:
      return squareRoot(x);
    case -0.5:
      return div(like(1, x), squareRoot(x));
    case -1:
      return div(like(1, x), x);
    default:
      return undefined;
  }
}

function powGeneral(x: PrimExpr, y: PrimExpr): PrimExpr {
  return bind("a", absolute(x), (a) =>
    bind("p", select(eq(a, like(1, a)), like(1, a), powPositive(a, y)), (p) => {
      const truncated = nearest(y);
      const isInteger = eq(truncated, y);
      const half = mul(y, like(0.5, y));
      const isOdd = ne(nearest(half), half);
      const isOpen = and(gt(a, like(0, a)), lt(a, like(Infinity, a)));
      const signed = select(isInteger, select(isOdd, sub(like(0, p), p), p), select(isOpen, like(NaN, p), p));
      const bits = bitsOf(x);
      const bySign = select(lt(bits, like(0, bits)), signed, p);
      return choose(eq(y, like(0, y)), 1, bySign);
    }),
  );
}

/** a^y for a ≥ 0. */
function powPositive(a: PrimExpr, y: PrimExpr): PrimExpr {
  if (isDouble(a)) return exp(mul(y, log(a)));
  const regular = splitExponent(a, (m, e) =>
    bind("d", toDouble(m), (d) =>
      bind("s", div(sub(d, like(1, d)), add(d, like(1, d))), (s) => {
        const series = mul(polynomial(mul(s, s), ATANH_SERIES.slice(3)), mul(s, like(LOG2E, s)));
        return add(series, toDouble(e));
      }),
    ),
  );
  const logarithm = bind("l", regular, (l) =>
    select(gt(a, like(0, a)), select(lt(a, like(Infinity, a)), l, like(Infinity, l)), select(eq(a, like(0, a)), like(-Infinity, l), like(NaN, l))),
  );
  return bind("t", clamp(mul(logarithm, toDouble(y)), -152, 130), (t) =>
    bind("k", nearest(t), (k) => bind("r", toSingle(mul(sub(t, k), like(Math.LN2, t))), (r) => scaleBy(expReduced(r), toSingle(k)))),
  );
}
