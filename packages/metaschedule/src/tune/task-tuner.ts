import { traceAsJson, type RandomEngine } from "@verticil/tir";
import type { CostModel } from "../cost/cost-model.ts";
import type { RecordKey } from "../database/database.ts";
import { targetKey } from "../database/target-key.ts";
import { UNTUNED } from "../database/tuning-record.ts";
import type { Measurement, MeasureOptions } from "../measure/measure.ts";
import type { Postproc } from "../postproc/postproc.ts";
import { candidateFromText, makeCandidate, traceText, type Candidate } from "../search/candidate.ts";
import { freshDecision } from "../search/decisions.ts";
import type { Measured, SearchState, SearchStrategy } from "../search/search-strategy.ts";
import type { SpaceGenerator } from "../space/post-order-apply.ts";
import type { SeedGenerator } from "../space/seed-traces.ts";
import type { SpaceContext } from "../space/space-rule.ts";
import type { TuneTask } from "../task.ts";
import { race } from "./race.ts";
import type { TaskProgress, TuneOptions } from "./tune-options.ts";

/** Of what a database knows, the fastest schedules that a search goes on from; the others are only not measured again. */
const RESUMED = 48;
/** A schedule that takes so many times as long as the fastest is timed a few times only. */
const SLOW = 1.25;
/** Schedules that meet the untuned one in the end, and how often others may follow. */
const CONTESTANTS = 8;
const RACES = 3;

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
  /** The texts of what was measured or proposed, and of the traces that were replayed for it. */
  readonly #seen = new Set<string>();
  readonly #replayed = new Set<string>();
  readonly #measured: Measured[] = [];
  /** What was measured since the search was told last. */
  #news: (Measured & { readonly candidate: Candidate })[] = [];
  /** What to measure in the next round. */
  #next: Promise<readonly Candidate[]> | undefined;
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

  /**
   * What another round may win: the time that the task takes, and the less the longer nothing better was found. By the
   * square, so that light tasks have their turns too: improvements of one that was searched for long are rare and small.
   */
  get promise(): number {
    const seconds = this.#progress.best ?? this.#progress.untuned ?? 0;
    return (this.task.weight * seconds) / (1 + this.#sinceBetter) ** 2;
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
      make: async (trace, fresh) => this.#make(trace, fresh),
    };
    this.#resume();
  }

  /**
   * Measures up to `count` schedules that were not measured yet, until `isOver`, and then the untuned one again, so that
   * the two times are of the same machine: one that was cold or busy in the beginning made it look slow. Meanwhile `ahead`
   * schedules are made up for the next round, from all that was known when this one began: what is proposed depends on
   * times alone, not on when they came.
   */
  async round(count: number, ahead: number, isOver: () => boolean): Promise<void> {
    const state = this.#state;
    if (state === undefined) return;
    const candidates = (await (this.#next ?? this.#propose(state, count, isOver))).slice(0, count);
    this.#next = undefined;
    if (candidates.length === 0) return this.#update({ state: "done" });
    this.#learn();
    if (ahead > 0) this.#next = this.#propose(state, ahead, isOver);
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
    if (!isOver()) await this.#measureUntuned();
    this.#sinceBetter = (this.#progress.best ?? Infinity) < 0.99 * before ? 0 : this.#sinceBetter + 1;
  }

  /**
   * Races the fastest schedules and the untuned one against each other; those times count. Goes on with the next ones
   * while the fastest on record has not been in it.
   */
  async confirm(isOver: () => boolean): Promise<void> {
    const met = new Map<string, number>();
    for (let i = 0; i < RACES && !isOver(); i++) {
      const records = this.#opts.database.best(this.#key, met.size + CONTESTANTS + 1);
      const [fastest] = records;
      if (fastest === undefined || met.has(fastest.trace)) break;
      // Whoever won the race before is in the next one.
      const [champion] = [...met].filter(([trace]) => trace !== UNTUNED).toSorted((a, b) => a[1] - b[1]);
      const open = records.filter((r) => r.trace !== UNTUNED && !met.has(r.trace) && r.seconds !== undefined && r.seconds < (champion?.[1] ?? Infinity));
      const traces = [...(champion === undefined ? [] : [champion[0]]), ...open.slice(0, CONTESTANTS).map((r) => r.trace)];
      await this.#race(traces, isOver, met);
    }
    const [untuned, best] = [met.get(UNTUNED), Math.min(...met.values())];
    if (untuned !== undefined && Number.isFinite(best)) this.#update({ untuned, best });
  }

  /** Adds the least time of each to `times` and to the database. */
  async #race(traces: readonly string[], isOver: () => boolean, times: Map<string, number>): Promise<void> {
    const kernels = new Map([[UNTUNED, this.#build(this.#opts.untuned(this.task))]]);
    for (const trace of traces) {
      const candidate = candidateFromText(this.task.func, trace);
      if (candidate !== undefined) kernels.set(trace, this.#build(candidate));
    }
    const measure = async (trace: string): Promise<number | undefined> => {
      const built = kernels.get(trace);
      const m = built && (await this.#run(built, {}));
      return m?.ok === true ? m.seconds : undefined;
    };
    const found = await race([...kernels.keys()], { standard: UNTUNED, measure, isOver });
    for (const [trace, seconds] of found) {
      times.set(trace, Math.min(times.get(trace) ?? Infinity, seconds));
      this.#opts.database.add({ ...this.#key, trace, seconds: times.get(trace) });
    }
  }

  async #measureUntuned(): Promise<void> {
    const m = await this.#run(this.#build(this.#opts.untuned(this.task)), {});
    if (!m.ok || m.seconds >= (this.#progress.untuned ?? Infinity)) return;
    this.#opts.database.add({ ...this.#key, trace: UNTUNED, seconds: m.seconds });
    this.#update({ untuned: m.seconds, best: Math.min(this.#progress.best ?? Infinity, m.seconds) });
  }

  #propose(state: SearchState, count: number, isOver: () => boolean): Promise<readonly Candidate[]> {
    const make: SearchState["make"] = async (trace, fresh) => {
      // Measuring goes on between two candidates.
      await new Promise((resolve) => setTimeout(resolve, 0));
      return isOver() ? undefined : this.#make(trace, fresh);
    };
    const proposed = this.#opts.strategy.propose({ ...state, make }, count);
    // It is awaited later, or never: until then nobody hears of a failure.
    proposed.catch(() => undefined);
    return proposed;
  }

  /** Tells the search what was measured. */
  #learn(): void {
    for (const { candidate, trace, seconds } of this.#news) {
      this.#measured.push({ trace, seconds });
      this.#opts.costModel.add(this.task.hash, candidate.func, seconds);
    }
    this.#news = [];
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
    if (!fresh && !isNew(this.#replayed, JSON.stringify(traceAsJson(trace.withoutPostproc())))) return undefined;
    const candidate = makeCandidate(this.task.func, trace, {
      ctx: this.#ctx,
      postprocs,
      seed: random.next(),
      ...(fresh ? { decide: (inst, previous) => freshDecision(inst, previous, random) } : {}),
    });
    return candidate !== undefined && isNew(this.#seen, traceText(candidate)) ? candidate : undefined;
  }

  #build(scheduled: Parameters<TuneOptions["builder"]>[1]): ReturnType<TuneOptions["builder"]> {
    const built = this.#opts.builder(this.task, scheduled);
    // It is awaited later: until then nobody hears of a failure.
    built.catch(() => undefined);
    return built;
  }

  async #tryOut(candidate: Candidate, built: ReturnType<TuneOptions["builder"]>): Promise<void> {
    const m = await this.#run(built, { slow: SLOW * (this.#progress.best ?? Infinity) });
    if (this.#isFaultOfAbort(m)) return;
    const seconds = m.ok ? m.seconds : undefined;
    this.#opts.database.add({ ...this.#key, trace: traceText(candidate), seconds, ...(m.ok ? {} : { error: m.error }) });
    this.#news.push({ candidate, trace: candidate.trace, seconds });
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

/** Adds a text to a set; false if it was there. */
function isNew(texts: Set<string>, text: string): boolean {
  if (texts.has(text)) return false;
  texts.add(text);
  return true;
}

/** The first of each list, then the second of each. */
function* inTurns<T>(lists: readonly (readonly T[])[]): Generator<T, undefined> {
  for (let i = 0; lists.some((l) => i < l.length); i++) for (const list of lists) yield* list.slice(i, i + 1);
  return undefined;
}
