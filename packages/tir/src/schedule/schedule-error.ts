import type { Node } from "@verticil/ir-core";

/** Where a primitive refused: what was wrong, at which node, and what would be needed. */
export interface ScheduleProblem {
  readonly message: string;
  /** The offending loop, block or expression. */
  readonly at?: Node | undefined;
  /** The way out, in the imperative. */
  readonly help?: string | undefined;
}

/** Thrown inside primitives; the schedule adds which primitive it was and the program. */
export class PrimitiveRefused extends Error {
  readonly problem: ScheduleProblem;

  constructor(message: string, at?: Node, help?: string) {
    super(message);
    this.name = "PrimitiveRefused";
    this.problem = { message, at, help };
  }
}

/** Refuses a primitive: throws what the schedule turns into a `ScheduleError`. */
export function refuse(message: string, at?: Node, help?: string): never {
  throw new PrimitiveRefused(message, at, help);
}

/**
 * A primitive that does not apply (upstream's `ScheduleError`). The schedule is as it was before the call. The message
 * holds the program as it was, as text, with the offending node marked.
 */
export class ScheduleError extends Error {
  /** The primitive's name, such as `computeAt`. */
  readonly primitive: string;
  readonly problem: ScheduleProblem;

  constructor(primitive: string, problem: ScheduleProblem, rendered: string | undefined) {
    const parts = [`${primitive}: ${problem.message}`];
    if (problem.help !== undefined) parts.push(`help: ${problem.help}`);
    if (rendered !== undefined) parts.push(rendered);
    super(parts.join("\n"));
    this.name = "ScheduleError";
    this.primitive = primitive;
    this.problem = problem;
  }
}
