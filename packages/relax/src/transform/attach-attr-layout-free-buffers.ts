import { definePass, runPass, withAttrs, type BaseFunc, type Pass } from "@verticil/ir-core";
import { renewDefs, type PrimFunc } from "@verticil/tir";
import { numInput } from "../analysis/computable-at-compile-time.ts";
import { BlockBuilder } from "../ir/block-builder.ts";
import { callTirParts } from "../ir/call-target.ts";
import type { Expr, Function } from "../ir/expr.ts";
import { mapValues } from "../ir/map-values.ts";
import { isRelaxFunction } from "../ir/mutate.ts";
import { opRegistryKey } from "../ir/op-def.ts";
import { deadCodeElimination } from "./dead-code-elimination.ts";

/**
 * Upstream's `AttachAttrLayoutFreeBuffers`: a tensor program that is called with weights or constants says which of its buffers they
 * are (`layout_free_buffers`): those may be laid out as it likes.
 */
export function attachAttrLayoutFreeBuffers(): Pass {
  return definePass("AttachAttrLayoutFreeBuffers", (module, ctx) => {
    const bb = new BlockBuilder({ ops: ctx.get(opRegistryKey), module });
    for (const [gv, func] of module.functions) {
      if (!isRelaxFunction(func)) continue;
      const weights = new Set<Expr>(func.params.slice(numInput(func) ?? func.params.length));
      const body = mapValues(func.body, (value) => {
        const parts = callTirParts(value);
        const program = parts === undefined ? undefined : module.functions.get(parts.callee);
        if (parts === undefined || program === undefined || parts.call.op.kind !== "ir.Op" || parts.call.op.name !== "relax.call_tir") return value;
        const free = parts.args.fields.flatMap((a, i) => (a.kind === "relax.Constant" || weights.has(a) ? [i] : []));
        const own = bb.addFunc(renewed(withAttrs(program, { layout_free_buffers: free })), parts.callee.name);
        return { ...parts.call, args: [own, ...parts.call.args.slice(1)] };
      });
      const next: Function = { ...func, body };
      if (body !== func.body) bb.updateFunc(gv, next);
    }
    return runPass(deadCodeElimination(), bb.finalize(), ctx);
  });
}

/** A program with variables of its own: no variable is bound twice in a module. */
function renewed(func: BaseFunc): BaseFunc {
  return func.kind === "tir.PrimFunc" ? renewDefs(func as PrimFunc) : func;
}
