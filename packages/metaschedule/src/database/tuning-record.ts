/** Where a time was measured: times of different engines say nothing about each other. */
export interface Engine {
  /** The JavaScript engine with its version, `v8 11.3.244`. */
  readonly engine: string;
  /** The processor's architecture, `x64`. */
  readonly arch: string;
  /** What vectors the code uses: `none`, `128` or `relaxed`. */
  readonly simd: string;
}

/** One measured schedule (upstream's `TuningRecord`). */
export interface TuningRecord {
  /** The program: see `workloadHash`. */
  readonly workload: string;
  /** The kind of the target with the capabilities that schedules depend on: see `targetKey`. */
  readonly target: string;
  /** `targetKey` of the engine it ran on. */
  readonly engine: string;
  /** The schedule as upstream's JSON; empty for the schedule that the compiler gives an untuned program. */
  readonly trace: string;
  /** The least seconds of one run; undefined where the schedule could not be built, ran out of time or gave wrong results. */
  readonly seconds: number | undefined;
  /** Why there is no time. */
  readonly error?: string;
}

/** The trace of the record that holds the untuned schedule's time. */
export const UNTUNED = "";

/** An engine as one text. */
export function engineKey({ engine, arch, simd }: Engine): string {
  return `${engine} ${arch} simd-${simd}`;
}
