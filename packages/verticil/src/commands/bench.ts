import type { Command } from "commander";
import { profileKernels, type KernelProfile } from "@verticil/compiler";
import { isFolder, loadAny, modelName, readModel } from "../read-model.ts";
import type { Terminal } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";
import { checkTarget } from "./compile.ts";
import { addDimOption, addInputOptions, addThreadsOption, gatherInputs, parseInteger, type RunOptions } from "./model-options.ts";

interface Options extends RunOptions {
  readonly target: string;
  readonly threads: number | "auto";
  readonly runs: number;
  readonly kernels?: boolean;
  readonly json?: boolean;
}

/** `verticil bench MODEL|DIR`: how long one run takes. */
export function addBenchCommand(program: Command, terminal: Terminal, signal: AbortSignal): void {
  const command = program
    .command("bench <model>")
    .description("measure a model: minimum, median and 95th percentile of one run, in milliseconds")
    .option("--target <target>", "what to run on: wasm or webgpu (with the package `webgpu`)", "wasm")
    .option("--runs <n>", "runs to measure, after a tenth as many to warm up", parseInteger, 50)
    .option("--kernels", "time each kernel where it runs, with its arithmetic and its memory traffic (wasm)")
    .option("--json", "print the figures as JSON");
  addInputOptions(addDimOption(addThreadsOption(command))).action(async (path: string, options: Options) => {
    const target = checkTarget(options.target);
    if (options.runs < 1) throw new UsageError("`--runs` is at least 1.");
    if (options.kernels === true) return benchKernels(path, options, terminal, signal);
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

/** The kernels of a model, those that take most time first. */
async function benchKernels(path: string, options: Options, terminal: Terminal, signal: AbortSignal): Promise<void> {
  if (options.target !== "wasm") throw new UsageError("`--kernels` times kernels of WebAssembly: `--target wasm`.");
  if (await isFolder(path)) throw new UsageError("`--kernels` compiles the model itself, to know its programs: give the model file, not the folder.");
  const module = await readModel(path, { dims: options.dim ?? {} });
  const kernels = await profileKernels(module, { runs: options.runs, signal });
  if (options.json === true) terminal.out(JSON.stringify({ name: modelName(path), kernels }));
  else terminal.out(kernelTable(kernels));
}

/** Kernels as lines of a table: milliseconds and share of a run, GFLOP/s, GB/s. */
function kernelTable(kernels: readonly KernelProfile[]): string {
  const total = kernels.reduce((sum, k) => sum + k.milliseconds, 0);
  const rows = kernels.map((k) => [
    k.calls > 1 ? `${k.name} (${k.calls}×)` : k.name,
    k.milliseconds.toFixed(3),
    `${((100 * k.milliseconds) / total).toFixed(1)} %`,
    (k.flops / k.milliseconds / 1e6).toFixed(1),
    (k.bytes / k.milliseconds / 1e6).toFixed(1),
  ]);
  const head = ["kernel", "ms", "share", "GFLOP/s", "GB/s"];
  const widths = head.map((h, c) => Math.max(h.length, ...rows.map((r) => r[c]?.length ?? 0)));
  const line = (cells: readonly string[]): string => cells.map((cell, c) => (c === 0 ? cell.padEnd(widths[c] ?? 0) : cell.padStart(widths[c] ?? 0))).join("  ");
  return [line(head), ...rows.map(line), `all: ${total.toFixed(3)} ms`].join("\n");
}

/** Minimum, median and 95th percentile. */
export function summary(times: readonly number[]): { readonly min: number; readonly median: number; readonly p95: number } {
  const sorted = [...times].sort((a, b) => a - b);
  const pick = (q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? NaN;
  return { min: pick(0), median: pick(0.5), p95: pick(0.95) };
}
