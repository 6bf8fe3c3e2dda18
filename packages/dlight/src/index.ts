export {
  applyDefaultSchedule,
  type ScheduleRule,
} from "./schedule-rule.ts";
export {
  cpuRules,
  fallback,
  injective,
  registerTile,
} from "./cpu/rules.ts";
export { attempt, beginWork, extentOf, funcOf, isInjective, isReduction, stages, type Stage, type Work } from "./loop-sites.ts";
export { makeRule } from "./make-rule.ts";
export { packOperand } from "./cpu/pack-operand.ts";
export {
  gpuFallback,
  gpuInjective,
  gpuRules,
  gpuTile,
} from "./gpu/rules.ts";
