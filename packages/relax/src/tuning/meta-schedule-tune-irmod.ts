import { definePass, type Pass } from "@verticil/ir-core";
import { bindParams, type ParamBindings } from "../transform/bind-params.ts";
import { extractTasks } from "./extract-tasks.ts";
import { tirTunerKey, type TuningBudget } from "./meta-schedule-tune-tir.ts";

/** Options of `metaScheduleTuneIRMod`. */
export interface MetaScheduleTuneIRModOptions extends TuningBudget {
  /** Weights of `main` by name: what is computed of them alone may be stored in any layout. */
  readonly params?: ParamBindings;
  /** Only programs whose names have one of these in them. */
  readonly opNames?: readonly string[];
}

/**
 * Upstream's `MetaScheduleTuneIRMod`: hands the programs that a module's graph calls to the context's tuner, equal ones once, with
 * how often they are called. The module stays as it is: what is found goes into a database, for `metaScheduleApplyDatabase`.
 * Without a tuner nothing happens.
 * @throws RangeError for parameters that `main` does not have.
 */
export function metaScheduleTuneIRMod(opts: MetaScheduleTuneIRModOptions = {}): Pass {
  const { params = new Map(), opNames = [], ...budget } = opts;
  return definePass("MetaScheduleTuneIRMod", (module, ctx) => {
    const tuner = ctx.find(tirTunerKey);
    if (tuner === undefined) return module;
    const bound = params.size === 0 ? module : bindParams("main", params).run(module, ctx);
    for (const task of extractTasks(bound)) if (opNames.length === 0 || opNames.some((n) => task.name.includes(n))) tuner(task, budget);
    return module;
  });
}
