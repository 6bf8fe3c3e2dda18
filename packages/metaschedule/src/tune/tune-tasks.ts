import { RandomEngine } from "@verticil/tir";
import { treeCostModel } from "../cost/cost-model.ts";
import { evolutionarySearch } from "../search/evolutionary-search.ts";
import { cpuPostprocs, cpuSpaceRules } from "../space/cpu-space.ts";
import { postOrderApply } from "../space/post-order-apply.ts";
import { registerTileSeeds } from "../space/seed-traces.ts";
import type { TuneTask } from "../task.ts";
import { TaskTuner } from "./task-tuner.ts";
import type { TuneOptions, TuneReport } from "./tune-options.ts";

/** The share of the time that is kept for the fastest schedules against the untuned one. */
const CONFIRMATION = 0.2;

/**
 * Tunes tasks until the time is up: every task once, then round for round the one that promises most. Whatever is
 * measured is in the database at once, and a later run goes on from there. The same seed proposes the same schedules
 * for the same times; times themselves vary.
 */
export async function tuneTasks(tasks: readonly TuneTask[], opts: TuneOptions): Promise<TuneReport> {
  const { maxTrials = Infinity, round = 8, seed = 1 } = opts;
  const random = new RandomEngine(seed);
  const tuners = tasks.map(
    (task) =>
      new TaskTuner(task, {
        ...opts,
        space: opts.space ?? postOrderApply(cpuSpaceRules),
        seeds: opts.seeds ?? registerTileSeeds,
        postprocs: opts.postprocs ?? cpuPostprocs,
        strategy: opts.strategy ?? evolutionarySearch(),
        costModel: opts.costModel ?? treeCostModel(),
        random: new RandomEngine(random.fork()),
      }),
  );
  const begin = performance.now();
  const over = (share: number) => (): boolean => opts.signal?.aborted === true || performance.now() - begin >= share * opts.budget;
  const searched = over(1 - CONFIRMATION);
  const tell = (tuner: TaskTuner): void => opts.onProgress?.(tuner.progress);
  const open = (t: TaskTuner): boolean => t.progress.state === "running" && t.progress.trials < maxTrials;
  const oneRound = async (t: TaskTuner): Promise<void> => {
    const left = maxTrials - t.progress.trials;
    await t.round(Math.min(round, left), Math.min(round, left - round), searched);
    tell(t);
  };

  for (const tuner of tuners) {
    if (searched()) break;
    await tuner.start();
    tell(tuner);
    if (open(tuner)) await oneRound(tuner);
  }
  for (;;) {
    const next = tuners.filter(open).toSorted((a, b) => b.promise - a.promise)[0];
    if (next === undefined || searched()) break;
    await oneRound(next);
  }
  const found = tuners.filter((t) => t.progress.trials > 0).toSorted((a, b) => b.promise - a.promise);
  for (const [i, tuner] of found.entries()) {
    // What is left is for all of them.
    const left = opts.budget - (performance.now() - begin);
    await tuner.confirm(over(1 - ((found.length - 1 - i) * left) / found.length / opts.budget));
    tell(tuner);
  }
  return { tasks: tuners.map((t) => t.progress), interrupted: opts.signal?.aborted === true };
}
