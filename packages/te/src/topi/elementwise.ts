import type { ScalarDType } from "@verticil/runtime-ffi";
import { isFloat, isInteger, parseDType } from "@verticil/runtime-ffi";
import { add, cast as castExpr, constant, div, gt, intrin, lt, max, min, mul, select, sub, toExpr, type ExprLike, type PrimExpr } from "@verticil/tir";
import { compute } from "../compute.ts";
import type { Tensor } from "../tensor.ts";

/** A tensor of the same shape, each element a function of the element (upstream's `elemwise` tag). */
export function elementwise(x: Tensor, f: (v: PrimExpr) => PrimExpr, name = "compute"): Tensor {
  return compute(x.shape, (...i) => f(x.at(...i)), name, { tag: "elemwise" });
}

function math(name: string): (x: Tensor) => Tensor {
  return (x) => elementwise(x, (v) => intrin(name, v.dtype, [v]));
}

/** A function of float32 accuracy that halves are widened for. */
function widened(name: string): (x: Tensor) => Tensor {
  return (x) => elementwise(x, (v) => (v.dtype === "float16" ? castExpr("float16", intrin(name, "float32", [castExpr("float32", v)])) : intrin(name, v.dtype, [v])));
}

/** One tensor to one tensor of the same shape. */
export type Unary = (x: Tensor) => Tensor;

export const acos: Unary = math("acos");
export const acosh: Unary = math("acosh");
export const asin: Unary = math("asin");
export const asinh: Unary = math("asinh");
export const atan: Unary = math("atan");
export const atanh: Unary = math("atanh");
export const cos: Unary = math("cos");
export const cosh: Unary = math("cosh");
export const erf: Unary = widened("erf");
export const exp: Unary = math("exp");
export const log: Unary = math("log");
export const rsqrt: Unary = math("rsqrt");
export const sigmoid: Unary = math("sigmoid");
export const sin: Unary = math("sin");
export const sinh: Unary = math("sinh");
export const sqrt: Unary = math("sqrt");
export const tan: Unary = math("tan");
export const tanh: Unary = math("tanh");

/** Functions that leave integers as they are. */
function rounding(name: string): Unary {
  return (x) => elementwise(x, (v) => (isFloat(v.dtype) ? intrin(name, v.dtype, [v]) : v));
}

export const ceil: Unary = rounding("ceil");
export const floor: Unary = rounding("floor");
/** To the nearest integer; ties go to the even one, as in ONNX and NumPy. */
export const round: Unary = rounding("nearbyint");
export const trunc: Unary = rounding("trunc");

export const abs: Unary = (x) =>
  elementwise(x, (v) => (isFloat(v.dtype) ? intrin("fabs", v.dtype, [v]) : parseDType(v.dtype).code === "uint" ? v : max(v, sub(constant(0, v.dtype), v))));
export const negative: Unary = (x) => elementwise(x, (v) => mul(v, constant(-1, v.dtype)));
export const square: Unary = (x) => elementwise(x, (v) => mul(v, v), "T_multiply");
export const sign: Unary = (x) =>
  elementwise(
    x,
    (v) => {
      const zero = constant(0, v.dtype);
      const below = parseDType(v.dtype).code === "uint" ? zero : select(lt(v, zero), constant(-1, v.dtype), zero);
      return select(gt(v, zero), constant(1, v.dtype), below);
    },
    "T_sign",
  );
export const logicalNot: Unary = (x) => elementwise(x, (v) => (v.dtype === "bool" ? notOf(v) : isZero(v)), "T_logical_not");
export const bitwiseNot: Unary = (x) => elementwise(x, (v) => intrin("bitwise_not", v.dtype, [v]), "T_bitwise_not");

function notOf(v: PrimExpr): PrimExpr {
  return { kind: "tir.Not", dtype: "bool", a: v };
}

function isZero(v: PrimExpr): PrimExpr {
  return { kind: "tir.EQ", dtype: "bool", a: v, b: constant(0, v.dtype) };
}

function check(name: string): Unary {
  return (x) => elementwise(x, (v) => (isFloat(v.dtype) ? intrin(name, "bool", [v]) : constant(name === "isfinite", "bool")), `T_${name}`);
}

export const isfinite: Unary = check("isfinite");
export const isinf: Unary = check("isinf");
export const isnan: Unary = check("isnan");

/** Element-wise conversion; a tensor that has the type already is copied. */
export function cast(x: Tensor, dtype: ScalarDType): Tensor {
  return elementwise(x, (v) => castExpr(dtype, v));
}

/** The values limited to `[low, high]`. */
export function clip(x: Tensor, low: ExprLike, high: ExprLike): Tensor {
  return elementwise(x, (v) => max(min(v, bound(high, v.dtype)), bound(low, v.dtype)));
}

/** A limit in the type of the values; out of an integer type's range it is the type's own limit. */
function bound(limit: ExprLike, dtype: PrimExpr["dtype"]): PrimExpr {
  const e = toExpr(limit, typeof limit === "number" && !isFloat(dtype) && !Number.isInteger(limit) ? "float32" : dtype);
  if (e.kind !== "ir.FloatImm" || !isInteger(dtype)) return castExpr(dtype, e);
  const { code, bits } = parseDType(dtype);
  const low = code === "uint" ? 0 : -(2 ** (bits - 1));
  const high = code === "uint" ? 2 ** bits - 1 : 2 ** (bits - 1) - 1;
  if (e.value <= low) return constant(low, dtype);
  if (e.value >= high) return constant(BigInt(code === "uint" ? 2n ** BigInt(bits) : 2n ** BigInt(bits - 1)) - 1n, dtype);
  return constant(Math.trunc(e.value), dtype);
}

