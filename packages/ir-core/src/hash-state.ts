/** A 53-bit hash that is being mixed, in two halves (after cyrb53). */
export class HashState {
  #high = 0xdeadbeef | 0;
  #low = 0x41c6ce57;

  reset(): void {
    this.#high = 0xdeadbeef | 0;
    this.#low = 0x41c6ce57;
  }

  /** Mixes in a 32-bit integer. */
  addInt(value: number): void {
    const high = Math.imul(this.#high ^ value, 0x9e3779b1);
    const low = Math.imul(this.#low ^ value, 0x5f356495);
    this.#high = Math.imul(high ^ (low >>> 15), 0x85ebca6b);
    this.#low = Math.imul(low ^ (this.#high >>> 13), 0xc2b2ae35);
  }

  /** Mixes in any number, to 2 ** -32; -0 like 0. */
  addNumber(value: number): void {
    this.addInt(value | 0);
    if ((value | 0) === value) return;
    this.addInt((value / 2 ** 32) | 0);
    this.addInt(((value % 1) * 2 ** 32) | 0);
  }

  /** Mixes in what `value` gave. */
  addHash(hash: number): void {
    this.addInt(hash | 0);
    this.addInt((hash / 2 ** 32) | 0);
  }

  /** The hash so far: a non-negative safe integer. */
  value(): number {
    return (this.#high >>> 11) * 2 ** 32 + (this.#low >>> 0);
  }
}
