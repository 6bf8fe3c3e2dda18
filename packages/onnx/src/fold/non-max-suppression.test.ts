import { tensorFrom } from "@verticil/runtime-ffi";
import { expect, it } from "vitest";
import { nonMaxSuppressionOf } from "./non-max-suppression.ts";

const boxes = tensorFrom([0, 0, 1, 1, 0, 0.1, 1, 1.1, 0, 10, 1, 11, 1, 11, 0, 10], [1, 4, 4], "float32");
const scores = tensorFrom([0.9, 0.75, 0.6, 0.5], [1, 1, 4], "float32");
const options = { limit: 3, overlap: 0.5, score: -Infinity, centred: false };
const chosen = (o: Partial<typeof options>, b = boxes): readonly number[] => {
  const kept = nonMaxSuppressionOf(b, scores, { ...options, ...o });
  return Array.from({ length: kept.shape[0] ?? 0 }, (_, i) => Number(kept.data[3 * i + 2]));
};

it("keeps the best of those that overlap, whichever corners they are written with", () => {
  expect(chosen({})).toEqual([0, 2]);
});

it("keeps as many as are asked for, of those that score enough", () => {
  expect(chosen({ limit: 1 })).toEqual([0]);
  expect(chosen({ limit: 0 })).toEqual([]);
  expect(chosen({ score: 0.8 })).toEqual([0]);
  expect(chosen({ overlap: 1 })).toEqual([0, 1, 2]);
});

it("reads centres and sizes", () => {
  const centred = tensorFrom([0.5, 0.5, 1, 1, 0.6, 0.5, 1, 1, 10.5, 0.5, 1, 1, 10.5, 0.5, 1, 1], [1, 4, 4], "float32");
  expect(chosen({ centred: true }, centred)).toEqual([0, 2]);
});
