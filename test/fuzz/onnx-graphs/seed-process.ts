// Runs seeds in a process of its own for `runSeeds`: a job is a list of seeds, and each is answered by its report.
import { runSeed, type SeedOptions } from "./run-seed.ts";

/** What a process is told to run. */
export interface SeedJob {
  readonly seeds: readonly number[];
  readonly options: SeedOptions;
}

process.on("message", async ({ seeds, options }: SeedJob) => {
  for (const seed of seeds) process.send?.(await runSeed(seed, options));
});
process.on("disconnect", () => process.exit());
// An interrupt at the terminal reaches this process too; the one that started it decides when it ends.
process.on("SIGINT", () => {});
