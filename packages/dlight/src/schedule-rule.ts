import { definePass, mapFunctions, withAttrs, type BaseFunc, type Pass, type Target } from "@verticil/ir-core";
import type { PrimFunc } from "@verticil/tir";

/** A way to schedule some tensor programs for a target. */
export interface ScheduleRule {
  readonly name: string;
  /** The scheduled function, or undefined for one that the rule does not take. Never throws. */
  apply(func: PrimFunc, target: Target): PrimFunc | undefined;
}

/**
 * Schedules every tensor program that is not marked `tir.is_scheduled`, with the first rule that takes it, and marks it
 * (upstream's `ApplyDefaultSchedule`). Functions that no rule takes stay as they are.
 */
export function applyDefaultSchedule(rules: readonly ScheduleRule[]): Pass {
  return definePass("ApplyDefaultSchedule", (module, ctx) =>
    mapFunctions(module, (func) => (isOpen(func) ? scheduled(func, rules, ctx.target) : func)),
  );
}

function isOpen(func: BaseFunc): func is PrimFunc {
  return func.kind === "tir.PrimFunc" && func.attrs["tir.is_scheduled"] === undefined;
}

function scheduled(func: PrimFunc, rules: readonly ScheduleRule[], target: Target): PrimFunc {
  for (const rule of rules) {
    const result = rule.apply(func, target);
    if (result !== undefined) return withAttrs(result, { "tir.is_scheduled": true });
  }
  return func;
}
