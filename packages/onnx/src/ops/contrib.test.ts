import { describe, expect, it } from "vitest";
import { byteProducts, contribModel, contribOperators } from "../testing/contrib-model.ts";
import { runBoth } from "../testing/run-both.ts";
import { runExactIntegers, runReference } from "../testing/run-reference.ts";

const ROUNDS = 8;

describe.each(contribOperators)("%s", (op) => {
  it.each(Array.from({ length: ROUNDS }, (_, i) => i + 1))("as onnxruntime has it, seed %i", async (seed) => {
    const { bytes, inputs } = contribModel(op, seed);
    const { ours, theirs } = await runBoth(bytes, inputs, byteProducts.has(op) ? runExactIntegers : runReference);
    expect(ours.length).toBe(theirs.length);
    theirs.forEach((t, i) => {
      expect(ours[i]?.length).toBe(t.length);
      t.forEach((v, k) => expect(ours[i]?.[k]).toBeCloseTo(v, 4));
    });
  });
});
