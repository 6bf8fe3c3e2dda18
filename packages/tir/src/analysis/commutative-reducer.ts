import { exprDeepEqual } from "../arith/expr-deep-equal.ts";
import type { AnyVar, CommReducer, PrimExpr, Var } from "../ir/expr.ts";
import { isBinary, makeBinary, makeBufferLoad, makeCommReducer, makeSelect, makeVar } from "../ir/make-expr.ts";
import { add, constant, eq, ge, gt, le, lt, max, maxValue, min, minValue, mul } from "../ir/ops.ts";
import type { BufferStore } from "../ir/stmt.ts";
import { substitute } from "../ir/substitute.ts";

/** A reduction step as `result(lhs, rhs)`: what is accumulated and what is added to it, for each buffer. */
export interface MatchedReducer {
  readonly reducer: CommReducer;
  readonly lhs: readonly PrimExpr[];
  readonly rhs: readonly PrimExpr[];
}

interface ReducerForm {
  readonly combine: (x: readonly Var[], y: readonly Var[]) => readonly PrimExpr[];
  readonly identity: (values: readonly PrimExpr[]) => readonly PrimExpr[];
}

type Pair = readonly [PrimExpr, PrimExpr];

function pairOf(v: readonly PrimExpr[]): Pair {
  const [a, b] = v;
  if (a === undefined || b === undefined) throw new Error("internal: a reducer of two values was given fewer");
  return [a, b];
}

function single(f: (x: PrimExpr, y: PrimExpr) => PrimExpr, identity: (dtype: PrimExpr["dtype"]) => PrimExpr): ReducerForm {
  return {
    combine: ([x], [y]) => (x === undefined || y === undefined ? [] : [f(x, y)]),
    identity: (values) => values.map((v) => identity(v.dtype)),
  };
}

/** An index and a value: the better value wins. `takes` says when the left one is kept. */
function indexed(keepIndex: (x: Pair, y: Pair) => PrimExpr, keepValue: (x: Pair, y: Pair) => PrimExpr, worst: (dtype: PrimExpr["dtype"]) => PrimExpr): ReducerForm {
  return {
    combine(a, b) {
      const [x, y] = [pairOf(a), pairOf(b)];
      return [makeSelect(keepIndex(x, y), x[0], y[0]), makeSelect(keepValue(x, y), x[1], y[1])];
    },
    identity(values) {
      const [i, v] = pairOf(values);
      return [constant(-1, i.dtype), worst(v.dtype)];
    },
  };
}

function tied(better: (a: PrimExpr, b: PrimExpr) => PrimExpr): (x: Pair, y: Pair) => PrimExpr {
  return (x, y) => makeBinary("tir.Or", better(x[1], y[1]), makeBinary("tir.And", eq(x[1], y[1]), lt(x[0], y[0])));
}

/** The reducers that are known, by the number of values (upstream's `ReducerRegistry`). */
const forms: readonly (readonly [number, ReducerForm])[] = [
  [1, single(add, (d) => constant(0, d))],
  [1, single(mul, (d) => constant(1, d))],
  [1, single(min, maxValue)],
  [1, single(max, minValue)],
  [
    2,
    {
      combine: ([x0, x1], [y0, y1]) => (x0 && x1 && y0 && y1 ? [add(x0, y0), add(x1, y1)] : []),
      identity: (values) => values.map((v) => constant(0, v.dtype)),
    },
  ],
  [2, indexed((x, y) => ge(x[1], y[1]), (x, y) => ge(x[1], y[1]), minValue)],
  [2, indexed(tied(gt), (x, y) => gt(x[1], y[1]), minValue)],
  [2, indexed((x, y) => le(x[1], y[1]), (x, y) => le(x[1], y[1]), maxValue)],
  [2, indexed(tied(lt), (x, y) => lt(x[1], y[1]), maxValue)],
];

/** The known reducer whose identity and combination a reduction has; undefined if there is none. */
export function matchReducer(identities: readonly PrimExpr[], updates: readonly BufferStore[]): MatchedReducer | undefined {
  const loads = updates.map((u) => makeBufferLoad(u.buffer, u.indices));
  for (const [n, form] of forms) {
    if (n !== identities.length) continue;
    const lhs = identities.map((v, i) => makeVar(`x${i}`, v.dtype));
    const rhs = identities.map((v, i) => makeVar(`y${i}`, v.dtype));
    const reducer = makeCommReducer(lhs, rhs, form.combine(lhs, rhs), form.identity(identities));
    if (!reducer.identityElement.every((e, i) => sameConstant(e, identities[i]))) continue;
    const found = new Map<AnyVar, PrimExpr>();
    if (!reducer.result.every((p, i) => matches(p, updates[i]?.value, found))) continue;
    if (!lhs.every((v, i) => sameExpr(found.get(v), loads[i]))) continue;
    const right = rhs.map((v) => found.get(v));
    if (right.some((r) => r === undefined)) continue;
    return { reducer, lhs: loads, rhs: right as readonly PrimExpr[] };
  }
  return undefined;
}

/** The values of a reducer for given operands. */
export function applyReducer(reducer: CommReducer, lhs: readonly PrimExpr[], rhs: readonly PrimExpr[]): readonly PrimExpr[] {
  const values = new Map<AnyVar, PrimExpr>();
  reducer.lhs.forEach((v, i) => values.set(v, lhs[i] ?? v));
  reducer.rhs.forEach((v, i) => values.set(v, rhs[i] ?? v));
  return reducer.result.map((e) => substitute(e, values));
}

function sameExpr(a: PrimExpr | undefined, b: PrimExpr | undefined): boolean {
  return a !== undefined && b !== undefined && exprDeepEqual(a, b);
}

/** A lowest value may also be written as a literal: infinities and the largest finite float stand for each other. */
function sameConstant(a: PrimExpr, b: PrimExpr | undefined): boolean {
  if (sameExpr(a, b)) return true;
  if (a.kind !== "ir.FloatImm" || b?.kind !== "ir.FloatImm" || a.dtype !== b.dtype) return false;
  return !Number.isFinite(a.value) && Math.sign(a.value) === Math.sign(b.value) && isExtreme(b.value, b.dtype);
}

function isExtreme(value: number, dtype: string): boolean {
  const largest: Readonly<Record<string, number>> = { float16: 65504, float32: 3.4028234663852886e38, float64: Number.MAX_VALUE };
  return Math.abs(value) >= (largest[dtype] ?? Infinity);
}

/** Matches a pattern of binary operations and selections over variables; the same variable matches the same expression. */
function matches(pattern: PrimExpr, e: PrimExpr | undefined, found: Map<AnyVar, PrimExpr>): boolean {
  if (e === undefined) return false;
  if (pattern.kind === "tir.Var") {
    const before = found.get(pattern);
    if (before === undefined) found.set(pattern, e);
    return before === undefined || before === e || exprDeepEqual(before, e);
  }
  if (isBinary(pattern)) return isBinary(e) && e.kind === pattern.kind && matches(pattern.a, e.a, found) && matches(pattern.b, e.b, found);
  if (pattern.kind === "tir.Select") {
    return (
      e.kind === "tir.Select" &&
      matches(pattern.condition, e.condition, found) &&
      matches(pattern.trueValue, e.trueValue, found) &&
      matches(pattern.falseValue, e.falseValue, found)
    );
  }
  return exprDeepEqual(pattern, e);
}
