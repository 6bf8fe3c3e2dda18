import { at } from "@verticil/ir-core";
import { isFloat, parseDType, scalarOf, type ScalarDType } from "@verticil/runtime-ffi";
import {
  add,
  and,
  asInt,
  cast,
  constant,
  div,
  eq,
  floorDiv,
  floorMod,
  ge,
  gt,
  intrin,
  isConstInt,
  le,
  lt,
  max,
  min,
  mul,
  ne,
  not,
  or,
  select,
  sub,
  truncMod,
  type PrimExpr,
} from "@verticil/tir";
import { compute } from "../compute.ts";
import { Tensor } from "../tensor.ts";

/** A tensor, or a scalar of the same type. */
export type Operand = Tensor | PrimExpr;

/** The shape that results from broadcasting. @throws RangeError if two constant dimensions do not fit. */
export function broadcastShape(shapes: readonly (readonly PrimExpr[])[]): readonly PrimExpr[] {
  const ndim = Math.max(0, ...shapes.map((s) => s.length));
  return Array.from({ length: ndim }, (_, i) => {
    let out: PrimExpr = constant(1, "int64");
    for (const s of shapes) {
      const d = s[i - ndim + s.length];
      const size = d === undefined ? 1 : asInt(d);
      if (d === undefined || size === 1) continue;
      const known = asInt(out);
      if (known !== undefined && known !== 1 && size !== undefined && known !== size) {
        throw new RangeError(`Dimensions ${known} and ${size} do not broadcast.`);
      }
      // A constant says more than a variable of the same value.
      if (known === 1 || size !== undefined) out = d;
    }
    return out;
  });
}

/** The element of `x` that a cell of a larger shape reads: dimensions of size 1 that are not so there are read at 0. */
export function broadcastAt(x: Tensor, indices: readonly PrimExpr[], shape: readonly PrimExpr[]): PrimExpr {
  const indexOf = (d: PrimExpr, i: number): PrimExpr => {
    const k = i - x.ndim + indices.length;
    return isConstInt(d, 1) && !isConstInt(at(shape, k), 1) ? constant(0, d.dtype) : at(indices, k);
  };
  return x.at(...x.shape.map(indexOf));
}

/** An element-wise function of several operands, with broadcasting. */
export function broadcast(operands: readonly Operand[], f: (...values: readonly PrimExpr[]) => PrimExpr, name: string): Tensor {
  const shape = broadcastShape(operands.map((o) => (o instanceof Tensor ? o.shape : [])));
  const value = (o: Operand, i: readonly PrimExpr[]): PrimExpr => (o instanceof Tensor ? broadcastAt(o, i, shape) : o);
  return compute(shape, (...i) => f(...operands.map((o) => value(o, i))), name, { axes: "ax", tag: "broadcast" });
}

function some(value: PrimExpr | undefined): PrimExpr {
  if (value === undefined) throw new RangeError("An operand is missing.");
  return value;
}

/** Two operands to a tensor of the broadcast shape. */
export type Binary = (a: Operand, b: Operand) => Tensor;

function binary(name: string, f: (a: PrimExpr, b: PrimExpr) => PrimExpr): Binary {
  return (a, b) => broadcast([a, b], (x, y) => f(some(x), some(y)), `T_${name}`);
}

function bits(op: string): (a: PrimExpr, b: PrimExpr) => PrimExpr {
  return (a, b) => (a.dtype === "bool" ? boolBits(op, a, b) : intrin(op, a.dtype, [a, b]));
}

function boolBits(op: string, a: PrimExpr, b: PrimExpr): PrimExpr {
  return op === "bitwise_and" ? and(a, b) : op === "bitwise_or" ? or(a, b) : ne(a, b);
}

function asBool(x: PrimExpr): PrimExpr {
  return x.dtype === "bool" ? x : ne(x, constant(0, x.dtype));
}

/** Logic on numbers: their truth, stored in their type. */
function logic(f: (a: PrimExpr, b: PrimExpr) => PrimExpr): (a: PrimExpr, b: PrimExpr) => PrimExpr {
  return (a, b) => cast(a.dtype, f(asBool(a), asBool(b)));
}

