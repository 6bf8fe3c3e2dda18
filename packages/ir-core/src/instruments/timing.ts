import type { Pass, PassInstrument } from "../pass.ts";

/** The time of one run of a pass, with the passes it ran inside. */
export interface PassTiming {
  readonly name: string;
  /** Milliseconds, those of `inner` included. */
  readonly ms: number;
  readonly inner: readonly PassTiming[];
}

/** Measures passes. */
export interface TimingInstrument extends PassInstrument {
  readonly timings: readonly PassTiming[];
  /** A line a pass, indented by nesting, with milliseconds and the share of the whole. */
  report(): string;
}

interface Open {
  readonly pass: Pass;
  readonly start: number;
  readonly inner: PassTiming[];
}

/** Measures each pass (upstream's `PassTimingInstrument`). `now` gives milliseconds. */
export function timingInstrument(now: () => number = () => performance.now()): TimingInstrument {
  const timings: PassTiming[] = [];
  const open: Open[] = [];
  return {
    name: "Timing",
    timings,
    runBefore(pass) {
      open.push({ pass, start: now(), inner: [] });
    },
    runAfter() {
      const done = open.pop();
      if (done === undefined) return;
      const timing = { name: done.pass.name, ms: now() - done.start, inner: done.inner };
      (open.at(-1)?.inner ?? timings).push(timing);
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
