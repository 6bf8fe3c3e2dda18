/** Chooses the next token from the logits. */
export type Sampler = (logits: ArrayLike<number>) => number;

/** How tokens are chosen. */
export interface SamplingOptions {
  /** 0: always the likeliest token. Above, the higher the freer: logits are divided by it. */
  readonly temperature?: number;
  /** The same seed, model and text give the same tokens; random unless told. */
  readonly seed?: number;
}

/** The index of the largest value; the first of equal ones. */
export function argmax(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if ((values[i] ?? -Infinity) > (values[best] ?? -Infinity)) best = i;
  return best;
}

/** @throws RangeError for a temperature that is negative or no number. */
export function makeSampler(opts: SamplingOptions = {}): Sampler {
  const temperature = opts.temperature ?? 0;
  if (!(temperature >= 0) || !Number.isFinite(temperature)) throw new RangeError(`A temperature of ${temperature} is none: 0 or more was expected.`);
  if (temperature === 0) return argmax;
  const random = uniform(opts.seed ?? Math.floor(Math.random() * 2 ** 32));
  return (logits) => sample(logits, temperature, random());
}

/** The token where the cumulated probabilities pass `at`, which is in [0, 1). */
function sample(logits: ArrayLike<number>, temperature: number, at: number): number {
  const top = logits[argmax(logits)] ?? 0;
  const weights = Array.from(logits, (l) => Math.exp((l - top) / temperature));
  let rest = at * weights.reduce((a, b) => a + b, 0);
  for (const [i, w] of weights.entries()) {
    rest -= w;
    if (rest < 0) return i;
  }
  return argmax(logits);
}

/** Numbers in [0, 1) from a seed: a counter, mixed (splitmix32). */
function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) / 2 ** 32;
  };
}
