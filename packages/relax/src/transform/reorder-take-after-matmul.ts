import type { Pass } from "@verticil/ir-core";
import { mul } from "@verticil/tir";
import { isCall, wildcard } from "../dpl/pattern.ts";
import { PatternMatchingRewriter } from "../dpl/pattern-matching-rewriter.ts";
import type { RewriteContext } from "../dpl/rewrite-spec.ts";
import type { Expr } from "../ir/expr.ts";
import { makeShapeExpr, makeTuple, shapeOf } from "../ir/make.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";
import { rewritePass } from "./rewrite-functions.ts";

/**
 * Upstream's `ReorderTakeAfterMatmul`: `x * take(W, i)` is `take(x * W, i)`: the product of all of the table, of which some is
 * taken. Where each batch takes a matrix of its own (LoRA), the table becomes one wide matrix.
 */
export function reorderTakeAfterMatmul(): Pass {
  return rewritePass("ReorderTakeAfterMatmul", () => {
    const [x, table, indices] = [wildcard(), wildcard(), wildcard()];
    const take = isCall("relax.take", [table, indices]);
    return PatternMatchingRewriter.fromPattern(isCall("relax.matmul", [x, take]), (expr, matches, ctx) => {
      const [lhs, weights, index, taken] = [matches.get(x), matches.get(table), matches.get(indices), matches.get(take)];
      if (lhs === undefined || weights === undefined || index === undefined || taken?.kind !== "relax.Call") return undefined;
      const axis = taken.attrs["axis"];
      const [nl, nw, ni, no] = [lhs, weights, index, expr].map(rankOf);
      if (axis === null || axis === undefined || nl === undefined || nw === undefined || ni === undefined || no === undefined) return undefined;
      if (ni === 1 && Number(axis) + 1 === nw) return ctx.call("relax.take", [ctx.call("relax.matmul", [lhs, weights]), index], { axis: no - 1 });
      return nl === 3 && nw === 3 && ni === 1 && Number(axis) === 0 ? batched(lhs, weights, index, ctx) : undefined;
    });
  });
}

function rankOf(e: Expr): number | undefined {
  const info = structInfoOf(e);
  return info?.kind === "relax.TensorStructInfo" && info.ndim >= 0 ? info.ndim : undefined;
}

/** `lhs` is [batch, rows, in], the table [size, in, out], and each batch takes one matrix of it. */
function batched(lhs: Expr, weights: Expr, index: Expr, ctx: RewriteContext): Expr | undefined {
  const [batch, rows] = shapeOf(structInfoOf(lhs)) ?? [];
  const [size, depth, out] = shapeOf(structInfoOf(weights)) ?? [];
  if (batch === undefined || rows === undefined || size === undefined || depth === undefined || out === undefined) return undefined;
  const turned = ctx.call("relax.permute_dims", [weights], { axes: [1, 0, 2] });
  const wide = ctx.call("relax.reshape", [turned, makeShapeExpr([depth, mul(size, out)])]);
  const all = ctx.call("relax.reshape", [ctx.call("relax.matmul", [lhs, wide]), makeShapeExpr([batch, rows, size, out])]);
  const taken = ctx.call("relax.take", [all, index], { axis: 2 });
  return ctx.call("relax.einsum", [makeTuple([taken])], { subscripts: "ijik->ijk" });
}
