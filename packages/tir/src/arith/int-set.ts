import { isInteger } from "@verticil/runtime-ffi";
import type { PrimExpr, Range } from "../ir/expr.ts";
import { makeRange } from "../ir/make-expr.ts";
import { add, constant, le, lt, max, min, sub } from "../ir/ops.ts";
import type { Prover } from "./context.ts";
import { equalsInt } from "./iter-map.ts";

/**
 * A set of integers: none, or an interval with both ends included, in terms of variables that are not ranged over. An end
 * that is undefined is infinite (upstream's `IntervalSet`).
 */
export type IntSet = EmptySet | IntervalSet;

interface EmptySet {
  readonly tag: "empty";
}

/** The integers from `min` to `max`. */
export interface IntervalSet {
  readonly tag: "interval";
  readonly min: PrimExpr | undefined;
  readonly max: PrimExpr | undefined;
}

/** No integer. */
export const emptySet: EmptySet = { tag: "empty" };
/** All integers. */
export const everySet: IntervalSet = { tag: "interval", min: undefined, max: undefined };

export function intervalSet(min: PrimExpr | undefined, max: PrimExpr | undefined): IntervalSet {
  return { tag: "interval", min, max };
}

/** The set of one value. */
export function singlePoint(e: PrimExpr): IntervalSet {
  return { tag: "interval", min: e, max: e };
}

/** The values of a range. */
export function intSetOfRange(r: Range): IntervalSet {
  return intSetOfExtent(r.min, r.extent);
}

/** The `extent` values from `min` on. */
export function intSetOfExtent(min: PrimExpr, extent: PrimExpr): IntervalSet {
  return equalsInt(extent, 1) ? singlePoint(min) : intervalSet(min, sub(add(extent, min), 1));
}

/** The domains of variables as sets. */
export function intSetsOfRanges<K>(ranges: ReadonlyMap<K, Range>): ReadonlyMap<K, IntSet> {
  return new Map([...ranges].map(([v, r]) => [v, intSetOfRange(r)] as const));
}

export function isEverything(s: IntSet): boolean {
  return s.tag === "interval" && s.min === undefined && s.max === undefined;
}

/** The value of a set that is written as one point; undefined of any other set. */
export function pointOf(s: IntSet): PrimExpr | undefined {
  return s.tag === "interval" && s.min === s.max ? s.min : undefined;
}

/** True if the set is known to hold one value. */
export function canProveSinglePoint(s: IntSet, analyzer: Prover): boolean {
  if (s.tag === "empty" || s.min === undefined || s.max === undefined) return false;
  return s.min === s.max || analyzer.canProveEqual(s.min, s.max);
}

/** The set as a range, simplified; `otherwise` if it is empty or has no end. */
export function coverRange(s: IntSet, otherwise: Range, analyzer: Prover): Range {
  if (s.tag === "empty" || s.min === undefined || s.max === undefined) return otherwise;
  return makeRange(analyzer.simplify(s.min), analyzer.simplify(sub(add(s.max, 1), s.min)));
}

/** True if the set is known to be exactly the values of the range. */
export function matchesRange(s: IntSet, r: Range, analyzer: Prover): boolean {
  if (s.tag === "empty" || s.min === undefined || s.max === undefined) return false;
  return analyzer.canProveEqual(s.min, r.min) && analyzer.canProveEqual(s.max, sub(add(r.extent, r.min), 1));
}

/** What is known of the signs of the values. */
export type SetSign = "positive" | "negative" | "zero" | "unknown";

/** The sign of all values, where constants at the ends decide it. */
export function signOf(s: IntSet, analyzer: Prover): SetSign {
  if (s.tag === "empty") return "unknown";
  const [low, high] = [constantEnd(s.min, analyzer), constantEnd(s.max, analyzer)];
  if (low !== undefined && low > 0) return "positive";
  if (high !== undefined && high < 0) return "negative";
  return low === 0 && high === 0 ? "zero" : "unknown";
}

function constantEnd(e: PrimExpr | undefined, analyzer: Prover): number | bigint | undefined {
  const simple = e && analyzer.simplify(e);
  return simple?.kind === "ir.IntImm" ? simple.value : undefined;
}

/** The smallest interval that holds all sets (upstream's `Union`). */
export function unionSets(sets: readonly IntSet[], analyzer: Prover): IntSet {
  const [first, ...others] = sets.filter((s) => s.tag === "interval");
  if (first === undefined) return emptySet;
  if (others.length === 0) return first;
  return simplified(others.reduce(hull, first), analyzer);
}

/** The smallest interval that holds both. */
export function hull(a: IntervalSet, b: IntervalSet): IntervalSet {
  return intervalSet(a.min && b.min && min(a.min, b.min), a.max && b.max && max(a.max, b.max));
}

/** The values in all sets; of no sets, none (upstream's `Intersect`). */
export function intersectSets(sets: readonly IntSet[], analyzer: Prover): IntSet {
  const [first, ...others] = sets;
  if (first === undefined) return emptySet;
  let acc = first;
  for (const s of others) {
    if (acc.tag === "empty" || s.tag === "empty") return emptySet;
    const low = acc.min === undefined ? s.min : s.min === undefined ? acc.min : max(acc.min, s.min);
    const high = acc.max === undefined ? s.max : s.max === undefined ? acc.max : min(acc.max, s.max);
    if (low !== undefined && high !== undefined && isInteger(low.dtype) && analyzer.canProve(lt(high, low))) return emptySet;
    acc = intervalSet(low, high);
  }
  return others.length === 0 || acc.tag === "empty" ? acc : simplified(acc, analyzer);
}

function simplified(s: IntervalSet, analyzer: Prover): IntervalSet {
  const low = s.min && analyzer.simplify(s.min);
  return s.min === s.max ? intervalSet(low, low) : intervalSet(low, s.max && analyzer.simplify(s.max));
}

/** An interval all of whose values are in one of the sets: sets are joined while they are known to touch (upstream's `UnionLowerBound`). */
export function unionLowerBound(sets: readonly IntSet[], analyzer: Prover): IntSet {
  const [first, ...others] = sets.filter((s) => s.tag === "interval");
  if (first === undefined) return emptySet;
  const reaches = (low: PrimExpr | undefined, high: PrimExpr | undefined): boolean =>
    low === undefined || high === undefined || analyzer.canProve(le(low, add(high, 1)));
  return others.reduce((acc, s) => (reaches(s.min, acc.max) && reaches(acc.min, s.max) ? hull(acc, s) : acc), first);
}

/**
 * Unions of regions, dimension by dimension; `how` joins the sets of one dimension.
 * @throws RangeError if the regions differ in rank.
 */
export function unionRegions(
  regions: readonly (readonly IntSet[])[],
  analyzer: Prover,
  how: (sets: readonly IntSet[], analyzer: Prover) => IntSet = unionSets,
): readonly IntSet[] {
  const [first] = regions;
  if (first === undefined) return [];
  if (regions.some((r) => r.length !== first.length)) throw new RangeError("Regions of different rank have no union.");
  return first.map((_, i) => how(regions.map((r) => r[i] ?? emptySet), analyzer));
}

/** The interval of truth values. */
export function anyTruth(dtype: PrimExpr["dtype"]): IntervalSet {
  return intervalSet(constant(0, dtype), constant(1, dtype));
}
