import { definePass, mapFunctions, withAttrs, type Pass } from "@verticil/ir-core";
import { isRelaxFunction } from "../ir/mutate.ts";

/** Upstream's `AttachGlobalSymbol`: every function is known by its name to whoever runs the module. */
export function attachGlobalSymbol(): Pass {
  return definePass("AttachGlobalSymbol", (module) =>
    mapFunctions(module, (func, gv) => {
      if ((func.kind !== "tir.PrimFunc" && !isRelaxFunction(func)) || func.attrs["global_symbol"] === gv.name) return func;
      return withAttrs(func, { global_symbol: gv.name });
    }),
  );
}
