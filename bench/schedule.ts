import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { importBundled } from "./bundle.ts";
import type { scheduleCases } from "./schedule-cases.ts";

// How long a conv2d takes to schedule with 15 instructions, and to lower. The best run counts; there is no peer to run.
// `pnpm bench:schedule [--json FILE] [--only NAME] [--runs N] [--clock wall|cpu]`.

function best(runs: number, clock: () => number, run: () => void): number {
  let least = Infinity;
  for (let i = 0; i < runs; i++) {
    const start = clock();
    run();
    least = Math.min(least, clock() - start);
  }
  return least;
}

/** Milliseconds that the process has computed, which other processes do not lengthen. */
function cpuTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    args: process.argv.slice(2).filter((a) => a !== "--"),
    options: { json: { type: "string" }, only: { type: "string" }, runs: { type: "string" }, clock: { type: "string" } },
  });
  const runs = Number(values.runs ?? 30);
  const clock = values.clock === "cpu" ? cpuTime : (): number => performance.now();
  const bundle = (await importBundled("schedule-cases.ts")) as { readonly scheduleCases: typeof scheduleCases };
  const { instructions, cases } = bundle.scheduleCases();
  const rows = cases
    .filter(([name]) => values.only === undefined || name === values.only)
    .map(([name, run]) => ({ name: `conv2d: ${name}`, threads: 1, ours_ms: best(runs, clock, run), peer: "none", peer_ms: null, ratio: null }));
  process.stdout.write(`${instructions} instructions\n`);
  for (const row of rows) process.stdout.write(`${row.name.padEnd(28)} ${row.ours_ms.toFixed(2).padStart(8)} ms\n`);
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(rows, undefined, 1)}\n`);
}

await main();
