// `pnpm fuzz:schedule [--seed S] [--runs N] [--steps K]`: random schedules of random programs must compute what the programs did.
import { parseArgs } from "node:util";
import { fuzzSchedule, type KnownPrograms } from "../../packages/tir/src/schedule/testing/random-schedule.ts";

const { values } = parseArgs({ options: { seed: { type: "string", default: "1" }, runs: { type: "string", default: "10000" }, steps: { type: "string", default: "6" } } });
const first = Number(values.seed);
const runs = Number(values.runs);
const start = performance.now();
const counts = new Map<string, { applied: number; refused: number }>();
const known: KnownPrograms = new Map();
// Most steps are refused, and nobody reads where.
const traced = Error.stackTraceLimit;
let failed = 0;
for (let seed = first; seed < first + runs; seed++) {
  Error.stackTraceLimit = 0;
  let run = fuzzSchedule(seed, Number(values.steps), known);
  Error.stackTraceLimit = traced;
  if (run.failure !== undefined) run = fuzzSchedule(seed, Number(values.steps));
  if ((seed + 1 - first) % 50_000 === 0) process.stderr.write(`${seed + 1 - first} of ${runs}, ${failed} failed, ${((performance.now() - start) / 1000).toFixed(0)} s\n`);
  for (const name of run.applied) count(name).applied++;
  for (const name of run.refused) count(name).refused++;
  if (run.failure === undefined) continue;
  failed++;
  process.stdout.write(`${run.failure}\n\n`);
}
for (const [name, c] of [...counts].sort()) process.stdout.write(`${name.padEnd(26)} applied ${String(c.applied).padStart(6)}  refused ${String(c.refused).padStart(6)}\n`);
process.stdout.write(`${failed} of ${runs} failed, ${((performance.now() - start) / 1000).toFixed(1)} s\n`);
process.exitCode = failed > 0 ? 1 : 0;

function count(name: string): { applied: number; refused: number } {
  let c = counts.get(name);
  if (c === undefined) counts.set(name, (c = { applied: 0, refused: 0 }));
  return c;
}
