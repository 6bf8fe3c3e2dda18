// `pnpm bench:compile`: how long graphs take to compile, without tuning, by their number of operators.
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { compile } from "@verticil/compiler";
import type { IRModule } from "@verticil/ir-core";
import { convGraph, mixedGraph } from "./compile-graphs.ts";

const help = "pnpm bench:compile [--only mixed|conv] [--sizes 100,1000,10000] [--json FILE]\n\nTimes the compilation of generated graphs to WebAssembly, without tuning.";
const { values } = parseArgs({
  options: { only: { type: "string" }, sizes: { type: "string", default: "100,300,1000,3000,10000" }, json: { type: "string" }, help: { type: "boolean", short: "h", default: false } },
});

interface Row {
  readonly graph: string;
  readonly nodes: number;
  readonly milliseconds: number;
}

async function time(graph: string, nodes: number, make: (nodes: number) => IRModule): Promise<Row> {
  const module = make(nodes);
  const start = performance.now();
  await compile(module, { name: graph });
  const row = { graph, nodes, milliseconds: performance.now() - start };
  console.log(`${graph.padEnd(8)}${String(nodes).padStart(8)}${row.milliseconds.toFixed(0).padStart(10)} ms${((row.milliseconds * 1000) / nodes).toFixed(0).padStart(10)} µs a node`);
  return row;
}

async function main(): Promise<void> {
  if (values.help) return console.log(help);
  const sizes = values.sizes.split(",").map(Number);
  if (sizes.some((n) => !Number.isInteger(n) || n <= 0)) throw new Error(`\`--sizes\` is a list of numbers, not \`${values.sizes}\`.`);
  await compile(mixedGraph(50), { name: "warm" });
  const rows: Row[] = [];
  if (values.only !== "conv") for (const n of sizes) rows.push(await time("mixed", n, mixedGraph));
  if (values.only !== "mixed") for (const n of sizes.filter((s) => s <= 1000)) rows.push(await time("conv", n, convGraph));
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(rows, undefined, 2)}\n`);
}

await main();
