import { definePass, isNode, type AttrValue, type IRModule, type Pass } from "@verticil/ir-core";
import type { PrimFunc } from "@verticil/tir";
import { BlockBuilder } from "../ir/block-builder.ts";
import type { Call } from "../ir/expr.ts";
import { makeTensorStructInfo, makeTupleStructInfo } from "../ir/make.ts";
import { rewriteModule } from "../ir/mutate.ts";
import { opRegistryKey } from "../ir/op-def.ts";
import { allocTensor } from "./call-tir-rewrite.ts";

/**
 * Upstream's `AllocateWorkspace`: a tensor program with the attribute `WorkspaceSize` takes that many bytes of scratch
 * memory as its last argument; its callers allocate it, so that it takes part in memory planning.
 */
export function allocateWorkspace(): Pass {
  return definePass("AllocateWorkspace", (module, ctx) =>
    rewriteModule(
      module,
      () => new BlockBuilder({ ops: ctx.get(opRegistryKey), module }),
      () => (value, { bb }) => {
        const bytes = value.kind === "relax.Call" ? missingWorkspace(value, module) : undefined;
        if (bytes === undefined || value.kind !== "relax.Call") return undefined;
        const workspace = bb.emit(allocTensor(makeTensorStructInfo([bytes], "uint8")), "workspace");
        return { ...value, args: [...value.args, workspace], structInfo: makeTupleStructInfo([]) };
      },
    ),
  );
}

/** The bytes that a call does not pass yet; undefined if it needs none. */
function missingWorkspace(call: Call, module: IRModule): number | undefined {
  const func = call.op.kind === "ir.GlobalVar" ? module.functions.get(call.op) : undefined;
  const bytes = integerAttr(func?.attrs["WorkspaceSize"]);
  if (func?.kind !== "tir.PrimFunc" || bytes === 0) return undefined;
  return call.args.length === (func as PrimFunc).params.length - 1 ? bytes : undefined;
}

/** An integer attribute, plain or as a node; 0 if there is none. */
function integerAttr(value: AttrValue | undefined): number {
  if (typeof value === "number") return value;
  return isNode(value) && value.kind === "ir.IntImm" && "value" in value ? Number(value.value) : 0;
}
