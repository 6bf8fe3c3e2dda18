/** How many results a memo holds before it starts again; bounds what it keeps alive. */
const maxEntries = 1 << 11;

/** Memos by object identity, one for each state of knowledge; only the last few states are kept. */
export class ScopedMemo<K extends object, V> {
  #state = -1;
  #current = new Map<K, V>();
  readonly #others = new Map<number, Map<K, V>>();

  /** The memo of a state. Do not keep it: it may be emptied by the next call. */
  at(state: number): Map<K, V> {
    if (state === this.#state) {
      if (this.#current.size > maxEntries) this.#current.clear();
      return this.#current;
    }
    if (this.#state >= 0) this.#others.set(this.#state, this.#current);
    const known = this.#others.get(state);
    if (known === undefined && this.#others.size > 16) this.#others.clear();
    this.#others.delete(state);
    this.#state = state;
    this.#current = known ?? new Map();
    return this.#current;
  }

  clear(): void {
    this.#state = -1;
    this.#others.clear();
    this.#current = new Map();
  }
}
