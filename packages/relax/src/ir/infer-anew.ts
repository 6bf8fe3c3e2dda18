import type { BlockBuilder } from "./block-builder.ts";
import type { AnyVar, Binding, Expr, Function, Var } from "./expr.ts";
import { makeSeqExpr } from "./make.ts";
import { makeFunction } from "./make-function.ts";
import { renameExpr } from "./rename.ts";

/** The function with other parameters in the place of its own, the struct info of all that it computes inferred anew. */
export function inferAnew(func: Function, params: readonly Var[], bb: BlockBuilder): Function {
  const renamed = new Map<AnyVar, Expr>();
  func.params.forEach((p, i) => renamed.set(p, params[i] ?? p));
  const bare = bareSeq(func.body, renamed);
  const built = bb.buildFunction(params, () => bb.normalize(bare), { attrs: func.attrs, isPure: func.isPure });
  return makeFunction(params, built.body, built.retStructInfo, { isPure: func.isPure, attrs: func.attrs, span: func.span });
}

/** A sequence whose variables and calls have no struct info but what casts say. */
function bareSeq(expr: Expr, renamed: Map<AnyVar, Expr>): Expr {
  if (expr.kind !== "relax.SeqExpr") return renameExpr(expr, renamed);
  const blocks = expr.blocks.map((block) => ({ ...block, bindings: block.bindings.map((b) => bareBinding(b, renamed)) }));
  return makeSeqExpr(blocks, renameExpr(expr.body, renamed), expr.span);
}

function bareBinding(b: Binding, renamed: Map<AnyVar, Expr>): Binding {
  if (b.kind === "relax.MatchCast") return { ...b, value: renameExpr(b.value, renamed) };
  const value = bareValue(b.value, renamed);
  if (b.value.kind === "relax.Function") return { ...b, value };
  const v: AnyVar = { ...b.var, structInfo: undefined };
  renamed.set(b.var, v);
  return { ...b, var: v, value };
}

function bareValue(value: Expr, renamed: Map<AnyVar, Expr>): Expr {
  switch (value.kind) {
    case "relax.If":
      return { ...value, cond: renameExpr(value.cond, renamed), trueBranch: bareSeq(value.trueBranch, renamed), falseBranch: bareSeq(value.falseBranch, renamed), structInfo: undefined };
    case "relax.Call":
    case "relax.Tuple":
    case "relax.TupleGetItem":
      return { ...renameExpr(value, renamed), structInfo: undefined } as Expr;
    default:
      return renameExpr(value, renamed);
  }
}
