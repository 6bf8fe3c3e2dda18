import type { RandomEngine } from "@verticil/tir";
import type { CostModel } from "../cost/cost-model.ts";
import type { RecordKey } from "../database/database.ts";
import { targetKey } from "../database/target-key.ts";
import { UNTUNED } from "../database/tuning-record.ts";
import type { Measurement, ScheduledFunc } from "../measure/measure.ts";
import type { Postproc } from "../postproc/postproc.ts";
import { candidateFromText, makeCandidate, traceText, type Candidate } from "../search/candidate.ts";
import { freshDecision } from "../search/decisions.ts";
import type { Measured, SearchState, SearchStrategy } from "../search/search-strategy.ts";
import type { SpaceGenerator } from "../space/post-order-apply.ts";
import type { SpaceContext } from "../space/space-rule.ts";
import type { TuneTask } from "../task.ts";
import type { TaskProgress, TuneOptions } from "./tune-options.ts";

/** Of what a database knows, the fastest schedules that a search goes on from; the others are only not measured again. */
const RESUMED = 48;
/** A schedule that takes so many times as long as the fastest is timed once. */
const SLOW = 2.5;
/** Schedules that are measured once more in the end, and how often each. */
const FINALISTS = 4;
const FINAL_ROUNDS = 3;

/** Everything that a task is tuned with, defaults filled in. */
export type TaskTunerOptions = Pick<TuneOptions, "database" | "builder" | "runner" | "engine" | "untuned" | "signal"> & {
  readonly space: SpaceGenerator;
  readonly postprocs: readonly Postproc[];
  readonly strategy: SearchStrategy;
  readonly costModel: CostModel;
  readonly random: RandomEngine;
};

/** The tuning of one task: what was measured of it, and what to measure next. */
export class TaskTuner {
  readonly task: TuneTask;
  readonly #opts: TaskTunerOptions;
  readonly #ctx: SpaceContext;
  readonly #key: RecordKey;
  readonly #seen = new Set<string>();
  readonly #measured: Measured[] = [];
  #state: SearchState | undefined;
  #expected: readonly Uint8Array[] | undefined;
  #progress: TaskProgress;
  #sinceBetter = 0;

  constructor(task: TuneTask, opts: TaskTunerOptions) {
    this.task = task;
    this.#opts = opts;
    this.#ctx = { target: task.target, layoutFree: task.layoutFree };
    this.#key = { workload: task.hash, target: targetKey(task.target), engine: opts.engine };
    this.#progress = { task, trials: 0, failed: 0, resumed: 0, untuned: undefined, best: undefined, state: "waiting" };
  }

  get progress(): TaskProgress {
    return this.#progress;
  }

