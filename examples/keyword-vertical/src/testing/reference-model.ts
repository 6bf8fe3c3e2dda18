// The model once more, in plain loops over doubles and without the compiler: what its numbers are compared with.
import { bands, directions, edgeKernels, features, frames, mixKernels, mixtures, smoothKernels, type KeywordHead } from "../keyword-model.ts";
import { melWeights } from "../mel-bands.ts";
import { rate } from "../sounds.ts";

const frame = 256;
const hop = 128;
const bins = frame / 2;

/** A picture: rows of columns. */
type Grid = readonly (readonly number[])[];

const grid = (rows: number, columns: number, f: (r: number, c: number) => number): Grid =>
  Array.from({ length: rows }, (_, r) => Array.from({ length: columns }, (_, c) => f(r, c)));

/** The power of each bin in each frame of the pre-emphasised signal, by the definition of the Fourier transform. */
export function referencePower(pcm: ArrayLike<number>): Grid {
  const signal = Array.from(pcm, (x, t) => x - (t > 0 ? 0.97 * (pcm[t - 1] ?? 0) : 0));
  return grid(frames, bins, (f, k) => {
    let [re, im] = [0, 0];
    for (let n = 0; n < frame; n++) {
      const x = (signal[f * hop + n] ?? 0) * Math.sin((Math.PI * n) / frame) ** 2;
      re += x * Math.cos((2 * Math.PI * k * n) / frame);
      im -= x * Math.sin((2 * Math.PI * k * n) / frame);
    }
    return re * re + im * im;
  });
}

/** The features of a sound. */
export function referenceFeatures(pcm: ArrayLike<number>): readonly number[] {
  const power = referencePower(pcm);
  const mel = melWeights(bins, rate, bands);
  const loud = grid(frames, bands, (f, b) => Math.log(sum(bins, (k) => at(power, f, k) * (mel[k * bands + b] ?? 0)) + 1e-3));
  const mean = sum(frames, (f) => sum(bands, (b) => at(loud, f, b))) / (frames * bands);
  const picture = grid(frames, bands, (f, b) => at(loud, f, b) - mean);
  const seen = channels(directions, (d) => window(picture, edgeKernels().subarray(d * 9), 1).map((row) => row.map((x) => Math.max(0, x))));
  const smooth = channels(directions, (d) => window(seen[d] ?? [], smoothKernels().subarray(d * 9), 2));
  const mix = mixKernels();
  const mixed = channels(mixtures, (m) =>
    grid(frames / 2, bands / 2, (r, c) => Math.max(0, sum(directions, (d) => (mix[m * directions + d] ?? 0) * at(smooth[d] ?? [], r, c)))),
  );
  const area = (frames / 2) * (bands / 4);
  return Array.from({ length: features }, (_, i) => {
    const first = (i % 2) * (bands / 4);
    return sum(frames / 2, (r) => sum(bands / 4, (c) => at(mixed[Math.floor(i / 2)] ?? [], r, first + c))) / area;
  });
}

/** The probability of each keyword. */
export function referenceProbabilities(pcm: ArrayLike<number>, { weights, bias }: KeywordHead): readonly number[] {
  const x = referenceFeatures(pcm);
  const scores = Array.from(bias, (b, c) => b + sum(features, (i) => (x[i] ?? 0) * (weights[i * bias.length + c] ?? 0)));
  const total = sum(scores.length, (c) => Math.exp(scores[c] ?? 0));
  return scores.map((s) => Math.exp(s) / total);
}

function channels(count: number, f: (channel: number) => Grid): readonly Grid[] {
  return Array.from({ length: count }, (_, i) => f(i));
}

/** A 3×3 window over a picture with a border of zeros, every `stride` places. */
function window(picture: Grid, kernel: ArrayLike<number>, stride: number): Grid {
  const columns = picture[0]?.length ?? 0;
  return grid(picture.length / stride, columns / stride, (r, c) =>
    sum(9, (i) => (kernel[i] ?? 0) * at(picture, r * stride + Math.floor(i / 3) - 1, c * stride + (i % 3) - 1)),
  );
}

function at(g: Grid, r: number, c: number): number {
  return g[r]?.[c] ?? 0;
}

function sum(count: number, f: (i: number) => number): number {
  let total = 0;
  for (let i = 0; i < count; i++) total += f(i);
  return total;
}
