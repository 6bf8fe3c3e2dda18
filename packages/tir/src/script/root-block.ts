import type { Buffer } from "../ir/buffer.ts";
import type { Stmt } from "../ir/stmt.ts";
import { visitStmt } from "../ir/visit.ts";

/**
 * True if the reader puts a root block around this body of a function: it allocates buffers, or holds blocks without
 * being a single block that has no iteration variables.
 */
export function needsRoot(body: Stmt, allocated: readonly Buffer[]): boolean {
  if (allocated.length > 0) return true;
  if (body.kind === "tir.BlockRealize") return body.block.iterVars.length > 0;
  let found = false;
  visitStmt(body, {
    stmt(s) {
      if (s.kind === "tir.BlockRealize") found = true;
      return found ? "skip" : undefined;
    },
    expr: () => "skip",
  });
  return found;
}
