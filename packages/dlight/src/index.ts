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
export { packOperand } from "./cpu/pack-operand.ts";
