import type { AnyVar, Range } from "../../ir/expr.ts";
import { makeRange } from "../../ir/make-expr.ts";
import { constant, type ExprLike } from "../../ir/ops.ts";

/** Domains `[0, extent)` of iterators. */
export function itersOf(...extents: readonly (readonly [AnyVar, ExprLike])[]): Map<AnyVar, Range> {
  return new Map(extents.map(([v, e]) => [v, makeRange(constant(0, v.dtype), typeof e === "object" ? e : constant(e, v.dtype))]));
}