export const relu: Unary = (x) => elementwise(x, (v) => max(v, constant(0, v.dtype)));

/** `x` where positive, `x * alpha` elsewhere. */
export function leakyRelu(x: Tensor, alpha: number): Tensor {
  return elementwise(x, (v) => select(gt(v, constant(0, v.dtype)), v, mul(v, constant(alpha, v.dtype))));
}

/** `x` where positive, `x * slope[channel]` elsewhere. */
export function prelu(x: Tensor, slope: Tensor, axis: number): Tensor {
  const a = axis < 0 ? axis + x.ndim : axis;
  return compute(
    x.shape,
    (...i) => {
      const v = x.at(...i);
      const s = slope.ndim === 0 ? slope.at() : slope.at(isOne(slope) ? 0 : (i[a] ?? 0));
      return select(gt(v, constant(0, v.dtype)), v, mul(v, s));
    },
    "compute",
    { tag: "broadcast" },
  );
}

function isOne(t: Tensor): boolean {
  const size = t.shape[0];
  return size?.kind === "ir.IntImm" && size.value === 1;
}

/** `log(1 + exp(beta x)) / beta`, and `x` itself above the threshold. */
export function softplus(x: Tensor, beta: number, threshold: number): Tensor {
  return elementwise(x, (v) => {
    const b = constant(beta, v.dtype);
    const soft = div(intrin("log", v.dtype, [add(constant(1, v.dtype), intrin("exp", v.dtype, [mul(b, v)]))]), b);
    return select(gt(mul(v, b), constant(threshold, v.dtype)), v, soft);
  });
}

/** `x Φ(x)`, exactly. */
export const gelu: Unary = (x) =>
  elementwise(x, (v) => {
    const half = constant(0.5, v.dtype);
    const scaled = mul(v, constant(Math.SQRT1_2, v.dtype));
    const e = v.dtype === "float16" ? castExpr("float16", intrin("erf", "float32", [castExpr("float32", scaled)])) : intrin("erf", v.dtype, [scaled]);
    return mul(v, add(half, mul(e, half)));
  }, "T_gelu");

/** `x Φ(x)` with the tanh approximation. */
export const geluTanh: Unary = (x) =>
  elementwise(x, (v) => {
    const c = (value: number): PrimExpr => constant(value, v.dtype);
    const inner = mul(mul(c(Math.sqrt(2 / Math.PI)), v), add(c(1), mul(mul(c(0.044715), v), v)));
    return mul(mul(c(0.5), v), add(c(1), intrin("tanh", v.dtype, [inner])));
  }, "T_gelu_tanh");

/** The self-normalizing exponential linear unit. */
export const selu: Unary = (x) =>
  elementwise(x, (v) => {
    const c = (value: number): PrimExpr => constant(value, v.dtype);
    const below = min(c(0), mul(c(1.6732632423543772), sub(intrin("exp", v.dtype, [v]), c(1))));
    return mul(c(1.0507009873554805), add(max(v, c(0)), below));
  }, "T_selu");

/** `x sigmoid(x)`, in two steps as upstream. */
export const silu: Unary = (x) => {
  const s = sigmoid(x);
  return compute(x.shape, (...i) => mul(x.at(...i), s.at(...i)), "T_multiply", { axes: "ax", tag: "broadcast" });
};

/** The same elements in a tensor of its own. */
export const identity: Unary = (x) => elementwise(x, (v) => v, "T_identity");
export const log2: Unary = math("log2");
export const log10: Unary = math("log10");

/** The smallest whole power of two that is not less, as its exponent; of integers exact. */
export const ceilLog2: Unary = (x) =>
  elementwise(
    x,
    (v) => {
      if (isFloat(v.dtype)) return intrin("ceil", v.dtype, [intrin("log2", v.dtype, [v])]);
      const { bits } = parseDType(v.dtype);
      const steps = Array.from({ length: bits }, (_, i) => castExpr(v.dtype, gt(v, constant(2n ** BigInt(i), v.dtype))));
      return steps.slice(0, parseDType(v.dtype).code === "int" ? bits - 1 : bits).reduce((sum, step) => add(sum, step));
    },
    "T_ceil_log2",
  );

/** The bits of each element as another type of the same width. @throws TypeError if the widths differ. */
export function reinterpret(x: Tensor, dtype: ScalarDType): Tensor {
  if (parseDType(x.dtype).bits !== parseDType(dtype).bits) throw new TypeError(`The bits of ${x.dtype} are not those of ${dtype}.`);
  return elementwise(x, (v) => intrin("reinterpret", dtype, [v]), "T_reinterpret");
}

/** int32 elements times `multiplier * 2^(shift - 31)`, rounded half up. */
export function fixedPointMultiply(x: Tensor, multiplier: number, shift: number): Tensor {
  const right = 31 - shift;
  return elementwise(
    x,
    (v) => {
      const product = mul(castExpr("int64", v), constant(multiplier, "int64"));
      const half = right > 0 ? 2n ** BigInt(right - 1) : 0n;
      return castExpr("int32", intrin("shift_right", "int64", [add(product, constant(half, "int64")), constant(right, "int64")]));
    },
    "T_fixed_point_multiply",
  );
}
