import type { PassInstrument } from "../pass.ts";

/** The time of one run of a pass or pipeline, with those it ran inside. */
export interface PassTiming {
  readonly name: string;
  /** Milliseconds, those of `inner` included. */
  readonly ms: number;
  readonly inner: readonly PassTiming[];
}

/** Measures passes. */
export interface TimingInstrument extends PassInstrument {
  readonly timings: readonly PassTiming[];
  /** A line a pass or pipeline, indented by nesting, with milliseconds and the share of the whole. */
  report(): string;
}

interface Open {
  readonly name: string;
  readonly start: number;
  readonly inner: PassTiming[];
}

/** Measures each pass and each pipeline (upstream's `PassTimingInstrument`). `now` gives milliseconds. */
export function timingInstrument(now: () => number = () => performance.now()): TimingInstrument {
  const timings: PassTiming[] = [];
  const open: Open[] = [];
  const begin = (name: string): void => void open.push({ name, start: now(), inner: [] });
  const end = (): void => {
    const done = open.pop();
    if (done === undefined) return;
    (open.at(-1)?.inner ?? timings).push({ name: done.name, ms: now() - done.start, inner: done.inner });
  };
  return {
    name: "Timing",
    timings,
    runBefore: (pass) => begin(pass.name),
    runAfter: end,
    enterPipeline: begin,
    exitPipeline(name) {
      // A pass that threw has not ended: what it did counts up to here.
      while (open.length > 0 && open.at(-1)?.name !== name) end();
      end();
    },
    report() {
      const total = timings.reduce((sum, t) => sum + t.ms, 0);
      return timings.flatMap((t) => lines(t, total, 0)).join("\n");
    },
  };
}

function lines(timing: PassTiming, total: number, depth: number): string[] {
  const share = total === 0 ? 0 : (timing.ms / total) * 100;
  const line = `${"  ".repeat(depth)}${timing.name}: ${timing.ms.toFixed(2)} ms (${share.toFixed(1)} %)`;
  return [line, ...timing.inner.flatMap((t) => lines(t, total, depth + 1))];
}
