import { definePass, withFunctions, type BaseFunc, type GlobalVar, type Pass } from "@verticil/ir-core";
import { BlockBuilder } from "../ir/block-builder.ts";
import type { Function, Var } from "../ir/expr.ts";
import { isRelaxFunction } from "../ir/mutate.ts";
import { opRegistryKey } from "../ir/op-def.ts";
import type { StructInfo } from "../ir/struct-info.ts";
import { inferAnew } from "../ir/infer-anew.ts";

/**
 * Upstream's `UpdateParamStructInfo` (on main: `UpdateParamType`): parameters get the struct info that `infoOf` gives; it
 * flows through the functions. Undefined leaves a parameter as it is.
 */
export function updateParamStructInfo(infoOf: (param: Var) => StructInfo | undefined): Pass {
  return definePass("UpdateParamStructInfo", (module, ctx) => {
    const bb = new BlockBuilder({ ops: ctx.get(opRegistryKey), module });
    const functions = new Map<GlobalVar, BaseFunc>();
    let changed = false;
    for (const [gv, func] of module.functions) {
      const next = isRelaxFunction(func) ? update(func, infoOf, bb) : func;
      changed ||= next !== func;
      functions.set(gv, next);
    }
    return changed ? withFunctions(module, functions) : module;
  });
}

function update(func: Function, infoOf: (param: Var) => StructInfo | undefined, bb: BlockBuilder): Function {
  const params = func.params.map((p): Var => {
    const info = infoOf(p);
    return info === undefined ? p : { ...p, structInfo: info };
  });
  return params.every((p, i) => p === func.params[i]) ? func : inferAnew(func, params, bb);
}
