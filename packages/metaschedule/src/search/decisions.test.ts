import { defaultWasmTarget } from "@verticil/ir-core";
import { RandomEngine } from "@verticil/tir";
import { expect, it } from "vitest";
import { cpuSpaceRules } from "../space/cpu-space.ts";
import { postOrderApply } from "../space/post-order-apply.ts";
import { product } from "../testing/programs.ts";
import { decisionsOf, freshDecision, mutateDecision } from "./decisions.ts";

const [sketch] = postOrderApply(cpuSpaceRules)(product(48), { target: defaultWasmTarget, layoutFree: new Set() });
const size = (d: unknown): number => (Array.isArray(d) ? (d as readonly number[]).reduce((a, b) => a * b, 1) : 0);

it("changes one decision, and no extent", () => {
  const random = new RandomEngine(3);
  for (let i = 0; i < 50; i++) {
    const before = decisionsOf(sketch!);
    const after = decisionsOf(mutateDecision(sketch!, random));
    const changed = after.filter(([, d], k) => JSON.stringify(d) !== JSON.stringify(before[k]?.[1]));
    expect(changed.length).toBeLessThanOrEqual(1);
    after.forEach(([, d], k) => expect(size(d)).toBe(size(before[k]?.[1])));
  }
});

it("draws tiles of the extent, within what the innermost may have", () => {
  const random = new RandomEngine(5);
  for (const [inst, d] of decisionsOf(sketch!)) {
    if (inst.kind !== "SamplePerfectTile") continue;
    const most = inst.attrs[1] as number;
    for (let i = 0; i < 50; i++) {
      const tile = freshDecision(inst, d, random) as readonly number[];
      expect(size(tile)).toBe(size(d));
      if (most > 0) expect(tile.at(-1)).toBeLessThanOrEqual(most);
    }
  }
});

it("draws the same for the same seed", () => {
  const draw = (): string => {
    const random = new RandomEngine(11);
    return JSON.stringify(Array.from({ length: 10 }, () => decisionsOf(mutateDecision(sketch!, random)).map(([, d]) => d)));
  };
  expect(draw()).toBe(draw());
});
