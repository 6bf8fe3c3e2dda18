import type { BlockRealize, Stmt } from "../ir/stmt.ts";
import { replaceStmts, type FuncTree } from "./func-tree.ts";
import { refuse } from "./schedule-error.ts";

/** Refuses if the scope would be empty without the block. */
export function requireNotOnlyLeaf(tree: FuncTree, realize: BlockRealize): void {
  for (let p = tree.parent(realize); p !== undefined && p.kind !== "tir.Block"; p = tree.parent(p)) {
    if (p.kind === "tir.SeqStmt" && p.seq.length > 1) return;
  }
  refuse(`block \`${realize.block.name}\` is the only one of its scope`, realize.block, "Without it the scope would be empty.");
}

/** The function without a block, and without the loops that held nothing else. */
export function withoutLeaf(tree: FuncTree, realize: BlockRealize): FuncTree["func"] {
  requireNotOnlyLeaf(tree, realize);
  return replaceStmts(tree.func, new Map<Stmt, Stmt | undefined>([[realize, undefined]]));
}
