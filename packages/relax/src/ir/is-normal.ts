import type { Expr } from "./expr.ts";
import { structInfoOf } from "./struct-info-of.ts";

/** True for what may stand as an operand: variables, constants, and tuples of these. */
export function isLeaf(e: Expr): boolean {
  switch (e.kind) {
    case "relax.Call":
    case "relax.TupleGetItem":
    case "relax.If":
    case "relax.SeqExpr":
    case "relax.Function":
      return false;
    case "relax.Tuple":
      return e.structInfo !== undefined && e.fields.every(isLeaf);
    default:
      return true;
  }
}

/** True for the value of a binding in normal form: its operands are leaves, bodies are sequences, struct info is there. */
function isNormalValue(e: Expr): boolean {
  switch (e.kind) {
    case "relax.Call":
      return e.structInfo !== undefined && isLeaf(e.op) && e.args.every(isLeaf);
    case "relax.TupleGetItem":
      return e.structInfo !== undefined && isLeaf(e.tuple);
    case "relax.If":
      return e.structInfo !== undefined && isLeaf(e.cond) && isNormalSeq(e.trueBranch) && isNormalSeq(e.falseBranch);
    case "relax.SeqExpr":
      return false;
    case "relax.Function":
      return isNormalSeq(e.body);
    default:
      return isLeaf(e);
  }
}

/** True for a sequence in normal form. */
export function isNormalSeq(e: Expr): boolean {
  if (e.kind !== "relax.SeqExpr" || !isLeaf(e.body)) return false;
  const hasInfo = e.body.kind === "ir.GlobalVar" || e.body.kind === "ir.Op" || structInfoOf(e) !== undefined;
  return hasInfo && e.blocks.every((block) => block.bindings.every((b) => b.var.structInfo !== undefined && (b.kind === "relax.MatchCast" ? isLeaf(b.value) : isNormalValue(b.value))));
}
