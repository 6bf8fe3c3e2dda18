import type { BlockRV, LoopRV, Schedule } from "@verticil/tir";
import { attempt, attemptOn } from "../space/attempt.ts";
import { loopExtent } from "../space/block-kind.ts";
import { leafBlocks } from "../space/leaf-blocks.ts";
import type { Postproc } from "./postproc.ts";

/** Iterations that keep a few threads busy to the end. */
const ENOUGH = 8;

/**
 * Runs one outer spatial loop of each nest in parallel: the outermost of enough iterations; else some neighbours made
 * one, which have enough together; else the longest that may be. Loops that have enough alone are not made one, which
 * would hide from guards what they depend on. Whether a loop is worth it is settled when it is lowered
 * (`OutlineLoops`). After the choices, since the loops of a block depend on where it is computed (upstream's
 * `RewriteParallelVectorizeUnroll` for `meta_schedule.parallel`).
 */
export const parallelizeOuter: Postproc = {
  name: "ParallelizeOuter",
  apply(sch) {
    for (const rv of leafBlocks(sch)) parallelize(sch, rv);
    return true;
  },
};

function parallelize(sch: Schedule, rv: BlockRV): void {
  const loops = sch.getLoops(rv);
  if (loops.some((l) => sch.get(l).forKind === "parallel")) return;
  const end = loops.findIndex((l) => sch.get(l).forKind !== "serial");
  const outer = (end < 0 ? loops : loops.slice(0, end)).map((loop) => ({ loop, extent: loopExtent(sch, loop) ?? 1 }));
  const long = outer.filter((l) => l.extent >= ENOUGH);
  const short = outer.filter((l) => l.extent > 1 && l.extent < ENOUGH).toSorted((a, b) => b.extent - a.extent);
  const marked = ({ loop }: { readonly loop: LoopRV }): boolean => attempt(() => (sch.parallel(loop), true)) === true;
  if (!long.some(marked) && !fusedRun(sch, outer)) short.some(marked);
}

/** Makes the outermost neighbours one that have enough iterations together, and runs it in parallel; false where none do, or may. */
function fusedRun(sch: Schedule, outer: readonly { readonly loop: LoopRV; readonly extent: number }[]): boolean {
  const first = outer.findIndex((l) => l.extent > 1);
  let product = 1;
  for (let i = Math.max(first, 0); i < outer.length && product < ENOUGH; i++) {
    product *= outer[i]?.extent ?? 1;
    const run = outer.slice(first, i + 1).map((l) => l.loop);
    if (product < ENOUGH || run.length < 2) continue;
    // On a copy first: loops that were made one and may not be parallel would stay so.
    if (attemptOn(sch, (copy) => copy.parallel(copy.fuse(run))) === undefined) return false;
    sch.parallel(sch.fuse(run));
    return true;
  }
  return false;
}
