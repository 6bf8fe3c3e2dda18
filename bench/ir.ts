import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import {
  firstMismatch,
  irDialect,
  loadJson,
  makeFloatImm,
  makeGlobalVar,
  makeIntImm,
  makeIRModule,
  nodeTable,
  saveJson,
  structuralHash,
  walk,
  type BaseFunc,
  type Dialect,
  type GlobalVar,
  type IRModule,
  type Node,
} from "@verticil/ir-core";
import { relax } from "@verticil/relax";
import {
  makeBinary,
  makeBlock,
  makeBlockRealize,
  makeBuffer,
  makeBufferLoad,
  makeBufferRegion,
  makeBufferStore,
  makeFor,
  makeIterVar,
  makePrimFunc,
  makeRange,
  makeVar,
  tir,
  type Buffer,
  type PrimFunc,
  type Range,
  type Stmt,
  type Var,
} from "@verticil/tir";

// What the generic functions on nodes cost: structural equality, hash and JSON of modules of 50,000 to 800,000 nodes.
// `pnpm bench:ir [--json FILE] [--only NAME] [--runs N]`. The best run counts: the others measure the machine.

const dialects: readonly Dialect[] = [irDialect, tir, relax];

/** C[i, j] = (A[i, k] * B[k, j] + 0.5) + C[i, j] under three loops and a block, with its regions. */
function kernel(name: string, size: number): PrimFunc {
  const [a, b, c] = ["A", "B", "C"].map((n) => makeBuffer(n, [size, size])) as [Buffer, Buffer, Buffer];
  const params = ["a", "b", "c"].map((n) => makeVar(n, "handle"));
  const loops = ["i", "j", "k"].map((n) => makeVar(n));
  const iters = ["vi", "vj", "vk"].map((n, i) => makeIterVar(makeRange(makeIntImm(0), makeIntImm(size)), makeVar(n), i === 2 ? "kCommReduce" : "kDataPar"));
  const [vi, vj, vk] = iters.map((v) => v.var) as [Var, Var, Var];
  const point = (v: Var): Range => makeRange(v, makeIntImm(1));
  const product = makeBinary("tir.Mul", makeBufferLoad(a, [vi, vk]), makeBufferLoad(b, [vk, vj]));
  const value = makeBinary("tir.Add", makeBinary("tir.Add", product, makeFloatImm(0.5)), makeBufferLoad(c, [vi, vj]));
  const reads = [makeBufferRegion(a, [point(vi), point(vk)]), makeBufferRegion(b, [point(vk), point(vj)])];
  const writes = [makeBufferRegion(c, [point(vi), point(vj)])];
  const block = makeBlock(name, iters, reads, writes, makeBufferStore(c, value, [vi, vj]));
  const realize = makeBlockRealize(loops, makeIntImm(1, "bool"), block);
  const body = loops.reduceRight<Stmt>((inner, v) => makeFor(v, makeIntImm(0), makeIntImm(size), inner), realize);
  const map = new Map(params.map((p, i) => [p, [a, b, c][i] ?? a]));
  return makePrimFunc(params, body, { bufferMap: map, attrs: { global_symbol: name } });
}

/** A module of at least `nodes` nodes, made of kernels that differ in their sizes. */
function moduleOf(nodes: number): IRModule {
  const one = countNodes(kernel("k", 1));
  const functions = new Map<GlobalVar, BaseFunc>();
  for (let i = 0; i * one < nodes; i++) functions.set(makeGlobalVar(`kernel_${i}`), kernel(`kernel_${i}`, 16 + (i % 64)));
  return makeIRModule(functions);
}

function countNodes(root: Node): number {
  const seen = new Set<Node>();
  walk(nodeTable(dialects), root, (n) => (seen.has(n) ? "skip" : void seen.add(n)));
  return seen.size;
}

/** The best of several runs: milliseconds that passed, and those that the process worked for (its other threads included). */
function best(runs: number, f: () => void): { readonly ms: number; readonly cpuMs: number } {
  let [ms, cpuMs] = [Infinity, Infinity];
  for (let i = 0; i < runs; i++) {
    const cpu = process.cpuUsage();
    const start = performance.now();
    f();
    ms = Math.min(ms, performance.now() - start);
    const { user, system } = process.cpuUsage(cpu);
    cpuMs = Math.min(cpuMs, (user + system) / 1000);
  }
  return { ms, cpuMs };
}

interface Row {
  readonly name: string;
  readonly nodes: number;
  readonly ms: number;
  readonly cpuMs: number;
  readonly nsPerNode: number;
}

const { values: args } = parseArgs({ options: { json: { type: "string" }, only: { type: "string" }, runs: { type: "string", default: "7" } } });
const rows: Row[] = [];
for (const size of [50_000, 200_000, 800_000]) {
  const lhs = moduleOf(size);
  const rhs = moduleOf(size);
  const nodes = countNodes(lhs);
  const json = saveJson(lhs, { dialects });
  const tasks: readonly (readonly [name: string, run: () => void])[] = [
    ["equality", () => { if (firstMismatch(lhs, rhs, { dialects }) !== undefined) throw new Error("The modules differ."); }],
    ["hash", () => void structuralHash(lhs, { dialects })],
    ["save-json", () => void saveJson(lhs, { dialects })],
    ["load-json", () => void loadJson(json, { dialects })],
  ];
  for (const [name, run] of tasks) {
    if (args.only !== undefined && args.only !== name) continue;
    const { ms, cpuMs } = best(Number(args.runs), run);
    const nsPerNode = (ms * 1e6) / nodes;
    rows.push({ name, nodes, ms, cpuMs, nsPerNode });
    process.stdout.write(`${name.padEnd(10)} ${String(nodes).padStart(8)} nodes ${ms.toFixed(1).padStart(8)} ms (${cpuMs.toFixed(1)} ms of processor) ${nsPerNode.toFixed(0).padStart(6)} ns a node\n`);
  }
}
if (args.json !== undefined) writeFileSync(args.json, `${JSON.stringify(rows, null, 2)}\n`);
