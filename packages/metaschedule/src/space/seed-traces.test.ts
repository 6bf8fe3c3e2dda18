import { defaultWasmTarget } from "@verticil/ir-core";
import { expect, it } from "vitest";
import { makeCandidate } from "../search/candidate.ts";
import { decisionsOf } from "../search/decisions.ts";
import { convolution, product } from "../testing/programs.ts";
import { resultOf } from "../testing/results.ts";
import { cpuPostprocs, cpuSpaceRules } from "./cpu-space.ts";
import { postOrderApply } from "./post-order-apply.ts";
import { registerTileSeeds } from "./seed-traces.ts";

const ctx = { target: defaultWasmTarget, layoutFree: new Set([1]) };

it("decides every choice of a sketch, the likeliest tile first", () => {
  const func = product(48);
  const [sketch] = postOrderApply(cpuSpaceRules)(func, ctx);
  const seeds = registerTileSeeds(sketch!).slice(0, 2).map((t) => makeCandidate(func, t, { ctx, postprocs: cpuPostprocs, seed: 1 }));
  expect(seeds.map((c) => decisionsOf(c!.trace).map(([, d]) => d))).toEqual([
    [[1, 6, 2], 3, [12, 1], [48, 1]],
    [[6, 1, 2], 3, [12, 1], [48, 1]],
  ]);
});

it("puts a padded operand at once, into the reduction, and under a band of lines, with the same result", () => {
  const func = convolution(4, 4, 8);
  const [sketch] = postOrderApply(cpuSpaceRules)(func, ctx);
  const seeds = registerTileSeeds(sketch!);
  const places = new Set(seeds.flatMap((t) => decisionsOf(t).filter(([inst]) => inst.kind === "SampleComputeLocation").map(([, d]) => d)));
  expect([...places]).toEqual(expect.arrayContaining([-1, -2]));
  const expected = resultOf(func, func, []);
  for (const seed of seeds.slice(0, 4)) {
    const c = makeCandidate(func, seed, { ctx, postprocs: cpuPostprocs, seed: 1 });
    expect(resultOf(c!.func, func, c!.layout)).toEqual(expected);
  }
});

it("lets an epilogue of its own follow the tiles of the same rows, or a block of tiles, with the same result", () => {
  const func = product(24, { relu: true });
  const sketches = postOrderApply(cpuSpaceRules)(func, ctx);
  const apart = sketches.filter((s) => registerTileSeeds(s).some((t) => decisionsOf(t).length === 5));
  expect(apart).toHaveLength(1);
  const [rows, block] = registerTileSeeds(apart[0]!).map((t) => makeCandidate(func, t, { ctx, postprocs: cpuPostprocs, seed: 1 }));
  // Lanes, rows (the sixth choice), blocks of rows, the reduction, vectors side by side.
  expect(decisionsOf(rows!.trace).map(([, d]) => d)).toEqual([[1, 3, 2], 5, [4, 1], [24, 1], [1, 6]]);
  expect(decisionsOf(block!.trace).map(([, d]) => d)).toEqual([[1, 3, 2], 5, [1, 4], [24, 1], [6, 1]]);
  const expected = resultOf(func, func, []);
  for (const c of [rows, block]) expect(resultOf(c!.func, func, c!.layout)).toEqual(expected);
});

it("has none for a sketch without choices", () => {
  const [sketch] = postOrderApply(cpuSpaceRules)(product(7), ctx);
  expect(registerTileSeeds(sketch!)).toEqual([]);
});
