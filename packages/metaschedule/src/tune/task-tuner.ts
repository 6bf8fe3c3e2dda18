import type { RandomEngine } from "@verticil/tir";
import type { CostModel } from "../cost/cost-model.ts";
import type { RecordKey } from "../database/database.ts";
import { targetKey } from "../database/target-key.ts";
import { UNTUNED } from "../database/tuning-record.ts";
import type { Measurement, MeasureOptions, ScheduledFunc } from "../measure/measure.ts";
import type { Postproc } from "../postproc/postproc.ts";
import { candidateFromText, makeCandidate, traceText, type Candidate } from "../search/candidate.ts";
import { freshDecision } from "../search/decisions.ts";
import type { Measured, SearchState, SearchStrategy } from "../search/search-strategy.ts";
import type { SpaceGenerator } from "../space/post-order-apply.ts";
import type { SeedGenerator } from "../space/seed-traces.ts";
import type { SpaceContext } from "../space/space-rule.ts";
import type { TuneTask } from "../task.ts";
import type { TaskProgress, TuneOptions } from "./tune-options.ts";

/** Of what a database knows, the fastest schedules that a search goes on from; the others are only not measured again. */
const RESUMED = 48;
/** A schedule that takes so many times as long as the fastest is timed a few times only. */
const SLOW = 1.25;
/** Schedules that meet the untuned one in the end, how often all of them are measured, and how often others may follow. */
const FINALISTS = 4;
const FINAL_ROUNDS = 8;
const FINALS = 3;

/** Everything that a task is tuned with, defaults filled in. */
export type TaskTunerOptions = Pick<TuneOptions, "database" | "builder" | "runner" | "engine" | "untuned" | "signal"> & {
  readonly space: SpaceGenerator;
  readonly seeds: SeedGenerator;
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
  /** What was measured, and what this round proposes or passed over. */
  readonly #seen = new Set<string>();
  readonly #proposed = new Set<string>();
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
    const first = await this.#run(this.#build(untuned(this.task)), { keepOutputs: true });
    if (this.#isFaultOfAbort(first)) return;
    if (!first.ok) return this.#giveUp(`its untuned schedule cannot be measured: ${first.error}`);
    this.#expected = first.outputs ?? [];
    database.add({ ...this.#key, trace: UNTUNED, seconds: first.seconds });
    this.#update({ untuned: first.seconds, best: first.seconds, state: "running" });
    this.#state = {
      task: this.task.hash,
      func: this.task.func,
      sketches,
      seeds: inTurns(sketches.map((s) => this.#opts.seeds(s))),
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
    this.#proposed.clear();
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

  /**
   * Measures the fastest schedules and the untuned one in turns: single times of a busy machine say little, and of many
   * the least is too good. Goes on with the next ones while the fastest on record has not been in it.
   */
  async confirm(isOver: () => boolean): Promise<void> {
    const met = new Map<string, number>();
    for (let i = 0; i < FINALS && !isOver(); i++) {
      const open = this.#opts.database.best(this.#key, FINALISTS + 1).filter((r) => r.trace !== UNTUNED && !met.has(r.trace));
      const [fastest] = this.#opts.database.best(this.#key, 1);
      if (fastest === undefined || met.has(fastest.trace)) break;
      const contestants = open.slice(0, FINALISTS).map((r) => [r.trace, candidateFromText(this.task.func, r.trace)] as const);
      await this.#duel(new Map([[UNTUNED, this.#opts.untuned(this.task)], ...contestants]), isOver, met);
    }
    const [untuned, best] = [met.get(UNTUNED), Math.min(...met.values())];
    if (untuned !== undefined && Number.isFinite(best)) this.#update({ untuned, best });
  }

  /** Adds the least time of each to `times` and to the database, unless it is over before all had a turn. */
  async #duel(schedules: ReadonlyMap<string, ScheduledFunc | undefined>, isOver: () => boolean, times: Map<string, number>): Promise<void> {
    const kernels = [...schedules].flatMap(([trace, s]) => (s === undefined ? [] : [[trace, this.#build(s)] as const]));
    for (let i = 0; i < FINAL_ROUNDS && !isOver(); i++) {
      const round = new Map<string, number>();
      for (const [trace, built] of kernels) {
        const m = await this.#run(built, {});
        if (m.ok) round.set(trace, m.seconds);
      }
      for (const [trace, seconds] of round) times.set(trace, Math.min(times.get(trace) ?? Infinity, seconds));
    }
    for (const [trace, seconds] of times) this.#opts.database.add({ ...this.#key, trace, seconds });
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
    if (text === undefined || this.#seen.has(text) || this.#proposed.has(text)) return undefined;
    this.#proposed.add(text);
    return candidate;
  }

  #build(scheduled: ScheduledFunc): ReturnType<TuneOptions["builder"]> {
    const built = this.#opts.builder(this.task, scheduled);
    // It is awaited later: until then nobody hears of a failure.
    built.catch(() => undefined);
    return built;
  }

  async #tryOut(candidate: Candidate, built: ReturnType<TuneOptions["builder"]>): Promise<void> {
    const { database, costModel } = this.#opts;
    const m = await this.#run(built, { slow: SLOW * (this.#progress.best ?? Infinity) });
    if (this.#isFaultOfAbort(m)) return;
    const seconds = m.ok ? m.seconds : undefined;
    const trace = traceText(candidate);
    this.#seen.add(trace);
    database.add({ ...this.#key, trace, seconds, ...(m.ok ? {} : { error: m.error }) });
    this.#measured.push({ trace: candidate.trace, seconds });
    costModel.add(this.task.hash, candidate.func, seconds);
    const { best = Infinity, trials, failed } = this.#progress;
    this.#update({ trials: trials + 1, failed: failed + (m.ok ? 0 : 1), best: Math.min(best, seconds ?? Infinity) });
  }

  async #run(built: ReturnType<TuneOptions["builder"]>, opts: MeasureOptions): Promise<Measurement> {
    const expected = this.#expected === undefined ? {} : { expected: this.#expected };
    try {
      return await this.#opts.runner.measure(await built, { ...opts, ...expected });
    } catch (e) {
      return { ok: false, error: `it cannot be built: ${e instanceof Error ? e.message : String(e)}` };
    }
  }

  /** A builder that was told to end fails what it was building, which says nothing of the schedule. */
  #isFaultOfAbort(m: Measurement): boolean {
    return !m.ok && this.#opts.signal?.aborted === true;
  }

  #giveUp(reason: string): void {
    this.#update({ state: "not tunable", reason });
  }

  #update(change: Partial<TaskProgress>): void {
    this.#progress = { ...this.#progress, ...change };
  }
}

/** The first of each list, then the second of each. */
function* inTurns<T>(lists: readonly (readonly T[])[]): Generator<T, undefined> {
  for (let i = 0; lists.some((l) => i < l.length); i++) for (const list of lists) yield* list.slice(i, i + 1);
  return undefined;
}
