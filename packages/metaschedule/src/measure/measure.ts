import type { PrimFunc } from "@verticil/tir";
import type { LayoutChange } from "../search/layout-change.ts";
import type { TuneTask } from "../task.ts";

/** A scheduled program, and the parameters that it takes in another layout. */
export interface ScheduledFunc {
  readonly func: PrimFunc;
  readonly layout: readonly LayoutChange[];
}

/** Code for one schedule of a task. */
export interface BuiltKernel {
  /** A module that imports `env.memory` and exports `main`, which takes an address for each buffer. */
  readonly wasm: Uint8Array<ArrayBuffer>;
  /** Memory below this belongs to the code. */
  readonly reservedBytes: number;
  /** The buffers in the order of the parameters of `main`. */
  readonly buffers: readonly KernelBuffer[];
}

/** A buffer that `main` is given. */
export interface KernelBuffer {
  readonly bytes: number;
  /** What it holds when the kernel starts; memory that it works in holds nothing. */
  readonly init?: Uint8Array;
  /** True for a result, which is compared with the expected one. */
  readonly isOutput: boolean;
}

/** Makes code of a scheduled program. It throws where that is not possible; the schedule counts as failed. */
export type Builder = (task: TuneTask, scheduled: ScheduledFunc) => Promise<BuiltKernel>;

/** How a kernel is measured. */
export interface MeasureOptions {
  /** The results it must give, one for each output buffer. */
  readonly expected?: readonly Uint8Array[];
  /** Return the contents of the output buffers. */
  readonly keepOutputs?: boolean;
  /** Seconds above which the least number of runs says enough, and far above which one does. */
  readonly slow?: number;
}

/** What came of measuring. */
export type Measurement =
  | { readonly ok: true; readonly seconds: number; readonly runs: number; readonly outputs?: readonly Uint8Array[] }
  | { readonly ok: false; readonly error: string };

/** Runs kernels where they can do no harm. */
export interface Runner {
  /** Never rejects: what a kernel does wrong is in the measurement. */
  measure(kernel: BuiltKernel, options?: MeasureOptions): Promise<Measurement>;
  close(): void;
}
