/** Deals out names: the hint itself the first time, then `hint1`, `hint2`, … (upstream's `NameSupply`). */
export class UniqueNames {
  readonly #used = new Set<string>();
  readonly #next = new Map<string, number>();

  /** Marks a name as taken. */
  reserve(name: string): void {
    this.#used.add(name);
  }

  /** True if a name was dealt out or reserved. */
  has(name: string): boolean {
    return this.#used.has(name);
  }

  /** A name that was not dealt out or reserved. */
  fresh(hint: string): string {
    const base = hint.replace(/[^A-Za-z0-9_]/g, "_") || "v";
    if (!this.#used.has(base)) {
      this.#used.add(base);
      return base;
    }
    for (let i = this.#next.get(base) ?? 1; ; i++) {
      const name = `${base}${i}`;
      if (!this.#used.has(name)) {
        this.#next.set(base, i + 1);
        this.#used.add(name);
        return name;
      }
    }
  }
}
