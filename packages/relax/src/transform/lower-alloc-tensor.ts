import { at, definePass, makeOp, type Pass } from "@verticil/ir-core";
import { dtypeBytes } from "@verticil/runtime-ffi";
import { Analyzer, constant, mul, type PrimExpr } from "@verticil/tir";
import { BlockBuilder } from "../ir/block-builder.ts";
import { isCallTo } from "../ir/call-target.ts";
import type { Call } from "../ir/expr.ts";
import { makeCall, makeObjectStructInfo, makePrimValue, makeShapeExpr, shapeOf } from "../ir/make.ts";
import { rewriteModule } from "../ir/mutate.ts";
import { opRegistryKey } from "../ir/op-def.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";

/** Upstream's `LowerAllocTensor`: an allocated tensor becomes a storage of its own and a tensor at its start. */
export function lowerAllocTensor(): Pass {
  return definePass("LowerAllocTensor", (module, ctx) => {
    const analyzer = new Analyzer();
    return rewriteModule(
      module,
      () => new BlockBuilder({ ops: ctx.get(opRegistryKey), module }),
      () => (value, { bb }) => {
        if (!isCallTo(value, "relax.builtin.alloc_tensor")) return undefined;
        const [shape, dtype, device, scope] = value.args;
        const bytes = allocationBytes(value);
        if (shape === undefined || dtype === undefined || device === undefined || scope === undefined || bytes === undefined) return undefined;
        const storage = bb.emit(
          makeCall(makeOp("relax.memory.alloc_storage"), [makeShapeExpr([analyzer.simplify(bytes)]), device, scope, dtype], { structInfo: makeObjectStructInfo() }),
          "storage",
        );
        return makeCall(makeOp("relax.memory.alloc_tensor"), [storage, makePrimValue(0), shape, dtype], { structInfo: value.structInfo, span: value.span });
      },
    );
  });
}

/** The bytes of an allocation, symbolic where its shape is; undefined where the shape or type is not known. */
export function allocationBytes(call: Call): PrimExpr | undefined {
  const dims = shapeOf(structInfoOf(at(call.args, 0)));
  const dtype = call.args[1];
  if (dims === undefined || dtype?.kind !== "relax.DataTypeImm") return undefined;
  return dims.reduce((bytes, d) => mul(bytes, d), constant(Math.max(1, dtypeBytes(dtype.value)), "int64"));
}
