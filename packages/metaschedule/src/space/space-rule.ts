import type { Target } from "@verticil/ir-core";
import type { BlockRV, Schedule } from "@verticil/tir";

/** What rules know besides the schedule that they work on. */
export interface SpaceContext {
  readonly target: Target;
  /** The parameters of the function that may be stored in any layout: constants, which are packed before the model runs. */
  readonly layoutFree: ReadonlySet<number>;
}

/**
 * A step in making a space of schedules (upstream's `ScheduleRule`). Where a choice is open it takes a sampling
 * instruction, whose decision the search changes later; where the structure differs it gives several schedules.
 */
export interface SpaceRule {
  readonly name: string;
  /** The schedules that come of `sch` at `block`: `sch` itself where the rule has nothing to do there. May change `sch`. */
  apply(sch: Schedule, block: BlockRV, ctx: SpaceContext): readonly Schedule[];
}
