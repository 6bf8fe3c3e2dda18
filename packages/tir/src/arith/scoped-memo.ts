import type { PrimExpr } from "../ir/expr.ts";

/** Memos by object identity, one for each state of knowledge; only the last few states are kept. */
export class ScopedMemo<V> {
  #state = -1;
  #current = new WeakMap<PrimExpr, V>();
  readonly #others = new Map<number, WeakMap<PrimExpr, V>>();

  at(state: number): WeakMap<PrimExpr, V> {
    if (state === this.#state) return this.#current;
    if (this.#state >= 0) this.#others.set(this.#state, this.#current);
    const known = this.#others.get(state);
    if (known === undefined && this.#others.size > 16) this.#others.clear();
    this.#others.delete(state);
    this.#state = state;
    this.#current = known ?? new WeakMap();
    return this.#current;
  }

  clear(): void {
    this.#state = -1;
    this.#others.clear();
    this.#current = new WeakMap();
  }
}
