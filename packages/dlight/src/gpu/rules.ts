import type { Target } from "@verticil/ir-core";
import { ScheduleError, usesVar, type LoopRV, type PrimFunc } from "@verticil/tir";
import { fitsInto } from "../fits-into.ts";
import { attempt, beginWork, funcOf, isInjective, isReduction, stages, type Stage, type Work } from "../loop-sites.ts";
import type { ScheduleRule } from "../schedule-rule.ts";
import { bindThreads, gridLimits, type GridLimits } from "./bind-threads.ts";
import { scheduleInjective } from "./schedule-injective.ts";
import { scheduleTile } from "./schedule-tile.ts";

/**
 * Functions with reductions: convolutions, products, poolings, norms. What is element-wise is inlined; each reduction of
 * one value becomes tiles in registers with its epilogue, and what is left gets a thread an element.
 */
export const gpuTile: ScheduleRule = {
  name: "GpuTile",
  apply: (func, target) =>
    tryRule(func, target, (work, limits) => {
      if (!stages(work).some((s) => isReduction(s.block))) return false;
      inlineAll(work);
      const open = new Set(stages(work).filter((s) => isInjective(s.block)).map((s) => s.block.name));
      for (const s of stages(work).filter((x) => isReduction(x.block))) {
        const carrier = scheduleTile(work, s, limits);
        if (carrier === undefined) bindSpatial(work, s, limits);
        else open.delete(carrier);
      }
      scheduleRest(work, open, limits);
      return true;
    }),
};

/** Functions of element-wise, broadcasting, moving and padding blocks: inlined into few passes, a thread an element or vector. */
export const gpuInjective: ScheduleRule = {
  name: "GpuInjective",
  apply: (func, target) =>
    tryRule(func, target, (work, limits) => {
      if (!stages(work).every((s) => isInjective(s.block))) return false;
      inlineAll(work);
      scheduleRest(work, new Set(stages(work).map((s) => s.block.name)), limits);
      return true;
    }),
};

/** Anything: a thread for each iteration of a block's spatial loops, one thread for what has none. */
export const gpuFallback: ScheduleRule = {
  name: "GpuFallback",
  apply: (func, target) => {
    const work = beginWork(func);
    if (work === undefined) return func;
    const limits = gridLimits(target);
    for (const s of stages(work)) bindSpatial(work, s, limits);
    return funcOf(work);
  },
};

/** The rules for GPUs, tried in order; the last takes anything. */
export const gpuRules: readonly ScheduleRule[] = [gpuTile, gpuInjective, gpuFallback];

function tryRule(func: PrimFunc, target: Target, run: (work: Work, limits: GridLimits) => boolean): PrimFunc | undefined {
  try {
    const work = beginWork(func);
    return work !== undefined && run(work, gridLimits(target)) ? funcOf(work) : undefined;
  } catch (e) {
    if (e instanceof ScheduleError) return undefined;
    throw e;
  }
}

/** Inlines what is element-wise and read by other blocks, unless it multiplies there: computing it again is cheaper than memory. */
function inlineAll(work: Work): void {
  for (const s of stages(work)) {
    if (!isInjective(s.block)) continue;
    const readers = work.sch.getConsumers(s.rv);
    if (readers.length === 0 || readers.some((r) => !fitsInto(work.sch.get(s.rv).block, work.sch.get(r).block))) continue;
    attempt(() => work.sch.computeInline(s.rv));
  }
}

function scheduleRest(work: Work, names: ReadonlySet<string>, limits: GridLimits): void {
  for (const s of stages(work)) if (names.has(s.block.name)) scheduleInjective(work, s, limits);
}

function bindSpatial(work: Work, stage: Stage, limits: GridLimits): void {
  const { sch } = work;
  const loops = sch.getLoops(stage.rv);
  const spatial = spatialLoops(work, stage, loops);
  const others = loops.filter((l) => !spatial.includes(l));
  const ordered = spatial.length > 0 && (others.length === 0 || attempt(() => sch.reorder([...spatial, ...others])));
  if (ordered && attempt(() => bindThreads(work, spatial, limits))) return;
  attempt(() => bindThreads(work, [sch.addUnitLoop(loops[0] ?? stage.rv)], limits));
}

/** The loops that nothing but data-parallel variables of the block depend on. */
function spatialLoops(work: Work, stage: Stage, loops: readonly LoopRV[]): readonly LoopRV[] {
  const { block, iterValues } = work.sch.get(stage.rv);
  return loops.filter((l) => {
    const { loopVar } = work.sch.get(l);
    const users = block.iterVars.filter((_, i) => {
      const value = iterValues[i];
      return value !== undefined && usesVar(value, loopVar);
    });
    return users.length > 0 && users.every((iv) => iv.iterType === "kDataPar");
  });
}
