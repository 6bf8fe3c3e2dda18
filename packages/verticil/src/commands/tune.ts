import type { Command } from "commander";
import { tuneForWasm, tuningTasks, verifyTuned, type TuningDb } from "@verticil/compiler";
import type { Runner, TaskProgress, TuneReport } from "@verticil/metaschedule";
import { Interrupted } from "../interrupted.ts";
import { readModel } from "../read-model.ts";
import type { Terminal } from "../terminal.ts";
import { openTuningDb } from "../tuning-db.ts";
import { UsageError } from "../usage-error.ts";
import { checkTarget } from "./compile.ts";
import { addDimOption, parseInteger } from "./model-options.ts";
import { addSimdOption, wasmTargetWith } from "./simd-option.ts";

interface Options {
  readonly target: string;
  readonly db: string;
  readonly budget: number;
  readonly seed: number;
  readonly ops?: string;
  readonly tasks?: number;
  readonly trials?: number;
  readonly dim: Readonly<Record<string, number>>;
  readonly simd: string;
  readonly verify?: boolean;
  readonly json?: boolean;
}

/** `verticil tune MODEL`: searches for faster schedules of a model's kernels and keeps what it measured. */
export function addTuneCommand(program: Command, terminal: Terminal, signal: AbortSignal): void {
  const command = program
    .command("tune <model>")
    .description("search for faster kernels of a model by measuring; `compile --tuning-db` uses what was found")
    .requiredOption("--db <file>", "where measurements are kept; a later run goes on from there")
    .option("--budget <time>", "how long to search: 60s, 5m", parseDuration, 60_000)
    .option("--target <target>", "what to tune for: wasm", "wasm")
    .option("--seed <n>", "of the search's random choices", parseSeed, 1)
    .option("--ops <text>", "only kernels with this in their name")
    .option("--tasks <n>", "only so many kernels, those with most work first", parseInteger)
    .option("--trials <n>", "so many schedules of a kernel at most", parseInteger)
    .option("--verify", "compare the fastest kernels with the interpreter in the end, at full size: this takes minutes")
    .option("--json", "print the result as JSON");
  addSimdOption(addDimOption(command)).action(async (path: string, options: Options) => {
    if (checkTarget(options.target) !== "wasm") throw new UsageError("Kernels are tuned for `--target wasm` so far.");
    const target = wasmTargetWith(options.simd);
    if (options.tasks !== undefined && options.tasks < 1) throw new UsageError("`--tasks` is at least 1.");
    if (options.trials !== undefined && options.trials < 1) throw new UsageError("`--trials` is at least 1.");
    const module = await readModel(path, { dims: options.dim });
    const tasks = tuningTasks(module, {
      target,
      ...(options.ops === undefined ? {} : { filter: options.ops }),
      ...(options.tasks === undefined ? {} : { most: options.tasks }),
    });
    if (tasks.length === 0) throw new UsageError(options.ops === undefined ? "The model has no kernels to tune." : `No kernel has \`${options.ops}\` in its name.`);
    const { database, engine } = await openTuningDb(options.db, { create: true, target });
    const { childRunner } = await import("@verticil/metaschedule/node");
    const { wasmThreadBuilder } = await import("@verticil/compiler/node");
    const runner = childRunner();
    try {
      const onProgress = progressTeller(terminal);
      const report = await terminal.interruptible(async (s) => {
        const stop = AbortSignal.any([signal, s]);
        const builder = wasmThreadBuilder({ seed: options.seed, signal: stop });
        try {
          const { budget, seed, trials: maxTrials = Infinity } = options;
          return await tuneForWasm(tasks, { database, runner, builder: builder.build, engine, budget, seed, maxTrials, signal: stop, onProgress });
        } finally {
          builder.close();
        }
      });
      const errors = options.verify === true ? await verify(report, { database, engine }, runner, terminal) : new Map<string, number>();
      if (options.json === true) terminal.out(JSON.stringify(asJson(report, errors), null, 2));
      else for (const task of report.tasks) terminal.out(`${describe(task)}${accuracy(errors.get(task.task.hash))}`);
      if (report.interrupted) throw new Interrupted(`Interrupted; all that was measured is in ${options.db}.`);
    } finally {
      runner.close();
      database.close();
    }
  });
}

/** How far the fastest schedule of each task is from the interpreter, by workload. */
async function verify(report: TuneReport, db: TuningDb, runner: Runner, terminal: Terminal): Promise<ReadonlyMap<string, number>> {
  const errors = new Map<string, number>();
  for (const { task, untuned } of report.tasks) {
    if (untuned === undefined) continue;
    terminal.progress(`interpreting ${task.name}`);
    errors.set(task.hash, await verifyTuned(task, db, runner));
  }
  return errors;
}

function accuracy(error: number | undefined): string {
  return error === undefined ? "" : `, ${error.toExponential(1)} of the largest value from the interpreter's`;
}

/** Milliseconds of `60s`, `5m`, `500ms` or a number of seconds. @throws UsageError for anything else. */
export function parseDuration(text: string): number {
  const [, digits, unit = "s"] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? [];
  const scale = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[unit];
  const value = Number(digits) * (scale ?? NaN);
  if (!(value > 0)) throw new UsageError(`\`${text}\` is no length of time; write \`60s\` or \`5m\`.`);
  return value;
}

function parseSeed(text: string): number {
  const seed = parseInteger(text);
  if (seed < 1 || seed > 2147483646) throw new UsageError(`\`--seed ${text}\`: a seed is from 1 to 2147483646.`);
  return seed;
}

/** Tells of each task when a faster schedule was found, and in between, on a terminal, how far it is. */
function progressTeller(terminal: Terminal): (p: TaskProgress) => void {
  const told = new Map<string, number>();
  return (p) => {
    const before = told.get(p.task.hash) ?? Infinity;
    if (p.best !== undefined && p.best < 0.99 * before) {
      told.set(p.task.hash, p.best);
      terminal.note(describe(p));
    } else terminal.progress(describe(p));
  };
}

/** One line on a task: its best time, how many schedules were tried, what it gained. */
function describe(p: TaskProgress): string {
  const name = p.task.weight === 1 ? p.task.name : `${p.task.name} (${p.task.weight}×)`;
  if (p.state === "not tunable") return `${name}: not tuned, ${p.reason ?? ""}`;
  if (p.best === undefined || p.untuned === undefined) return `${name}: not measured yet`;
  const known = p.resumed === 0 ? "" : `, ${p.resumed} known before`;
  const failed = p.failed === 0 ? "" : `, ${p.failed} of them failed`;
  return `${name}: ${milliseconds(p.best)} ms, ${(p.untuned / p.best).toFixed(2)}× the untuned ${milliseconds(p.untuned)} ms (${p.trials} tried${failed}${known})`;
}

function milliseconds(seconds: number): string {
  return (seconds * 1000).toPrecision(3);
}

function asJson(report: TuneReport, errors: ReadonlyMap<string, number>): object {
  return {
    interrupted: report.interrupted,
    tasks: report.tasks.map((p) => ({
      name: p.task.name,
      workload: p.task.hash,
      weight: p.task.weight,
      state: p.state,
      ...(p.reason === undefined ? {} : { reason: p.reason }),
      untuned_ms: p.untuned === undefined ? null : p.untuned * 1000,
      best_ms: p.best === undefined ? null : p.best * 1000,
      gain: p.best === undefined || p.untuned === undefined ? null : p.untuned / p.best,
      trials: p.trials,
      failed: p.failed,
      known_before: p.resumed,
      ...(errors.has(p.task.hash) ? { error: errors.get(p.task.hash) } : {}),
    })),
  };
}
