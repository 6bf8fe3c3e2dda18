import { expect, it } from "vitest";
import { asInt } from "../../ir/ops.ts";
import { expectReplay, expectRefused, loopAt, moduleOf, scheduleOf } from "../testing/expect-schedule.ts";
import { chain, matmulRelu } from "../testing/programs.ts";

it("samples factors whose product is the extent", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const sch = scheduleOf(chain, { seed });
    const factors = sch.samplePerfectTile(loopAt(sch, "C", 1), 3, 4).map((f) => asInt(sch.get(f)) ?? 0);
    expect(factors.reduce((a, b) => a * b, 1)).toBe(12);
    expect(factors[2]).toBeLessThanOrEqual(4);
  }
});

it("takes every tile in the long run", () => {
  const seen = new Set<string>();
  const sch = scheduleOf(chain);
  const loop = loopAt(sch, "C", 1);
  for (let i = 0; i < 200; i++) seen.add(sch.samplePerfectTile(loop, 2).map((f) => asInt(sch.get(f))).join("×"));
  expect([...seen].sort()).toEqual(["12×1", "1×12", "2×6", "3×4", "4×3", "6×2"]);
});

it("repeats a tile that is given as a decision", () => {
  const sch = scheduleOf(chain);
  const factors = sch.samplePerfectTile(loopAt(sch, "C", 1), 2, 16, [3, 4]);
  sch.split(loopAt(sch, "C", 1), factors);
  expect(sch.getLoops("C").map((l) => asInt(sch.get(l).extent))).toEqual([8, 3, 4]);
  expectReplay(sch, moduleOf(chain));
});

it("samples tiles of which a part is divisible", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const sch = scheduleOf(chain, { seed });
    const factors = sch.samplePartitionedTile(loopAt(sch, "C", 1), 3, 1, 4).map((f) => asInt(sch.get(f)) ?? 0);
    expect(factors.reduce((a, b) => a * b, 1)).toBe(12);
    expect(((factors[1] ?? 0) * (factors[2] ?? 0)) % 4).toBe(0);
  }
});

it("samples categories by weight", () => {
  const sch = scheduleOf(chain);
  const counts = new Map<number | undefined, number>();
  for (let i = 0; i < 400; i++) {
    const v = asInt(sch.get(sch.sampleCategorical([1, 2, 3], [0.5, 0.5, 0])));
    counts.set(v, (counts.get(v) ?? 0) + 1);
  }
  expect([...counts.keys()].sort()).toEqual([1, 2]);
  expect(counts.get(1)).toBeGreaterThan(140);
});

it("samples places that compute_at takes", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const sch = scheduleOf(matmulRelu, { seed });
    const place = sch.sampleComputeLocation("C");
    sch.computeAt("C", place);
    expectReplay(sch, moduleOf(matmulRelu));
  }
});

it("the same seed makes the same choices", () => {
  const run = (seed: number): string => {
    const sch = scheduleOf(chain, { seed });
    return Array.from({ length: 5 }, () => sch.samplePerfectTile(loopAt(sch, "C", 1), 3).map((f) => asInt(sch.get(f)))).join(" ");
  };
  expect(run(7)).toBe(run(7));
  expect(run(7)).not.toBe(run(8));
});

it("refuses a decision that does not fit", () => {
  expectRefused(chain, (sch) => void sch.sampleCategorical([1, 2], [0.5, 0.5], 2), /decision/);
  expectRefused(chain, (sch) => void sch.sampleCategorical([1, 2], [0.5]), /./);
});
