import type { ScalarDType, Tensor as TensorData } from "@verticil/runtime-ffi";
import { Effect } from "./effect.ts";
import { Parameter } from "./parameter.ts";

/** Names that `loadStateDict` found on one side only. */
export interface StateDictDifference {
  /** Parameters of the module that were given no values. */
  readonly missing: readonly string[];
  /** Values for which the module has no parameter. */
  readonly unexpected: readonly string[];
}

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
      else if (member instanceof Module) yield* member.namedParameters(name);
    }
  }

  /** The effects with their names, in the order of the fields: `layers.0.attention.cache`. */
  *namedEffects(prefix = ""): Generator<readonly [name: string, effect: Effect]> {
    for (const [key, member] of this.members()) {
      const name = prefix === "" ? key : `${prefix}.${key}`;
      if (member instanceof Effect) yield [name, member];
      else if (member instanceof Module) yield* member.namedEffects(name);
    }
  }

  /** The parameters, in the order of the fields. */
  *parameters(): Generator<Parameter> {
    for (const [, p] of this.namedParameters()) yield p;
  }

  /** The parameters by name, with their values where they have some. */
  stateDict(): ReadonlyMap<string, Parameter> {
    return new Map(this.namedParameters());
  }

  /**
   * Gives the parameters values by name.
   * @throws RangeError if names differ and `strict` is not false; nothing is set then.
   * @throws TypeError for values of another shape or type.
   */
  loadStateDict(values: ReadonlyMap<string, TensorData>, opts: { readonly strict?: boolean } = {}): StateDictDifference {
    const own = this.stateDict();
    const missing = [...own.keys()].filter((name) => !values.has(name));
    const unexpected = [...values.keys()].filter((name) => !own.has(name));
    if (opts.strict !== false && missing.length + unexpected.length > 0) {
      throw new RangeError(`The values do not fit the module. Missing: ${missing.join(", ") || "none"}. Unexpected: ${unexpected.join(", ") || "none"}.`);
    }
    for (const [name, p] of own) {
      const value = values.get(name);
      if (value !== undefined) p.data = value;
    }
    return { missing, unexpected };
  }

  /** Gives all parameters and effects another data type, before parameters have values. @throws TypeError if one has some. */
  to(dtype: ScalarDType): void {
    for (const [, member] of this.members()) member.to(dtype);
  }

  /** Puts another parameter, module or effect in the place of a member; `Mutator` does so. */
  replaceMember(key: string, member: Parameter | Module | Effect): void {
    Reflect.set(this, key, member);
  }

  /** The parameters, modules and effects that it is made of, by field. */
  *members(): Generator<readonly [key: string, member: Parameter | Module | Effect]> {
    for (const [key, member] of Object.entries(this) as Iterable<readonly [string, unknown]>) {
      if (member instanceof Parameter || member instanceof Module || member instanceof Effect) yield [key, member];
    }
  }
}
