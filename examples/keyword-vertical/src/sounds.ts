/** The sounds that the model tells apart. */
export const keywords = ["rising", "falling", "steady", "noise", "clicks"] as const;

export type Keyword = (typeof keywords)[number];

/** Samples a second. */
export const rate = 8000;

/** Length of a sound in samples: 32 frames of 256, half overlapping. */
export const samples = 4224;

/** A sequence of numbers in [0, 1) that only the seed decides (the generator "mulberry32"). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = state;
    x = Math.imul(x ^ (x >>> 15), x | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
  };
}

/**
 * A sound of a kind: pitch, loudness and timing are the seed's, and there is always some noise under it. Samples in
 * about -1 to 1.
 */
export function makeSound(kind: Keyword, seed: number): Float32Array {
  const random = randomOf(seed);
  const loudness = 0.2 + 0.6 * random();
  const hiss = 0.02 * random();
  const voice = voiceOf(kind, random);
  return Float32Array.from({ length: samples }, (_, t) => loudness * voice(t) + hiss * (2 * random() - 1));
}

/** The sample at `t` of a sound without noise. */
function voiceOf(kind: Keyword, random: () => number): (t: number) => number {
  switch (kind) {
    case "rising":
    case "falling": {
      const low = 300 + 500 * random();
      const high = 1800 + 1200 * random();
      return kind === "rising" ? sweep(low, high) : sweep(high, low);
    }
    case "steady": {
      const pitch = 300 + 2500 * random();
      return sweep(pitch, pitch);
    }
    case "noise":
      return () => 2 * random() - 1;
    case "clicks": {
      const every = 500 + Math.floor(500 * random());
      const first = Math.floor(every * random());
      const pitch = 600 + 1500 * random();
      return (t) => {
        const since = (t - first + every) % every;
        return Math.exp(-since / 12) * Math.cos((2 * Math.PI * pitch * since) / rate);
      };
    }
  }
}

/** A tone whose pitch goes evenly from one frequency to another, in Hz. */
function sweep(from: number, to: number): (t: number) => number {
  return (t) => Math.sin((2 * Math.PI * (from + ((to - from) * t) / (2 * samples)) * t) / rate);
}
