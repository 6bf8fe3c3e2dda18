import type { Target } from "@verticil/ir-core";
import { ScheduleError } from "@verticil/tir";
import { beginWork, funcOf, type Work } from "./loop-sites.ts";
import type { ScheduleRule } from "./schedule-rule.ts";

/**
 * A rule of what `run` does to a schedule of the function: it gives the work that it ended with, or undefined for "not
 * mine". A primitive that refuses is "not mine" too, and nothing of what was applied before stays.
 *
 * @example
 * const rowsInParallel = makeRule("RowsInParallel", (work) => {
 *   const [stage] = stages(work);
 *   const [outer] = stage === undefined ? [] : work.sch.getLoops(stage.rv);
 *   if (outer === undefined) return undefined;
 *   work.sch.parallel(outer);
 *   return work;
 * });
 */
export function makeRule(name: string, run: (work: Work, target: Target) => Work | undefined): ScheduleRule {
  return {
    name,
    apply(func, target) {
      try {
        const work = beginWork(func);
        const done = work && run(work, target);
        return done && funcOf(done);
      } catch (e) {
        if (e instanceof ScheduleError) return undefined;
        throw e;
      }
    },
  };
}
