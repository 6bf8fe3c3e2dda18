import { irDialect, structuralEqual, type Pass } from "@verticil/ir-core";
import { Analyzer, substitute, tirNodes, type AnyVar as TirVar, type IndexMap, type PrimExpr } from "@verticil/tir";
import { isCall, isGlobalVar, isTuple, or, wildcard } from "../dpl/pattern.ts";
import { PatternMatchingRewriter } from "../dpl/pattern-matching-rewriter.ts";
import type { Expr } from "../ir/expr.ts";
import { staticShapeOf } from "../ir/make.ts";
import { relaxNodes } from "../ir/node-table.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";
import { rewritePass } from "./rewrite-functions.ts";

/**
 * Upstream's `OptimizeLayoutTransform`: a change of layout that the next one takes back falls away, also where padding is
 * removed between the two (a tensor program whose `operator_name` is `remove_pad`). Both must give the shape that was there.
 */
export function optimizeLayoutTransform(): Pass {
  return rewritePass("OptimizeLayoutTransform", (_, module) => {
    const [x, callee] = [wildcard(), isGlobalVar()];
    const inner = isCall("relax.layout_transform", [x]);
    const twice = isCall("relax.layout_transform", [inner]);
    const padded = isCall("relax.layout_transform", [isCall("relax.call_tir", [callee, isTuple([inner])])]);
    const either = or(twice, padded);
    return PatternMatchingRewriter.fromPattern(either, (_expr, matches) => {
      const [outer, input, gv] = [matches.get(either), matches.get(x), matches.get(callee)];
      if (outer === undefined || input === undefined) return undefined;
      const program = gv?.kind === "ir.GlobalVar" ? module.functions.get(gv) : undefined;
      if (matches.has(padded) && program?.attrs["operator_name"] !== "remove_pad") return undefined;
      return sameShape(outer, input) && takesBack(matches.get(inner), outer, input) ? input : undefined;
    });
  });
}

function sameShape(a: Expr, b: Expr): boolean {
  const [x, y] = [structInfoOf(a), structInfoOf(b)];
  if (x?.kind !== "relax.TensorStructInfo" || y?.kind !== "relax.TensorStructInfo" || x.shape === undefined || y.shape === undefined) return false;
  return structuralEqual(x.shape, y.shape, { dialects: [irDialect, tirNodes, relaxNodes] });
}

/** The second change puts each element back where it was before the first. */
function takesBack(inner: Expr | undefined, outer: Expr, input: Expr): boolean {
  const [first, second] = [inner === undefined ? undefined : mapOf(inner), mapOf(outer)];
  const shape = staticShapeOf(structInfoOf(input));
  if (first === undefined || second === undefined || shape === undefined) return false;
  const there = new Map<TirVar, PrimExpr>(second.initialIndices.map((v, i) => [v, first.finalIndices[i] ?? v]));
  const analyzer = new Analyzer();
  first.initialIndices.forEach((v, i) => analyzer.bindBound(v, { min: 0, max: (shape[i] ?? 1) - 1 }));
  return second.finalIndices.length === first.initialIndices.length && second.finalIndices.every((e, i) => analyzer.canProveEqual(substitute(e, there), first.initialIndices[i] ?? e));
}

function mapOf(e: Expr): IndexMap | undefined {
  const map = e.kind === "relax.Call" ? e.attrs["index_map"] : undefined;
  return typeof map === "object" && map !== null && "kind" in map && map.kind === "tir.IndexMap" ? (map as IndexMap) : undefined;
}
