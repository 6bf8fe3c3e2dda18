export { type SpaceContext, type SpaceRule } from "./space/space-rule.ts";
export { postOrderApply, type SpaceGenerator } from "./space/post-order-apply.ts";
export { registerTileSeeds, type SeedGenerator } from "./space/seed-traces.ts";
export { cpuPostprocs, cpuSpaceRules } from "./space/cpu-space.ts";
export { type Postproc } from "./postproc/postproc.ts";
export { candidateFromText, makeCandidate, traceText, type Candidate, type CandidateOptions } from "./search/candidate.ts";
export { type LayoutChange } from "./search/layout-change.ts";
export { evolutionarySearch, type EvolutionOptions } from "./search/evolutionary-search.ts";
export { randomSearch } from "./search/random-search.ts";
export { type Measured, type SearchState, type SearchStrategy } from "./search/search-strategy.ts";
export { boostedTrees, type BoostOptions, type Predictor } from "./cost/boosted-trees.ts";
export { noCostModel, treeCostModel, type CostModel } from "./cost/cost-model.ts";
export { featuresOf } from "./cost/features.ts";
export { memoryDatabase, type Database, type RecordKey } from "./database/database.ts";
export { targetKey } from "./database/target-key.ts";
export { engineKey, UNTUNED, type Engine, type TuningRecord } from "./database/tuning-record.ts";
export {
  type Builder,
  type BuiltKernel,
  type KernelBuffer,
  type Measurement,
  type MeasureOptions,
  type Runner,
  type ScheduledFunc,
} from "./measure/measure.ts";
export { makeTuneTask, workloadHash, type TuneTask, type TuneTaskParts } from "./task.ts";
export { type TaskProgress, type TuneOptions, type TuneReport } from "./tune/tune-options.ts";
export { tuneTasks } from "./tune/tune-tasks.ts";
