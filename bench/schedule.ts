import { importBundled } from "./bundle.ts";
import { interleave, now } from "./interleave.ts";
import { benchOptions, writeJson } from "./options.ts";
import type { scheduleCases } from "./schedule-cases.ts";

// How long a conv2d takes to schedule with 15 instructions, and to lower; there is no peer to run. The first time is that of an
// engine that has not seen the code; a compiler's many kernels meet it once, so that the minimum and the median of later runs
// say what one of them costs.
const options = benchOptions("bench:schedule", "Times scheduling and lowering a conv2d.", 5000);
const warmupRounds = 50;

async function main(): Promise<void> {
  const bundle = (await importBundled("schedule-cases.ts")) as { readonly scheduleCases: typeof scheduleCases };
  const { instructions, cases } = bundle.scheduleCases();
  const contestants = cases.filter(([name]) => options.only === undefined || name === options.only).map(([name, run]) => ({ name, run }));
  const firsts = contestants.map(({ run }) => {
    const start = now(options.clock);
    run();
    return now(options.clock) - start;
  });
  const timings = await interleave(contestants, { ...options, warmup: warmupRounds, minRounds: 30, maxRounds: 2000 });
  process.stdout.write(`${instructions} instructions\n`);
  const rows = contestants.map(({ name }, i) => {
    const { min, median, rounds } = timings[i] ?? { min: NaN, median: NaN, rounds: 0 };
    const row = { name: `conv2d: ${name}`, threads: 1, ours_ms: min, median_ms: median, first_ms: firsts[i], rounds, peer: "none", peer_ms: null, ratio: null };
    process.stdout.write(`${row.name.padEnd(28)} ${min.toFixed(2).padStart(6)} ms at least, ${median.toFixed(2)} the median of ${rounds}, ${(firsts[i] ?? NaN).toFixed(0)} the first\n`);
    return row;
  });
  writeJson(options, rows);
}

await main();
