import { isInteger } from "@verticil/runtime-ffi";
import type { AnyVar, PrimExpr, Range } from "../ir/expr.ts";
import { usesVar } from "../ir/free-vars.ts";
import { makeRange } from "../ir/make-expr.ts";
import { add, constant, max, min, sub } from "../ir/ops.ts";
import { visitExpr } from "../ir/visit.ts";
import { Analyzer, conjuncts } from "./analyzer.ts";

/** `lower <= iter < upper`, either end open if undefined. */
export interface IterConstraint {
  readonly iter: PrimExpr;
  readonly lower: PrimExpr | undefined;
  readonly upper: PrimExpr | undefined;
}

/** The domains of iterators, narrowed by conditions on single ones, and the conditions on several, shortest first. */
export interface IterConstraints {
  readonly iters: ReadonlyMap<AnyVar, Range>;
  readonly constraints: readonly IterConstraint[];
  /** The conditions that are not among `constraints`: those on single iterators, and those that mention none. */
  readonly others: readonly PrimExpr[];
}

/**
 * Takes a predicate apart into bounds on iterator expressions; comparisons that mention no iterator are left out.
 * Undefined if a part is not an order comparison of integers.
 */
export function matchIterConstraints(pred: PrimExpr, iters: ReadonlyMap<AnyVar, Range>): IterConstraints | undefined {
  const narrowed = new Map(iters);
  const constraints: IterConstraint[] = [];
  const others: PrimExpr[] = [];
  // Last first, as upstream takes them.
  for (const cond of conjuncts(pred).reverse()) {
    const found = readBound(cond, iters);
    if (found === "none") return undefined;
    if (found === "free") {
      others.unshift(cond);
      continue;
    }
    const domain = found.iter.kind === "tir.Var" || found.iter.kind === "tir.SizeVar" ? narrowed.get(found.iter) : undefined;
    if (domain === undefined) constraints.push(found);
    else {
      narrowed.set(found.iter as AnyVar, narrow(domain, found));
      others.unshift(cond);
    }
  }
  return { iters: narrowed, constraints: constraints.sort((a, b) => sizeOf(a.iter) - sizeOf(b.iter)), others };
}

function narrow({ min: low, extent }: Range, { lower, upper }: IterConstraint): Range {
  const begin = lower === undefined ? low : max(low, lower);
  const end = upper === undefined ? add(low, extent) : min(add(low, extent), upper);
  return makeRange(begin, sub(end, begin));
}

function readBound(cond: PrimExpr, iters: ReadonlyMap<AnyVar, Range>): IterConstraint | "none" | "free" {
  if (cond.kind !== "tir.LT" && cond.kind !== "tir.LE" && cond.kind !== "tir.GT" && cond.kind !== "tir.GE") return "none";
  if (!isInteger(cond.a.dtype)) return "none";
  const greater = cond.kind === "tir.GT" || cond.kind === "tir.GE";
  const orEqual = cond.kind === "tir.LE" || cond.kind === "tir.GE";
  const isIter = (e: PrimExpr): boolean => usesVar(e, (v) => iters.has(v));
  // As small <= large or small < large.
  const [small, large] = greater ? [cond.b, cond.a] : [cond.a, cond.b];
  if (!isIter(small) && !isIter(large)) return "free";
  if (!isIter(small)) return { iter: large, lower: orEqual ? small : add(small, 1), upper: undefined };
  if (!isIter(large)) return { iter: small, lower: undefined, upper: orEqual ? add(large, 1) : large };
  const { iter, rest } = separate(sub(cond.a, cond.b), isIter);
  // iter ? rest, with the comparison as written.
  if (greater) return { iter, lower: orEqual ? rest : add(rest, 1), upper: undefined };
  return { iter, lower: undefined, upper: orEqual ? add(rest, 1) : rest };
}

/** `difference ? 0` as `iter ? rest`, iterators on the left. */
function separate(difference: PrimExpr, isIter: (e: PrimExpr) => boolean): { readonly iter: PrimExpr; readonly rest: PrimExpr } {
  let iter: PrimExpr = constant(0, difference.dtype);
  let rest: PrimExpr = constant(0, difference.dtype);
  const collect = (e: PrimExpr, positive: boolean): void => {
    if (e.kind === "tir.Add") {
      collect(e.a, positive);
      collect(e.b, positive);
    } else if (e.kind === "tir.Sub") {
      collect(e.a, positive);
      collect(e.b, !positive);
    } else if (isIter(e)) iter = positive ? add(iter, e) : sub(iter, e);
    else rest = positive ? sub(rest, e) : add(rest, e);
  };
  collect(difference, true);
  const analyzer = new Analyzer();
  return { iter: analyzer.simplify(iter), rest: analyzer.simplify(rest) };
}

function sizeOf(e: PrimExpr): number {
  let n = 0;
  visitExpr(e, () => void n++);
  return n;
}
