import fc from "fast-check";
import { expect, test } from "vitest";
import { intersectionOverUnion, suppress, type Box, type Detection } from "./detection.ts";

const found = (score: number, box: Box, label = "a"): Detection => ({ label, score, box });

test("boxes share what they overlap of their union", () => {
  expect(intersectionOverUnion([0, 0, 2, 2], [0, 0, 2, 2])).toBe(1);
  expect(intersectionOverUnion([0, 0, 2, 2], [1, 0, 3, 2])).toBeCloseTo(1 / 3);
  expect(intersectionOverUnion([0, 0, 1, 1], [1, 0, 2, 1])).toBe(0);
  expect(intersectionOverUnion([0, 0, 0, 0], [0, 0, 0, 0])).toBe(0);
  expect(intersectionOverUnion([2, 2, 0, 0], [0, 0, 2, 2])).toBe(0);
});

test("of boxes that overlap the best is kept, best first", () => {
  const best = found(0.9, [0, 0, 10, 10]);
  const other = found(0.5, [20, 0, 30, 10]);
  expect(suppress([found(0.8, [1, 0, 11, 10]), other, best], 0.5)).toEqual([best, other]);
});

test("boxes of different classes do not suppress one another", () => {
  const both = [found(0.9, [0, 0, 10, 10]), found(0.8, [0, 0, 10, 10], "b")];
  expect(suppress(both, 0.5)).toEqual(both);
});

test("what is suppressed suppresses nothing itself", () => {
  const chain = [found(0.9, [0, 0, 10, 10]), found(0.8, [4, 0, 14, 10]), found(0.7, [8, 0, 18, 10])];
  expect(suppress(chain, 0.4)).toEqual([chain[0], chain[2]]);
});

test("whatever the boxes, those that are kept overlap no more than allowed, and the others overlap one that is better", () => {
  const edge = fc.integer({ min: 0, max: 20 });
  const detection = fc.record({
    label: fc.constantFrom("a", "b"),
    score: fc.integer({ min: 0, max: 100 }).map((s) => s / 100),
    box: fc.tuple(edge, edge, edge, edge).map(([x, y, w, h]): Box => [x, y, x + w, y + h]),
  });
  fc.assert(
    fc.property(fc.array(detection), (all) => {
      const kept = suppress(all, 0.5);
      const clash = (a: Detection, b: Detection): boolean => a !== b && a.label === b.label && intersectionOverUnion(a.box, b.box) > 0.5;
      expect(kept.some((a) => kept.some((b) => clash(a, b)))).toBe(false);
      for (const d of all) if (!kept.includes(d)) expect(kept.some((k) => k.score >= d.score && clash(k, d))).toBe(true);
    }),
    { seed: 1 },
  );
});
