import { expect, it } from "vitest";
import { fuzzSchedule } from "./testing/random-schedule.ts";

// `pnpm fuzz:schedule --seed S --runs N` runs more of these.
it("random schedules of random programs compute what the programs did, or are refused", { timeout: 60_000 }, () => {
  const failures: string[] = [];
  let applied = 0;
  for (let seed = 1; seed <= 100; seed++) {
    const run = fuzzSchedule(seed);
    applied += run.applied.length;
    if (run.failure !== undefined) failures.push(run.failure);
  }
  expect(failures).toEqual([]);
  expect(applied).toBeGreaterThan(200);
});
