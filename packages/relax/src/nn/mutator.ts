import { Effect } from "./effect.ts";
import { ModuleList } from "./module-list.ts";
import type { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";

/**
 * Changes a tree of modules in place (upstream's `nn.Mutator`): a class that overrides a method gives what is to stand
 * in a node's place. Names are paths of fields, as in `namedParameters`.
 *
 * @example
 * class Quantize extends Mutator {
 *   override visitModule(name: string, node: Module): Module {
 *     return node instanceof Linear ? new QuantizedLinear(node) : this.visit(name, node);
 *   }
 * }
 * const quantized = new Quantize().visitModule("", model);
 */
export class Mutator {
  /** What a module becomes; its members are visited unless this is overridden. */
  visitModule(name: string, node: Module): Module {
    return this.visit(name, node);
  }

  /** What a list of modules becomes. */
  visitModuleList(name: string, node: ModuleList<Module>): Module {
    return this.visit(name, node);
  }

  /** What a parameter becomes. */
  visitParam(_name: string, node: Parameter): Parameter | Module {
    return node;
  }

  /** What an effect becomes. */
  visitEffect(_name: string, node: Effect): Effect | Module {
    return node;
  }

  /** Visits the members of a module and puts what they become in their places; gives the module. */
  visit<M extends Module>(name: string, node: M): M {
    for (const [key, member] of node.members()) {
      const path = name === "" ? key : `${name}.${key}`;
      const made = this.#visitMember(path, member);
      if (made !== member) node.replaceMember(key, made);
    }
    return node;
  }

  #visitMember(name: string, member: Parameter | Module | Effect): Parameter | Module | Effect {
    if (member instanceof Parameter) return this.visitParam(name, member);
    if (member instanceof Effect) return this.visitEffect(name, member);
    return member instanceof ModuleList ? this.visitModuleList(name, member) : this.visitModule(name, member);
  }
}
