// `pnpm fuzz:onnx-graphs`: random ONNX models must give what onnxruntime gives. Each fault is made as small as it gets,
// printed, and with --out written as a model.
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { GraphTarget } from "./onnx-graphs/compare-graph.ts";
import type { SeedReport } from "./onnx-graphs/run-seed.ts";
import { runSeeds } from "./onnx-graphs/run-seeds.ts";

const { values } = parseArgs({
  args: process.argv.slice(2).filter((a) => a !== "--"),
  options: {
    help: { type: "boolean", short: "h", default: false },
    runs: { type: "string", default: "2000" },
    seed: { type: "string", default: "1" },
    jobs: { type: "string", default: String(availableParallelism()) },
    nodes: { type: "string", default: "200" },
    rarity: { type: "string", default: "12" },
    deep: { type: "string", default: "50" },
    target: { type: "string", default: "both" },
    out: { type: "string" },
  },
});

const help = `pnpm fuzz:onnx-graphs [--runs N] [--seed S] [--jobs J] [--nodes K] [--rarity R] [--deep D] [--target T] [--out DIR]

Runs random ONNX models here and in onnxruntime-node, and makes each fault as small as it gets. A seed makes the same
model whatever else is run beside it, and faults are reported in the order of the seeds.
  --runs N     models, 2000 unless told
  --seed S     of the first; the others count on from it
  --jobs J     processes beside each other, as many as there are processors unless told
  --nodes K    operators in a model at most, 200 unless told
  --rarity R   how seldom models are large, 12 unless told: they have K/(R+1) operators on average
  --deep D     one in D models is a chain of K operators, with others beside it; 50 unless told, 0 for none
  --target T   wasm, interp or both; both unless told
  --out DIR    where to write the models of faults
`;

const targets: Readonly<Record<string, readonly GraphTarget[]>> = { wasm: ["wasm"], interp: ["interp"], both: ["wasm", "interp"] };
/** Faults of one kind that are printed. */
const shown = 3;

const counts = { reports: 0, nodes: 0, deep: 0, refused: 0, failed: 0 };
const kinds = new Map<string, number>();
const start = performance.now();
const seconds = (): number => (performance.now() - start) / 1000;

function note({ seed, nodes, depth, fault }: SeedReport): void {
  counts.reports++;
  counts.nodes += nodes;
  if (depth >= Number(values.nodes)) counts.deep++;
  if (fault?.kind === "refused") counts.refused++;
  else if (fault !== undefined) counts.failed++;
  if (counts.reports % 500 === 0) process.stderr.write(`${counts.reports} of ${values.runs}, ${counts.failed} failed, ${seconds().toFixed(0)} s\n`);
  if (fault === undefined) return;
  const kind = `${fault.kind}: ${fault.about}`;
  const n = (kinds.get(kind) ?? 0) + 1;
  kinds.set(kind, n);
  if (n > shown) return;
  process.stdout.write(`seed ${seed}: ${fault.kind}: ${fault.text}\n\n`);
  if (values.out === undefined || fault.model === undefined) return;
  mkdirSync(values.out, { recursive: true });
  writeFileSync(join(values.out, `seed-${seed}.onnx`), Buffer.from(fault.model, "base64"));
}

async function main(): Promise<number> {
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const chosen = targets[values.target];
  const [runs, first, jobs, maxNodes, rarity, deepEvery] = [values.runs, values.seed, values.jobs, values.nodes, values.rarity, values.deep].map(Number);
  if (chosen === undefined || runs === undefined || first === undefined || jobs === undefined || maxNodes === undefined || rarity === undefined || deepEvery === undefined || ![runs, first, jobs, maxNodes, rarity, deepEvery].every((n) => Number.isInteger(n) && n >= 0)) {
    process.stderr.write(help);
    return 2;
  }
  const abort = new AbortController();
  process.once("SIGINT", () => abort.abort());
  process.once("SIGTERM", () => abort.abort());
  await runSeeds({ first, runs, jobs, maxNodes, rarity, deepEvery, targets: chosen, signal: abort.signal }, note);
  for (const [kind, n] of [...kinds].sort((a, b) => b[1] - a[1])) process.stdout.write(`${String(n).padStart(6)}  ${kind}\n`);
  process.stdout.write(`${counts.nodes} nodes in ${counts.reports} models, ${counts.deep} of them ${maxNodes} deep or more, ${seconds().toFixed(1)} s; ${counts.refused} not taken by onnxruntime\n`);
  process.stdout.write(`${counts.failed} of ${counts.reports} failed\n`);
  return abort.signal.aborted ? 130 : counts.failed > 0 ? 1 : 0;
}

process.exitCode = await main();
