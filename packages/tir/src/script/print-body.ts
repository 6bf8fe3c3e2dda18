import type { Node } from "@verticil/ir-core";
import type { Printer, StmtDoc } from "@verticil/tvmscript";
import type { Stmt } from "../ir/stmt.ts";
import { TirFrame } from "./print-frame.ts";

/** The statements of a body, at the end of `frame`. */
export function printBody(body: Stmt, frame: TirFrame, p: Printer): void {
  if (body.kind !== "tir.SeqStmt") {
    frame.allowConcise = true;
    frame.stmts.push(...p.stmts(body));
    return;
  }
  for (const [i, s] of body.seq.entries()) {
    frame.allowConcise = i === body.seq.length - 1;
    frame.stmts.push(...p.stmts(s));
  }
}

/** The statements of a body in a scope of its own. */
export function bodyOf(owner: Node, body: Stmt, p: Printer): StmtDoc[] {
  return p.within(new TirFrame(owner), (frame) => {
    printBody(body, frame, p);
    return frame.stmts;
  });
}

