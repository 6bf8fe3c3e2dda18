import { isVectorizable, usesVar, type LoopRV } from "@verticil/tir";
import { extentOf, type Stage, type Work } from "../loop-sites.ts";
import { bindThreads, type GridLimits } from "./bind-threads.ts";

/** Lanes of the vectors that a thread loads and stores at once. */
export const vectorLanes = 4;

/** A block without reductions: a thread for each element, or for four that lie side by side in memory. */
export function scheduleInjective(work: Work, stage: Stage, limits: GridLimits): void {
  const { sch } = work;
  const loops = sch.getLoops(stage.rv);
  const inner = loops.at(-1);
  if (inner === undefined) {
    bindThreads(work, [sch.addUnitLoop(stage.rv)], limits);
    return;
  }
  if (!hasVectors(work, stage, inner)) {
    bindThreads(work, loops, limits);
    return;
  }
  const [outer = inner, vector = inner] = sch.split(inner, [undefined, vectorLanes]);
  bindThreads(work, [...loops.slice(0, -1), outer], limits);
  sch.vectorize(vector);
}

/** True if the iterations of a block's inner loop can be done four at a time. */
export function hasVectors(work: Work, stage: Stage, inner: LoopRV): boolean {
  const { iterValues, block } = work.sch.get(stage.rv);
  const { loopVar } = work.sch.get(inner);
  const v = block.iterVars[iterValues.findIndex((x) => usesVar(x, loopVar))]?.var;
  const extent = extentOf(work, inner);
  return v !== undefined && extent !== undefined && extent % vectorLanes === 0 && isVectorizable(block, v);
}
