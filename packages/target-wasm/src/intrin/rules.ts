import { scalarOf } from "@verticil/runtime-ffi";
import { add, cast, div, eq, intrin, lt, mul, select, sub, type Call, type PrimExpr } from "@verticil/tir";
import { erf, sigmoid, tanh } from "./activations.ts";
import { absolute, bind, inSingle, isDouble, like, nearest, shiftLeft, shiftRight, squareRoot, toDouble, toSingle, withScalar } from "./build.ts";
import { exp, exp10, exp2, log, log10, log1p, log2, pow } from "./exp-log.ts";
import { acos, acosh, asin, asinh, atan, atan2, atanh, cos, cosh, sin, sinh, tan } from "./trig.ts";

/** A call as arithmetic that the target has instructions for; undefined if the rule does not take its type. */
export type IntrinRule = (call: Call) => PrimExpr | undefined;

function unary(f: (x: PrimExpr) => PrimExpr): IntrinRule {
  return ({ args: [x] }) => (x === undefined ? undefined : inSingle(x, f));
}

function binary(f: (x: PrimExpr, y: PrimExpr) => PrimExpr): IntrinRule {
  return ({ args: [x, y], dtype }) => {
    if (x === undefined || y === undefined) return undefined;
    const scalar = scalarOf(dtype);
    if (scalar === "float32" || scalar === "float64") return f(x, y);
    const single = withScalar(dtype, "float32");
    return cast(dtype, f(cast(single, x), cast(single, y)));
  };
}

/** In double precision inside, where float32 would overflow or lose too much. */
function throughDouble(f: (x: PrimExpr, y: PrimExpr) => PrimExpr): (x: PrimExpr, y: PrimExpr) => PrimExpr {
  return (x, y) => (isDouble(x) ? f(x, y) : toSingle(f(toDouble(x), toDouble(y))));
}

function remainder(x: PrimExpr, y: PrimExpr): PrimExpr {
  const rest = (a: PrimExpr, b: PrimExpr): PrimExpr =>
    // Less than the divisor, which may be infinite, all of it is left.
    bind("q", intrin("trunc", a.dtype, [div(a, b)]), (q) => select(eq(q, like(0, q)), a, sub(a, mul(q, b))));
  return bind("x", x, (a) => bind("y", y, (b) => rest(a, b)));
}

/** `(x · y) >> (31 + …)` with rounding, as fixed-point arithmetic has it: arguments x, y, fraction bits q, shift s. */
function multiplyShift({ args: [x, y, q, s], dtype }: Call): PrimExpr | undefined {
  if (x === undefined || y === undefined || q?.kind !== "ir.IntImm" || s?.kind !== "ir.IntImm") return undefined;
  const count = Number(q.value) - Number(s.value);
  const wide = withScalar(dtype, "int64");
  const product = mul(cast(wide, x), cast(wide, y));
  if (count <= 0) return cast(dtype, shiftLeft(product, -count));
  return cast(dtype, shiftRight(add(product, like(1n << BigInt(count - 1), product)), count));
}

/**
 * Math functions as vectorizable arithmetic, by name. `sqrt`, `floor`, `ceil`, `trunc`, `nearbyint` and `fabs` are
 * instructions and not here. 16-bit floats are computed in float32.
 */
export const wasmIntrinRules: ReadonlyMap<string, IntrinRule> = new Map<string, IntrinRule>([
  ["tir.exp", unary(exp)],
  ["tir.exp2", unary(exp2)],
  ["tir.exp10", unary(exp10)],
  ["tir.log", unary(log)],
  ["tir.log2", unary(log2)],
  ["tir.log10", unary(log10)],
  ["tir.log1p", unary(log1p)],
  ["tir.pow", binary(pow)],
  ["tir.tanh", unary(tanh)],
  ["tir.sigmoid", unary(sigmoid)],
  ["tir.erf", unary(erf)],
  ["tir.rsqrt", unary((x) => div(like(1, x), squareRoot(x)))],
  ["tir.round", unary(nearest)],
  ["tir.sin", unary(sin)],
  ["tir.cos", unary(cos)],
  ["tir.tan", unary(tan)],
  ["tir.asin", unary(asin)],
  ["tir.acos", unary(acos)],
  ["tir.atan", unary(atan)],
  ["tir.sinh", unary(sinh)],
  ["tir.cosh", unary(cosh)],
  ["tir.asinh", unary(asinh)],
  ["tir.acosh", unary(acosh)],
  ["tir.atanh", unary(atanh)],
  ["tir.atan2", binary(atan2)],
  ["tir.fmod", binary(throughDouble(remainder))],
  ["tir.hypot", binary(throughDouble((x, y) => squareRoot(add(mul(x, x), mul(y, y)))))],
  ["tir.ldexp", binary((x, y) => mul(x, exp2(y)))],
  ["tir.isinf", ({ args: [x] }) => (x === undefined ? undefined : eq(absolute(x), like(Infinity, x)))],
  ["tir.isfinite", ({ args: [x] }) => (x === undefined ? undefined : lt(absolute(x), like(Infinity, x)))],
  ["tir.q_multiply_shift", multiplyShift],
]);
