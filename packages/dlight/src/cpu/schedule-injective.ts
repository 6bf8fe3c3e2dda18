import { isVectorizable, type LoopRV } from "@verticil/tir";
import { countExprs } from "../count-exprs.ts";
import { attempt, extentOf, type Stage, type Work } from "../loop-sites.ts";

/** Lanes of a wasm vector of 32-bit values. */
export const lanes = 4;

/** How many values of an innermost loop without vectors are written out at most. */
export const mostWrittenOut = 16;

/** How many expressions such a loop comes to at most where it has as many values as a vector, or more. */
const mostExprs = 1000;

/**
 * A block without reductions: vectors of four along the innermost axis where memory is contiguous there, a scalar tail
 * for what does not fill a vector, an outer loop in parallel. Plain loops where vectors do not fit.
 */
export function scheduleInjective(work: Work, stage: Stage, parallel: boolean): void {
  const { sch } = work;
  const loops = sch.getLoops(stage.rv);
  const inner = loops[loops.length - 1];
  if (inner === undefined) return;
  const vector = vectorizeInner(work, stage, inner);
  // Few values: one after the other, without a loop.
  const few = !vector && loops.length > 1 && isFew(extentOf(work, inner), stage) && attempt(() => sch.unroll(inner));
  if (!parallel) return;
  if (!vector || loops.length > 1) parallelOuter(work, vector || few ? loops.slice(0, -1) : loops);
  else attempt(() => parallelOuter(work, sch.getLoops(stage.rv).slice(0, -1)));
}

/** Fewer values than a vector has lanes, or not many more of a value that does not make the code long. */
function isFew(extent: number | undefined, { block }: Stage): boolean {
  if (extent === undefined || extent > mostWrittenOut) return false;
  return extent < lanes || extent * countExprs(block.body) <= mostExprs;
}

/** Loops of this many iterations altogether keep a few threads busy to the end. */
const enoughIterations = 8;

/**
 * Marks the outermost loops of a nest of spatial loops as parallel, as many as have enough iterations together. Which of
 * them are shared, as one loop, is decided by their work when they are lowered (`OutlineLoops`).
 */
export function parallelOuter(work: Work, loops: readonly LoopRV[]): void {
  let count = 1;
  for (const loop of loops) {
    const extent = extentOf(work, loop) ?? enoughIterations;
    if (extent > 1) attempt(() => work.sch.parallel(loop));
    count *= extent;
    if (count >= enoughIterations) return;
  }
}

function vectorizeInner(work: Work, stage: Stage, inner: LoopRV): boolean {
  const { sch } = work;
  const extent = extentOf(work, inner);
  const v = boundTo(work, stage, inner);
  if (extent === undefined || extent < lanes || v === undefined || !isVectorizable(stage.block, v)) return false;
  const rest = extent % lanes;
  if (rest === 0) return attempt(() => sch.vectorize(at(sch.split(inner, [undefined, lanes]), 1)));
  return attempt(() => {
    const [main] = sch.loopPartition(inner, [extent - rest]);
    if (main !== undefined) sch.vectorize(at(sch.split(main, [undefined, lanes]), 1));
  });
}

/** The iteration variable that a loop alone gives its value. */
function boundTo(work: Work, stage: Stage, loop: LoopRV): Stage["block"]["iterVars"][number]["var"] | undefined {
  const realize = work.sch.get(stage.rv);
  const { loopVar } = work.sch.get(loop);
  const i = realize.iterValues.findIndex((x) => x === loopVar);
  return realize.block.iterVars[i]?.var;
}

function at(loops: readonly LoopRV[], i: number): LoopRV {
  const loop = loops[i];
  if (loop === undefined) throw new Error(`internal: no loop ${i}`);
  return loop;
}
