import { makePointerType, makePrimType } from "@verticil/ir-core";
import type { Buffer } from "../../ir/buffer.ts";
import { makeVar } from "../../ir/make-expr.ts";
import { scopeOf } from "../../ir/make-stmt.ts";
import type { BlockRealize, Stmt } from "../../ir/stmt.ts";
import { replaceBuffers } from "../../ir/substitute.ts";
import { visitStmt } from "../../ir/visit.ts";
import { requireStorageScope, withScope } from "../cache-stage.ts";
import { replaceStmts, type FuncTree } from "../func-tree.ts";
import type { Outcome } from "../outcome.ts";
import { refuse } from "../schedule-error.ts";
import { allocationSite } from "./storage-align.ts";

/** The buffer that a block writes moved to another storage scope, everywhere it is used, what matches it included. */
export function setScope(tree: FuncTree, realize: BlockRealize, index: number, scope: string): Outcome {
  const buffer = realize.block.writes[index]?.buffer;
  if (buffer === undefined) return refuse(`block \`${realize.block.name}\` has no write number ${index}`, realize.block);
  if (scopeOf(buffer) === scope) return { func: tree.func };
  requireStorageScope(scope);
  const site = allocationSite(tree, realize, buffer);
  const buffers = new Map<Buffer, Buffer>([[buffer, withScope(buffer, scope)]]);
  for (const b of matchedIn(site.block, buffer)) buffers.set(b, withScope(b, scope));
  return { func: replaceStmts(tree.func, new Map<Stmt, Stmt>([[site.block, replaceBuffers(site.block, buffers)]])) };
}

/** The buffers that match a part of `buffer`, directly or through another one. */
export function matchedIn(s: Stmt, buffer: Buffer): readonly Buffer[] {
  const found = new Set<Buffer>([buffer]);
  visitStmt(s, {
    stmt(x) {
      if (x.kind === "tir.Block") for (const m of x.matchBuffers) if (found.has(m.source.buffer)) found.add(m.buffer);
      return undefined;
    },
  });
  return [...found].slice(1);
}

/** A buffer like another one with another element type. */
export function withDType(buffer: Buffer, dtype: Buffer["dtype"]): Buffer {
  return { ...buffer, dtype, data: makeVar(buffer.data.name, "handle", makePointerType(makePrimType(dtype), scopeOf(buffer))) };
}
