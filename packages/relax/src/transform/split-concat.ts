import { definePass, webgpuLimits, type IRModule, type Pass } from "@verticil/ir-core";
import { BlockBuilder } from "../ir/block-builder.ts";
import { isCallTo } from "../ir/call-target.ts";
import type { Call, Expr } from "../ir/expr.ts";
import { makeTuple } from "../ir/make.ts";
import { rewriteModule } from "../ir/mutate.ts";
import { opRegistryKey } from "../ir/op-def.ts";

/**
 * Joins many tensors in steps where a device binds only so many buffers to one kernel: `R.concat` of more than the limit
 * less its result becomes a `concat` of `concat`s. Changes nothing for targets without that limit. Ours, not upstream's.
 */
export function splitConcat(): Pass {
  return definePass("SplitConcat", (module: IRModule, ctx) => {
    if (ctx.target.kind !== "webgpu") return module;
    const most = Math.max(2, webgpuLimits(ctx.target).maxStorageBuffersPerShaderStage - 1);
    return rewriteModule(
      module,
      () => new BlockBuilder({ ops: ctx.get(opRegistryKey), module }),
      () => (value, { bb }) => {
        if (!isCallTo(value, "relax.concat")) return undefined;
        const [operand] = value.args;
        if (operand?.kind !== "relax.Tuple" || operand.fields.length <= most) return undefined;
        return joined(value, operand.fields, most, bb);
      },
    );
  });
}

function joined(call: Call, fields: readonly Expr[], most: number, bb: BlockBuilder): Expr {
  let level = fields;
  while (level.length > most) {
    const groups: Expr[] = [];
    for (let i = 0; i < level.length; i += most) {
      const group = level.slice(i, i + most);
      const [only] = group;
      groups.push(group.length === 1 && only !== undefined ? only : bb.emit(bb.callOp("relax.concat", [makeTuple(group)], call.attrs), "part"));
    }
    level = groups;
  }
  return bb.callOp("relax.concat", [makeTuple(level, call.span)], call.attrs);
}
