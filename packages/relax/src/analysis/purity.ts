import type { Expr } from "../ir/expr.ts";
import type { OpRegistry } from "../ir/op-def.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";
import { forEachBinding } from "./variables.ts";

/** True if evaluating the expression may have an effect beyond its value (upstream's `contains_impure_call`). */
export function containsImpureCall(expr: Expr, ops: OpRegistry): boolean {
  switch (expr.kind) {
    case "relax.Call": {
      const { op } = expr;
      if (op.kind === "ir.Op") return !(ops.get(op.name)?.pure ?? false);
      if (op.kind === "ir.GlobalVar") return false;
      const info = structInfoOf(op);
      return !(info?.kind === "relax.FuncStructInfo" && info.purity);
    }
    case "relax.If":
      return containsImpureCall(expr.trueBranch, ops) || containsImpureCall(expr.falseBranch, ops);
    case "relax.SeqExpr": {
      let impure = false;
      forEachBinding(expr, (b) => {
        if (containsImpureCall(b.value, ops)) impure = true;
      });
      return impure;
    }
    default:
      return false;
  }
}
