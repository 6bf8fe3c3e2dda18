import { makeFloatImm, makeIntImm, makeOp, type FloatImm, type IntImm } from "@verticil/ir-core";
import { isFloat, isInteger, lanesOf, parseDType, scalarOf, withLanes, type DType } from "@verticil/runtime-ffi";
import type { ArithKind, BinaryExpr, CompareKind, PrimExpr } from "./expr.ts";
import { foldArith, foldCompare } from "./fold-constants.ts";
import { makeBinary, makeBroadcast, makeCall, makeCast, makeNot, makeSelect } from "./make-expr.ts";
import { intrinOp } from "./intrin.ts";

// The operators that people and passes build expressions with. As upstream's `tir/op/op.cc` they match the types of
// their operands and fold constants and identities, and nothing else: `x - x` is left for the simplifier.

/** An expression or a plain number, which takes the type of its neighbour (int32, or float32 if it has a fraction). */
export type ExprLike = PrimExpr | number | bigint | boolean;

/** A constant of `dtype`: an `IntImm`, a `FloatImm`, or a broadcast of one. */
export function constant(value: number | bigint | boolean, dtype: DType): PrimExpr {
  const { scalar, code, lanes } = parseDType(dtype);
  const imm = code.includes("float") ? makeFloatImm(Number(value), scalar) : makeIntImm(typeof value === "boolean" ? Number(value) : value, scalar);
  return lanes === 1 ? imm : makeBroadcast(imm, lanes);
}

/** The number of lanes as an expression: a constant, or a multiple of the hardware's `vscale`. */
export function laneCount(lanes: number, dtype: DType = "int32"): PrimExpr {
  if (lanes > 0) return constant(lanes, dtype);
  return mul(cast(dtype, makeCall("int32", makeOp("tir.vscale"), [])), constant(-lanes, dtype));
}

/** The lanes that an expression stands for, negative for a multiple of `vscale`; undefined if it is neither. */
export function lanesFromExpr(e: PrimExpr): number | undefined {
  if (e.kind === "ir.IntImm") return asInt(e);
  if (e.kind !== "tir.Mul") return isVscale(e) ? -1 : undefined;
  const factor = isVscale(e.a) ? asInt(e.b) : isVscale(e.b) ? asInt(e.a) : undefined;
  return factor === undefined ? undefined : -factor;
}

function isVscale(e: PrimExpr): boolean {
  return e.kind === "tir.Call" && e.op.kind === "ir.Op" && e.op.name === "tir.vscale";
}

/** An expression from a plain value; `dtype` says the type of a number. */
export function toExpr(value: ExprLike, dtype?: DType): PrimExpr {
  if (typeof value === "object") return value;
  if (typeof value === "boolean") return makeIntImm(value ? 1 : 0, dtype ?? "bool");
  if (dtype !== undefined) return constant(value, dtype);
  return typeof value === "bigint" || Number.isInteger(value) ? makeIntImm(value) : makeFloatImm(value);
}

/** True for an integer or bool constant equal to `value`. */
export function isConstInt(e: PrimExpr, value?: number): e is IntImm {
  return e.kind === "ir.IntImm" && (value === undefined || e.value === value);
}

/** True for a constant of any scalar type. */
export function isConst(e: PrimExpr): e is IntImm | FloatImm {
  return e.kind === "ir.IntImm" || e.kind === "ir.FloatImm";
}

/** The value of an integer constant as a number, or undefined if it is none or not a safe integer. */
export function asInt(e: PrimExpr): number | undefined {
  return e.kind === "ir.IntImm" && typeof e.value === "number" ? e.value : undefined;
}

/**
 * Both operands in one type, by upstream's rules: a plain number follows the other side, scalars are broadcast to
 * vectors, the wider type wins, floats over integers, int64 over int32.
 * @throws TypeError where upstream refuses to guess, as for int32 with uint32 of the same width it takes the signed one.
 */
export function matchTypes(a: ExprLike, b: ExprLike): readonly [PrimExpr, PrimExpr] {
  const x = typeof a === "object" ? a : toExpr(a, typeof b === "object" && (typeof a !== "boolean") ? numberType(a, b.dtype) : undefined);
  const y = typeof b === "object" ? b : toExpr(b, typeof b !== "boolean" ? numberType(b, x.dtype) : undefined);
  if (x.dtype === y.dtype) return [x, y];
  const lanes = lanesOf(x.dtype) === 1 ? lanesOf(y.dtype) : lanesOf(x.dtype);
  const scalar = commonScalar(x.dtype, y.dtype);
  const dtype = withLanes(scalar, lanes);
  return [cast(dtype, x), cast(dtype, y)];
}

