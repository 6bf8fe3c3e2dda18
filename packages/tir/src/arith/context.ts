import type { PrimExpr } from "../ir/expr.ts";
import type { IntBound } from "./int-bound.ts";

/** `value = coeff * k + base` for some integer `k`; a `coeff` of 0 means the constant `base`, 1 nothing known. */
export interface ModularSet {
  readonly coeff: number;
  /** In `[0, coeff)` unless `coeff` is 0. */
  readonly base: number;
}

/** What is known of `a ? b`: a set of the three outcomes as bits, so that facts combine with `&`. */
export type CompareResult = number;
export const isEqual: CompareResult = 1;
export const isLess: CompareResult = 2;
export const isGreater: CompareResult = 4;
export const isLessOrEqual: CompareResult = 3;
export const isGreaterOrEqual: CompareResult = 5;
export const isNotEqual: CompareResult = 6;
export const isUnknown: CompareResult = 7;

/** Rewriting that is off unless asked for, after upstream's `RewriteSimplifier.Extension`. */
export interface ArithExtensions {
  /** Chain known comparisons: from `a < b` and `b < c` prove `a < c`. */
  readonly transitivelyProveInequalities?: boolean;
  /** Bring conditions into conjunctive normal form. */
  readonly convertBooleanToAndOfOrs?: boolean;
  /** Take each side of `&&` and `||` as known while simplifying the other. */
  readonly applyConstraintsToBooleanBranches?: boolean;
  /** Compare `(a+b)*c` with `a*b*d` by the bounds of the four. */
  readonly comparisonOfProductAndSum?: boolean;
}

/** What the parts of the analyzer ask of each other. */
export interface ArithContext {
  constIntBound(e: PrimExpr): IntBound;
  modularSet(e: PrimExpr): ModularSet;
  rewriteSimplify(e: PrimExpr): PrimExpr;
  canonicalSimplify(e: PrimExpr): PrimExpr;
  /** Cheap comparison: constant bounds of the difference, then known inequalities. */
  tryCompare(a: PrimExpr, b: PrimExpr): CompareResult;
  /** What known inequalities alone say. */
  compareKnown(a: PrimExpr, b: PrimExpr): CompareResult;
  canProve(cond: PrimExpr): boolean;
  /** Runs `f` with `cond` taken as true. */
  withConstraint<T>(cond: PrimExpr, f: () => T): T;
  /** Names the state of knowledge; what was computed in one state holds in that one only. */
  readonly generation: number;
  readonly extensions: ArithExtensions;
}

/** What analyses built on the analyzer ask of it; `Analyzer` is one. */
export interface Prover {
  simplify(e: PrimExpr, steps?: number): PrimExpr;
  canProve(cond: PrimExpr): boolean;
  canProveEqual(a: PrimExpr, b: PrimExpr): boolean;
  canProveGreaterEqual(e: PrimExpr, bound: number): boolean;
  canProveLess(e: PrimExpr, bound: number): boolean;
  constIntBound(e: PrimExpr): IntBound;
}
