import type { Node } from "@verticil/ir-core";
import type { AnyVar, IterVarType } from "../../ir/expr.ts";
import { usesVar } from "../../ir/free-vars.ts";
import { isConstInt } from "../../ir/ops.ts";
import type { BlockRealize, For, Stmt } from "../../ir/stmt.ts";
import { onlySpatialAndReduction, requireAffineBinding } from "../block-relations.ts";
import { childBlocks, replaceStmts, type FuncTree } from "../func-tree.ts";
import type { Outcome } from "../outcome.ts";
import { refuse } from "../schedule-error.ts";

/** Loops of one nest put in the given order; loops between them that are not listed stay where they are. */
export function reorderLoops(tree: FuncTree, loops: readonly For[]): Outcome {
  if (loops.length <= 1) return { func: tree.func };
  const listed = new Set<Stmt>(loops);
  const twice = loops.find((l, i) => loops.indexOf(l) !== i);
  if (twice !== undefined) refuse(`loop \`${twice.loopVar.name}\` is listed twice`, twice);
  const bottom = loops.find((l) => loops.every((o) => tree.contains(o, l)));
  if (bottom === undefined) return refuse("the loops are not in one nest", loops, "List loops of which each holds or is held by the others.");
  const chain = chainOf(tree, bottom, listed);
  const [top] = chain;
  if (top === undefined) return { func: tree.func };
  for (const realize of blocksBelow(bottom)) {
    if (!onlySpatialAndReduction(realize.block)) {
      refuse(`block \`${realize.block.name}\` has variables that are neither spatial nor reductions`, realize.block, "Their iterations must run in order.");
    }
    // Without variables nothing is bound.
    if (realize.block.iterVars.length > 0) requireAffineBinding(tree, realize, tree.parent(top));
  }
  const order = [...loops];
  const reordered = chain.map((l) => (listed.has(l) ? (order.shift() ?? l) : l));
  requireInitFirst(blocksBelow(bottom), chain, reordered);
  const inner = new Set<AnyVar>();
  for (const l of [...reordered].reverse()) {
    const test = (v: AnyVar): boolean => inner.has(v);
    if (usesVar(l.extent, test) || usesVar(l.min, test)) refuse(`the bounds of \`${l.loopVar.name}\` depend on a loop that would be inside it`, l);
    inner.add(l.loopVar);
  }
  const nest = reordered.reduceRight<Stmt>((body, l) => ({ ...l, body }), bottom.body);
  return { func: replaceStmts(tree.func, new Map([[top, nest]])) };
}

/**
 * Refuses orders in which a reduction would not start with its init: a loop that repeats it must not move across a loop of
 * the reduction, and of loops that are fused from spatial and reduction ones none may move across another.
 */
function requireInitFirst(blocks: readonly BlockRealize[], before: readonly For[], after: readonly For[]): void {
  const swapped = (a: For, b: For): boolean => before.indexOf(a) < before.indexOf(b) !== after.indexOf(a) < after.indexOf(b);
  for (const { block, iterValues } of blocks) {
    if (block.init === undefined) continue;
    const drives = (l: For, type: IterVarType): boolean => iterValues.some((v, i) => block.iterVars[i]?.iterType === type && usesVar(v, l.loopVar));
    const reductions = before.filter((l) => drives(l, "kCommReduce"));
    for (const l of before) {
      const repeats = !isConstInt(l.extent, 1) && !iterValues.some((v) => usesVar(v, l.loopVar));
      const mixed = reductions.includes(l) && drives(l, "kDataPar");
      const crossed = repeats || mixed ? reductions.find((r) => swapped(l, r)) : undefined;
      if (crossed === undefined) continue;
      const what = repeats ? "repeats the reduction" : "drives both spatial and reduction variables";
      refuse(`loop \`${l.loopVar.name}\` ${what} of block \`${block.name}\` and would move across its loop \`${crossed.loopVar.name}\``, [l, crossed, block]);
    }
  }
}

/** The loops from the outermost listed one down to `bottom`, which must have nothing beside each other. */
function chainOf(tree: FuncTree, bottom: For, listed: ReadonlySet<Stmt>): readonly For[] {
  const chain: For[] = [bottom];
  let left = listed.size - 1;
  for (let p = tree.parent(bottom); left > 0; p = tree.parent(p)) {
    if (p?.kind !== "tir.For") {
      const at: readonly Node[] = p === undefined ? [bottom] : [p];
      return refuse("between the loops is more than loops", at, "Only perfectly nested loops of one scope can be reordered.");
    }
    chain.unshift(p);
    if (listed.has(p)) left--;
  }
  return chain;
}

/** The blocks under a loop, with those inside them. */
function blocksBelow(loop: For): readonly BlockRealize[] {
  const out: BlockRealize[] = [];
  const visit = (blocks: readonly BlockRealize[]): void => {
    for (const b of blocks) {
      out.push(b);
      visit(childBlocks(b));
    }
  };
  visit(childBlocks(loop));
  return out;
}
