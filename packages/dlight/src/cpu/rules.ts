import type { Target } from "@verticil/ir-core";
import { fitsInto } from "../fits-into.ts";
import { attempt, isInjective, isCopy, isReduction, stages, type Work } from "../loop-sites.ts";
import { makeRule } from "../make-rule.ts";
import type { ScheduleRule } from "../schedule-rule.ts";
import { inlineBorders } from "./inline-borders.ts";
import { scheduleAll } from "./schedule-all.ts";
import { winogradTransform } from "./winograd-transform.ts";
import { scheduleReduction } from "./schedule-reduction.ts";

/**
 * Functions with reductions: convolutions in any layout, dense and batched products, poolings, norms. What is
 * element-wise before a reduction's own input or after its result is inlined, each reduction is tiled in registers with
 * its epilogue, what is left (a padded copy of the input, say) is vectorized, or goes into the windows that read it.
 */
export const registerTile: ScheduleRule = /* @__PURE__ */ makeRule("RegisterTile", (work, target) => tileAll(work, hasThreads(target)));

/** Functions of element-wise, broadcasting, moving and padding blocks only: inlined into few passes, vectorized. */
export const injective: ScheduleRule = /* @__PURE__ */ makeRule("Injective", (work, target) => {
  if (!stages(work).every((s) => isInjective(s.block))) return undefined;
  inlineAll(work);
  return scheduleAll(work, new Set(stages(work).map((s) => s.block.name)), hasThreads(target));
});

/** Anything: left as it is. */
export const fallback: ScheduleRule = { name: "Fallback", apply: (func) => func };

/** The rules for targets that run on a CPU, tried in order; the last takes anything. */
export const cpuRules: readonly ScheduleRule[] = [winogradTransform, registerTile, injective, fallback];

function hasThreads(target: Target): boolean {
  return target.kind === "wasm";
}

function tileAll(work: Work, parallel: boolean): Work | undefined {
  const names = stages(work).filter((s) => isReduction(s.block)).map((s) => s.block.name);
  if (names.length === 0) return undefined;
  inlineAll(work);
  const open = new Set(stages(work).filter((s) => isInjective(s.block)).map((s) => s.block.name));
  let current = work;
  for (const name of names) {
    const tiled = scheduleReduction(current, name, parallel);
    if (tiled === undefined) continue;
    current = tiled.work;
    open.delete(tiled.carrier);
  }
  return scheduleAll(current, inlineBorders(current, open), parallel);
}

/** Inlines what is element-wise and read by no reduction, and plain copies. */
function inlineAll(work: Work): void {
  for (const s of stages(work)) {
    if (!isInjective(s.block)) continue;
    const readers = work.sch.getConsumers(s.rv);
    if (readers.length === 0) continue;
    if (!isCopy(s.block) && readers.some((r) => isReduction(work.sch.get(r).block))) continue;
    if (readers.some((r) => !fitsInto(work.sch.get(s.rv).block, work.sch.get(r).block))) continue;
    attempt(() => work.sch.computeInline(s.rv));
  }
}
