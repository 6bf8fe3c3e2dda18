import { fork, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { SeedOptions, SeedReport } from "./run-seed.ts";
import type { SeedJob } from "./seed-process.ts";

/** Which seeds to run, and how many at a time. */
export interface RunOptions extends SeedOptions {
  readonly first: number;
  readonly runs: number;
  /** Processes beside each other. */
  readonly jobs: number;
  /** Ends the run: seeds that have no report by then get none. */
  readonly signal?: AbortSignal;
}

/** Seeds that a process is given at a time. */
const batch = 10;
/** A process is replaced after so many seeds, so that nothing that the engine or onnxruntime keeps adds up. */
const seedsOfProcess = 2000;
/** No graph takes so long. */
const hangMilliseconds = 300_000;

/**
 * Runs seeds in processes of their own and reports each in the order of the seeds, whatever the number of processes. A
 * seed that takes its process down, or that does not end, is reported as that.
 */
export async function runSeeds(options: RunOptions, report: (r: SeedReport) => void): Promise<void> {
  // Where `onnxruntime-node` is found from.
  const folder = mkdtempSync(join(fileURLToPath(new URL("../../node_modules", import.meta.url)), ".onnx-graphs-"));
  try {
    const script = await bundleProcess(folder);
    const end = options.first + options.runs;
    let next = options.first;
    const take = (): readonly number[] => {
      const from = next;
      next = Math.min(end, next + batch);
      return options.signal?.aborted === true ? [] : Array.from({ length: next - from }, (_, i) => from + i);
    };
    const deliver = inOrder(options.first, report);
    await Promise.all(Array.from({ length: Math.max(1, Math.min(options.jobs, options.runs)) }, () => work(script, options, take, deliver)));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The code of the processes with the packages that it uses, as users run them: a loader that keeps the names of functions slows down every closure. */
async function bundleProcess(folder: string): Promise<string> {
  const outfile = join(folder, "process.mjs");
  await build({
    entryPoints: [fileURLToPath(new URL("seed-process.ts", import.meta.url))],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    conditions: ["@verticil/source"],
    external: ["onnxruntime-node"],
    // For packages of CommonJS.
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
    logLevel: "error",
  });
  return outfile;
}

/** Holds reports back until those of all seeds before are there. */
function inOrder(first: number, report: (r: SeedReport) => void): (r: SeedReport) => void {
  const waiting = new Map<number, SeedReport>();
  let next = first;
  return (r) => {
    waiting.set(r.seed, r);
    for (let ready = waiting.get(next); ready !== undefined; ready = waiting.get(next)) {
      waiting.delete(next++);
      report(ready);
    }
  };
}

/** Runs batches until there is none left, in one process after the other. */
async function work(script: string, options: RunOptions, take: () => readonly number[], deliver: (r: SeedReport) => void): Promise<void> {
  let seeds = take();
  while (seeds.length > 0) {
    const child = fork(script, { execArgv: [], stdio: ["ignore", "ignore", "pipe", "ipc"] });
    for (let count = 0; seeds.length > 0 && count < seedsOfProcess; count += batch) {
      const left = await runBatch(child, { seeds, options: { maxNodes: options.maxNodes, targets: options.targets, ...given(options) } }, deliver, options.signal);
      seeds = left.length > 0 ? left : take();
      if (left.length > 0) break;
    }
    child.kill();
  }
}

function given({ rarity, deepEvery }: SeedOptions): Partial<SeedOptions> {
  return { ...(rarity === undefined ? {} : { rarity }), ...(deepEvery === undefined ? {} : { deepEvery }) };
}

/** Runs seeds in a process; those after one that took it down are left. */
function runBatch(child: ChildProcess, job: SeedJob, deliver: (r: SeedReport) => void, signal: AbortSignal | undefined): Promise<readonly number[]> {
  return new Promise((resolve) => {
    let done = 0;
    let said = "";
    let hangs = false;
    const give = (left: readonly number[]): void => {
      clearTimeout(timer);
      child.removeAllListeners();
      child.stderr?.removeAllListeners("data");
      signal?.removeEventListener("abort", stop);
      resolve(left);
    };
    const kill = (): void => {
      hangs = true;
      child.kill("SIGKILL");
    };
    const stop = (): void => {
      child.kill("SIGKILL");
      give([]);
    };
    let timer = setTimeout(kill, hangMilliseconds);
    child.stderr?.on("data", (chunk: Buffer) => (said = `${said}${chunk.toString()}`.slice(-2000)));
    child.on("message", (r: SeedReport) => {
      clearTimeout(timer);
      timer = setTimeout(kill, hangMilliseconds);
      done++;
      deliver(r);
      if (done === job.seeds.length) give([]);
    });
    child.on("exit", (code, by) => {
      const seed = job.seeds[done];
      if (seed !== undefined) {
        const kind = hangs ? "hangs" : "crashes";
        deliver({ seed, nodes: 0, depth: 0, fault: { kind, about: kind, text: hangs ? `no end after ${hangMilliseconds} ms` : `the process ended with ${by ?? code}: ${said}` } });
      }
      give(job.seeds.slice(done + 1));
    });
    signal?.addEventListener("abort", stop);
    child.send(job);
  });
}
