import { isPythonKeyword } from "../python/tokens.ts";

/** Deals out unique names; a name that is given back may be dealt again. */
export class NameSupply {
  readonly #taken = new Set<string>();
  /** For each hint, a suffix below which all are taken. */
  readonly #next = new Map<string, number>();

  constructor(reserved: Iterable<string>) {
    for (const name of reserved) this.#taken.add(name);
  }

  /** `hint`, or `hint_1`, `hint_2`, … if it is taken; characters that no name may have become `_`. */
  take(hint: string): string {
    const base = toIdentifier(hint);
    let name = base;
    if (this.#taken.has(base) || isPythonKeyword(base)) {
      let i = this.#next.get(base) ?? 1;
      while (this.#taken.has(`${base}_${i}`)) i++;
      this.#next.set(base, i + 1);
      name = `${base}_${i}`;
    }
    this.#taken.add(name);
    return name;
  }

  giveBack(name: string): void {
    this.#taken.delete(name);
    const last = name.charCodeAt(name.length - 1);
    if (last < 48 || last > 57) return;
    const suffix = /^(.*)_(\d+)$/.exec(name);
    if (suffix === null) return;
    const [, base = "", digits = "0"] = suffix;
    const next = this.#next.get(base);
    if (next !== undefined && Number(digits) < next) this.#next.set(base, Number(digits));
  }
}

/** A hint as a Python name: letters, digits and `_`, not a digit first. */
export function toIdentifier(hint: string): string {
  const clean = /^[A-Za-z0-9_]+$/.test(hint) ? hint : hint.replace(/[^A-Za-z0-9_]/g, "_");
  if (clean === "") return "v";
  return clean.charCodeAt(0) < 58 ? `v${clean}` : clean;
}
