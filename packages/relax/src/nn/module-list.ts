import type { Effect } from "./effect.ts";
import { Module } from "./module.ts";
import type { Parameter } from "./parameter.ts";

/** Modules by position; their names are `0`, `1` and so on (upstream's `nn.ModuleList`). */
export class ModuleList<M extends Module> extends Module implements Iterable<M> {
  readonly #modules: M[];

  constructor(modules: readonly M[]) {
    super();
    this.#modules = [...modules];
  }

  get length(): number {
    return this.#modules.length;
  }

  /** The module at a position; counted from the end if negative. */
  at(i: number): M | undefined {
    return this.#modules.at(i);
  }

  append(module: M): void {
    this.#modules.push(module);
  }

  [Symbol.iterator](): Iterator<M> {
    return this.#modules[Symbol.iterator]();
  }

  override replaceMember(key: string, member: Parameter | Module | Effect): void {
    if (!(member instanceof Module)) throw new TypeError("A list of modules holds modules only.");
    this.#modules[Number(key)] = member as M;
  }

  override *members(): Generator<readonly [key: string, member: Module]> {
    for (const [i, m] of this.#modules.entries()) yield [String(i), m];
  }
}
