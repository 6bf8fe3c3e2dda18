import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { answerOf } from "./answer-of.ts";
import type { BuiltKernel, Measurement, MeasureOptions, Runner } from "./measure.ts";

/** How long kernels are run, and what they may take. */
export interface ChildRunnerOptions {
  /** Milliseconds of measuring a kernel; it runs at least `minRuns` times. */
  readonly milliseconds?: number;
  readonly minRuns?: number;
  readonly maxRuns?: number;
  /** Milliseconds after which a kernel is given up and its process killed. */
  readonly timeout?: number;
  /** Bytes of memory that a kernel may ask for. */
  readonly maxBytes?: number;
  /** The largest difference from the expected results, relative to their largest value. */
  readonly tolerance?: number;
}

/** Milliseconds that a process may take to start. */
const STARTUP = 60_000;

/** Why a process gives no answer. */
const REASONS = { ended: "the kernel took its process down", failed: "the process for kernels failed" };

/** The program of the child: beside this file in the sources, beside the entry in the package. */
const childFile = (): string => fileURLToPath(new URL(import.meta.url.endsWith(".ts") ? "./runner-child.mjs" : "./runner-child.js", import.meta.url));

/**
 * Measures kernels in a child process, which is started anew whenever a kernel took it down or had to be given up. The
 * child's engine compiles everything at once and for speed, so that no run is one of slower code.
 */
export function childRunner(options: ChildRunnerOptions = {}): Runner {
  const { milliseconds = 60, minRuns = 5, maxRuns = 1000, timeout = 10_000, maxBytes = 2 ** 30, tolerance = 1e-4 } = options;
  let child: ReadyChild | undefined;
  let closed = false;
  let jobs = 0;
  let queue: Promise<unknown> = Promise.resolve();

  const stop = (): void => {
    child?.process.kill("SIGKILL");
    child = undefined;
  };
  const run = async (kernel: BuiltKernel, opts: MeasureOptions): Promise<Measurement> => {
    const bytes = kernel.buffers.reduce((sum, b) => sum + b.bytes, kernel.reservedBytes);
    if (!(bytes <= maxBytes)) return { ok: false, error: `the kernel needs ${bytes} bytes of memory, ${maxBytes} are allowed` };
    if (closed) return { ok: false, error: "the runner is closed" };
    child ??= startChild();
    const { process, ready } = child;
    // The time that a busy machine takes to start a process is not the kernel's.
    if (!(await ready)) {
      stop();
      return { ok: false, error: "the process for kernels does not start" };
    }
    const id = ++jobs;
    const slow = (opts.slow ?? Infinity) * 1000;
    const budget = { milliseconds, minRuns, maxRuns, tolerance };
    process.send({ id, kernel, budget, slow, expected: opts.expected, keepOutputs: opts.keepOutputs === true }, () => {});
    const answer = await answerOf<Measurement>(process, id, { timeout, ...REASONS });
    if (typeof answer !== "string") return answer;
    stop();
    return { ok: false, error: answer };
  };
  return {
    measure(kernel, opts = {}) {
      const result = queue.then(() => run(kernel, opts));
      queue = result;
      return result;
    },
    close() {
      closed = true;
      stop();
    },
  };
}

/** A child process, and whether it came to take kernels. */
interface ReadyChild {
  readonly process: ChildProcess;
  readonly ready: Promise<boolean>;
}

/** What this process was told of WebAssembly: kernels run on the same engine. */
function engineFlags(): readonly string[] {
  return process.execArgv.filter((flag) => flag.startsWith("--experimental-wasm-"));
}

function startChild(): ReadyChild {
  const child = fork(childFile(), [], { execArgv: [...engineFlags(), "--no-liftoff"], serialization: "advanced", stdio: ["ignore", "ignore", "ignore", "ipc"] });
  return { process: child, ready: answerOf(child, "ready", { timeout: STARTUP, ...REASONS }).then((answer) => typeof answer !== "string") };
}
