import type { PrimFunc } from "@verticil/tir";
import type { Call, Expr, Function } from "../ir/expr.ts";
import type { InferScope } from "../ir/infer-call.ts";
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

/** True if a call may have an effect beyond its value. Of a function of the module its own purity counts. */
function isImpure(call: Call, scope: InferScope): boolean {
  const { op } = call;
  if (op.kind === "ir.Op") return !(scope.ops.get(op.name)?.pure ?? true);
  if (op.kind === "ir.GlobalVar") {
    const func = scope.lookup(op);
    if (func?.kind === "relax.Function") return !(func as Function).isPure;
    // A tensor program that has buffers may write into them.
    return func?.kind === "tir.PrimFunc" && (func as PrimFunc).bufferMap.size > 0;
  }
  const info = structInfoOf(op);
  return !(info?.kind === "relax.FuncStructInfo" && info.purity);
}

/** The first call with an effect that evaluating the expression makes; what a local function would do is not done yet. */
export function findImpureCall(expr: Expr, scope: InferScope): Call | undefined {
  switch (expr.kind) {
    case "relax.Call":
      return isImpure(expr, scope) ? expr : undefined;
    case "relax.If":
      return findImpureCall(expr.trueBranch, scope) ?? findImpureCall(expr.falseBranch, scope);
    case "relax.SeqExpr":
      for (const block of expr.blocks) {
        for (const b of block.bindings) {
          const found = findImpureCall(b.value, scope);
          if (found !== undefined) return found;
        }
      }
      return undefined;
    default:
      return undefined;
  }
}

/** What a call calls, in backticks, for messages. */
export function calleeName(call: Call): string {
  const { op } = call;
  switch (op.kind) {
    case "ir.Op":
    case "ir.GlobalVar":
    case "relax.Var":
    case "relax.DataflowVar":
      return `\`${op.name}\``;
    case "relax.ExternFunc":
      return `\`${op.globalSymbol}\``;
    default:
      return "a function";
  }
}
