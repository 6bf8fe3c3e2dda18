import type { Schedule } from "@verticil/tir";
import type { SpaceContext } from "../space/space-rule.ts";

/** What is done to a schedule once all its choices are made (upstream's `Postproc`). */
export interface Postproc {
  readonly name: string;
  /** Finishes the schedule in place; false for one that is not to be used. */
  apply(sch: Schedule, ctx: SpaceContext): boolean;
}
