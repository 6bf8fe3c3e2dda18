import type { PrimExpr } from "./expr.ts";
import { mapExprChildren, mapStmtChildren, type ChildMapper } from "./map-children.ts";
import type { Stmt } from "./stmt.ts";

/** Rules of a rewrite; each sees a node after its parts were rewritten and gives back a replacement, or the node. */
export interface Rewriter {
  expr?(e: PrimExpr): PrimExpr;
  stmt?(s: Stmt): Stmt;
}

/** Rewrites an expression from the leaves up. Gives back `e` itself if nothing changed; folds nothing. */
export function mapExpr(e: PrimExpr, rule: (e: PrimExpr) => PrimExpr): PrimExpr {
  const mapper = { expr: (x: PrimExpr): PrimExpr => rule(mapExprChildren(x, mapper)) };
  return mapper.expr(e);
}

/**
 * Rewrites a statement and the expressions in it from the leaves up (upstream's `StmtExprMutator`). Buffers and bound
 * variables are kept. Gives back `s` itself if nothing changed.
 */
export function mapStmt(s: Stmt, rules: Rewriter): Stmt {
  const { expr: exprRule, stmt: stmtRule } = rules;
  const mapper: ChildMapper = {
    expr: exprRule === undefined ? (e) => e : (e) => exprRule(mapExprChildren(e, mapper)),
    stmt: stmtRule === undefined ? (x) => mapStmtChildren(x, mapper) : (x) => stmtRule(mapStmtChildren(x, mapper)),
  };
  return mapper.stmt(s);
}
