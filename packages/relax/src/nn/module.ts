import { Parameter } from "./parameter.ts";

/**
 * The base of network components (upstream's `nn.Module`): a class whose fields are parameters and other modules, with
 * methods, `forward` by custom, that say what it computes. Fields may be of any other type too; they are its options.
 *
 * @example
 * class Mlp extends Module {
 *   readonly up = new Linear(64, 256);
 *   readonly down = new Linear(256, 64);
 *   forward(x: Tensor): Tensor {
 *     return this.down.forward(silu(this.up.forward(x)));
 *   }
 * }
 */
export class Module {
  /** The parameters with their names, in the order of the fields: `layers.0.up.weight`. */
  *namedParameters(prefix = ""): Generator<readonly [name: string, parameter: Parameter]> {
    for (const [key, member] of this.members()) {
      const name = prefix === "" ? key : `${prefix}.${key}`;
      if (member instanceof Parameter) yield [name, member];
      else yield* member.namedParameters(name);
    }
  }

  /** The parameters and modules that it is made of, by field. */
  protected *members(): Generator<readonly [key: string, member: Parameter | Module]> {
    for (const [key, member] of Object.entries(this) as Iterable<readonly [string, unknown]>) {
      if (member instanceof Parameter || member instanceof Module) yield [key, member];
    }
  }
}

/** Modules by position; their names are `0`, `1` and so on (upstream's `nn.ModuleList`). */
export class ModuleList<M extends Module> extends Module implements Iterable<M> {
  readonly #modules: readonly M[];

  constructor(modules: readonly M[]) {
    super();
    this.#modules = modules;
  }

  get length(): number {
    return this.#modules.length;
  }

  [Symbol.iterator](): Iterator<M> {
    return this.#modules[Symbol.iterator]();
  }

  protected override *members(): Generator<readonly [key: string, member: Module]> {
    for (const [i, m] of this.#modules.entries()) yield [String(i), m];
  }
}
