import { defaultWasmTarget } from "@verticil/ir-core";
import { describe, expect, it } from "vitest";
import { memoryDatabase, type Database } from "../database/database.ts";
import { UNTUNED } from "../database/tuning-record.ts";
import type { Builder, BuiltKernel, Runner } from "../measure/measure.ts";
import { threadBuilder, type ThreadBuilder, type ThreadBuilderOptions } from "../measure/thread-builder.ts";
import { featuresOf } from "../cost/features.ts";
import { registerTileSeeds } from "../space/seed-traces.ts";
import type { SearchStrategy } from "../search/search-strategy.ts";
import { randomSearch } from "../search/random-search.ts";
import { makeTuneTask, type TuneTask } from "../task.ts";
import { product } from "../testing/programs.ts";
import { tuneTasks } from "./tune-tasks.ts";
import type { TuneOptions, TuneReport } from "./tune-options.ts";

const task: TuneTask = makeTuneTask({ name: "product", func: product(64), target: defaultWasmTarget });
const key = { workload: task.hash, target: "wasm threads=1", engine: "test" };

/** A kernel whose code is a guess of its time: larger register tiles are faster. */
const builder: Builder = async (_, { func }) => {
  const accumulators = featuresOf(func)[0] ?? 0;
  return { wasm: Float64Array.of(1 / (1 + accumulators)) as unknown as BuiltKernel["wasm"], reservedBytes: 0, buffers: [] };
};

function guess(kernel: BuiltKernel): number {
  return (kernel.wasm as unknown as Float64Array)[0] ?? NaN;
}

function fakeRunner(measure: (kernel: BuiltKernel) => number | string): Runner {
  return {
    async measure(kernel) {
      const m = measure(kernel);
      return typeof m === "string" ? { ok: false, error: m } : { ok: true, seconds: m, runs: 1, outputs: [] };
    },
    close() {},
  };
}

function tune(database: Database, opts: Partial<TuneOptions> = {}): Promise<TuneReport> {
  return tuneTasks([task], {
    database,
    builder,
    runner: fakeRunner(guess),
    engine: "test",
    untuned: ({ func }) => ({ func, layout: [] }),
    budget: 60_000,
    maxTrials: 12,
    round: 6,
    seed: 5,
    ...opts,
  });
}

/** What the decisions of a trace are, as text. */
function decisionsIn(trace: string): string {
  const [, decisions] = JSON.parse(trace) as readonly [unknown, readonly (readonly [number, unknown])[]];
  return JSON.stringify(decisions.map(([, d]) => d));
}

function twice<T>(x: T): readonly T[] {
  return [x, x];
}

