import { at } from "@verticil/ir-core";
import { isFloat, type ScalarDType } from "@verticil/runtime-ffi";
import { and, asInt, cast, constant, eq, gt, lt, mul, or, select, type IterVar, type PrimExpr } from "@verticil/tir";
import { compute, computeMany } from "../compute.ts";
import {
  commReducer,
  max as maxReduce,
  maxReduceIdentity,
  min as minReduce,
  minReduceIdentity,
  prod as prodReduce,
  reduceAxis,
  sum as sumReduce,
  type Reduction,
} from "../reduce.ts";
import type { Tensor } from "../tensor.ts";
import { divide, subtract } from "./broadcast.ts";
import { axisOf, int } from "./transform.ts";
import { sqrt } from "./elementwise.ts";

/** The axes to reduce over, in order; all of them if none are given. */
export function reducedAxes(ndim: number, axes: readonly number[] | undefined): readonly number[] {
  if (axes === undefined) return Array.from({ length: ndim }, (_, i) => i);
  return [...new Set(axes.map((a) => axisOf(a, ndim)))].toSorted((a, b) => a - b);
}

/** The shape that is left, the reduction variables, and how a cell of the result reads the input. */
export interface ReductionFrame {
  readonly shape: readonly PrimExpr[];
  readonly axes: readonly IterVar[];
  /** The input's indices for a cell of the result. */
  readonly source: (cell: readonly PrimExpr[]) => readonly PrimExpr[];
}

/** The frame of a reduction of `x` over `axes`. */
export function reductionFrame(x: Tensor, axes: readonly number[], keepdims: boolean): ReductionFrame {
  const vars = new Map(axes.map((a, i) => [a, reduceAxis(at(x.shape, a), `k${i}`)]));
  const shape = x.shape.flatMap((d, i) => (!vars.has(i) ? [d] : keepdims ? [int(1)] : []));
  const source = (cell: readonly PrimExpr[]): readonly PrimExpr[] => {
    let next = 0;
    return x.shape.map((_, i) => {
      const v = vars.get(i);
      if (v === undefined) return at(cell, next++);
      if (keepdims) next++;
      return v.var;
    });
  };
  return { shape, axes: [...vars.values()], source };
}

function reduceWith(reduction: Reduction, x: Tensor, axes: readonly number[] | undefined, keepdims: boolean): Tensor {
  const frame = reductionFrame(x, reducedAxes(x.ndim, axes), keepdims);
  return compute(frame.shape, (...i) => reduction(x.at(...frame.source(i)), frame.axes), `${x.op.name}_red`, {
    axes: "ax",
    tag: "comm_reduce",
  });
}

/** A reduction of a tensor over axes, all if undefined. */
export type Reducer = (x: Tensor, axes: readonly number[] | undefined, keepdims: boolean) => Tensor;

export const sumOf: Reducer = (x, axes, keepdims) =>
  reduceWith((source, r) => sumReduce(source.dtype === "bool" ? cast("int32", source) : source, r), x, axes, keepdims);
export const prodOf: Reducer = (x, axes, keepdims) => reduceWith(prodReduce, x, axes, keepdims);
export const maxOf: Reducer = (x, axes, keepdims) => reduceWith(boolAware(maxReduce, or), x, axes, keepdims);
export const minOf: Reducer = (x, axes, keepdims) => reduceWith(boolAware(minReduce, and), x, axes, keepdims);

/** Truth values have no maximum, but a disjunction. */
function boolAware(reduction: Reduction, combine: (a: PrimExpr, b: PrimExpr) => PrimExpr): Reduction {
  const logic = commReducer(
    (l, r) => [combine(at(l, 0), at(r, 0))],
    () => [constant(combine === and, "bool")],
  );
  return (source, axis) => (source.dtype === "bool" ? at(logic([source], axis), 0) : reduction(source, axis));
}

/** The number of elements that a reduction combines. */
function countOf(x: Tensor, axes: readonly number[] | undefined): PrimExpr {
  return reducedAxes(x.ndim, axes).reduce<PrimExpr>((acc, a) => mul(acc, at(x.shape, a)), int(1));
}

