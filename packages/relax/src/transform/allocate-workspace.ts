import { definePass, isNode, type IRModule, type Pass } from "@verticil/ir-core";
import { substitute, type AnyVar, type PrimExpr, type PrimFunc } from "@verticil/tir";
import { BlockBuilder } from "../ir/block-builder.ts";
import type { Call } from "../ir/expr.ts";
import { makeTensorStructInfo, makeTupleStructInfo, shapeOf, type Dim } from "../ir/make.ts";
import { rewriteModule } from "../ir/mutate.ts";
import { opRegistryKey } from "../ir/op-def.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";
import { allocTensor } from "./call-tir-rewrite.ts";
import { externalWorkspace } from "./external-workspace.ts";

/**
 * Upstream's `AllocateWorkspace`: a tensor program with the attribute `WorkspaceSize` takes that many bytes of scratch
 * memory as its last argument; its callers allocate it, so that it takes part in memory planning. So do the functions of a
 * backend, all as much as the hungriest.
 */
export function allocateWorkspace(): Pass {
  return definePass("AllocateWorkspace", (given, ctx) => {
    const ops = ctx.get(opRegistryKey);
    const module = externalWorkspace(given, ops);
    return rewriteModule(
      module,
      () => new BlockBuilder({ ops, module }),
      () => (value, { bb }) => {
        const bytes = value.kind === "relax.Call" ? missingWorkspace(value, module) : undefined;
        if (bytes === undefined || value.kind !== "relax.Call") return undefined;
        const workspace = bb.emit(allocTensor(makeTensorStructInfo([bytes], "uint8")), "workspace");
        return { ...value, args: [...value.args, workspace], structInfo: makeTupleStructInfo([]) };
      },
    );
  });
}

/** The bytes that a call does not pass yet, in terms of the caller's sizes; undefined if it needs none. */
function missingWorkspace(call: Call, module: IRModule): Dim | undefined {
  const func = call.op.kind === "ir.GlobalVar" ? module.functions.get(call.op) : undefined;
  const bytes = func?.attrs["WorkspaceSize"];
  if (func?.kind !== "tir.PrimFunc" || bytes === undefined || bytes === 0) return undefined;
  const program = func as PrimFunc;
  if (call.args.length !== program.params.length - 1) return undefined;
  if (typeof bytes === "number") return bytes;
  return isNode(bytes) ? substitute(bytes as PrimExpr, sizesOf(program, call)) : undefined;
}

/** What a program's symbolic sizes and scalars are in a call. */
function sizesOf(func: PrimFunc, call: Call): ReadonlyMap<AnyVar, PrimExpr> {
  const sizes = new Map<AnyVar, PrimExpr>();
  func.params.forEach((p, i) => {
    const arg = call.args[i];
    if (arg?.kind === "relax.PrimValue") sizes.set(p, arg.value);
    const dims = arg === undefined ? undefined : shapeOf(structInfoOf(arg));
    func.bufferMap.get(p)?.shape.forEach((d, axis) => {
      const actual = dims?.[axis];
      if ((d.kind === "tir.Var" || d.kind === "tir.SizeVar") && actual !== undefined && !sizes.has(d)) sizes.set(d, actual);
    });
  });
  return sizes;
}
