import { definePass, makeGlobalVar, mapFunctions, withAttrs, withFunctions, type GlobalVar, type Pass } from "@verticil/ir-core";
import { isRelaxFunction } from "../ir/mutate.ts";
import { renameGlobals } from "../ir/rename-globals.ts";

/**
 * Upstream's `AttachGlobalSymbol`: every function is known by its name to whoever runs the module. Tensor programs of a module
 * with a `system_lib_prefix` are named with that before.
 */
export function attachGlobalSymbol(): Pass {
  return definePass("AttachGlobalSymbol", (module) => {
    const prefix = module.attrs["system_lib_prefix"];
    const renamed = new Map<GlobalVar, GlobalVar>();
    if (typeof prefix === "string" && prefix !== "") {
      for (const [gv, func] of module.functions) {
        // A second run finds them named.
        const isNamed = gv.name.startsWith(prefix) && func.attrs["global_symbol"] === gv.name;
        if (func.kind === "tir.PrimFunc" && !isNamed) renamed.set(gv, makeGlobalVar(prefix + gv.name, gv.span));
      }
    }
    const named = renamed.size === 0 ? module : withFunctions(module, new Map([...module.functions].map(([gv, func]) => [renamed.get(gv) ?? gv, renameGlobals(func, renamed)])));
    return mapFunctions(named, (func, gv) => {
      if ((func.kind !== "tir.PrimFunc" && !isRelaxFunction(func)) || func.attrs["global_symbol"] === gv.name) return func;
      return withAttrs(func, { global_symbol: gv.name });
    });
  });
}
