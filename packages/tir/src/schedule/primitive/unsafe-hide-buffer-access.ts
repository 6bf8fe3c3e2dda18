import type { BlockRealize, Stmt } from "../../ir/stmt.ts";
import { replaceStmts, type FuncTree } from "../func-tree.ts";
import type { Outcome } from "../outcome.ts";
import { refuse } from "../schedule-error.ts";

/** Buffers taken out of the declared reads or writes of a block. */
export function unsafeHideBufferAccess(tree: FuncTree, realize: BlockRealize, side: string, indices: readonly number[]): Outcome {
  const { block } = realize;
  if (side !== "read" && side !== "write") return refuse(`accesses are "read" or "write", not "${side}"`, block);
  const regions = side === "read" ? block.reads : block.writes;
  const bad = indices.find((i) => !Number.isInteger(i) || i < 0 || i >= regions.length);
  if (bad !== undefined) return refuse(`block \`${block.name}\` has ${regions.length} ${side} regions and no number ${bad}`, block);
  const kept = regions.filter((_, i) => !indices.includes(i));
  const next = side === "read" ? { ...block, reads: kept } : { ...block, writes: kept };
  return { func: replaceStmts(tree.func, new Map<Stmt, Stmt>([[block, next]])) };
}
