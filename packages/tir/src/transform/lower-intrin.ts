import type { Pass } from "@verticil/ir-core";
import type { Call, PrimExpr } from "../ir/expr.ts";
import { mapStmt } from "../ir/mutate.ts";
import { bodyPass } from "./prim-func-pass.ts";

/** What stands for a call of a builtin on a target, by full name (`tir.exp`); undefined leaves the call. */
export type IntrinTable = ReadonlyMap<string, (call: Call) => PrimExpr | undefined>;

/** Replaces builtins by what the target has; a replacement is lowered in its turn (upstream's `LowerIntrin`). */
export function lowerIntrin(table: IntrinTable): Pass {
  const lower = (e: PrimExpr): PrimExpr => {
    let current = e;
    // A rule may answer with another builtin that has a rule.
    for (let i = 0; i < 8 && current.kind === "tir.Call" && current.op.kind === "ir.Op"; i++) {
      const next = table.get(current.op.name)?.(current);
      if (next === undefined || next === current) break;
      current = next;
    }
    return current;
  };
  return bodyPass("LowerIntrin", (body) => (table.size === 0 ? body : mapStmt(body, { expr: lower })));
}
