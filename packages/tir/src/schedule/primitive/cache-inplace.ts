import type { BlockRealize, Stmt } from "../../ir/stmt.ts";
import { substitute } from "../../ir/substitute.ts";
import { bindingsOf, scopeRoot } from "../block-relations.ts";
import { changeAccess, insertItem, makeCopyStage, regionOf, renamed, requireRegionCover, requireStorageScope, withScope } from "../cache-stage.ts";
import { replaceStmts, type FuncTree } from "../func-tree.ts";
import type { Outcome } from "../outcome.ts";
import { refuse } from "../schedule-error.ts";

/** A buffer that the block reads and writes copied in before the block and out after it; gives both copying blocks. */
export function cacheInplace(tree: FuncTree, realize: BlockRealize, readIndex: number, storageScope: string): Outcome {
  requireStorageScope(storageScope);
  const { block } = realize;
  const buffer = block.reads[readIndex]?.buffer;
  if (buffer === undefined) return refuse(`block \`${block.name}\` has no read number ${readIndex}`, block);
  const scope = scopeRoot(tree, realize);
  requireRegionCover(tree, scope, buffer);
  const reads = regionOf(block.reads, buffer);
  const writes = regionOf(block.writes, buffer);
  if (reads === undefined || writes === undefined) return refuse(`block \`${block.name}\` does not both read and write \`${buffer.name}\``, block);
  const cache = withScope(buffer, storageScope);
  const bindings = bindingsOf(realize);
  const copyIn = makeCopyStage(substitute(reads, bindings), buffer, cache, storageScope, { compact: false, condition: realize.predicate });
  const copyOut = makeCopyStage(substitute(writes, bindings), cache, buffer, storageScope, { compact: false, condition: realize.predicate });
  const changed = changeAccess(realize, renamed(buffer, cache), { writes: true });
  // The copies go into the innermost loop around the block, or beside it in the scope.
  const above = tree.ancestors(realize);
  const holder = above.find((s) => s.kind === "tir.For" || s.kind === "tir.Block");
  const item = holder === undefined ? undefined : [realize as Stmt, ...above].find((s) => tree.parent(s) === holder || isItemOf(tree, s, holder));
  if (holder?.kind !== "tir.For" && holder?.kind !== "tir.Block") return refuse("the block is not in a scope", block);
  const body = holder.body;
  const items = body.kind === "tir.SeqStmt" ? body.seq : [body];
  const at = Math.max(0, items.findIndex((s) => s === item));
  const withBlock = replaceStmts({ ...tree.func, body }, new Map<Stmt, Stmt>([[realize, changed]])).body;
  const inserted = insertItem(insertItem(withBlock, at + 1, copyOut.nest), at, copyIn.nest);
  const newHolder = { ...holder, body: inserted };
  const scopeBlock = holder === scope.block ? newHolder : replaceStmts({ ...tree.func, body: scope.block }, new Map<Stmt, Stmt>([[holder, newHolder]])).body;
  if (scopeBlock.kind !== "tir.Block") throw new Error("internal: a scope block was replaced by something else");
  const allocated = { ...scopeBlock, allocBuffers: [...scopeBlock.allocBuffers, cache] };
  return { func: replaceStmts(tree.func, new Map<Stmt, Stmt>([[scope.block, allocated]])), blocks: [copyIn.key, copyOut.key] };
}

function isItemOf(tree: FuncTree, s: Stmt, holder: Stmt): boolean {
  const parent = tree.parent(s);
  return parent?.kind === "tir.SeqStmt" && tree.parent(parent) === holder;
}
