import sharp from "sharp";
import { expect } from "vitest";
import { tensor, type Tensor, type FixedValue } from "@verticil/runtime-ffi";
import { fixture } from "../fixtures.ts";
import { modelTests } from "./model-tests.ts";

/** A seven in two strokes, white on black: what the models were trained to read. */
async function seven(input: FixedValue, pixel: (value: number) => number): Promise<Tensor> {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="28" height="28"><rect width="28" height="28"/><path d="M7 7 H20 L12 22" fill="none" stroke="#fff" stroke-width="2.5" stroke-linecap="round"/></svg>`;
  const pixels = await sharp(Buffer.from(svg)).removeAlpha().greyscale().raw().toBuffer();
  return tensor(Float32Array.from(pixels, pixel), input.shape);
}

function readsSeven(outputs: Readonly<Record<string, Tensor>>): void {
  const [output] = Object.values(outputs);
  if (!(output?.data instanceof Float32Array)) throw new Error("There are no scores.");
  const scores = [...output.data];
  expect(scores.indexOf(Math.max(...scores))).toBe(7);
}

modelTests({
  path: fixture("models/mnist/opt-mnist.onnx"),
  real: (input) => seven(input, (v) => v),
  shows: readsSeven,
  interpreted: 1e-5,
});

modelTests({
  path: fixture("models/mnist/rten-mnist-opset18.onnx"),
  real: (input) => seven(input, (v) => (v / 255 - 0.1307) / 0.3081),
  shows: readsSeven,
  interpreted: 1e-5,
});
