import { threadBuilder, type ThreadBuilder, type ThreadBuilderOptions } from "@verticil/metaschedule/node";

/** What kernels are built with, and how long one may take. */
export interface WasmThreadBuilderOptions extends Pick<ThreadBuilderOptions, "timeout" | "signal"> {
  /** Of the inputs that kernels are measured with. */
  readonly seed?: number;
}

/**
 * `wasmKernelBuilder` in a worker thread: it gives the same kernels in the same order, while this thread searches and the
 * runner measures. A schedule whose building hangs or takes the thread down fails alone.
 */
export function wasmThreadBuilder({ seed = 1, ...options }: WasmThreadBuilderOptions = {}): ThreadBuilder {
  return threadBuilder({ ...options, data: seed, ...programOf(import.meta.url) });
}

/** The program of the thread: beside this file in the sources, beside the entry in the package. */
function programOf(here: string): Pick<ThreadBuilderOptions, "program" | "execArgv"> {
  if (!here.endsWith(".ts")) return { program: new URL("./build-worker.js", here) };
  return { program: new URL("./build-worker-source.mjs", here), execArgv: ["--conditions=@verticil/source"] };
}
