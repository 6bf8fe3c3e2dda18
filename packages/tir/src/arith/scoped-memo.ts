/** How many results a memo keeps from one question to the next: what survives has to be copied by the garbage collector. */
const kept = 1 << 8;
/** How many earlier states are remembered between questions. */
const maxStates = 16;

interface State<K, V> {
  readonly state: number;
  readonly memo: Map<K, V>;
}

/**
 * Memos by object identity, one for each state of knowledge. States are numbered as they come up and are left for good when
 * an earlier one is gone back to. A memo grows as long as a question takes, so that what is shared is looked at once.
 */
export class ScopedMemo<K extends object, V> {
  #current: State<K, V> = { state: -1, memo: new Map() };
  /** Earlier states, the last one last. */
  #earlier: State<K, V>[] = [];

  /** The memo of a state. Do not keep it: it is another one in another state. */
  at(state: number): Map<K, V> {
    return state === this.#current.state ? this.#current.memo : this.#switchTo(state);
  }

  #switchTo(state: number): Map<K, V> {
    if (state > this.#current.state) {
      this.#earlier.push(this.#current);
      this.#current = { state, memo: new Map() };
      return this.#current.memo;
    }
    while (this.#current.state > state) this.#current = this.#earlier.pop() ?? { state, memo: new Map() };
    if (this.#current.state < state) return this.#switchTo(state);
    return this.#current.memo;
  }

  /** Forgets what is more than a few results, and earlier states if none can be gone back to. To be called between questions only. */
  trim(opts: { readonly canGoBack: boolean }): void {
    if (this.#earlier.length > (opts.canGoBack ? maxStates : 0)) this.#earlier = [];
    if (this.#current.memo.size > kept) this.#current = { state: this.#current.state, memo: new Map() };
  }

  clear(): void {
    this.#earlier = [];
    this.#current = { state: -1, memo: new Map() };
  }
}
