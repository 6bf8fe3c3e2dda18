import { Analyzer } from "../../arith/analyzer.ts";
import type { AnyVar, PrimExpr } from "../../ir/expr.ts";
import { usesVar } from "../../ir/free-vars.ts";
import { makeVar } from "../../ir/make-expr.ts";
import { makeFor } from "../../ir/make-stmt.ts";
import { constant, floorDiv, floorMod, isConstInt, mul } from "../../ir/ops.ts";
import type { For } from "../../ir/stmt.ts";
import { replaceStmts, type FuncTree } from "../func-tree.ts";
import { requireFromZero, requireOnlyChild, requirePlain, simplifyBindings, substituteLoops } from "../loop-body.ts";
import type { Outcome } from "../outcome.ts";
import { refuse } from "../schedule-error.ts";
import { widestIndex } from "./split.ts";

/** Directly nested loops, outermost first, made one loop over their product. */
export function fuseLoops(tree: FuncTree, loops: readonly For[], preserveUnitIters: boolean): Outcome {
  const [first] = loops;
  const last = loops[loops.length - 1];
  if (first === undefined || last === undefined) return refuse("no loops were given");
  loops.forEach((l, i) => {
    requirePlain(l);
    const outer = loops[i - 1];
    if (outer !== undefined) requireOnlyChild(outer, l);
    requireFromZero(l);
    const used = loops.slice(0, i).find((o) => usesVar(l.extent, o.loopVar));
    if (used !== undefined) refuse(`the extent of \`${l.loopVar.name}\` depends on \`${used.loopVar.name}\``, l);
  });
  const dtype = widestIndex(loops.map((l) => l.loopVar));
  const fused = makeVar(`${loops.map((l) => l.loopVar.name).join("_")}_fused`, dtype);
  const values = new Map<AnyVar, PrimExpr>();
  let lower: PrimExpr = constant(1, "int32");
  for (let i = loops.length - 1; i >= 0; i--) {
    const l = loops[i];
    if (l === undefined) continue;
    const high = i === 0 ? fused : floorMod(fused, mul(lower, l.extent));
    values.set(l.loopVar, isConstInt(l.extent, 1) ? constant(0, "int32") : floorDiv(high, lower));
    lower = mul(lower, l.extent);
  }
  const extent = new Analyzer().simplify(loops.reduce<PrimExpr>((p, l) => mul(p, l.extent), constant(1, "int32")));
  const nest = makeFor(fused, constant(0, extent.dtype), extent, substituteLoops(last.body, values));
  const simplified = simplifyBindings(nest, tree.loopsOf(first), preserveUnitIters);
  return { func: replaceStmts(tree.func, new Map([[first, simplified]])), loops: [fused] };
}
