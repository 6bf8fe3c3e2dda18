import { visitStmt, type PrimExpr, type Stmt } from "@verticil/tir";

/** How many expressions there are in a statement, each part of one counted too; of those that `counts` holds for. */
export function countExprs(body: Stmt, counts: (e: PrimExpr) => boolean = () => true): number {
  let n = 0;
  visitStmt(body, { expr: (e) => void (n += Number(counts(e))) });
  return n;
}
