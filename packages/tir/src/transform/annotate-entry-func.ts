import { definePass, mapFunctions, withAttrs, type Pass } from "@verticil/ir-core";

/** Marks the function that a module is entered by, `tir.is_entry_func`, where there is no doubt which (upstream's `AnnotateEntryFunc`). */
export function annotateEntryFunc(): Pass {
  return definePass("AnnotateEntryFunc", (module) => {
    const funcs = [...module.functions.values()];
    const exposed = funcs.length === 1 ? funcs : funcs.filter((f) => f.attrs["global_symbol"] !== undefined);
    const [entry] = exposed;
    if (exposed.length !== 1 || entry?.kind !== "tir.PrimFunc" || entry.attrs["tir.is_entry_func"] === true) return module;
    return mapFunctions(module, (f) => (f === entry ? withAttrs(f, { "tir.is_entry_func": true }) : f));
  });
}
