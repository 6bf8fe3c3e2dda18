import { untilIdle } from "./until-idle.ts";

/** Something to time. */
export interface Contestant {
  readonly name: string;
  /** One round; may be asynchronous. */
  run(): void | Promise<unknown>;
}

/** Times in milliseconds. */
export interface Timing {
  readonly min: number;
  readonly median: number;
  readonly rounds: number;
}

/** How long to measure. */
export interface Budget {
  /** Milliseconds for all contestants together. */
  readonly milliseconds: number;
  /** Rounds that are thrown away, so that every engine has compiled what it compiles. */
  readonly warmup: number;
  readonly minRounds: number;
  readonly maxRounds: number;
  readonly clock: Clock;
  /** The most threads that a contestant uses; 1 unless told. */
  readonly threads?: number;
}

/**
 * What is measured: time that passes, or time that the process computes. The second is meant for machines that others
 * use too; it is only fair where all contestants use one thread.
 */
export type Clock = "wall" | "cpu";

/** Milliseconds since some moment. */
export function now(clock: Clock): number {
  if (clock === "wall") return performance.now();
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/**
 * Runs the contestants in turns, so that what else the machine does hits all of them alike. Where they use threads, each
 * timed run comes after a wait for the other contestants' threads to sleep, and a run of the same contestant that is not
 * timed, which wakes its own. Gives the timing of each, in their order.
 */
export async function interleave(contestants: readonly Contestant[], budget: Budget): Promise<readonly Timing[]> {
  for (let i = 0; i < budget.warmup; i++) for (const c of contestants) await c.run();
  const times = contestants.map((): number[] => []);
  const end = performance.now() + budget.milliseconds;
  for (let round = 0; round < budget.maxRounds && (round < budget.minRounds || performance.now() < end); round++) {
    for (const [i, c] of contestants.entries()) {
      if ((budget.threads ?? 1) > 1) {
        await untilIdle();
        await c.run();
      }
      const start = now(budget.clock);
      const done = c.run();
      if (done instanceof Promise) await done;
      times[i]?.push(now(budget.clock) - start);
    }
  }
  return times.map(timingOf);
}

/** The minimum and the median of some times. */
export function timingOf(times: readonly number[]): Timing {
  const sorted = [...times].sort((a, b) => a - b);
  return { min: sorted[0] ?? NaN, median: sorted[Math.floor(sorted.length / 2)] ?? NaN, rounds: sorted.length };
}