  /** What another round may win: the time that the task takes, less the longer nothing better was found. */
  get promise(): number {
    const seconds = this.#progress.best ?? this.#progress.untuned ?? 0;
    return (this.task.weight * seconds) / (1 + this.#sinceBetter);
  }

  /** Makes the space, takes over what the database knows, and measures the untuned schedule. */
  async start(): Promise<void> {
    const { space, database, untuned, random } = this.#opts;
    const sketches = space(this.task.func, this.#ctx).filter((t) => t.decisions.size > 0);
    if (sketches.length === 0) return this.#giveUp("no rule of the space takes it");
    const first = await this.#measure(untuned(this.task), true);
    if (!first.ok) return this.#giveUp(`its untuned schedule cannot be measured: ${first.error}`);
    this.#expected = first.outputs ?? [];
    database.add({ ...this.#key, trace: UNTUNED, seconds: first.seconds });
    this.#update({ untuned: first.seconds, best: first.seconds, state: "running" });
    this.#state = {
      task: this.task.hash,
      func: this.task.func,
      sketches,
      measured: this.#measured,
      model: this.#opts.costModel,
      random,
      make: (trace, fresh) => this.#make(trace, fresh),
    };
    this.#resume();
  }

  /** Measures up to `count` schedules that were not measured yet, until `isOver`. */
  async round(count: number, isOver: () => boolean): Promise<void> {
    if (this.#state === undefined) return;
    const candidates = this.#opts.strategy.propose(this.#state, count);
    if (candidates.length === 0) return this.#update({ state: "done" });
    const before = this.#progress.best ?? Infinity;
    // The next kernel is built while one is measured.
    let running: Promise<void> = Promise.resolve();
    for (const candidate of candidates) {
      if (isOver()) break;
      const built = this.#build(candidate);
      await running;
      running = this.#tryOut(candidate, built);
    }
    await running;
    this.#sinceBetter = (this.#progress.best ?? Infinity) < 0.99 * before ? 0 : this.#sinceBetter + 1;
  }

  /** Measures the fastest schedules and the untuned one in turns once more: single times of a busy machine say little. */
  async confirm(isOver: () => boolean): Promise<void> {
    const { database, untuned } = this.#opts;
    const records = database.best(this.#key, FINALISTS + 1).filter((r) => r.trace !== UNTUNED).slice(0, FINALISTS);
    const finalists = [
      { trace: UNTUNED, scheduled: untuned(this.task) as ScheduledFunc | undefined },
      ...records.map((r) => ({ trace: r.trace, scheduled: candidateFromText(this.task.func, r.trace) })),
    ];
    const times = new Map<string, number>();
    for (let i = 0; i < FINAL_ROUNDS; i++) {
      for (const { trace, scheduled } of finalists) {
        if (isOver()) return;
        const m = scheduled && (await this.#measure(scheduled, false));
        if (m?.ok === true) times.set(trace, Math.min(times.get(trace) ?? Infinity, m.seconds));
      }
    }
    for (const [trace, seconds] of times) database.add({ ...this.#key, trace, seconds });
    this.#update({ untuned: times.get(UNTUNED), best: Math.min(...times.values()) });
  }

  #resume(): void {
    const { database, costModel } = this.#opts;
    const records = database.all(this.#key).filter((r) => r.trace !== UNTUNED);
    for (const r of records) this.#seen.add(r.trace);
    for (const r of database.best(this.#key, RESUMED)) {
      const candidate = r.trace === UNTUNED ? undefined : candidateFromText(this.task.func, r.trace);
      if (candidate === undefined) continue;
      this.#measured.push({ trace: candidate.trace, seconds: r.seconds });
      costModel.add(this.task.hash, candidate.func, r.seconds);
      this.#update({ best: Math.min(this.#progress.best ?? Infinity, r.seconds ?? Infinity) });
    }
    this.#update({ resumed: records.length });
  }

  #make(trace: SearchState["sketches"][number], fresh: boolean): Candidate | undefined {
    const { random, postprocs } = this.#opts;
    const candidate = makeCandidate(this.task.func, trace, {
      ctx: this.#ctx,
      postprocs,
      seed: random.next(),
      ...(fresh ? { decide: (inst, previous) => freshDecision(inst, previous, random) } : {}),
    });
    const text = candidate && traceText(candidate);
    if (text === undefined || this.#seen.has(text)) return undefined;
    this.#seen.add(text);
    return candidate;
  }

  #build(scheduled: ScheduledFunc): ReturnType<TuneOptions["builder"]> {
    const built = this.#opts.builder(this.task, scheduled);
    // It is awaited later: until then nobody hears of a failure.
    built.catch(() => undefined);
    return built;
  }

  async #tryOut(candidate: Candidate, built: ReturnType<TuneOptions["builder"]>): Promise<void> {
    const { database, costModel, runner } = this.#opts;
    const slow = SLOW * (this.#progress.best ?? Infinity);
    const m = await runBuilt(built, (kernel) => runner.measure(kernel, { slow, ...(this.#expected === undefined ? {} : { expected: this.#expected }) }));
    const seconds = m.ok ? m.seconds : undefined;
    database.add({ ...this.#key, trace: traceText(candidate), seconds, ...(m.ok ? {} : { error: m.error }) });
    this.#measured.push({ trace: candidate.trace, seconds });
    costModel.add(this.task.hash, candidate.func, seconds);
    const { best = Infinity, trials, failed } = this.#progress;
    this.#update({ trials: trials + 1, failed: failed + (m.ok ? 0 : 1), best: Math.min(best, seconds ?? Infinity) });
  }

  #measure(scheduled: ScheduledFunc, keepOutputs: boolean): Promise<Measurement> {
    return runBuilt(this.#build(scheduled), (kernel) =>
      this.#opts.runner.measure(kernel, { keepOutputs, ...(this.#expected === undefined ? {} : { expected: this.#expected }) }),
    );
  }

  #giveUp(reason: string): void {
    this.#update({ state: "not tunable", reason });
  }

  #update(change: Partial<TaskProgress>): void {
    this.#progress = { ...this.#progress, ...change };
  }
}

async function runBuilt(
  built: ReturnType<TuneOptions["builder"]>,
  run: (kernel: Awaited<ReturnType<TuneOptions["builder"]>>) => Promise<Measurement>,
): Promise<Measurement> {
  try {
    return await run(await built);
  } catch (e) {
    return { ok: false, error: `it cannot be built: ${e instanceof Error ? e.message : String(e)}` };
  }
}
