import { exprDeepEqual } from "../arith/expr-deep-equal.ts";
import type { AnyVar, PrimExpr } from "../ir/expr.ts";
import type { BufferStore, Stmt } from "../ir/stmt.ts";
import { mapStmtChildren } from "../ir/map-children.ts";
import { forEachExprChild } from "../ir/visit.ts";

/**
 * True if a statement writes `target` only from elements of `source` at the same place, so that both may be one memory.
 * Takes for granted that no element is written twice (upstream's `InplaceOpVerifier`).
 */
export function canRunInPlace(s: Stmt, target: AnyVar, source: AnyVar): boolean {
  if (!["tir.AttrStmt", "tir.For", "tir.IfThenElse", "tir.While", "tir.BufferStore"].includes(s.kind)) return false;
  let possible = true;
  let store: BufferStore | undefined;
  let inAccess = false;
  const nested = (f: () => void): void => {
    const outer = inAccess;
    inAccess = true;
    f();
    inAccess = outer;
  };
  const expr = (e: PrimExpr): void => {
    if (!possible) return;
    // A pointer that is passed on may be used in any way.
    if (e === target || e === source) possible = false;
    if (e.kind !== "tir.BufferLoad") return forEachExprChild(e, expr);
    if (e.buffer.data === target || inAccess) possible = false;
    if (e.buffer.data === source) {
      const same = store?.value.dtype === e.dtype && e.indices.length === store.indices.length && e.indices.every((x, i) => exprDeepEqual(x, store?.indices[i] ?? x));
      if (!same) possible = false;
    }
    nested(() => forEachExprChild(e, expr));
  };
  const visit = (x: Stmt): void => {
    if (!possible) return;
    if (x.kind === "tir.AttrStmt" && (x.attrKey === "extern_scope" || x.attrKey === "volatile_scope")) possible = false;
    if (x.kind === "tir.BufferStore") {
      nested(() => x.indices.forEach(expr));
      const outer = store;
      if (x.buffer.data === target) store = x;
      expr(x.value);
      store = outer;
      return;
    }
    mapStmtChildren(x, {
      expr: (e) => (expr(e), e),
      stmt: (y) => (visit(y), y),
    });
  };
  visit(s);
  return possible;
}
