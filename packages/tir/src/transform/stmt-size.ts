import type { Stmt } from "../ir/stmt.ts";
import { visitStmt } from "../ir/visit.ts";

/** The number of statements and expressions in a statement, to keep duplication within bounds. */
export function stmtSize(s: Stmt): number {
  let size = 0;
  visitStmt(s, {
    expr: () => void size++,
    stmt: () => void size++,
  });
  return size;
}
