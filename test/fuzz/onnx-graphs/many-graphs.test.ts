import { availableParallelism } from "node:os";
import { expect, test } from "vitest";
import { runSeeds } from "./run-seeds.ts";
import type { SeedReport } from "./run-seed.ts";

// In processes of their own: what tests check after every pass takes ten times as long as the models.

/** Models that are run; `pnpm fuzz:onnx-graphs` runs any number. */
const runs = 2000;
/** One in so many is a chain of 200 operators. */
const deepEvery = 50;

test("2,000 random models give what onnxruntime gives, compiled and interpreted", async () => {
  const reports: SeedReport[] = [];
  const faults: string[] = [];
  let refused = 0;
  await runSeeds({ first: 1, runs, jobs: Math.min(2, availableParallelism()), maxNodes: 200, rarity: 12, deepEvery, targets: ["wasm", "interp"] }, (r) => {
    reports.push(r);
    if (r.fault?.kind === "refused") refused++;
    else if (r.fault !== undefined) faults.push(`seed ${r.seed}: ${r.fault.kind}: ${r.fault.text}`);
  });
  expect(faults).toEqual([]);
  // Onnxruntime rewrites chains of half floats before it runs them, and now and then finds that the types no longer match.
  expect(refused).toBeLessThan(runs / 200);
  expect(reports.map((r) => r.seed)).toEqual(Array.from({ length: runs }, (_, i) => 1 + i));
  expect(reports.filter((r) => r.depth === 200).length).toBeGreaterThanOrEqual(runs / deepEvery);
}, 2_400_000);
