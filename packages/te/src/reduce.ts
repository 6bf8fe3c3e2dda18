import { at } from "@verticil/ir-core";
import type { DType } from "@verticil/runtime-ffi";
import {
  add,
  and,
  constant,
  intrin,
  makeCommReducer,
  makeIterVar,
  makeRange,
  makeReduce,
  makeVar,
  max as maxOf,
  maxValue,
  min as minOf,
  minValue,
  mul,
  or,
  type CommReducer,
  type IterVar,
  type PrimExpr,
  type Reduce,
  type Var,
} from "@verticil/tir";
import { extent } from "./compute.ts";
import type { Index } from "./tensor.ts";

/** A variable to reduce over, from `min` (0 unless told). */
export function reduceAxis(size: Index, name = "rv", min: Index = 0): IterVar {
  const e = extent(size);
  const start = typeof min === "number" ? constant(min, e.dtype) : min;
  return makeIterVar(makeRange(start, e), makeVar(name, e.dtype), "kCommReduce");
}

/** Combines two tuples of partial results. */
export type Combine = (lhs: readonly PrimExpr[], rhs: readonly PrimExpr[]) => readonly PrimExpr[];

/**
 * A reduction over tuples of values. `identity` gives the neutral element for the values' types.
 * @returns the combination of all `source` tuples, one expression a component.
 */
export function commReducer(
  combine: Combine,
  identity: (dtypes: readonly DType[]) => readonly PrimExpr[],
): (source: readonly PrimExpr[], axis: IterVar | readonly IterVar[]) => readonly Reduce[] {
  return (source, axis) => {
    const dtypes = source.map((s) => s.dtype);
    const lhs: readonly Var[] = dtypes.map((d, i) => makeVar(dtypes.length > 1 ? `x${i}` : "x", d));
    const rhs: readonly Var[] = dtypes.map((d, i) => makeVar(dtypes.length > 1 ? `y${i}` : "y", d));
    const reducer: CommReducer = makeCommReducer(lhs, rhs, combine(lhs, rhs), identity(dtypes));
    const axes = isIterVar(axis) ? [axis] : axis;
    return source.map((_, i) => makeReduce(reducer, source, axes, i));
  };
}

function isIterVar(axis: IterVar | readonly IterVar[]): axis is IterVar {
  return !Array.isArray(axis);
}

type Binary = (a: PrimExpr, b: PrimExpr) => PrimExpr;

function simple(combine: Binary, identity: (dtype: DType) => PrimExpr) {
  const reduce = commReducer(
    (l, r) => [combine(at(l, 0), at(r, 0))],
    (dtypes) => [identity(at(dtypes, 0))],
  );
  return (source: PrimExpr, axis: IterVar | readonly IterVar[]): PrimExpr =>
    !isIterVar(axis) && axis.length === 0 ? source : at(reduce([source], axis), 0);
}

/** One value of all that `source` takes along the axes. */
export type Reduction = (source: PrimExpr, axis: IterVar | readonly IterVar[]) => PrimExpr;

/** The sum; 0 of nothing. */
export const sum: Reduction = simple(add, (d) => constant(0, d));
/** The product; 1 of nothing. */
export const prod: Reduction = simple(mul, (d) => constant(1, d));
/** The largest value. */
export const max: Reduction = simple(maxOf, minReduceIdentity);
/** The smallest value. */
export const min: Reduction = simple(minOf, maxReduceIdentity);
/** True if all are. */
export const all: Reduction = simple(and, () => constant(true, "bool"));
/** True if one is. */
export const any: Reduction = simple(or, () => constant(false, "bool"));
/** The bits set in any. */
export const bitwiseOr: Reduction = simple((a, b) => intrin("bitwise_or", a.dtype, [a, b]), (d) => constant(0, d));

/** The value with which a maximum starts: the smallest finite one (upstream does not start from minus infinity). */
export function minReduceIdentity(dtype: DType): PrimExpr {
  return minValue(dtype);
}

/** The value with which a minimum starts: the largest finite one. */
export function maxReduceIdentity(dtype: DType): PrimExpr {
  return maxValue(dtype);
}
