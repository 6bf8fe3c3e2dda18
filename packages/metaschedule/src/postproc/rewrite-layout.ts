import {
  constant,
  floorDiv,
  floorMod,
  loadsOf,
  makeIndexMap,
  makeVar,
  usesVar,
  type Block,
  type BlockRV,
  type Buffer,
  type IndexMap,
  type PrimFunc,
  type Schedule,
  type Var,
} from "@verticil/tir";
import { anchorShape, LANES } from "../space/anchor-shape.ts";
import { attempt } from "../space/attempt.ts";
import { extentOf, isCopy, reduces } from "../space/block-kind.ts";
import { leafBlocks } from "../space/leaf-blocks.ts";
import type { Postproc } from "./postproc.ts";

/**
 * Stores the weight of each register tile as the tile walks it: for each tile of lanes the reduction in order,
 * neighbours side by side, so that one stream of memory feeds the inner loop (upstream's `RewriteLayout`). It does so
 * for weights whose layout is free and for copies that the schedule makes.
 */
export const rewriteLayout: Postproc = {
  name: "RewriteLayout",
  apply(sch, { layoutFree }) {
    const leaves = leafBlocks(sch);
    let free = layoutFree;
    for (const rv of leaves) {
      const { block } = sch.get(rv);
      const weight = reduces(block) ? anchorShape(block)?.weight : undefined;
      if (weight === undefined || !isMovable(sch, rv, weight, free, leaves)) continue;
      const indexMap = packedLayout(block, weight, tileWidth(sch, rv, block));
      const index = block.reads.findIndex((r) => r.buffer === weight);
      if (indexMap !== undefined && index >= 0) {
        // Of the parameters one only: that is what packing at compile time takes.
        if (paramOf(sch, rv, weight) >= 0) free = new Set();
        attempt(() => sch.transformLayout(rv, ["read", index], indexMap, { assumeInjectiveTransform: true }));
      }
    }
    return true;
  },
};

/** True for a buffer that only this block reads, and which is a parameter of free layout or a copy. */
function isMovable(sch: Schedule, reader: BlockRV, buffer: Buffer, layoutFree: ReadonlySet<number>, leaves: readonly BlockRV[]): boolean {
  const blocks = leaves.map((b) => sch.get(b).block);
  if (blocks.filter((b) => b.reads.some((r) => r.buffer === buffer)).length !== 1) return false;
  const param = paramOf(sch, reader, buffer);
  if (param >= 0) return layoutFree.has(param);
  const writers = blocks.filter((b) => b.writes.some((w) => w.buffer === buffer));
  return writers.length === 1 && writers.every(isCopy);
}

/** The parameter that a buffer is; -1 if it is none. */
function paramOf(sch: Schedule, block: BlockRV, buffer: Buffer): number {
  const { params, bufferMap }: PrimFunc = sch.funcOf(block);
  return params.findIndex((p) => bufferMap.get(p) === buffer);
}

/** Lanes of the register tile: the iterations of vectors and unrolled loops that walk the lane variable. */
function tileWidth(sch: Schedule, rv: BlockRV, block: Block): number {
  const lane = anchorShape(block)?.lane;
  const value = sch.get(rv).iterValues[block.iterVars.findIndex((iv) => iv.var === lane)];
  let width = 1;
  for (const l of sch.getLoops(rv)) {
    const { forKind, loopVar, extent } = sch.get(l);
    if ((forKind === "vectorized" || forKind === "unrolled") && value !== undefined && usesVar(value, loopVar)) width *= extent.kind === "ir.IntImm" ? Number(extent.value) : 1;
  }
  return Math.max(width, LANES);
}

/** `[lane // width][the other indices][lane % width]`, the other indices in the order of the reduction's loops. */
function packedLayout(block: Block, weight: Buffer, width: number): IndexMap | undefined {
  const lane = anchorShape(block)?.lane;
  const load = loadsOf(block).find((l) => l.buffer === weight);
  const at = load?.indices.findIndex((i) => i === lane) ?? -1;
  if (lane === undefined || load === undefined || at < 0 || load.indices.filter((i) => usesVar(i, lane)).length !== 1) return undefined;
  if (width >= (extentOf(block, lane) ?? 0) && at === load.indices.length - 1) return undefined;
  const initial: readonly Var[] = load.indices.map((index, d) => makeVar(index.kind === "tir.Var" ? index.name : `i${d}`, index.dtype));
  const packed = initial[at];
  if (packed === undefined) return undefined;
  const loopOf = (d: number): number => block.iterVars.findIndex((iv) => load.indices[d] === iv.var);
  const others = initial.flatMap((v, d) => (d === at ? [] : [{ v, loop: loopOf(d) }])).toSorted((a, b) => a.loop - b.loop);
  const factor = constant(width, packed.dtype);
  return makeIndexMap(initial, [floorDiv(packed, factor), ...others.map((o) => o.v), floorMod(packed, factor)]);
}