describe("tuning", () => {
  it("finds a faster schedule and keeps everything it measured", async () => {
    const database = memoryDatabase();
    const { tasks: [p], interrupted } = await tune(database);
    expect(p).toMatchObject({ trials: 12, failed: 0, resumed: 0, untuned: 1, state: "running" });
    expect(p?.best).toBeLessThan(0.5);
    expect(interrupted).toBe(false);
    expect(database.all(key)).toHaveLength(13);
    expect(database.best(key, 1)[0]?.seconds).toBe(p?.best);
  });

  it("proposes the same schedules for the same seed and times", async () => {
    const traces = async (seed: number): Promise<readonly string[]> => {
      const database = memoryDatabase();
      await tune(database, { seed, seeds: () => [] });
      return database.all(key).map((r) => r.trace).toSorted();
    };
    const [first, same, other] = [await traces(5), await traces(5), await traces(6)];
    expect(same).toEqual(first);
    expect(other).not.toEqual(first);
  });

  it("measures the seeds of the space before anything else", async () => {
    const database = memoryDatabase();
    await tune(database, { maxTrials: 4, seeds: (sketch) => registerTileSeeds(sketch).slice(0, 2) });
    const decided = database.all(key).slice(1).map((r) => decisionsIn(r.trace));
    // Two sketches, in turns: tiles of 4 rows by 2 vectors, the lanes within the rows and around them.
    expect(decided).toEqual([...twice("[[1,8,2],3,[16,1],[64,1]]"), ...twice("[[8,1,2],3,[16,1],[64,1]]")]);
  });

  it("takes the time that schedules have in turns with the untuned one for their time", async () => {
    const database = memoryDatabase();
    const times = new Map<number, number>();
    // The first time that a kernel is measured is half of what it is later.
    const runner = fakeRunner((k) => {
      const n = (times.get(guess(k)) ?? 0) + 1;
      times.set(guess(k), n);
      return n === 1 ? guess(k) / 2 : guess(k);
    });
    const { tasks: [p] } = await tune(database, { runner });
    const [best] = database.best(key, 1);
    expect(p?.untuned).toBe(1);
    expect(p?.best).toBe(best?.seconds);
    expect(times.has(p?.best ?? 0)).toBe(true);
  });

  it("measures the untuned schedule again with every round, so that a slow beginning makes nothing look fast", async () => {
    const database = memoryDatabase();
    let measured = 0;
    // Ten times as slow in the beginning, when the untuned schedule is measured first.
    const runner = fakeRunner((k) => (measured++ === 0 ? 10 : 1) * guess(k));
    const seen: (number | undefined)[] = [];
    await tune(database, { runner, onProgress: (t) => seen.push(t.untuned) });
    expect(seen.slice(0, 2)).toEqual([10, 1]);
    expect(database.all(key).find((r) => r.trace === UNTUNED)?.seconds).toBe(1);
  });

  it("builds and measures while it makes up what comes next", async () => {
    const order: string[] = [];
    const strategy: SearchStrategy = {
      name: "watched",
      async propose(state, count) {
        order.push("propose");
        const found = await randomSearch.propose(state, count);
        order.push("proposed");
        return found;
      },
    };
    const runner = fakeRunner((k) => (order.push("measure"), guess(k)));
    await tune(memoryDatabase(), { strategy, runner, maxTrials: 4, round: 2 });
    const second = order.slice(order.lastIndexOf("propose"), order.lastIndexOf("proposed"));
    expect(second).toContain("measure");
  });

  it("goes on from what the database knows and measures nothing twice", async () => {
    const database = memoryDatabase();
    await tune(database);
    let measured = 0;
    const { tasks: [p] } = await tune(database, { runner: fakeRunner((k) => (measured++, guess(k))) });
    expect(p).toMatchObject({ trials: 12, resumed: 12 });
    expect(new Set(database.all(key).map((r) => r.trace)).size).toBe(25);
    expect(measured).toBeGreaterThanOrEqual(13);
  });

  it("lives with schedules that cannot be measured", async () => {
    const database = memoryDatabase();
    let n = 0;
    const { tasks: [p] } = await tune(database, { strategy: randomSearch, runner: fakeRunner((k) => (n++ % 2 === 0 ? guess(k) : "trap")) });
    expect(p?.trials).toBe(12);
    expect(p?.failed).toBeGreaterThan(3);
    expect(database.all(key).filter((r) => r.error === "trap").length).toBe(p?.failed);
  });

  it("says why a task is not tuned", async () => {
    const { tasks: [p] } = await tune(memoryDatabase(), { runner: fakeRunner(() => "trap") });
    expect(p).toMatchObject({ state: "not tunable", reason: "its untuned schedule cannot be measured: trap" });
    const odd = makeTuneTask({ name: "odd", func: product(7), target: defaultWasmTarget });
    const report = await tuneTasks([odd], { database: memoryDatabase(), builder, runner: fakeRunner(guess), engine: "test", untuned: ({ func }) => ({ func, layout: [] }), budget: 1000 });
    expect(report.tasks[0]).toMatchObject({ state: "not tunable", reason: "no rule of the space takes it" });
  });

  it("ends soon after its signal is aborted, with everything kept", async () => {
    const database = memoryDatabase();
    const controller = new AbortController();
    const { interrupted, tasks: [p] } = await tune(database, {
      maxTrials: 1000,
      signal: controller.signal,
      onProgress: (t) => {
        if (t.trials > 0) controller.abort();
      },
    });
    expect(interrupted).toBe(true);
    expect(p?.trials).toBeLessThan(20);
    expect(database.all(key).filter((r) => r.trace !== UNTUNED)).toHaveLength(p?.trials ?? 0);
  });

  /** A builder that hangs with each third schedule. */
  const hanging = (opts: Partial<ThreadBuilderOptions>): ThreadBuilder =>
    threadBuilder({ program: new URL("../testing/odd-builds.mjs", import.meta.url), data: { every: 3 }, execArgv: [], ...opts });
  const hangs: TuneTask = { ...task, name: "hangs" };
  const setting = { engine: "test", untuned: ({ func }: TuneTask) => ({ func, layout: [] }), budget: 60_000, seed: 5, runner: fakeRunner(() => 1) };

  it("goes on after schedules whose building hangs", async () => {
    const database = memoryDatabase();
    const { build, close } = hanging({ timeout: 500 });
    const { tasks: [p] } = await tuneTasks([hangs], { ...setting, database, builder: build, maxTrials: 6 });
    close();
    expect(p).toMatchObject({ trials: 6, failed: 2 });
    const error = "it cannot be built: no result within 500 ms";
    expect(database.all(key).map((r) => r.error)).toEqual([undefined, undefined, error, undefined, undefined, error, undefined]);
  });

  it("does not hold an interrupt against the schedule that was being built", async () => {
    const database = memoryDatabase();
    const controller = new AbortController();
    const { build } = hanging({ timeout: 60_000, signal: controller.signal });
    const running = tuneTasks([hangs], { ...setting, database, builder: build, maxTrials: 6, signal: controller.signal });
    setTimeout(() => controller.abort(), 500);
    expect((await running).interrupted).toBe(true);
    expect(database.all(key).filter((r) => r.error !== undefined)).toEqual([]);
  });
});
