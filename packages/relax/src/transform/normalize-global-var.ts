import { definePass, makeGlobalVar, withFunctions, type BaseFunc, type GlobalVar, type Pass } from "@verticil/ir-core";
import { BlockBuilder } from "../ir/block-builder.ts";
import { inferAnew } from "../ir/infer-anew.ts";
import { mapRelaxFunctions } from "../ir/mutate.ts";
import { opRegistryKey } from "../ir/op-def.ts";
import { renameGlobals } from "../ir/rename-globals.ts";
import { UniqueNames } from "../ir/unique-names.ts";

/**
 * Upstream's `NormalizeGlobalVar`: public functions are named as they are known outside (`global_symbol`); private ones that
 * have such a name get another.
 * @throws RangeError if two functions have one `global_symbol`.
 */
export function normalizeGlobalVar(): Pass {
  return definePass("NormalizeGlobalVar", (module, ctx) => {
    const symbol = (func: BaseFunc, gv: GlobalVar): string | undefined => {
      const name = func.attrs["global_symbol"];
      return func.kind === "relax.ExternFunc" ? gv.name : typeof name === "string" ? name : undefined;
    };
    if ([...module.functions].every(([gv, func]) => (symbol(func, gv) ?? gv.name) === gv.name)) return module;
    const names = new UniqueNames();
    const renamed = new Map<GlobalVar, GlobalVar>();
    const taken = new Set<string>();
    const rename = (gv: GlobalVar, name: string): void => {
      if (name !== gv.name) renamed.set(gv, makeGlobalVar(name, gv.span));
    };
    for (const [gv, func] of module.functions) {
      const name = symbol(func, gv);
      if (name === undefined) continue;
      if (taken.has(name)) throw new RangeError(`Two functions are known outside as \`${name}\`.`);
      taken.add(name);
      names.reserve(name);
      rename(gv, name);
    }
    for (const [gv, func] of module.functions) if (symbol(func, gv) === undefined) rename(gv, names.fresh(gv.name));
    const named = withFunctions(module, new Map([...module.functions].map(([gv, func]) => [renamed.get(gv) ?? gv, renameGlobals(func, renamed)])));
    // As upstream, what calls a function of another name is inferred anew: an annotation that says less than the call is gone.
    const bb = new BlockBuilder({ ops: ctx.get(opRegistryKey), module: named });
    const before = new Set(module.functions.values());
    return mapRelaxFunctions(named, (func) => (before.has(func) ? func : inferAnew(func, func.params, bb)));
  });
}
