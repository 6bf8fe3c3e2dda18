import { refuse } from "./schedule-error.ts";

const MODULUS = 2147483647n;
const MULTIPLIER = 48271n;

/** The generator of upstream's schedules: `x = 48271 x mod (2^31 - 1)`. Same seed, same choices. */
export class RandomEngine {
  #state: bigint;

  /** Refuses a negative seed; 0 counts as 1. */
  constructor(seed: number) {
    if (!Number.isSafeInteger(seed) || seed < 0) refuse(`the seed ${seed} is not a non-negative integer`);
    const state = BigInt(seed) % MODULUS;
    this.#state = state === 0n ? 1n : state;
  }

  /** The next number, from 1 to 2^31 - 2. */
  next(): number {
    this.#state = (this.#state * MULTIPLIER) % MODULUS;
    return Number(this.#state);
  }

  /** A seed for another engine. */
  fork(): number {
    return Number((BigInt(this.next()) * 32767n) % 1999999973n);
  }

  /** A whole number in `[low, high)`, each as likely. No number is drawn if there is only one. */
  int(low: number, high: number): number {
    if (high - low <= 1) return low;
    const range = high - low;
    // Draws above the last whole multiple of the range are thrown away, so that none is favoured.
    const limit = Math.floor(2147483646 / range) * range;
    for (;;) {
      const x = this.next() - 1;
      if (x < limit) return low + Math.floor(x / (limit / range));
    }
  }

  /** A fraction in `[0, 1)`. */
  fraction(): number {
    return (this.next() - 1) / 2147483646;
  }
}
