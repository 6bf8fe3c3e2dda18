import { mapList } from "@verticil/ir-core";
import type { Expr } from "./expr.ts";
import { makeSeqExpr } from "./make.ts";

/**
 * A sequence with the value of each binding mapped, those in branches included; local functions are values, and left to
 * `f`. Variables keep their struct info: `f` must not change what a value is. Gives back `expr` itself if nothing changed.
 */
export function mapValues(expr: Expr, f: (value: Expr) => Expr): Expr {
  if (expr.kind !== "relax.SeqExpr") return expr;
  const blocks = mapList(expr.blocks, (block) => {
    const bindings = mapList(block.bindings, (b) => {
      const inner = mapBranches(b.value, f);
      const value = b.kind === "relax.VarBinding" ? f(inner) : inner;
      return value === b.value ? b : { ...b, value };
    });
    return bindings === block.bindings ? block : { ...block, bindings };
  });
  return blocks === expr.blocks ? expr : makeSeqExpr(blocks, expr.body, expr.span);
}

function mapBranches(value: Expr, f: (value: Expr) => Expr): Expr {
  if (value.kind !== "relax.If") return value;
  const trueBranch = mapValues(value.trueBranch, f);
  const falseBranch = mapValues(value.falseBranch, f);
  return trueBranch === value.trueBranch && falseBranch === value.falseBranch ? value : { ...value, trueBranch, falseBranch };
}
