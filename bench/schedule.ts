import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { makeGlobalVar, makeIRModule, passContext, type IRModule } from "@verticil/ir-core";
import * as te from "@verticil/te";
import { lowerTir, Schedule, tir, type LoopRV } from "@verticil/tir";

// How long a conv2d takes to schedule with 15 instructions, and to lower. The best run counts; there is no peer to run.
// `pnpm bench:schedule [--json FILE] [--only NAME] [--runs N] [--clock wall|cpu]`.

function convolution(): IRModule {
  const x = te.placeholder([1, 56, 56, 64], "float32", "x");
  const w = te.placeholder([3, 3, 64, 64], "float32", "w");
  const y = te.relu(te.conv(x, w, { strides: [1, 1], padding: [1, 1, 1, 1], dilation: [1, 1], groups: 1, dataLayout: "NHWC", kernelLayout: "HWIO" }));
  return makeIRModule(new Map([[makeGlobalVar("main"), te.createPrimFunc([x, w, y])]]));
}

function must(loop: LoopRV | undefined): LoopRV {
  if (loop === undefined) throw new Error("A loop is missing.");
  return loop;
}

/** 15 instructions: inlining, tiling, moving, kinds of loops, and the init. */
function schedule(module: IRModule): Schedule {
  const sch = new Schedule(module, { errorRenderLevel: "fast" });
  const [pad, conv, relu] = sch.getChildBlocks("root");
  if (pad === undefined || conv === undefined || relu === undefined) throw new Error("A block is missing.");
  sch.computeInline(pad);
  const [, h, w, c, kh, kw, k] = sch.getLoops(conv).map(must);
  const [w0, w1] = sch.split(must(w), [undefined, 4]);
  const [c0, c1, c2] = sch.split(must(c), [undefined, 2, 4]);
  sch.reorder([h, w0, c0, kh, kw, k, w1, c1, c2].map(must));
  sch.reverseComputeAt(relu, must(c0));
  const inner = sch.getLoops(relu);
  sch.vectorize(must(inner.at(-1)));
  sch.unroll(must(w1));
  sch.unroll(must(c1));
  sch.vectorize(must(c2));
  sch.annotate(must(k), "pragma_note", 1);
  sch.parallel(must(h));
  sch.decomposeReduction(conv, must(kh));
  return sch;
}

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

function main(): void {
  const { values } = parseArgs({
    args: process.argv.slice(2).filter((a) => a !== "--"),
    options: { json: { type: "string" }, only: { type: "string" }, runs: { type: "string" }, clock: { type: "string" } },
  });
  const runs = Number(values.runs ?? 30);
  const clock = values.clock === "cpu" ? cpuTime : (): number => performance.now();
  const module = convolution();
  const ctx = passContext({ dialects: [tir] });
  const scheduled = schedule(module);
  const cases: readonly (readonly [string, () => void])[] = [
    ["schedule", () => void schedule(module)],
    ["lower", () => void lowerTir().run(scheduled.mod, ctx)],
    ["schedule and lower", () => void lowerTir().run(schedule(module).mod, ctx)],
  ];
  const rows = cases
    .filter(([name]) => values.only === undefined || name === values.only)
    .map(([name, run]) => ({ name: `conv2d: ${name}`, threads: 1, ours_ms: best(runs, clock, run), peer: "none", peer_ms: null, ratio: null }));
  process.stdout.write(`${scheduled.trace.insts.length} instructions\n`);
  for (const row of rows) process.stdout.write(`${row.name.padEnd(28)} ${row.ours_ms.toFixed(2).padStart(8)} ms\n`);
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(rows, undefined, 1)}\n`);
}

main();
