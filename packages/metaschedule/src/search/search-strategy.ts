import type { PrimFunc, RandomEngine, Trace } from "@verticil/tir";
import type { CostModel } from "../cost/cost-model.ts";
import type { Candidate } from "./candidate.ts";

/** A schedule that was measured. */
export interface Measured {
  readonly trace: Trace;
  readonly seconds: number | undefined;
}

/** What a search knows of its task. */
export interface SearchState {
  readonly task: string;
  readonly func: PrimFunc;
  /** The traces whose decisions span the space. */
  readonly sketches: readonly Trace[];
  /** Schedules that come before any that the search makes up; each is taken once. */
  readonly seeds: Iterator<Trace>;
  /** In the order of measuring. It, and the model, stay as they are while something is proposed. */
  readonly measured: readonly Measured[];
  readonly model: CostModel;
  readonly random: RandomEngine;
  /**
   * Makes a candidate of a trace; undefined where a step refuses, or for one that was measured or made before. Lets others
   * have a turn: what was proposed before is measured meanwhile.
   */
  make(trace: Trace, fresh: boolean): Promise<Candidate | undefined>;
}

/** Proposes what to measure next (upstream's `SearchStrategy`). */
export interface SearchStrategy {
  readonly name: string;
  /** Up to `count` candidates; none if the space seems to be used up. */
  propose(state: SearchState, count: number): Promise<readonly Candidate[]>;
}