export const meanOf: Reducer = (x, axes, keepdims) => {
  const total = sumOf(x, axes, keepdims);
  const count = asInt(countOf(x, axes));
  // A known count of floats is multiplied by, as upstream's simplifier leaves it.
  if (count === undefined || count === 0 || !isFloat(x.dtype)) return divide(total, cast(x.dtype, countOf(x, axes)));
  return compute(total.shape, (...i) => mul(total.at(...i), constant(1 / count, x.dtype)), "T_divide", { axes: "ax", tag: "broadcast" });
};

export const varianceOf: Reducer = (x, axes, keepdims) => {
  const dev = subtract(x, meanOf(x, axes, true));
  const squared = compute(dev.shape, (...i) => mul(dev.at(...i), dev.at(...i)), "T_multiply", { axes: "ax", tag: "broadcast" });
  return meanOf(squared, axes, keepdims);
};

export const stdOf: Reducer = (x, axes, keepdims) => sqrt(varianceOf(x, axes, keepdims));

/** The position of the first largest (or smallest) element, along an axis or in row-major order. */
function argSearch(x: Tensor, axis: number | undefined, keepdims: boolean, largest: boolean, dtype: ScalarDType): Tensor {
  const axes = reducedAxes(x.ndim, axis === undefined ? undefined : [axis]);
  const frame = reductionFrame(x, axes, keepdims);
  const better = largest ? gt : lt;
  const reduce = commReducer(
    (l, r) => {
      const [li, lv, ri, rv] = [at(l, 0), at(l, 1), at(r, 0), at(r, 1)];
      const left = or(better(lv, rv), and(eq(lv, rv), lt(li, ri)));
      return [select(left, li, ri), select(better(lv, rv), lv, rv)];
    },
    (d) => [constant(-1, at(d, 0)), largest ? minReduceIdentity(at(d, 1)) : maxReduceIdentity(at(d, 1))],
  );
  const position = frame.axes.reduce<PrimExpr>((acc, v, i) => (i === 0 ? v.var : acc.kind === "ir.IntImm" ? v.var : addMul(acc, v)), int(0));
  const both = computeMany(
    frame.shape,
    (...i) => {
      const source = x.at(...frame.source(i));
      return reduce([cast(dtype, position), source.dtype === "bool" ? cast("int32", source) : source], frame.axes);
    },
    `${x.op.name}_red_temp`,
    { axes: "ax", tag: "comm_reduce_idx" },
  );
  const positions = at(both, 0);
  return compute(frame.shape, (...i) => positions.at(...i), `${x.op.name}_red`, { axes: "ax", tag: "injective" });
}

function addMul(acc: PrimExpr, v: IterVar): PrimExpr {
  const scaled = mul(acc, v.dom?.extent ?? int(1));
  return { kind: "tir.Add", dtype: scaled.dtype, a: scaled, b: v.var };
}

/** The position of the largest element; the first of equal ones. */
export function argmax(x: Tensor, axis: number | undefined, keepdims: boolean, dtype: ScalarDType = "int64"): Tensor {
  return argSearch(x, axis, keepdims, true, dtype);
}

/** The position of the smallest element; the first of equal ones. */
export function argmin(x: Tensor, axis: number | undefined, keepdims: boolean, dtype: ScalarDType = "int64"): Tensor {
  return argSearch(x, axis, keepdims, false, dtype);
}

/** The sum over leading dimensions and those that `shape` has as 1: the adjoint of broadcasting. */
export function collapseSum(x: Tensor, shape: readonly PrimExpr[]): Tensor {
  const lead = x.ndim - shape.length;
  const axes = x.shape.flatMap((d, i) => {
    if (i < lead) return [i];
    const target = at(shape, i - lead);
    const same = target === d || (target.kind === "ir.IntImm" && d.kind === "ir.IntImm" && target.value === d.value);
    return same ? [] : [i];
  });
  const vars = new Map(axes.map((a, i) => [a, reduceAxis(at(x.shape, a), `k${i}`)]));
  return compute(
    shape,
    (...i) => sumReduce(x.at(...x.shape.map((_, d) => vars.get(d)?.var ?? at(i, d - lead))), [...vars.values()]),
    `${x.op.name}_red`,
    { axes: "ax", tag: "comm_reduce" },
  );
}
