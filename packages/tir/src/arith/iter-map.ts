import type { DType } from "@verticil/runtime-ffi";
import type { PrimExpr } from "../ir/expr.ts";
import { constant } from "../ir/ops.ts";
import { exprDeepEqual } from "./expr-deep-equal.ts";

/** A whole iterator: takes each value of `[0, extent)`. Two are the same only if they are the same object. */
export interface IterMark {
  readonly tag: "mark";
  /** What the iterator is in terms of the program: a variable, a variable minus its minimum, or a fusion of splits. */
  readonly source: PrimExpr | IterSum | IterSplit;
  readonly extent: PrimExpr;
}

/** A part of an iterator: `((source // lowerFactor) % extent) * scale`. */
export interface IterSplit {
  readonly tag: "split";
  readonly source: IterMark;
  readonly lowerFactor: PrimExpr;
  readonly extent: PrimExpr;
  readonly scale: PrimExpr;
}

/** A sum of parts of iterators, outermost first, and an expression without iterators. */
export interface IterSum {
  readonly tag: "sum";
  readonly args: readonly IterSplit[];
  readonly base: PrimExpr;
}

/**
 * What an iterator map must be:
 * `bijective`: the indices take every combination of their values once, each value of the iterators is used;
 * `surjective`: the indices take every combination of their values, independently of each other;
 * `noCheck`: the indices can be written as sums of splits.
 */
export type IterMapLevel = "bijective" | "surjective" | "noCheck";

/** An expression, or one that was recognized as made of iterators. */
export type Mapped = PrimExpr | IterSplit | IterSum;

export function isIterMap(e: Mapped): e is IterSplit | IterSum {
  return "tag" in e;
}

export function makeIterMark(source: PrimExpr | IterSum | IterSplit, extent: PrimExpr): IterMark {
  return { tag: "mark", source, extent };
}

/** All of a mark, times `scale` (1 if not given). */
export function wholeSplit(source: IterMark, scale: PrimExpr = constant(1, dtypeOfMark(source))): IterSplit {
  return { tag: "split", source, lowerFactor: constant(1, dtypeOfMark(source)), extent: source.extent, scale };
}

export function makeIterSum(args: readonly IterSplit[], base: PrimExpr): IterSum {
  return { tag: "sum", args, base };
}

/** Anything as a sum. */
export function toIterSum(e: Mapped): IterSum {
  if (!isIterMap(e)) return makeIterSum([], e);
  return e.tag === "sum" ? e : makeIterSum([e], constant(0, dtypeOfMapped(e)));
}

export function dtypeOfMapped(e: Mapped): DType {
  if (!isIterMap(e)) return e.dtype;
  return e.tag === "sum" ? e.base.dtype : dtypeOfMark(e.source);
}

function dtypeOfMark(m: IterMark): DType {
  return dtypeOfMapped(m.source);
}

/** True if two splits are the same part of one mark, with the same scale unless that is not asked for. */
export function sameSplit(a: IterSplit, b: IterSplit, opts: { readonly ignoreScale?: boolean } = {}): boolean {
  return (
    a.source === b.source &&
    exprDeepEqual(a.lowerFactor, b.lowerFactor) &&
    (opts.ignoreScale === true || exprDeepEqual(a.scale, b.scale)) &&
    exprDeepEqual(a.extent, b.extent)
  );
}

/** True if two sums have the same splits in the same order and the same base. */
export function sameSum(a: IterSum, b: IterSum): boolean {
  return a.args.length === b.args.length && exprDeepEqual(a.base, b.base) && a.args.every((x, i) => sameSplitAt(x, b.args[i]));
}

function sameSplitAt(a: IterSplit, b: IterSplit | undefined): boolean {
  return b !== undefined && sameSplit(a, b);
}

/** True if two marks are made alike all the way down: the same iterator found twice. */
export function alikeMarks(a: IterMark, b: IterMark): boolean {
  return a === b || (exprDeepEqual(a.extent, b.extent) && alike(a.source, b.source));
}

function alike(a: Mapped, b: Mapped): boolean {
  if (!isIterMap(a) || !isIterMap(b)) return !isIterMap(a) && !isIterMap(b) && exprDeepEqual(a, b);
  if (a.tag === "split" || b.tag === "split") return a.tag === "split" && b.tag === "split" && alikeSplits(a, b);
  if (a.args.length !== b.args.length || !exprDeepEqual(a.base, b.base)) return false;
  return a.args.every((x, i) => {
    const y = b.args[i];
    return y !== undefined && alikeSplits(x, y);
  });
}

function alikeSplits(a: IterSplit, b: IterSplit): boolean {
  return (
    exprDeepEqual(a.lowerFactor, b.lowerFactor) &&
    exprDeepEqual(a.extent, b.extent) &&
    exprDeepEqual(a.scale, b.scale) &&
    alikeMarks(a.source, b.source)
  );
}

/** True for the integer constant `value`. */
export function equalsInt(e: PrimExpr, value: number): boolean {
  return e.kind === "ir.IntImm" && e.value === value;
}
