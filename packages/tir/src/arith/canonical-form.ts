import type { DType } from "@verticil/runtime-ffi";
import type { PrimExpr } from "../ir/expr.ts";
import { constant } from "../ir/ops.ts";
import { exprDeepEqual } from "./expr-deep-equal.ts";
import { boundOfDType } from "./int-bound.ts";
import { combine } from "./rules/compile-rule.ts";

/** How a quotient is rounded. */
export type DivMode = "trunc" | "floor";

/** `((index mod upper) div lower) * scale`; `upper` is Infinity where there is no remainder, else a multiple of `lower`. */
export interface Split {
  readonly tag: "split";
  readonly dtype: DType;
  readonly index: PrimExpr;
  readonly lower: number;
  readonly upper: number;
  readonly scale: number;
  readonly mode: DivMode;
}

/** A sum of splits and a constant. Splits of one index stand together, by descending `lower`. */
export interface Sum {
  readonly tag: "sum";
  readonly dtype: DType;
  readonly splits: readonly Split[];
  readonly base: number;
}

/** A value in canonical form, or an expression that has none. */
export type Canonical = PrimExpr | Split | Sum;

export function isSum(c: Canonical): c is Sum {
  return "tag" in c && c.tag === "sum";
}
export function isSplit(c: Canonical): c is Split {
  return "tag" in c && c.tag === "split";
}

/** True if a constant can be written in the type. */
export function fits(value: number, dtype: DType): boolean {
  const { min, max } = boundOfDType(dtype);
  return Number.isSafeInteger(value) && value >= min && value <= max;
}

/** An expression as a split of itself. */
export function splitOf(index: PrimExpr): Split {
  return { tag: "split", dtype: index.dtype, index, lower: 1, upper: Infinity, scale: 1, mode: "trunc" };
}

/** The split with another scale. */
export function withScale(s: Split, scale: number): Split {
  // Written out: this is made more often than anything else here.
  return { tag: "split", dtype: s.dtype, index: s.index, lower: s.lower, upper: s.upper, scale, mode: s.mode };
}

/** A sum of terms. */
export function makeSum(dtype: DType, splits: readonly Split[], base: number): Sum {
  return { tag: "sum", dtype, splits, base };
}

/** True if the split can be read in either rounding, or has the one asked for. */
export function readsAs(s: Split, mode: DivMode): boolean {
  return s.mode === mode || (s.lower === 1 && s.upper === Infinity);
}

export function quotientKind(mode: DivMode): "tir.FloorDiv" | "tir.Div" {
  return mode === "floor" ? "tir.FloorDiv" : "tir.Div";
}
export function remainderKind(mode: DivMode): "tir.FloorMod" | "tir.Mod" {
  return mode === "floor" ? "tir.FloorMod" : "tir.Mod";
}

/** The split as an expression, times `sign`. */
export function splitToExpr(s: Split, sign: 1 | -1 = 1): PrimExpr {
  if (s.scale === 0) return constant(0, s.dtype);
  let e = s.index;
  if (s.upper !== Infinity) e = combine(remainderKind(s.mode), e, constant(s.upper, s.dtype));
  if (s.lower !== 1) e = combine(quotientKind(s.mode), e, constant(s.lower, s.dtype));
  const scale = s.scale * sign;
  return scale === 1 ? e : combine("tir.Mul", e, constant(scale, s.dtype));
}

/** Adds `s * factor` in its place. False if a factor would leave the type. */
export function addSplit(splits: Split[], s: Split, factor: number): boolean {
  if (s.scale === 0) return true;
  const scale = s.scale * factor;
  if (!fits(scale, s.dtype)) return false;
  let i = 0;
  while (i < splits.length && !sameIndex(splits[i], s)) i++;
  for (; i < splits.length; i++) {
    const other = splits[i];
    if (other === undefined || !sameIndex(other, s) || s.lower > other.lower) break;
    if (s.lower === other.lower && s.upper === other.upper && readsAs(s, other.mode)) {
      if (!fits(other.scale + scale, s.dtype)) return false;
      splits[i] = withScale(other, other.scale + scale + 0);
      return true;
    }
  }
  const scaled = factor === 1 ? s : withScale(s, scale);
  if (i === splits.length) splits.push(scaled);
  else splits.splice(i, 0, scaled);
  return true;
}

function sameIndex(a: Split | undefined, b: Split): boolean {
  return a !== undefined && exprDeepEqual(a.index, b.index);
}

/** The sum as an expression: positive terms by descending scale, the constant, then what is taken off. `splits` are its merged ones. */
export function sumToExpr(s: Sum, splits: readonly Split[] = mergeSplits(s.splits)): PrimExpr {
  const { dtype } = s;
  if (s.splits.length === 0) return constant(s.base, dtype);
  let e: PrimExpr = constant(0, dtype);
  for (const split of splits) if (split.scale > 0) e = combine("tir.Add", e, splitToExpr(split));
  // The smallest value of a type has no opposite.
  const isMin = s.base === boundOfDType(dtype).min;
  if (s.base > 0 || isMin) e = combine("tir.Add", e, constant(s.base, dtype));
  for (const split of splits) if (split.scale < 0) e = combine("tir.Sub", e, splitToExpr(split, -1));
  return s.base < 0 && !isMin ? combine("tir.Sub", e, constant(-s.base, dtype)) : e;
}

/**
 * Joins neighbours of one index, `(x div (c*s))*s + (x mod (c*s)) div c = x div c`, and orders by scale, lower, upper,
 * mode, all descending; ties keep their order.
 */
export function mergeSplits(list: readonly Split[]): readonly Split[] {
  if (list.length <= 1) return list;
  let splits = list;
  let own: Split[] | undefined;
  for (let i = 0; i < splits.length; i++) {
    for (let j = i + 1; j < splits.length; j++) {
      const [high, low] = [splits[i], splits[j]];
      if (high === undefined || low === undefined || high.scale === 0) break;
      if (!sameIndex(high, low) || high.upper < low.lower) break;
      if (!readsAs(high, low.mode) && !readsAs(low, high.mode)) continue;
      const joined = join(high, low, readsAs(high, low.mode) ? low.mode : high.mode);
      if (joined === undefined) continue;
      splits = own ??= list.slice();
      own[j] = joined;
      own[i] = withScale(high, 0);
      break;
    }
  }
  if (own === undefined && isSorted(list)) return list;
  return (own ?? list.slice()).sort(compareSplits);
}

/** Two parts of one index as one; undefined if they do not fit. */
function join(high: Split, low: Split, mode: DivMode): Split | undefined {
  if (high.upper === low.upper && high.lower === low.lower) return { ...low, mode, scale: low.scale + high.scale };
  const fit = high.lower === low.upper && low.scale !== 0 && high.scale % low.scale === 0 && high.lower === (high.scale / low.scale) * low.lower;
  return fit ? { ...low, mode, upper: high.upper } : undefined;
}

function isSorted(list: readonly Split[]): boolean {
  for (let i = 1; i < list.length; i++) {
    const [a, b] = [list[i - 1], list[i]];
    if (a !== undefined && b !== undefined && compareSplits(a, b) > 0) return false;
  }
  return true;
}

function compareSplits(a: Split, b: Split): number {
  return b.scale - a.scale || b.lower - a.lower || compareUpper(b.upper, a.upper) || modeRank(b.mode) - modeRank(a.mode);
}

function compareUpper(a: number, b: number): number {
  return a === b ? 0 : a > b ? 1 : -1;
}

function modeRank(mode: DivMode): number {
  return mode === "floor" ? 1 : 0;
}
