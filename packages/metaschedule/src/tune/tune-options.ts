import type { CostModel } from "../cost/cost-model.ts";
import type { Database } from "../database/database.ts";
import type { Builder, Runner, ScheduledFunc } from "../measure/measure.ts";
import type { Postproc } from "../postproc/postproc.ts";
import type { SearchStrategy } from "../search/search-strategy.ts";
import type { SpaceGenerator } from "../space/post-order-apply.ts";
import type { SeedGenerator } from "../space/seed-traces.ts";
import type { TuneTask } from "../task.ts";

/** What tuning is done with. */
export interface TuneOptions {
  readonly database: Database;
  readonly builder: Builder;
  readonly runner: Runner;
  /** `engineKey` of where the kernels run. */
  readonly engine: string;
  /** The schedule that a program gets if it is not tuned: what tuned ones have to beat, and whose results they must give. */
  readonly untuned: (task: TuneTask) => ScheduledFunc;
  /** Milliseconds for all tasks together. */
  readonly budget: number;
  /** The most schedules of a task that are measured. */
  readonly maxTrials?: number;
  readonly seed?: number;
  readonly space?: SpaceGenerator;
  /** Schedules of the space that are measured first; those of `registerTileSeeds` unless told. */
  readonly seeds?: SeedGenerator;
  readonly postprocs?: readonly Postproc[];
  readonly strategy?: SearchStrategy;
  readonly costModel?: CostModel;
  /** Schedules of one task that are measured before another task has its turn. */
  readonly round?: number;
  readonly signal?: { readonly aborted: boolean } | undefined;
  readonly onProgress?: (task: TaskProgress) => void;
}

/** How far the tuning of a task is. */
export interface TaskProgress {
  readonly task: TuneTask;
  /** Schedules measured in this run, and those that failed among them. */
  readonly trials: number;
  readonly failed: number;
  /** Schedules that the database had already. */
  readonly resumed: number;
  /** Seconds of one run: of the untuned schedule, and of the fastest found; undefined where nothing was measured. */
  readonly untuned: number | undefined;
  readonly best: number | undefined;
  readonly state: "waiting" | "running" | "done" | "not tunable";
  /** Why it is not tunable. */
  readonly reason?: string;
}

/** What tuning came to. */
export interface TuneReport {
  readonly tasks: readonly TaskProgress[];
  /** True if the signal ended it. */
  readonly interrupted: boolean;
}
