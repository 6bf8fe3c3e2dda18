import { at } from "@verticil/ir-core";
import { isFloat, type ScalarDType } from "@verticil/runtime-ffi";
import {
  add,
  and,
  cast,
  constant,
  div,
  eq,
  floorMod,
  ge,
  gt,
  isConst,
  le,
  lt,
  max,
  min,
  mul,
  neg,
  not,
  or,
  select,
  sub,
  truncMod,
  type PrimExpr,
} from "@verticil/tir";
import type { Known } from "../known.ts";
import { dtypeOf } from "../proto/tensor.ts";
import { broadcastShapes, offsetOf, positions } from "./broadcast.ts";
import type { Fold } from "./fold-node.ts";

type Combine = (...values: readonly PrimExpr[]) => PrimExpr | undefined;

/** Element by element with broadcasting; nothing is folded where `combine` gives up on an element. */
function elementwise(combine: Combine, inputs: readonly Known[], dtype: ScalarDType): Known | undefined {
  const shape = broadcastShapes(inputs.map((k) => k.shape));
  if (shape === undefined) return undefined;
  const elems: PrimExpr[] = [];
  for (const position of positions(shape)) {
    const value = combine(...inputs.map((k) => at(k.elems, offsetOf(position, k.shape))));
    if (value === undefined) return undefined;
    elems.push(value);
  }
  return { dtype, shape, elems };
}

const binary =
  (f: (a: PrimExpr, b: PrimExpr) => PrimExpr): Fold =>
  (_ctx, inputs) =>
    elementwise((a, b) => (a === undefined || b === undefined ? undefined : f(a, b)), inputs, at(inputs, 0).dtype);

const variadic =
  (f: (a: PrimExpr, b: PrimExpr) => PrimExpr): Fold =>
  (_ctx, inputs) =>
    elementwise((...values) => values.reduce(f), inputs, at(inputs, 0).dtype);

/** Comparisons and the like of symbolic values stay undecided, and are left to run time. */
const predicate =
  (f: (a: PrimExpr, b: PrimExpr) => PrimExpr): Fold =>
  (ctx, inputs) =>
    elementwise((a, b) => (a === undefined || b === undefined ? undefined : decided(ctx.simplify(f(a, b)))), inputs, "bool");

function decided(e: PrimExpr): PrimExpr | undefined {
  return isConst(e) ? e : undefined;
}

/** A function of plain numbers, for floats. */
const numeric =
  (f: (x: number) => number): Fold =>
  (_ctx, inputs) => {
    const { dtype } = at(inputs, 0);
    return elementwise((x) => (x?.kind === "ir.FloatImm" ? constant(f(x.value), dtype) : x !== undefined && !isFloat(dtype) ? x : undefined), inputs, dtype);
  };

const divide: Fold = (_ctx, inputs) =>
  elementwise((a, b) => (a === undefined || b === undefined || isZero(b) ? undefined : div(a, b)), inputs, at(inputs, 0).dtype);

const mod: Fold = (ctx, inputs) => {
  if (isFloat(at(inputs, 0).dtype)) return undefined;
  const f = ctx.attrs.flag("fmod") ? truncMod : floorMod;
  return elementwise((a, b) => (a === undefined || b === undefined || isZero(b) ? undefined : f(a, b)), inputs, at(inputs, 0).dtype);
};

function isZero(e: PrimExpr): boolean {
  return isConst(e) && Number(e.value) === 0;
}

const convert: Fold = (ctx, inputs) => {
  const to = ctx.attrs.int("to", 0);
  if (to === 8) return undefined;
  const dtype = dtypeOf(to, `The result of ${ctx.label}`);
  if (dtype.startsWith("float8") || dtype.startsWith("float4") || dtype === "float16" || dtype === "bfloat16") return undefined;
  // A float of a symbolic dimension could not be made a shape again.
  const from = at(inputs, 0);
  return elementwise((x) => (x === undefined || (!isConst(x) && (isFloat(dtype) || dtype === "bool")) ? undefined : castTo(x, dtype)), [from], dtype);
};

function castTo(x: PrimExpr, dtype: ScalarDType): PrimExpr | undefined {
  if (x.kind === "ir.FloatImm" && dtype === "bool") return constant(x.value === 0 ? 0 : 1, "bool");
  // A dimension stays the int64 expression that it is, whatever integer the model calls it.
  if (!isConst(x)) return x;
  const result = cast(dtype, x);
  return isConst(result) ? result : undefined;
}

const where: Fold = (_ctx, inputs) => {
  const { dtype } = at(inputs, 1);
  return elementwise(
    (c, a, b) => (c === undefined || a === undefined || b === undefined || !isConst(c) ? undefined : Number(c.value) !== 0 ? a : b),
    inputs,
    dtype,
  );
};

const absolute: Fold = (_ctx, inputs) =>
  elementwise((x) => (x === undefined ? undefined : isConst(x) ? select(lt(x, 0), neg(x), x) : undefined), inputs, at(inputs, 0).dtype);

const logical =
  (f: (a: PrimExpr, b: PrimExpr) => PrimExpr): Fold =>
  (_ctx, inputs) =>
    elementwise((a, b) => (a === undefined || b === undefined ? undefined : decided(f(a, b))), inputs, "bool");

function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
}

/** Element-wise operators on known values. */
export const arithmeticFolds: Readonly<Record<string, Fold>> = {
  Add: binary(add),
  Sub: binary(sub),
  Mul: binary(mul),
  Div: divide,
  Mod: mod,
  Min: variadic(min),
  Max: variadic(max),
  Neg: (_ctx, inputs) => elementwise((x) => (x === undefined ? undefined : neg(x)), inputs, at(inputs, 0).dtype),
  Abs: absolute,
  Floor: numeric(Math.floor),
  Ceil: numeric(Math.ceil),
  Round: numeric(roundHalfEven),
  Sqrt: numeric(Math.sqrt),
  Cast: convert,
  Where: where,
  Equal: predicate(eq),
  Less: predicate(lt),
  LessOrEqual: predicate(le),
  Greater: predicate(gt),
  GreaterOrEqual: predicate(ge),
  And: logical(and),
  Or: logical(or),
  Not: (_ctx, inputs) => elementwise((x) => (x === undefined ? undefined : decided(not(x))), inputs, "bool"),
};
