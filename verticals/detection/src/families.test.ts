import { describe, expect, test } from "vitest";
import { tensor, type Tensor, type FixedValue } from "@verticil/runtime-ffi";
import { blazeface } from "./blazeface.ts";
import type { Box } from "./detection.ts";
import { detectorFamilies } from "./detector.ts";
import type { DetectorFamily } from "./detector-family.ts";
import { fastestdet } from "./fastestdet.ts";
import type { RgbImage } from "./rgb-image.ts";
import { yolox } from "./yolox.ts";

const spec = (...shape: readonly number[]): FixedValue => ({ name: "v", shape, dtype: "float32" });
const zeros = (...shape: readonly number[]): Tensor => tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape);
const set = (t: Tensor, at: number, values: readonly number[]): void => values.forEach((v, i) => (t.data[at + i] = v));
const logit = (p: number): number => Math.log(p / (1 - p));

/** A picture of one colour. */
function plain(width: number, height: number, [r, g, b]: readonly [number, number, number]): RgbImage {
  return { width, height, data: Uint8Array.from({ length: width * height * 3 }, (_, i) => [r, g, b][i % 3] ?? 0) };
}

interface Sample {
  readonly family: DetectorFamily;
  readonly input: FixedValue;
  readonly outputs: readonly FixedValue[];
}

const SAMPLES: readonly Sample[] = [
  { family: yolox, input: spec(1, 3, 64, 64), outputs: [spec(1, 64 + 16 + 4, 7)] },
  { family: fastestdet, input: spec(1, 3, 32, 64), outputs: [spec(1, 7, 2, 4)] },
  { family: blazeface, input: spec(1, 128, 128, 3), outputs: [spec(1, 512, 1), spec(1, 384, 1), spec(1, 512, 16), spec(1, 384, 16)] },
];

test.each(SAMPLES)("a model of $family.name is told from its shapes, and from those of the others", ({ family, input, outputs }) => {
  expect(detectorFamilies.filter((f) => f.matches([input], outputs))).toEqual([family]);
  expect(family.matches([input], [])).toBe(false);
  expect(family.matches([], outputs)).toBe(false);
  expect(family.matches([spec()], outputs)).toBe(false);
});

const decode = ({ family, input }: Sample, outputs: readonly Tensor[], image: RgbImage, labels: readonly string[]) =>
  family.decode(outputs, image, input, { score: 0.5, labels });
const close = (box: Box | undefined, expected: readonly number[]): void => expected.forEach((e, i) => expect(box?.[i]).toBeCloseTo(e, 3));

describe("yolox", () => {
  const sample = SAMPLES[0] as Sample;

  test("a picture is scaled to fit, at the top left on grey, blue first", () => {
    const data = yolox.preprocess(plain(128, 64, [10, 20, 30]), sample.input);
    const at = (channel: number, y: number, x: number): number | undefined => data[(channel * 64 + y) * 64 + x];
    expect([0, 1, 2].map((c) => at(c, 0, 0))).toEqual([30, 20, 10]);
    expect([at(0, 31, 63), at(0, 32, 0), at(2, 63, 63)]).toEqual([30, 114, 114]);
  });

  test("a cell's box is in pixels of the picture, at every stride", () => {
    const out = zeros(1, 84, 7);
    // The cell (2, 1) of stride 8, and (1, 0) of stride 32.
    set(out, (1 * 8 + 2) * 7, [0.5, 0.5, Math.log(2), Math.log(4), 0.9, 0.1, 0.8]);
    set(out, (64 + 16 + 1) * 7, [0, 0, 0, 0, 1, 0.9, 0]);
    const [small, large] = decode(sample, [out], plain(128, 64, [0, 0, 0]), ["cup", "dog"]);
    expect([small?.label, large?.label]).toEqual(["dog", "cup"]);
    expect(small?.score).toBeCloseTo(0.72);
    close(small?.box, [24, -8, 56, 56]);
    close(large?.box, [32, -32, 96, 32]);
  });

  test("what scores less is left out", () => expect(decode(sample, [zeros(1, 84, 7)], plain(64, 64, [0, 0, 0]), [])).toEqual([]));
});

test("fastestdet stretches pictures and scores by a weighted product", () => {
  const sample = SAMPLES[1] as Sample;
  const data = fastestdet.preprocess(plain(8, 8, [255, 0, 51]), sample.input);
  expect([data[0], data[32 * 64], data[2 * 32 * 64]].map((v) => v?.toFixed(2))).toEqual(["0.20", "0.00", "1.00"]);
  const out = zeros(1, 7, 2, 4);
  // The cell in row 1, column 2 of 2 × 4.
  [0.8, Math.atanh(0.5), Math.atanh(-0.5), logit(0.5), logit(0.25), 0.2, 0.9].forEach((v, i) => set(out, i * 8 + 6, [v]));
  const [only, ...more] = decode(sample, [out], plain(100, 40, [0, 0, 0]), ["cup"]);
  expect([more.length, only?.label]).toEqual([0, "class 1"]);
  expect(only?.score).toBeCloseTo(0.8 ** 0.6 * 0.9 ** 0.4);
  close(only?.box, [37.5, 5, 87.5, 15]);
});

describe("blazeface", () => {
  const sample = SAMPLES[2] as Sample;

  test("a picture is centred on black", () => {
    const data = blazeface.preprocess(plain(256, 128, [255, 0, 0]), sample.input);
    const at = (y: number, x: number): number[] => [...data.subarray((y * 128 + x) * 3, (y * 128 + x) * 3 + 3)];
    expect([at(31, 64), at(32, 0), at(95, 127), at(96, 0)]).toEqual([[-1, -1, -1], [1, -1, -1], [1, -1, -1], [-1, -1, -1]]);
  });

  test("an anchor's box is moved by its offsets, and scores are logits", () => {
    const outputs = [zeros(1, 512, 1), zeros(1, 384, 1), zeros(1, 512, 16), zeros(1, 384, 16)];
    for (const scores of outputs.slice(0, 2)) scores.data.fill(-50 as never);
    // The second anchor of the cell (4, 8) of 16 × 16: its centre is at (36, 68).
    const anchor = (8 * 16 + 4) * 2 + 1;
    set(outputs[0] as Tensor, anchor, [logit(0.75)]);
    set(outputs[2] as Tensor, anchor * 16, [4, -4, 20, 10]);
    const [only] = decode(sample, outputs, plain(256, 128, [0, 0, 0]), ["face"]);
    expect(only?.label).toBe("face");
    expect(only?.score).toBeCloseTo(0.75);
    close(only?.box, [60, 54, 100, 74]);
  });
});
