import { at, definePass, makeOp, type Pass } from "@verticil/ir-core";
import { BlockBuilder } from "../ir/block-builder.ts";
import { anyCallTirParts, inplaceIndices, isCallTo } from "../ir/call-target.ts";
import type { Call, Expr } from "../ir/expr.ts";
import { leafInfos } from "../ir/infer-call.ts";
import {
  makeCall,
  makeDataTypeImm,
  makePrimValue,
  makeShapeExpr,
  makeStringImm,
  makeTuple,
  makeTupleStructInfo,
  shapeOf,
} from "../ir/make.ts";
import { rewriteModule } from "../ir/mutate.ts";
import { opRegistryKey } from "../ir/op-def.ts";
import type { StructInfo } from "../ir/struct-info.ts";

/**
 * Upstream's `CallTIRRewrite`: makes the destinations of `call_tir` and `call_dps_packed` explicit: allocates each output
 * and calls the tensor program, or the function of the host, with it. Runs outside dataflow blocks, for the calls have
 * effects.
 */
export function callTIRRewrite(): Pass {
  return definePass("CallTIRRewrite", (module, ctx) =>
    rewriteModule(
      module,
      () => new BlockBuilder({ ops: ctx.get(opRegistryKey), module }),
      () => (value, { bb }) => {
        const parts = anyCallTirParts(value);
        if (parts === undefined) return isCallTo(value, "relax.call_dps_packed") ? packedCall(value, bb) : undefined;
        const infos = parts.call.sinfoArgs.flatMap(leafInfos);
        const inPlace = inplaceIndices(parts.call, infos.length);
        const outputs = infos.map((info, i): Expr => parts.args.fields[at(inPlace, i)] ?? bb.emit(allocTensor(info), "alloc"));
        const fresh = outputs.filter((o) => !parts.args.fields.includes(o));
        const scalars = parts.tirVars?.kind === "relax.ShapeExpr" ? parts.tirVars.values.map((v) => makePrimValue(v)) : [];
        const call = makeCall(parts.callee, [...parts.args.fields, ...fresh, ...scalars], { structInfo: makeTupleStructInfo([]), span: parts.call.span });
        bb.emit(call, "_");
        const [only] = outputs;
        return outputs.length === 1 && only !== undefined && parts.call.structInfo?.kind !== "relax.TupleStructInfo" ? only : makeTuple(outputs);
      },
    ),
  );
}

/** A call of a function of the host that is handed its destinations last. */
function packedCall(call: Call, bb: BlockBuilder): Expr | undefined {
  const [callee, given] = call.args;
  if (callee === undefined) return undefined;
  const args = given?.kind === "relax.Tuple" ? given.fields : given === undefined ? [] : [given];
  const outputs = call.sinfoArgs.flatMap(leafInfos).map((info) => bb.emit(allocTensor(info), "alloc"));
  const nothing = makeTupleStructInfo([]);
  bb.emit(makeCall(callee, [...args, ...outputs], { sinfoArgs: [nothing], structInfo: nothing, span: call.span }), "_");
  const [only] = outputs;
  return outputs.length === 1 && only !== undefined && call.structInfo?.kind !== "relax.TupleStructInfo" ? only : makeTuple(outputs);
}

/**
 * `R.builtin.alloc_tensor(shape, dtype, device index, scope)` for a value.
 * @throws TypeError if it is not a tensor of known shape and dtype.
 */
export function allocTensor(info: StructInfo): Call {
  const shape = shapeOf(info);
  if (info.kind !== "relax.TensorStructInfo" || shape === undefined || info.dtype === undefined) {
    throw new TypeError("Only a tensor of known shape and dtype can be allocated.");
  }
  const args = [makeShapeExpr(shape), makeDataTypeImm(info.dtype), makePrimValue(0), makeStringImm("global")];
  return makeCall(makeOp("relax.builtin.alloc_tensor"), args, { structInfo: info });
}
