import { definePass, type Pass } from "@verticil/ir-core";
import { tensorFrom } from "@verticil/runtime-ffi";
import { makeVar as makeTirVar } from "@verticil/tir";
import { BlockBuilder } from "../ir/block-builder.ts";
import { opNameOf } from "../ir/call-target.ts";
import type { Call, Expr } from "../ir/expr.ts";
import { makeConstant, makeExternFunc, makeShapeExpr, makeShapeStructInfo, makeTuple, shapeOf, type Dim } from "../ir/make.ts";
import { rewriteModule, type BindingRule, type RuleContext } from "../ir/mutate.ts";
import { opRegistryKey } from "../ir/op-def.ts";
import { tensorInfoOf } from "../ir/struct-info-of.ts";

/**
 * Upstream's `DecomposeOpsForInference`: operators that have training in them become plain ones. `batch_norm` becomes
 * scale and shift by its running statistics, `dropout` the identity, with a mask of ones. `tensor_to_shape` becomes a call of the runtime whose
 * result has symbolic sizes. In the function `funcName`, or in all.
 */
export function decomposeOpsForInference(funcName?: string): Pass {
  return definePass("DecomposeOpsForInference", (module, ctx) =>
    rewriteModule(
      module,
      () => new BlockBuilder({ ops: ctx.get(opRegistryKey), module }),
      (_, gv) => (funcName !== undefined && gv.name !== funcName ? undefined : decomposed),
    ),
  );
}

const decomposed: BindingRule = (value, ruleCtx) => {
  if (value.kind === "relax.Call") {
    const name = opNameOf(value);
    const [data] = value.args;
    if (name === "relax.nn.batch_norm") return decomposeBatchNorm(value, ruleCtx);
    if (name === "relax.tensor_to_shape") return decomposeTensorToShape(value, ruleCtx);
    return name === "relax.nn.dropout" && data !== undefined ? makeTuple([data, ruleCtx.bb.emitOp("relax.ones_like", [data])], value.span) : undefined;
  }
  if (value.kind !== "relax.TupleGetItem") return undefined;
  const tuple = ruleCtx.value(value.tuple);
  return tuple?.kind === "relax.Tuple" ? tuple.fields[value.index] : undefined;
};

/** The runtime reads the sizes; a cast gives them names, for shapes that are made of them. */
function decomposeTensorToShape(call: Call, { bb }: RuleContext): Expr | undefined {
  const info = call.structInfo;
  const [tensor] = call.args;
  if (tensor === undefined || info?.kind !== "relax.ShapeStructInfo" || info.ndim < 0) return undefined;
  const sizes = Array.from({ length: info.ndim }, (_, i) => makeTirVar(`x${i}`, "int64"));
  const read = bb.emit(bb.callOp("relax.call_pure_packed", [makeExternFunc("vm.builtin.tensor_to_shape"), tensor], {}, [info]));
  bb.matchCast(read, makeShapeStructInfo(sizes), "y");
  return makeShapeExpr(sizes);
}

function decomposeBatchNorm(call: Call, { bb }: RuleContext): Expr | undefined {
  const [data, gamma, beta, mean, variance] = call.args;
  if (data === undefined || gamma === undefined || beta === undefined || mean === undefined || variance === undefined) return undefined;
  const info = tensorInfoOf(data);
  const dims = shapeOf(info);
  const axis = Number(call.attrs["axis"]);
  if (dims === undefined || info.dtype === undefined) return undefined;
  const shape: readonly Dim[] = dims.map((d, i) => (i === (axis + dims.length) % dims.length ? d : 1));
  const expand = (e: Expr): Expr => bb.emitOp("relax.reshape", [e, makeShapeExpr(shape)]);
  const epsilon = makeConstant(tensorFrom([Number(call.attrs["epsilon"])], [], info.dtype));
  const deviation = bb.emitOp("relax.sqrt", [bb.emitOp("relax.add", [variance, epsilon])]);
  const scale = call.attrs["scale"] === false ? undefined : gamma;
  const factor =
    scale === undefined
      ? bb.emitOp("relax.divide", [makeConstant(tensorFrom([1], [], info.dtype)), deviation])
      : bb.emitOp("relax.divide", [scale, deviation]);
  const shift = bb.emitOp("relax.multiply", [mean, factor]);
  const offset = call.attrs["center"] === false ? bb.emitOp("relax.negative", [shift]) : bb.emitOp("relax.subtract", [beta, shift]);
  const scaled = bb.emitOp("relax.multiply", [data, expand(factor)]);
  return makeTuple([bb.emitOp("relax.add", [scaled, expand(offset)]), mean, variance]);
}
