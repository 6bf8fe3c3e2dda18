// `pnpm fuzz:onnx-graphs [--runs N] [--seed S] [--nodes K] [--rarity R] [--target wasm|interp] [--out DIR]`: random ONNX models must give
// what onnxruntime gives. Each fault is made as small as it gets, printed, and with --out written as a model.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { compareGraph, type GraphTarget } from "./onnx-graphs/compare-graph.ts";
import { generateGraph } from "./onnx-graphs/generate-graph.ts";
import { describeGraph, encodeGraph } from "./onnx-graphs/graph-model.ts";
import { shrinkGraph } from "./onnx-graphs/shrink-graph.ts";

const { values } = parseArgs({
  args: process.argv.slice(2).filter((a) => a !== "--"),
  options: {
    help: { type: "boolean", short: "h", default: false },
    runs: { type: "string", default: "2000" },
    seed: { type: "string", default: "1" },
    nodes: { type: "string", default: "200" },
    rarity: { type: "string", default: "3" },
    target: { type: "string", default: "wasm" },
    out: { type: "string" },
  },
});
if (values.help) {
  process.stdout.write(`pnpm fuzz:onnx-graphs [--runs N] [--seed S] [--nodes K] [--rarity R] [--target wasm|interp] [--out DIR]

Runs random ONNX models here and in onnxruntime-node, and makes each fault as small as it gets.
  --runs N     models, 2000 unless told
  --seed S     of the first; the others count on from it
  --nodes K    operators in a model at most, 200 unless told
  --rarity R   how seldom what few models have, 3 unless told
  --target T   wasm unless told, or interp
  --out DIR    where to write the models of faults
`);
  process.exit(0);
}
const target: GraphTarget = values.target === "interp" ? "interp" : "wasm";
const start = performance.now();
const first = Number(values.seed);
const counts = { agrees: 0, differs: 0, fails: 0, refused: 0 };
const faults = new Map<string, number>();
let nodes = 0;
for (let seed = first; seed < first + Number(values.runs); seed++) {
  const graph = generateGraph(seed, { maxNodes: Number(values.nodes), rarity: Number(values.rarity) });
  nodes += graph.nodes.length;
  const verdict = await compareGraph(graph, target);
  if ((seed - first + 1) % 1000 === 0) process.stderr.write(`${seed - first + 1} of ${values.runs}, ${counts.differs + counts.fails} failed, ${((performance.now() - start) / 1000).toFixed(0)} s\n`);
  counts[verdict.kind]++;
  if (verdict.kind === "agrees") continue;
  const small = verdict.kind === "refused" ? graph : await shrinkGraph(graph, verdict, target);
  const ops = small.nodes.map((n) => n.op);
  const kind = `${verdict.kind}: ${verdict.kind === "refused" ? verdict.text.slice(0, 160) : ops.length <= 4 ? ops.join(", ") : `${ops.length} nodes`}`;
  faults.set(kind, (faults.get(kind) ?? 0) + 1);
  if (verdict.kind === "refused" || (faults.get(kind) ?? 0) > 3) continue;
  const again = await compareGraph(small, target);
  process.stdout.write(`seed ${seed}: ${verdict.kind}: ${"text" in again ? again.text : verdict.text}\n${describeGraph(small)}\n\n`);
  if (values.out === undefined) continue;
  mkdirSync(values.out, { recursive: true });
  writeFileSync(join(values.out, `seed-${seed}.onnx`), encodeGraph(small));
}
for (const [kind, n] of [...faults].sort((a, b) => b[1] - a[1])) process.stdout.write(`${String(n).padStart(6)}  ${kind}\n`);
const seconds = (performance.now() - start) / 1000;
process.stdout.write(`${nodes} nodes in ${values.runs} models, ${seconds.toFixed(1)} s; ${counts.refused} not taken by onnxruntime\n`);
process.stdout.write(`${counts.differs + counts.fails} of ${values.runs} failed\n`);
process.exitCode = counts.differs + counts.fails > 0 ? 1 : 0;