function numberType(value: number | bigint, other: DType): DType {
  const scalar = scalarOf(other);
  if (isFloat(scalar)) return scalar;
  if (typeof value === "number" && !Number.isInteger(value)) return "float32";
  return scalar === "bool" || scalar === "handle" ? "int32" : scalar;
}

function commonScalar(a: DType, b: DType): DType {
  const x = scalarOf(a);
  const y = scalarOf(b);
  if (x === y) return x;
  if (x === "handle" || y === "handle") throw new TypeError(`No operation takes ${a} and ${b}.`);
  if (isFloat(x) !== isFloat(y)) return isFloat(x) ? x : y;
  if (x === "bool") return y;
  if (y === "bool") return x;
  const px = parseDType(x);
  const py = parseDType(y);
  if (px.bits !== py.bits) return px.bits > py.bits ? x : y;
  return px.code === "int" ? x : y;
}

/** Conversion to `dtype`; nothing if it is that already, folded if constant, a broadcast if lanes are added. */
export function cast(dtype: DType, value: PrimExpr): PrimExpr {
  if (value.dtype === dtype) return value;
  const lanes = lanesOf(dtype);
  if (lanesOf(value.dtype) === 1 && lanes !== 1) return makeBroadcast(cast(scalarOf(dtype), value), lanes);
  if (value.kind === "tir.Broadcast") return makeBroadcast(cast(scalarOf(dtype), value.value), value.lanes);
  if (value.kind === "ir.IntImm") {
    if (isFloat(dtype)) return makeFloatImm(Number(value.value), dtype);
    if (dtype === "bool") return makeIntImm(value.value === 0 ? 0 : 1, "bool");
    const { bits, code } = parseDType(dtype);
    if (isInteger(dtype)) {
      const wrapped = code === "uint" ? BigInt.asUintN(bits, BigInt(value.value)) : BigInt.asIntN(bits, BigInt(value.value));
      return makeIntImm(wrapped, dtype);
    }
  }
  if (value.kind === "ir.FloatImm") {
    if (isFloat(dtype)) return makeFloatImm(value.value, dtype);
    if (dtype === "bool") return makeIntImm(value.value === 0 ? 0 : 1, "bool");
    if (isInteger(dtype) && Number.isSafeInteger(Math.trunc(value.value))) return makeIntImm(Math.trunc(value.value), dtype);
  }
  return makeCast(dtype, value);
}

function arith(kind: ArithKind, a: ExprLike, b: ExprLike): PrimExpr {
  const [x, y] = matchTypes(a, b);
  return foldArith(kind, x, y) ?? makeBinary(kind, x, y);
}

function compare(kind: CompareKind, a: ExprLike, b: ExprLike): PrimExpr {
  const [x, y] = matchTypes(a, b);
  return foldCompare(kind, x, y) ?? makeBinary(kind, x, y);
}

export function add(a: ExprLike, b: ExprLike): PrimExpr {
  return arith("tir.Add", a, b);
}
export function sub(a: ExprLike, b: ExprLike): PrimExpr {
  return arith("tir.Sub", a, b);
}
export function mul(a: ExprLike, b: ExprLike): PrimExpr {
  return arith("tir.Mul", a, b);
}
/** Division: of floats exact, of integers truncated towards zero. */
export function div(a: ExprLike, b: ExprLike): PrimExpr {
  return arith("tir.Div", a, b);
}
/** Remainder of truncated division; takes the sign of `a`. */
export function truncMod(a: ExprLike, b: ExprLike): PrimExpr {
  return arith("tir.Mod", a, b);
}
/** Division rounded down; of floats `floor(a / b)`. */
export function floorDiv(a: ExprLike, b: ExprLike): PrimExpr {
  const [x, y] = matchTypes(a, b);
  if (isFloat(x.dtype)) return intrin("floor", x.dtype, [div(x, y)]);
  return arith("tir.FloorDiv", x, y);
}
/** Remainder of floor division; takes the sign of `b`. */
export function floorMod(a: ExprLike, b: ExprLike): PrimExpr {
  const [x, y] = matchTypes(a, b);
  if (isFloat(x.dtype)) return sub(x, mul(floorDiv(x, y), y));
  return arith("tir.FloorMod", x, y);
}
/** Integer division rounded up. */
export function ceilDiv(a: ExprLike, b: ExprLike): PrimExpr {
  const [x, y] = matchTypes(a, b);
  return floorDiv(add(x, sub(y, 1)), y);
}
export function min(a: ExprLike, b: ExprLike): PrimExpr {
  return arith("tir.Min", a, b);
}
export function max(a: ExprLike, b: ExprLike): PrimExpr {
  return arith("tir.Max", a, b);
}
export function eq(a: ExprLike, b: ExprLike): PrimExpr {
  return compare("tir.EQ", a, b);
}
export function ne(a: ExprLike, b: ExprLike): PrimExpr {
  return compare("tir.NE", a, b);
}
export function lt(a: ExprLike, b: ExprLike): PrimExpr {
  return compare("tir.LT", a, b);
}
export function le(a: ExprLike, b: ExprLike): PrimExpr {
  return compare("tir.LE", a, b);
}
export function gt(a: ExprLike, b: ExprLike): PrimExpr {
  return compare("tir.GT", a, b);
}
export function ge(a: ExprLike, b: ExprLike): PrimExpr {
  return compare("tir.GE", a, b);
}

