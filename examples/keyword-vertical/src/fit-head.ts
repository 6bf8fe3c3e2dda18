import type { KeywordHead } from "./keyword-model.ts";

/** The features of a sound and the place of its keyword. */
export interface Example {
  readonly features: ArrayLike<number>;
  readonly label: number;
}

/** How the last layer is fitted. */
export interface FitOptions {
  readonly classes: number;
  /** Steps of gradient descent; 400 unless told. */
  readonly steps?: number;
  /** How much large weights cost; 0.001 unless told. */
  readonly decay?: number;
}

/**
 * The last layer that tells the examples apart best: softmax regression by plain gradient descent from zero, on features
 * brought to mean 0 and deviation 1, which goes into the weights in the end. The same examples give the same head.
 * @throws RangeError without examples.
 */
export function fitHead(examples: readonly Example[], { classes, steps = 400, decay = 1e-3 }: FitOptions): KeywordHead {
  const size = examples[0]?.features.length ?? 0;
  if (size === 0) throw new RangeError("There are no examples to fit to.");
  const { mean, deviation } = statistics(examples, size);
  const inputs = examples.map((e) => Float64Array.from(mean, (m, i) => ((e.features[i] ?? 0) - m) / (deviation[i] ?? 1)));
  const weights = new Float64Array(size * classes);
  const bias = new Float64Array(classes);
  for (let step = 0; step < steps; step++) {
    const gradient = new Float64Array(size * classes);
    const biasGradient = new Float64Array(classes);
    inputs.forEach((x, e) => {
      const p = softmax(scoresOf(x, weights, bias));
      for (let c = 0; c < classes; c++) {
        const error = ((p[c] ?? 0) - Number(examples[e]?.label === c)) / examples.length;
        addTo(biasGradient, c, error);
        x.forEach((v, i) => addTo(gradient, i * classes + c, error * v));
      }
    });
    gradient.forEach((g, i) => addTo(weights, i, -(g + decay * (weights[i] ?? 0))));
    biasGradient.forEach((g, c) => addTo(bias, c, -g));
  }
  return unscaled(weights, bias, mean, deviation);
}

function statistics(examples: readonly Example[], size: number): { readonly mean: Float64Array; readonly deviation: Float64Array } {
  const mean = new Float64Array(size);
  const deviation = new Float64Array(size);
  for (const { features } of examples) mean.forEach((_, i) => addTo(mean, i, (features[i] ?? 0) / examples.length));
  for (const { features } of examples) mean.forEach((m, i) => addTo(deviation, i, ((features[i] ?? 0) - m) ** 2 / examples.length));
  return { mean, deviation: deviation.map((v) => Math.sqrt(v) || 1) };
}

/** The same head for features as they come. */
function unscaled(weights: Float64Array, bias: Float64Array, mean: Float64Array, deviation: Float64Array): KeywordHead {
  const classes = bias.length;
  const plain = weights.map((w, i) => w / (deviation[Math.floor(i / classes)] ?? 1));
  const shifted = bias.map((b, c) => mean.reduce((sum, m, i) => sum - m * (plain[i * classes + c] ?? 0), b));
  return { weights: Float32Array.from(plain), bias: Float32Array.from(shifted) };
}

function scoresOf(x: Float64Array, weights: Float64Array, bias: Float64Array): Float64Array {
  return bias.map((b, c) => x.reduce((sum, v, i) => sum + v * (weights[i * bias.length + c] ?? 0), b));
}

/** Probabilities of scores. */
export function softmax(scores: Float64Array): Float64Array {
  const top = Math.max(...scores);
  const powers = scores.map((s) => Math.exp(s - top));
  const total = powers.reduce((sum, p) => sum + p, 0);
  return powers.map((p) => p / total);
}

function addTo(list: Float64Array, i: number, value: number): void {
  list[i] = (list[i] ?? 0) + value;
}
