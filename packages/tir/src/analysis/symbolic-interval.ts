import type { AnyVar, PrimExpr, Range } from "../ir/expr.ts";
import { makeRange } from "../ir/make-expr.ts";
import { add, asInt, constant, floorDiv, max, min, mul, sub } from "../ir/ops.ts";
import { usesVar } from "../ir/free-vars.ts";
import { exprDeepEqual } from "../arith/expr-deep-equal.ts";
import { collectSums, constantDifference, fromLinear, toLinear } from "./linear-form.ts";

/** The integers from `min` to `max`, both included, in terms of variables that are not ranged over. */
export interface Interval {
  readonly min: PrimExpr;
  readonly max: PrimExpr;
}

/** What each variable ranges over; a variable that is not listed stands for itself. */
export type IntervalMap = ReadonlyMap<AnyVar, Interval>;

/** The interval of one value. */
export function pointInterval(e: PrimExpr): Interval {
  return { min: e, max: e };
}

/** `[min, min + extent)` as an interval. */
export function intervalOfRange(r: Range): Interval {
  return { min: r.min, max: collectSums(sub(add(r.min, r.extent), 1)) };
}

/** An interval as a range; the extent is collected, so that `[4i, 4i+3]` has extent 4. */
export function rangeOfInterval(i: Interval): Range {
  return makeRange(i.min, collectSums(add(sub(i.max, i.min), 1)));
}

/**
 * The smallest interval known to hold `e` while the variables of `dom` range; undefined if nothing is known (a load, a
 * call, a comparison that depends on them). Exact for sums with constant coefficients of independent variables.
 */
export function evalInterval(e: PrimExpr, dom: IntervalMap): Interval | undefined {
  if (dom.size === 0 || !usesVar(e, (v) => dom.has(v))) return pointInterval(collectSums(e));
  const form = toLinear(e);
  let low: PrimExpr = constant(form.offset, e.dtype);
  let high = low;
  for (const { atom, coeff } of form.terms) {
    const range = evalAtom(atom, dom);
    if (range === undefined) return undefined;
    const k = constant(coeff, e.dtype);
    low = add(low, mul(coeff > 0 ? range.min : range.max, k));
    high = add(high, mul(coeff > 0 ? range.max : range.min, k));
  }
  return { min: collectSums(low), max: collectSums(high) };
}

function evalAtom(e: PrimExpr, dom: IntervalMap): Interval | undefined {
  // As it is written: a remainder taken apart would not be found again.
  if (!usesVar(e, (v) => dom.has(v))) return pointInterval(e);
  switch (e.kind) {
    case "tir.Var":
    case "tir.SizeVar":
      return dom.get(e) ?? pointInterval(e);
    case "tir.FloorDiv":
      return evalFloorDiv(e.a, e.b, dom);
    case "tir.FloorMod":
      return evalFloorMod(e.a, e.b, dom);
    case "tir.Min":
    case "tir.Max": {
      const a = evalInterval(e.a, dom);
      const b = evalInterval(e.b, dom);
      if (a === undefined || b === undefined) return undefined;
      const pick = e.kind === "tir.Min" ? lower : upper;
      return { min: pick(a.min, b.min), max: pick(a.max, b.max) };
    }
    case "tir.Cast": {
      const value = evalInterval(e.value, dom);
      return value && { min: { ...e, value: value.min }, max: { ...e, value: value.max } };
    }
    default:
      return undefined;
  }
}

function evalFloorDiv(a: PrimExpr, b: PrimExpr, dom: IntervalMap): Interval | undefined {
  const divisor = asInt(b);
  const range = evalInterval(a, dom);
  if (range === undefined || divisor === undefined || divisor <= 0) return undefined;
  return { min: divideSum(range.min, divisor), max: divideSum(range.max, divisor) };
}

/** `e // divisor`, with the part of the sum that divides taken out: `(8x + 7) // 4` is `2x + 1`. */
function divideSum(e: PrimExpr, divisor: number): PrimExpr {
  const form = toLinear(e);
  const whole = form.terms.filter((t) => t.coeff % divisor === 0).map((t) => ({ atom: t.atom, coeff: t.coeff / divisor }));
  const rest = form.terms.filter((t) => t.coeff % divisor !== 0);
  const quotient = Math.floor(form.offset / divisor);
  if (rest.length === 0) return fromLinear({ terms: whole, offset: quotient }, e.dtype);
  const remainder = fromLinear({ terms: rest, offset: form.offset - quotient * divisor }, e.dtype);
  return add(fromLinear({ terms: whole, offset: quotient }, e.dtype), floorDiv(remainder, constant(divisor, e.dtype)));
}

function evalFloorMod(a: PrimExpr, b: PrimExpr, dom: IntervalMap): Interval | undefined {
  const divisor = asInt(b);
  if (divisor === undefined || divisor <= 0) return undefined;
  const range = evalInterval(a, dom);
  if (range !== undefined) {
    const low = divideSum(range.min, divisor);
    // One quotient for both ends: the remainder is a shifted copy of the operand.
    if (exprDeepEqual(low, divideSum(range.max, divisor))) {
      const shift = mul(low, constant(divisor, a.dtype));
      return { min: collectSums(sub(range.min, shift)), max: collectSums(sub(range.max, shift)) };
    }
  }
  return { min: constant(0, a.dtype), max: constant(divisor - 1, a.dtype) };
}

/** The smaller of two, decided where the difference is constant. */
export function lower(a: PrimExpr, b: PrimExpr): PrimExpr {
  const d = constantDifference(a, b);
  return d === undefined ? min(a, b) : d <= 0 ? a : b;
}

/** The larger of two, decided where the difference is constant. */
export function upper(a: PrimExpr, b: PrimExpr): PrimExpr {
  const d = constantDifference(a, b);
  return d === undefined ? max(a, b) : d >= 0 ? a : b;
}

/** The smallest interval that holds both. */
export function hull(a: Interval, b: Interval): Interval {
  return { min: lower(a.min, b.min), max: upper(a.max, b.max) };
}