/** Negation: `0 - a` for integers as upstream, `a * -1` folded for constants. */
export function neg(a: PrimExpr): PrimExpr {
  return sub(constant(0, a.dtype), a);
}

/** Conjunction; a constant operand decides or disappears. */
export function and(a: PrimExpr, b: PrimExpr): PrimExpr {
  if (isConstInt(a)) return a.value === 0 ? a : b;
  if (isConstInt(b)) return b.value === 0 ? b : a;
  return logic("tir.And", a, b);
}

/** Disjunction; a constant operand decides or disappears. */
export function or(a: PrimExpr, b: PrimExpr): PrimExpr {
  if (isConstInt(a)) return a.value === 0 ? b : a;
  if (isConstInt(b)) return b.value === 0 ? a : b;
  return logic("tir.Or", a, b);
}

function logic(kind: "tir.And" | "tir.Or", a: PrimExpr, b: PrimExpr): BinaryExpr {
  const [x, y] = matchTypes(a, b);
  return makeBinary(kind, x, y);
}

export function not(a: PrimExpr): PrimExpr {
  return isConstInt(a) ? makeIntImm(a.value === 0 ? 1 : 0, "bool") : makeNot(a);
}

/** The conjunction of all; `true` of none. */
export function allOf(conditions: readonly PrimExpr[]): PrimExpr {
  return conditions.reduce<PrimExpr>((acc, c) => and(acc, c), makeIntImm(1, "bool"));
}

/** `condition ? t : f`, both evaluated; decided at once by a constant condition. */
export function select(condition: PrimExpr, t: ExprLike, f: ExprLike): PrimExpr {
  const [x, y] = matchTypes(t, f);
  if (isConstInt(condition)) return condition.value === 0 ? y : x;
  return makeSelect(condition, x, y);
}

/** `condition ? t : f`, evaluating only the value taken; decided at once by a constant condition. */
export function ifThenElse(condition: PrimExpr, t: ExprLike, f: ExprLike): PrimExpr {
  const [x, y] = matchTypes(t, f);
  if (isConstInt(condition)) return condition.value === 0 ? y : x;
  return makeCall(x.dtype, intrinOp("if_then_else"), [condition, x, y]);
}

/** A call of a builtin by its short name. */
export function intrin(name: string, dtype: DType, args: readonly PrimExpr[]): PrimExpr {
  return makeCall(dtype, intrinOp(name), args);
}

const LARGEST: Readonly<Record<string, number>> = {
  float64: Number.MAX_VALUE,
  float16: 65504,
  bfloat16: 3.3895313892515355e38,
  float8_e4m3fn: 448,
  float8_e5m2: 57344,
  float8_e4m3fnuz: 240,
  float8_e5m2fnuz: 57344,
  float4_e2m1fn: 6,
};

function largestFinite(dtype: DType): number {
  return LARGEST[scalarOf(dtype)] ?? 3.4028234663852886e38;
}

/** The smallest finite value of a type (upstream's `min_value`). */
export function minValue(dtype: DType): PrimExpr {
  const { code, bits } = parseDType(dtype);
  if (isFloat(dtype)) return constant(-largestFinite(dtype), dtype);
  if (code === "int") return constant(-(2n ** BigInt(bits - 1)), dtype);
  return constant(0, dtype);
}

/** The largest finite value of a type (upstream's `max_value`). */
export function maxValue(dtype: DType): PrimExpr {
  const { code, bits } = parseDType(dtype);
  if (isFloat(dtype)) return constant(largestFinite(dtype), dtype);
  if (code === "int") return constant(2n ** BigInt(bits - 1) - 1n, dtype);
  if (code === "uint") return constant(2n ** BigInt(bits) - 1n, dtype);
  return constant(1, dtype);
}
