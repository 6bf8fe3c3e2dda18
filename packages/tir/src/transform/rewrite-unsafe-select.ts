import type { Pass } from "@verticil/ir-core";
import { lanesOf } from "@verticil/runtime-ffi";
import type { PrimExpr } from "../ir/expr.ts";
import { intrinDef } from "../ir/intrin.ts";
import { mapStmt } from "../ir/mutate.ts";
import { asInt, ifThenElse } from "../ir/ops.ts";
import type { Stmt } from "../ir/stmt.ts";
import { forEachExprChild, visitExpr, visitStmt } from "../ir/visit.ts";
import { bodyPass } from "./prim-func-pass.ts";

/**
 * A `Select` evaluates both values: where one of them reads memory, or divides by what may be zero, it becomes an
 * `if_then_else` (upstream's `RewriteUnsafeSelect`). A select by lane stays.
 */
export function rewriteUnsafeSelect(): Pass {
  return bodyPass("RewriteUnsafeSelect", (body) => {
    if (!hasSelect(body)) return body;
    return mapStmt(body, {
      expr: (e) =>
        e.kind === "tir.Select" && lanesOf(e.condition.dtype) === 1 && (isUnsafe(e.trueValue) || isUnsafe(e.falseValue))
          ? ifThenElse(e.condition, e.trueValue, e.falseValue)
          : e,
    });
  });
}

function hasSelect(body: Stmt): boolean {
  let found = false;
  visitStmt(body, {
    expr(e) {
      found ||= containsSelect(e);
      return "skip";
    },
  });
  return found;
}

// Written out for what there is most of: few functions have a select, and all are looked through.
function containsSelect(e: PrimExpr): boolean {
  switch (e.kind) {
    case "tir.Select":
      return true;
    case "tir.Var":
    case "tir.SizeVar":
    case "ir.IntImm":
    case "ir.FloatImm":
      return false;
    case "tir.Add":
    case "tir.Sub":
    case "tir.Mul":
      return containsSelect(e.a) || containsSelect(e.b);
    case "tir.Ramp":
      return containsSelect(e.base) || containsSelect(e.stride);
    default: {
      let found = false;
      forEachExprChild(e, (x) => void (found ||= containsSelect(x)));
      return found;
    }
  }
}

function isUnsafe(e: PrimExpr): boolean {
  let unsafe = false;
  visitExpr(e, (x) => {
    // A select is safe if its condition is: its values are guarded already.
    if (x.kind === "tir.Select") {
      if (isUnsafe(x.condition)) unsafe = true;
      return "skip";
    }
    if (x.kind === "tir.Call" && x.op.kind === "ir.Op") {
      // Its own branches are guarded; its condition is not.
      if (x.op.name === "tir.if_then_else") {
        if (x.args[0] && isUnsafe(x.args[0])) unsafe = true;
        return "skip";
      }
      const effect = intrinDef(x.op.name)?.effect;
      if (effect !== "pure" && effect !== "annotation") unsafe = true;
    } else if (x.kind === "tir.Call" || x.kind === "tir.BufferLoad") unsafe = true;
    else if ((x.kind === "tir.Div" || x.kind === "tir.Mod" || x.kind === "tir.FloorDiv" || x.kind === "tir.FloorMod") && /^u?int/.test(x.dtype)) {
      const divisor = asInt(x.b.kind === "tir.Broadcast" ? x.b.value : x.b);
      if (divisor === undefined || divisor === 0) unsafe = true;
    }
    return unsafe ? "skip" : undefined;
  });
  return unsafe;
}
