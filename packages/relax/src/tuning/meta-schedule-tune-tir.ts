import { contextKey, definePass, type ContextKey, type Pass } from "@verticil/ir-core";
import type { PrimFunc } from "@verticil/tir";
import type { ExtractedTask } from "./extract-tasks.ts";
import { programCalls } from "./layout-free-params.ts";

/** How much a tuner may measure, and where it writes. The tuner knows what stands for what is not said. */
export interface TuningBudget {
  /** Where it keeps its database. */
  readonly workDir?: string;
  /** The most measurements of all programs together. */
  readonly maxTrialsGlobal?: number;
  /** The most measurements of one program. */
  readonly maxTrialsPerTask?: number;
}

/**
 * Takes the tensor programs that are to be tuned. Measuring takes its time and passes do not wait, so a tuner either has its
 * answers already or collects what it is given and measures when the pipeline is through.
 */
export type TirTuner = (task: ExtractedTask, budget: TuningBudget) => void;

/** The tuner that a pipeline hands programs to; none unless a caller puts one in. */
export const tirTunerKey: ContextKey<TirTuner> = contextKey("relax.tuner");

/**
 * Upstream's `MetaScheduleTuneTIR`: hands every tensor program of the module that has no schedule to the context's tuner, each
 * by itself, called by a graph or not. The module stays as it is: what is found goes into a database, for
 * `metaScheduleApplyDatabase`. Without a tuner nothing happens.
 */
export function metaScheduleTuneTIR(budget: TuningBudget = {}): Pass {
  return definePass("MetaScheduleTuneTIR", (module, ctx) => {
    const tuner = ctx.find(tirTunerKey);
    if (tuner === undefined) return module;
    const calls = programCalls(module);
    for (const [gv, f] of module.functions) {
      if (f.kind !== "tir.PrimFunc" || f.attrs["tir.is_scheduled"] !== undefined) continue;
      const func = f as PrimFunc;
      tuner({ name: gv.name, func, weight: Math.max(1, calls.count(gv)), layoutFree: calls.layoutFree(gv, func) }, budget);
    }
    return module;
  });
}
