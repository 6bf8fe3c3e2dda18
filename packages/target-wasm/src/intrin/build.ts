import { lanesOf, scalarOf, withLanes, type DType, type ScalarDType } from "@verticil/runtime-ffi";
import { add, cast, constant, intrin, makeBinary, makeLet, makeVar, mul, select, type PrimExpr } from "@verticil/tir";

/** `body` with `value` in a variable, computed once. What is a variable or a constant already stands for itself. */
export function bind(name: string, value: PrimExpr, body: (v: PrimExpr) => PrimExpr): PrimExpr {
  const { kind } = value;
  if (kind === "tir.Var" || kind === "tir.SizeVar" || kind === "ir.FloatImm" || kind === "ir.IntImm") return body(value);
  const v = makeVar(name, value.dtype);
  return makeLet(v, value, body(v));
}

/** A constant in every lane of `like`'s type. */
export function like(value: number | bigint, e: PrimExpr): PrimExpr {
  return constant(value, e.dtype);
}

/** Another scalar type with the lanes of `dtype`. */
export function withScalar(dtype: DType, scalar: ScalarDType): DType {
  return withLanes(scalar, lanesOf(dtype));
}

/** The polynomial with `coefficients` from the highest power down, by Horner's rule. */
export function polynomial(x: PrimExpr, coefficients: readonly number[]): PrimExpr {
  const [first = 0, ...rest] = coefficients;
  return rest.reduce<PrimExpr>((sum, c) => add(mul(sum, x), like(c, x)), like(first, x));
}

/** The bits of a float as a signed integer of its size. */
export function bitsOf(x: PrimExpr): PrimExpr {
  return intrin("reinterpret", withScalar(x.dtype, scalarOf(x.dtype) === "float64" ? "int64" : "int32"), [x]);
}

/** The float with these bits. */
export function fromBits(bits: PrimExpr): PrimExpr {
  return intrin("reinterpret", withScalar(bits.dtype, scalarOf(bits.dtype) === "int64" ? "float64" : "float32"), [bits]);
}

export function shiftLeft(a: PrimExpr, count: number): PrimExpr {
  return intrin("shift_left", a.dtype, [a, like(count, a)]);
}

/** Rounds down. */
export function shiftRight(a: PrimExpr, count: number): PrimExpr {
  return intrin("shift_right", a.dtype, [a, like(count, a)]);
}

export function nearest(x: PrimExpr): PrimExpr {
  return intrin("nearbyint", x.dtype, [x]);
}

export function absolute(x: PrimExpr): PrimExpr {
  return intrin("fabs", x.dtype, [x]);
}

export function squareRoot(x: PrimExpr): PrimExpr {
  return intrin("sqrt", x.dtype, [x]);
}

/** `magnitude` (not negative) with the sign of `sign`. */
export function withSignOf(magnitude: PrimExpr, sign: PrimExpr): PrimExpr {
  return intrin("copysign", magnitude.dtype, [magnitude, sign]);
}

/** `condition ? t : f` with plain numbers for floats. */
export function choose(condition: PrimExpr, t: PrimExpr | number, f: PrimExpr): PrimExpr {
  return select(condition, typeof t === "number" ? like(t, f) : t, f);
}

/** x brought into [lo, hi]; NaN stays NaN, as it comes before either bound. */
export function clamp(x: PrimExpr, lo: number, hi: number): PrimExpr {
  return makeBinary("tir.Min", makeBinary("tir.Max", x, like(lo, x)), like(hi, x));
}

export function isDouble(e: PrimExpr): boolean {
  return scalarOf(e.dtype) === "float64";
}

/** `f` on a value of float32; the result in the value's type again. For 16-bit floats. */
export function inSingle(x: PrimExpr, f: (x: PrimExpr) => PrimExpr): PrimExpr {
  const scalar = scalarOf(x.dtype);
  if (scalar === "float32" || scalar === "float64") return f(x);
  return cast(x.dtype, f(cast(withScalar(x.dtype, "float32"), x)));
}

export function toDouble(x: PrimExpr): PrimExpr {
  return cast(withScalar(x.dtype, "float64"), x);
}

export function toSingle(x: PrimExpr): PrimExpr {
  return cast(withScalar(x.dtype, "float32"), x);
}
