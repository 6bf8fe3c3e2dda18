import { defaultWasmTarget } from "@verticil/ir-core";
import { irMatchers } from "@verticil/ir-core/testing";
import { RandomEngine, tir, type PrimFunc } from "@verticil/tir";
import { print } from "@verticil/tvmscript";
import { describe, expect, it } from "vitest";
import { candidateFromText, makeCandidate, traceText, type Candidate } from "../search/candidate.ts";
import { freshDecision } from "../search/decisions.ts";
import { convolution, pointwise, product } from "../testing/programs.ts";
import { resultOf } from "../testing/results.ts";
import { cpuPostprocs, cpuSpaceRules } from "./cpu-space.ts";
import { postOrderApply } from "./post-order-apply.ts";

expect.extend(irMatchers({ dialects: [tir], print: (n) => print(n, { dialects: [tir] }) }));

/** Some candidates of each sketch of a program. */
function candidates(func: PrimFunc, layoutFree: readonly number[], count: number): readonly Candidate[] {
  const ctx = { target: defaultWasmTarget, layoutFree: new Set(layoutFree) };
  const random = new RandomEngine(7);
  return postOrderApply(cpuSpaceRules)(func, ctx).flatMap((sketch) => {
    const found: Candidate[] = [];
    for (let i = 0; i < 60 && found.length < count; i++) {
      const c = makeCandidate(func, sketch, { ctx, postprocs: cpuPostprocs, seed: random.next(), decide: (inst, d) => freshDecision(inst, d, random) });
      if (c !== undefined) found.push(c);
    }
    return found;
  });
}

const programs: readonly (readonly [string, PrimFunc, readonly number[]])[] = [
  ["a product", product(20), []],
  ["a product with an epilogue", product(16, { relu: true }), []],
  ["a product whose weight may be packed", product(16), [1]],
  ["a convolution", convolution(4, 4, 8), [1]],
  ["a pointwise convolution", pointwise(5, 8, 8), [1]],
];

describe("the space for processors", () => {
  it.each(programs)("keeps what %s computes, whatever is decided", (_, func, layoutFree) => {
    const expected = resultOf(func, func, []);
    const made = candidates(func, layoutFree, 3);
    expect(made.length).toBeGreaterThanOrEqual(3);
    for (const c of made) expect(resultOf(c.func, func, c.layout), traceText(c)).toEqual(expected);
  });

  it.each(programs)("replays %s from the text of a record to an equal program", (_, func, layoutFree) => {
    for (const c of candidates(func, layoutFree, 2)) {
      const again = candidateFromText(func, traceText(c));
      expect(again?.func).toEqualIr(c.func);
      expect(again?.layout.map((l) => l.param)).toEqual(c.layout.map((l) => l.param));
    }
  });

  it("packs a weight whose layout is free, and copies one whose layout is not", () => {
    const layouts = (free: readonly number[]): readonly number[] => candidates(product(32), free, 3).map((c) => c.layout.length);
    expect(new Set(layouts([1]))).toEqual(new Set([1]));
    expect(new Set(layouts([]))).toEqual(new Set([0]));
  });

  it("takes the pixels of a pointwise convolution as one axis", () => {
    const [c] = candidates(pointwise(5, 8, 8), [], 1);
    expect(print(c!.func, { dialects: [tir] })).toContain("T.axis.spatial(25,");
  });

  it.each([
    ["a line that holds tiles as it is, and as part of one list", pointwise(6, 8, 8), 2],
    ["an odd line as part of one list only", pointwise(11, 8, 8), 1],
    ["an epilogue inside the tile, and apart", product(16, { relu: true }), 4],
  ])("takes %s", (_, func, count) => {
    // A product's weight may be copied or not.
    expect(postOrderApply(cpuSpaceRules)(func, { target: defaultWasmTarget, layoutFree: new Set() })).toHaveLength(count);
  });

  it("has nothing for a program without reductions that fit vectors", () => {
    const sketches = postOrderApply(cpuSpaceRules)(product(7), { target: defaultWasmTarget, layoutFree: new Set() });
    expect(sketches.every((t) => t.decisions.size === 0)).toBe(true);
  });
});
