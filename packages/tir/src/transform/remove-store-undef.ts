import { Diagnostics, sequential, throwIfErrors, type Pass } from "@verticil/ir-core";
import { sideEffect } from "../analysis/side-effect.ts";
import type { AnyVar, PrimExpr } from "../ir/expr.ts";
import { mapStmt } from "../ir/mutate.ts";
import type { Stmt } from "../ir/stmt.ts";
import { visitExpr, visitStmt } from "../ir/visit.ts";
import { bodyPass } from "./prim-func-pass.ts";
import { removeNoOp } from "./remove-no-op.ts";
import { noOp } from "./simplify.ts";
import { transformDiagnostics } from "./diagnostics.ts";

/**
 * Drops stores of `T.undef()`, which say that any value would do, and bindings of it (upstream's `RemoveStoreUndef`).
 * @throws DiagnosticError if the value has other effects, or an `undef` is left: in an index or in a condition.
 */
export function removeStoreUndef(): Pass {
  return sequential("RemoveStoreUndef", [
    bodyPass("RemoveStoreUndefInternal", dropStores),
    removeNoOp(),
    bodyPass("ValidateAllUndefRemoved", refuseUndef),
  ]);
}

function isUndef(e: PrimExpr): boolean {
  return e.kind === "tir.Call" && e.op.kind === "ir.Op" && e.op.name === "tir.undef";
}

function dropStores(body: Stmt): Stmt {
  const diagnostics = new Diagnostics();
  const report = diagnostics.reporter("tir", transformDiagnostics);
  const bound = new Set<AnyVar>();
  const dropped = new Set<Stmt>();
  /** True if the value depends on an undef; what is inside of an index is not the value. */
  const depends = (value: PrimExpr): boolean => {
    let found = false;
    visitExpr(value, (e) => {
      if (e.kind === "tir.BufferLoad") return "skip";
      if (isUndef(e) || (e.kind === "tir.Var" && bound.has(e))) found = true;
      return undefined;
    });
    if (found && !["pure", "read"].includes(sideEffect(value))) report("undef-with-effect", {}, value.span);
    return found;
  };
  visitStmt(body, {
    stmt(s) {
      if (s.kind === "tir.BufferStore" && depends(s.value)) dropped.add(s);
      if (s.kind === "tir.LetStmt" && depends(s.value)) bound.add(s.bind);
    },
  });
  throwIfErrors(diagnostics);
  return dropped.size === 0 ? body : mapStmtWhere(body, dropped);
}

function mapStmtWhere(body: Stmt, dropped: ReadonlySet<Stmt>): Stmt {
  return mapStmt(body, { stmt: (s) => (dropped.has(s) ? noOp() : s) });
}

function refuseUndef(body: Stmt): Stmt {
  const diagnostics = new Diagnostics();
  const report = diagnostics.reporter("tir", transformDiagnostics);
  visitStmt(body, { expr: (e) => void (isUndef(e) && report("undef-left", {}, e.span)) });
  throwIfErrors(diagnostics);
  return body;
}
