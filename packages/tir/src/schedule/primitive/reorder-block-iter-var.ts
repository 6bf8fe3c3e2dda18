import type { BlockRealize, Stmt } from "../../ir/stmt.ts";
import { blockKey, replaceStmts, type FuncTree } from "../func-tree.ts";
import type { Outcome } from "../outcome.ts";
import { scopeRoot } from "../block-relations.ts";
import { refuse } from "../schedule-error.ts";

/** The iteration variables of a block with their values in another order: number `order[i]` comes at place `i`. */
export function reorderBlockIterVar(tree: FuncTree, realize: BlockRealize, order: readonly number[]): Outcome {
  const { block } = realize;
  scopeRoot(tree, realize);
  const n = block.iterVars.length;
  const valid = order.length === n && new Set(order).size === n && order.every((i) => Number.isInteger(i) && i >= 0 && i < n);
  if (!valid) return refuse(`[${order.join(", ")}] is not an order of the ${n} variables of block \`${block.name}\``, block, "List each number from 0 on once.");
  const pick = <T>(list: readonly T[]): readonly T[] => order.flatMap((i) => list.slice(i, i + 1));
  const renewed = { ...block, iterVars: pick(block.iterVars) };
  const next: BlockRealize = { ...realize, iterValues: pick(realize.iterValues), block: renewed };
  return {
    func: replaceStmts(tree.func, new Map<Stmt, Stmt>([[realize, next]])),
    rekeyed: new Map([[blockKey(block), blockKey(renewed)]]),
  };
}
