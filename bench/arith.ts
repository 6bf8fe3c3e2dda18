import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { add, Analyzer, constant, floorDiv, floorMod, lt, makeRange, makeVar, mul, sub, type PrimExpr, type Var } from "@verticil/tir";

// How long the analyzer takes to simplify index expressions as schedules and lowering make them: sums of scaled loop
// variables, split and fused again, one analyzer for all.
// `pnpm bench:arith [--json FILE] [--only NAME] [--runs N] [--count N] [--seed S]`. The best run counts.

const loops: readonly (readonly [Var, number])[] = [8, 16, 4, 32, 7, 64, 3, 128].map((extent, i) => [makeVar(`i${i}`), extent]);
const factors = [2, 3, 4, 7, 8, 16, 32, 56, 64, 128];

/** A reproducible sequence of integers below `n` (mulberry32). */
function generator(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}

/** A random index: two to four scaled loop variables, taken apart and put together `depth` times. */
function randomIndex(pick: (n: number) => number, depth: number): PrimExpr {
  const number = (): PrimExpr => constant(factors[pick(factors.length)] ?? 2, "int32");
  const variable = (): PrimExpr => (loops[pick(loops.length)] ?? loops[0])?.[0] ?? constant(0, "int32");
  let e: PrimExpr = variable();
  for (let i = 0; i < 1 + pick(3); i++) e = add(mul(e, number()), variable());
  for (let i = 0; i < depth; i++) {
    const by = number();
    switch (pick(5)) {
      case 0:
        e = floorDiv(e, by);
        break;
      case 1:
        e = floorMod(e, by);
        break;
      case 2:
        e = add(mul(floorDiv(e, by), by), floorMod(e, by));
        break;
      case 3:
        e = sub(add(e, number()), variable());
        break;
      default:
        e = add(mul(e, by), variable());
    }
  }
  return e;
}

interface Row {
  readonly name: string;
  readonly count: number;
  readonly ours_ms: number;
  /** What the process worked for in that time, its other threads included: on a busy machine less than what passed. */
  readonly cpu_ms: number;
}

function measure(name: string, exprs: readonly PrimExpr[], runs: number): Row {
  let [best, cpu] = [Infinity, Infinity];
  for (let i = 0; i < runs; i++) {
    const analyzer = new Analyzer();
    for (const [v, extent] of loops) analyzer.bind(v, makeRange(constant(0, "int32"), constant(extent, "int32")));
    const worked = process.cpuUsage();
    const start = performance.now();
    for (const e of exprs) analyzer.simplify(e);
    best = Math.min(best, performance.now() - start);
    const { user, system } = process.cpuUsage(worked);
    cpu = Math.min(cpu, (user + system) / 1000);
  }
  return { name, count: exprs.length, ours_ms: Math.round(best), cpu_ms: Math.round(cpu) };
}

function main(): void {
  const { values } = parseArgs({
    args: process.argv.slice(2).filter((a) => a !== "--"),
    options: { json: { type: "string" }, only: { type: "string" }, runs: { type: "string" }, count: { type: "string" }, seed: { type: "string" } },
  });
  const count = Number(values.count ?? 100_000);
  const pick = generator(Number(values.seed ?? 1));
  const suites: readonly (readonly [string, () => PrimExpr])[] = [
    ["indices", () => randomIndex(pick, pick(3))],
    ["predicates", () => lt(randomIndex(pick, pick(2)), constant(8 * (1 + pick(64)), "int32"))],
  ];
  const rows: Row[] = [];
  for (const [name, make] of suites) {
    if (values.only !== undefined && values.only !== name) continue;
    const exprs = Array.from({ length: count }, make);
    const row = measure(name, exprs, Number(values.runs ?? 3));
    rows.push(row);
    process.stdout.write(`${name.padEnd(12)} ${String(row.count).padStart(8)} expressions  ${String(row.ours_ms).padStart(7)} ms (${row.cpu_ms} ms of processor)  ${((1000 * row.cpu_ms) / row.count).toFixed(1)} us of processor each\n`);
  }
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(rows, undefined, 1)}\n`);
}

main();
