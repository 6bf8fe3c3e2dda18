import { expect, it } from "vitest";
import { fuzzSchedule, primitives } from "./testing/random-schedule.ts";

const RUNS = 10_000;

// `pnpm fuzz:schedule --seed S --runs N` runs more of these.
it(`${RUNS} random schedules of random programs compute what the programs did, or are refused`, { timeout: 600_000 }, () => {
  const failures: string[] = [];
  const applied = new Set<string>();
  for (let seed = 1; seed <= RUNS; seed++) {
    const run = fuzzSchedule(seed);
    for (const name of run.applied) applied.add(name);
    if (run.failure !== undefined) failures.push(run.failure);
  }
  expect(failures).toEqual([]);
  expect(primitives.filter((name) => !applied.has(name))).toEqual([]);
});

/** Seeds of a long run that found something once: each a fault of its own kind, or another case of one. */
const found = [
  7_005_526, 7_009_775, 7_019_420, 7_021_334, 7_023_568, 7_027_113, 7_038_012, 7_043_830, 7_045_820, 7_046_740,
  7_052_621, 7_053_614, 7_068_078, 7_080_850, 7_082_721, 7_093_172, 7_094_847, 7_098_429, 7_100_185, 7_101_392,
  7_105_725, 7_110_532, 7_114_594, 7_116_575, 7_117_570, 7_130_399, 7_138_540, 7_139_754, 7_140_153, 7_149_070,
  20_078_271, 20_080_878, 20_098_131, 20_131_186, 20_163_247, 20_218_579, 20_224_711, 20_240_189,
  40_006_134, 40_059_896, 40_063_351, 40_081_736, 40_151_208, 40_175_743, 40_186_902, 40_194_391, 40_213_063, 40_224_130, 40_251_409, 40_261_594, 40_279_770,
  60_049_563, 70_021_159, 70_544_168, 70_652_279, 71_001_873,
];

it("what long runs found stays mended", () => {
  expect(found.flatMap((seed) => fuzzSchedule(seed).failure ?? [])).toEqual([]);
});
