import { isVectorizable, type LoopRV } from "@verticil/tir";
import { attempt, extentOf, type Stage, type Work } from "../loop-sites.ts";

/** Lanes of a wasm vector of 32-bit values. */
export const lanes = 4;

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
  // Fewer values than a vector has lanes: one after the other, without a loop.
  if (!vector && loops.length > 1 && (extentOf(work, inner) ?? lanes) < lanes) attempt(() => sch.unroll(inner));
  if (!parallel) return;
  if (!vector || loops.length > 1) parallelOuter(work, vector ? loops.slice(0, -1) : loops);
  else attempt(() => parallelOuter(work, sch.getLoops(stage.rv).slice(0, -1)));
}

/** A loop of this many iterations keeps a few threads busy to the end. */
const enoughIterations = 8;

/**
 * Runs one loop of a nest of spatial loops in parallel: the outermost one of enough iterations, or else the longest one.
 * Loops are not fused, which would cost divisions where there is one thread; whether the loop is worth it is decided
 * when it is lowered (`OutlineLoops`).
 */
export function parallelOuter(work: Work, loops: readonly LoopRV[]): void {
  const extents = loops.map((l) => extentOf(work, l) ?? enoughIterations);
  const most = Math.min(enoughIterations, Math.max(...extents));
  const chosen = loops[extents.findIndex((n) => n >= most)];
  if (chosen !== undefined && most > 1) attempt(() => work.sch.parallel(chosen));
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
