import { definePass, type Pass } from "@verticil/ir-core";
import { BlockBuilder } from "../ir/block-builder.ts";
import { mapRelaxFunctions } from "../ir/mutate.ts";
import { opRegistryKey } from "../ir/op-def.ts";

/**
 * Upstream's `Normalize`: graph functions get their normal form. Operands are variables and constants, nested calls are bound to
 * variables of their own, bodies and branches are sequences, and struct info is inferred where it is absent.
 * @throws TypeError for a call whose struct info cannot be inferred.
 */
export function normalize(): Pass {
  return definePass("Normalize", (module, ctx) => {
    const bb = new BlockBuilder({ ops: ctx.get(opRegistryKey), module });
    return mapRelaxFunctions(module, (func) => bb.normalizeFunction(func));
  });
}