/**
 * `a` to the power of `b`; of integers too, whose powers are computed in float64. That may be off by a little: something is
 * added that is larger, and too small to make a half, the largest power with a negative exponent, one.
 */
function powExpr(a: PrimExpr, b: PrimExpr): PrimExpr {
  if (isFloat(a.dtype)) return intrin("pow", a.dtype, [a, b]);
  const power = intrin("pow", "float64", [cast("float64", a), cast("float64", b)]);
  const off = constant(0.25, "float64");
  return cast(a.dtype, select(lt(power, constant(0, "float64")), sub(power, off), add(power, off)));
}

/** Remainder with the sign of the dividend. */
function modExpr(a: PrimExpr, b: PrimExpr): PrimExpr {
  return isFloat(a.dtype) ? intrin("fmod", a.dtype, [a, b]) : truncMod(a, b);
}

function logAddExp2(a: PrimExpr, b: PrimExpr): PrimExpr {
  const top = max(a, b);
  const e = (x: PrimExpr): PrimExpr => intrin("exp", x.dtype, [sub(x, top)]);
  return add(top, intrin("log", a.dtype, [add(e(a), e(b))]));
}

/** The binary operators by upstream's names. */
export const binaryOps: Readonly<Record<string, Binary>> = {
  add: binary("add", add),
  subtract: binary("subtract", sub),
  multiply: binary("multiply", mul),
  divide: binary("divide", div),
  floor_divide: binary("floor_divide", floorDiv),
  mod: binary("mod", modExpr),
  floor_mod: binary("floor_mod", floorMod),
  power: binary("power", powExpr),
  maximum: binary("maximum", max),
  minimum: binary("minimum", min),
  left_shift: binary("left_shift", (a, b) => intrin("shift_left", a.dtype, [a, b])),
  right_shift: binary("right_shift", (a, b) => intrin("shift_right", a.dtype, [a, b])),
  bitwise_and: binary("bitwise_and", bits("bitwise_and")),
  bitwise_or: binary("bitwise_or", bits("bitwise_or")),
  bitwise_xor: binary("bitwise_xor", bits("bitwise_xor")),
  logical_and: binary("logical_and", logic(and)),
  logical_or: binary("logical_or", logic(or)),
  logical_xor: binary("logical_xor", logic((a, b) => or(and(a, not(b)), and(not(a), b)))),
  equal: binary("equal", eq),
  not_equal: binary("not_equal", ne),
  greater: binary("greater", gt),
  greater_equal: binary("greater_equal", ge),
  less: binary("less", lt),
  less_equal: binary("less_equal", le),
  log_add_exp: binary("log_add_exp", logAddExp2),
  atan2: binary("atan2", (a, b) => intrin("atan2", a.dtype, [a, b])),
};

function named(name: string): Binary {
  const op = binaryOps[name];
  if (op === undefined) throw new Error(`There is no operator ${name}.`);
  return op;
}

export const addTensors: Binary = named("add");
export const subtract: Binary = named("subtract");
export const multiply: Binary = named("multiply");
export const divide: Binary = named("divide");

/** `x1` where the condition holds, `x2` elsewhere. */
export function where(condition: Operand, x1: Operand, x2: Operand): Tensor {
  return broadcast([condition, x1, x2], (c, a, b) => select(asBool(some(c)), some(a), some(b)), "T_where");
}

/** `x1 * x2 + x3`. */
export function ewiseFma(x1: Operand, x2: Operand, x3: Operand): Tensor {
  return broadcast([x1, x2, x3], (a, b, c) => add(mul(some(a), some(b)), some(c)), "T_fma");
}

/** A tensor of another shape that reads the same elements again. */
export function broadcastTo(x: Tensor, shape: readonly PrimExpr[]): Tensor {
  return compute(shape, (...i) => broadcastAt(x, i, shape), "T_broadcast_to", { axes: "ax", tag: "broadcast" });
}

/** The type that holds the sums and products of a narrow type without loss; float32 for half floats. */
export function accumulatorOf(dtype: ScalarDType): ScalarDType {
  const { code, bits: width } = parseDType(dtype);
  if (isFloat(dtype)) return width < 32 ? "float32" : dtype;
  return width < 32 ? (code === "uint" ? "uint32" : "int32") : scalarOf(dtype);
}
