import type { Command } from "commander";
import { loadAny } from "../read-model.ts";
import type { Terminal } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";
import { checkTarget } from "./compile.ts";
import { addDimOption, addInputOptions, gatherInputs, parseInteger, type RunOptions } from "./model-options.ts";

interface Options extends RunOptions {
  readonly target: string;
  readonly threads: number;
  readonly runs: number;
  readonly json?: boolean;
}

/** `verticil bench MODEL|DIR`: how long one run takes. */
export function addBenchCommand(program: Command, terminal: Terminal, signal: AbortSignal): void {
  const command = program
    .command("bench <model>")
    .description("measure a model: minimum, median and 95th percentile of one run, in milliseconds")
    .option("--target <target>", "what to run on: wasm or webgpu (with the package `webgpu`)", "wasm")
    .option("--threads <n>", "threads to use", parseInteger, 1)
    .option("--runs <n>", "runs to measure, after a tenth as many to warm up", parseInteger, 50)
    .option("--json", "print the figures as JSON");
  addInputOptions(addDimOption(command)).action(async (path: string, options: Options) => {
    const target = checkTarget(options.target);
    if (options.runs < 1) throw new UsageError("`--runs` is at least 1.");
    const model = await loadAny(path, { dims: options.dim ?? {}, signal, threads: options.threads, target });
    const inputs = await gatherInputs(model, { ...options, random: options.random ?? 1 });
    const times: number[] = [];
    for (let i = -Math.ceil(options.runs / 10); i < options.runs; i++) {
      signal.throwIfAborted();
      const started = performance.now();
      if (model.capabilities.backend === "wasm") model.runSync(inputs);
      else await model.run(inputs);
      if (i >= 0) times.push(performance.now() - started);
    }
    model.dispose();
    const figures = summary(times);
    if (options.json === true) terminal.out(JSON.stringify({ name: model.name, threads: model.capabilities.threads, runs: options.runs, ...figures }));
    else terminal.out(`${model.name}: min ${figures.min.toFixed(3)} ms, median ${figures.median.toFixed(3)} ms, p95 ${figures.p95.toFixed(3)} ms (${options.runs} runs)`);
  });
}

/** Minimum, median and 95th percentile. */
export function summary(times: readonly number[]): { readonly min: number; readonly median: number; readonly p95: number } {
  const sorted = [...times].sort((a, b) => a - b);
  const pick = (q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? NaN;
  return { min: pick(0), median: pick(0.5), p95: pick(0.95) };
}
