import { expect, test } from "vitest";
import { argmax, makeSampler } from "./sampler.ts";

const logits = [0, 2, 1, -1];

test("without temperature the likeliest token, the first of equals", () => {
  expect(makeSampler()(logits)).toBe(1);
  expect(argmax([3, 5, 5])).toBe(1);
});

test("tokens come as often as their probabilities say", () => {
  const sampler = makeSampler({ temperature: 0.5, seed: 1 });
  const counts = [0, 0, 0, 0];
  for (let i = 0; i < 20000; i++) counts[sampler(logits)]! += 1;
  const weights = logits.map((l) => Math.exp(l / 0.5));
  const total = weights.reduce((a, b) => a + b, 0);
  counts.forEach((c, i) => expect(c / 20000).toBeCloseTo(weights[i]! / total, 1.9));
});

test("the same seed gives the same tokens, another one others", () => {
  const run = (seed: number): readonly number[] => {
    const sampler = makeSampler({ temperature: 1, seed });
    return Array.from({ length: 40 }, () => sampler(logits));
  };
  expect(run(3)).toEqual(run(3));
  expect(run(3)).not.toEqual(run(4));
});

test("a temperature below zero is refused", () => {
  expect(() => makeSampler({ temperature: -1 })).toThrow("A temperature of -1 is none: 0 or more was expected.");
  expect(() => makeSampler({ temperature: NaN })).toThrow(RangeError);
});
