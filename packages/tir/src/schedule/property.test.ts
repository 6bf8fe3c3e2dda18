import { expect, it } from "vitest";
import { fuzzSchedule, primitives } from "./testing/random-schedule.ts";

const RUNS = 10_000;

// `pnpm fuzz:schedule --seed S --runs N` runs more of these.
it(`${RUNS} random schedules of random programs compute what the programs did, or are refused`, { timeout: 600_000 }, () => {
  const failures: string[] = [];
  const applied = new Set<string>();
  for (let seed = 1; seed <= RUNS; seed++) {
    const run = fuzzSchedule(seed);
    for (const name of run.applied) applied.add(name);
    if (run.failure !== undefined) failures.push(run.failure);
  }
  expect(failures).toEqual([]);
  expect(primitives.filter((name) => !applied.has(name))).toEqual([]);
});
