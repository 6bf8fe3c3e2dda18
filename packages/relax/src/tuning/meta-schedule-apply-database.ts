import { contextKey, definePass, mapFunctions, withAttrs, type BaseFunc, type ContextKey, type Pass } from "@verticil/ir-core";
import type { IndexMap, PrimFunc } from "@verticil/tir";
import { relaxDiagnostics } from "../analysis/well-formed-diagnostics.ts";
import { packConstants } from "../transform/pack-constants.ts";
import { programCalls } from "./layout-free-params.ts";

/** A schedule from a database. */
export interface TunedFunc {
  readonly func: PrimFunc;
  /** The parameters that it takes in another layout; one at most. */
  readonly layout: readonly { readonly param: number; readonly indexMap: IndexMap }[];
}

/**
 * Finds the tuned schedule of a program whose parameters `layoutFree` may be stored in any layout; undefined where
 * there is none, or the untuned one is as good.
 */
export type TuningLookup = (func: PrimFunc, layoutFree: readonly number[]) => TunedFunc | undefined;

/** Where the pass finds the tuned schedules; without it there are none. */
export const tuningLookupKey: ContextKey<TuningLookup> = contextKey("relax.tuning");

/** Options of `metaScheduleApplyDatabase`. */
export interface MetaScheduleApplyDatabaseOptions {
  /** Warns of each program that the database does not know: `relax/not-tuned`. */
  readonly enableWarning?: boolean;
}

/**
 * Gives each tensor program that the tuning database of the context knows its fastest schedule, and marks it
 * `tir.is_scheduled`; weights that the schedule wants in another layout are packed. The rest is left to the passes
 * after it. (Upstream's `MetaScheduleApplyDatabase`.)
 */
export function metaScheduleApplyDatabase(opts: MetaScheduleApplyDatabaseOptions = {}): Pass {
  return definePass("MetaScheduleApplyDatabase", (module, ctx) => {
    const lookup = ctx.find(tuningLookupKey);
    if (lookup === undefined) return module;
    const report = opts.enableWarning === true ? ctx.diagnostics.reporter("relax", relaxDiagnostics) : undefined;
    const calls = programCalls(module);
    const tuned = new Map<BaseFunc, TunedFunc>();
    for (const [gv, func] of module.functions) {
      const found = isOpen(func) ? lookup(func, calls.layoutFree(gv, func)) : undefined;
      if (found !== undefined && found.layout.length <= 1) tuned.set(func, found);
      else if (isOpen(func)) report?.("not-tuned", { name: gv.name }, func.span);
    }
    const marked = ({ func }: TunedFunc): PrimFunc => withAttrs(func, { "tir.is_scheduled": true });
    const packed = packConstants((func) => {
      const found = tuned.get(func);
      const [change] = found?.layout ?? [];
      return found && change && { func: marked(found), ...change };
    }).run(module, ctx);
    return mapFunctions(packed, (func) => {
      const found = tuned.get(func);
      return found?.layout.length === 0 ? marked(found) : func;
    });
  });
}

function isOpen(func: BaseFunc): func is PrimFunc {
  return func.kind === "tir.PrimFunc" && func.attrs["tir.is_scheduled"] === undefined;
}
