import type { PrimExpr } from "../ir/expr.ts";
import { exprDeepEqual } from "./expr-deep-equal.ts";
import type { IntBound } from "./int-bound.ts";

/** `(a + b) * sumFactor - a * b * productFactor`. */
interface SumMinusProduct {
  readonly a: PrimExpr;
  readonly b: PrimExpr;
  readonly sumFactor: PrimExpr | number;
  readonly productFactor: number;
}

/**
 * Bounds of `(a + b)*c - a*b*d` or its opposite, which compares the costs of two orders of a product. Taken apart, the two
 * terms would reach their ends at different values; together they are linear in each variable, so that the ends are at
 * corners of the box. Undefined of any other expression, or if two of the variables have an infinite end.
 */
export function productSumBound(lhs: PrimExpr, rhs: PrimExpr, boundOf: (e: PrimExpr) => IntBound): IntBound | undefined {
  const found = match(lhs, rhs);
  if (found !== undefined) return corners(found, boundOf);
  const opposite = match(rhs, lhs);
  const bound = opposite && corners(opposite, boundOf);
  return bound && { min: -bound.max + 0, max: -bound.min + 0 };
}

function match(sum: PrimExpr, product: PrimExpr): SumMinusProduct | undefined {
  const [p, productFactor] = withConstant(product);
  if (sum.kind !== "tir.Mul" || p.kind !== "tir.Mul") return undefined;
  for (const [add, factor] of [[sum.a, sum.b], [sum.b, sum.a]] as const) {
    if (add.kind !== "tir.Add") continue;
    const straight = exprDeepEqual(add.a, p.a) && exprDeepEqual(add.b, p.b);
    if (!straight && !(exprDeepEqual(add.a, p.b) && exprDeepEqual(add.b, p.a))) continue;
    return { a: p.a, b: p.b, sumFactor: factor, productFactor };
  }
  return undefined;
}

function withConstant(e: PrimExpr): readonly [PrimExpr, number] {
  if (e.kind === "tir.Mul" && e.b.kind === "ir.IntImm" && typeof e.b.value === "number") return [e.a, e.b.value];
  return [e, 1];
}

function corners(m: SumMinusProduct, boundOf: (e: PrimExpr) => IntBound): IntBound | undefined {
  const c = typeof m.sumFactor === "number" ? { min: m.sumFactor, max: m.sumFactor } : boundOf(m.sumFactor);
  const box = [boundOf(m.a), boundOf(m.b), c] as const;
  const infinite = box.flatMap((b, i) => [b.min, b.max].filter((x) => !Number.isFinite(x)).map(() => i));
  if (new Set(infinite).size > 1) return undefined;
  const value = (x: readonly number[]): number => ((x[0] ?? 0) + (x[1] ?? 0)) * (x[2] ?? 0) - (x[0] ?? 0) * (x[1] ?? 0) * m.productFactor;
  let min = Infinity;
  let max = -Infinity;
  const visit = (x: number[]): void => {
    const next = box[x.length];
    if (next !== undefined) {
      for (const end of new Set([next.min, next.max])) visit([...x, end]);
      return;
    }
    const open = x.findIndex((v) => !Number.isFinite(v));
    let v = value(x);
    if (open >= 0) {
      const at = (y: number): number => value(x.map((w, i) => (i === open ? y : w)));
      const slope = at(1) - at(0);
      // Constant along the way: the other end has the value.
      if (slope === 0) return;
      v = slope * (x[open] ?? 0);
    }
    min = Math.min(min, v);
    max = Math.max(max, v);
  };
  visit([]);
  if (min > max || [min, max].some((v) => Number.isFinite(v) && !Number.isSafeInteger(v))) return undefined;
  return { min, max };
}
