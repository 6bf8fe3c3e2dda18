/**
 * Names for the variables of a kernel. Each has a prefix, so that none is a word that WGSL keeps for itself, and a
 * number where the name was dealt out before.
 */
export class Names {
  readonly #used = new Set<string>();

  fresh(prefix: string, hint: string): string {
    const base = `${prefix}_${hint.replace(/\W+/g, "_")}`;
    let name = base;
    for (let i = 1; this.#used.has(name); i++) name = `${base}_${i}`;
    this.#used.add(name);
    return name;
  }
}
