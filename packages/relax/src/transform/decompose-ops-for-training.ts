import { definePass, runPass, type Pass } from "@verticil/ir-core";
import { tensorFrom, type ScalarDType } from "@verticil/runtime-ffi";
import { BlockBuilder } from "../ir/block-builder.ts";
import { opNameOf } from "../ir/call-target.ts";
import type { Call, Constant, Expr } from "../ir/expr.ts";
import { makeConstant, makeTuple, makeTupleGetItem } from "../ir/make.ts";
import { rewriteModule } from "../ir/mutate.ts";
import { opRegistryKey } from "../ir/op-def.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";
import { decomposeOpsForInference } from "./decompose-ops-for-inference.ts";

/**
 * Upstream's `DecomposeOpsForTraining`: `batch_norm` takes the statistics of the batch and moves its running ones by the momentum,
 * `layer_norm` becomes plain operators. In the function `funcName`, or in all.
 */
export function decomposeOpsForTraining(funcName?: string): Pass {
  return definePass("DecomposeOpsForTraining", (module, ctx) => {
    const mutated = rewriteModule(
      module,
      () => new BlockBuilder({ ops: ctx.get(opRegistryKey), module }),
      (_, gv) => {
        if (funcName !== undefined && gv.name !== funcName) return undefined;
        const done = new Set<Expr>();
        return (value, { bb }) => {
          if (value.kind !== "relax.Call" || done.has(value)) return undefined;
          const name = opNameOf(value);
          if (name === "relax.nn.layer_norm") return layerNorm(value, bb);
          return name === "relax.nn.batch_norm" ? batchNorm(value, bb) : undefined;
        };
      },
    );
    return mutated === module ? module : runPass(decomposeOpsForInference(funcName), mutated, ctx);
  });
}

function operandOf(call: Call): { readonly rank: number; readonly scalar: (v: unknown) => Constant } | undefined {
  const [data] = call.args;
  const info = data === undefined ? undefined : structInfoOf(data);
  if (info?.kind !== "relax.TensorStructInfo" || info.ndim < 0 || info.dtype === undefined) return undefined;
  const dtype: ScalarDType = info.dtype;
  return { rank: info.ndim, scalar: (v) => makeConstant(tensorFrom([Number(v)], [], dtype)) };
}

function batchNorm(call: Call, bb: BlockBuilder): Expr | undefined {
  const [data, gamma, beta, movingMean, movingVar] = call.args;
  const operand = operandOf(call);
  if (operand === undefined || data === undefined || gamma === undefined || beta === undefined || movingMean === undefined || movingVar === undefined) return undefined;
  const axis = (Number(call.attrs["axis"]) + operand.rank) % operand.rank;
  const axes = Array.from({ length: operand.rank }, (_, i) => i).filter((i) => i !== axis);
  const mean = bb.emitOp("relax.mean", [data], { axis: axes });
  const variance = bb.emitOp("relax.variance", [data], { axis: axes });
  const momentum = operand.scalar(call.attrs["momentum"]);
  const rest = operand.scalar(1 - Number(call.attrs["momentum"]));
  const moved = (old: Expr, now: Expr): Expr => bb.emitOp("relax.add", [bb.emitOp("relax.multiply", [rest, old]), bb.emitOp("relax.multiply", [momentum, now])]);
  const [nextMean, nextVar] = [moved(movingMean, mean), moved(movingVar, variance)];
  const norm = bb.emit({ ...call, args: [data, gamma, beta, mean, variance], structInfo: undefined });
  return makeTuple([bb.emit(makeTupleGetItem(norm, 0)), nextMean, nextVar]);
}

function layerNorm(call: Call, bb: BlockBuilder): Expr | undefined {
  const [data, gamma, beta] = call.args;
  const operand = operandOf(call);
  if (operand === undefined || data === undefined || gamma === undefined || beta === undefined) return undefined;
  const axis = call.attrs["axes"] ?? [-1];
  const mean = bb.emitOp("relax.mean", [data], { axis, keepdims: true });
  const variance = bb.emitOp("relax.variance", [data], { axis, keepdims: true });
  const deviation = bb.emitOp("relax.sqrt", [bb.emitOp("relax.add", [variance, operand.scalar(call.attrs["epsilon"])])]);
  let out: Expr = bb.callOp("relax.divide", [bb.emitOp("relax.subtract", [data, mean]), deviation]);
  if (call.attrs["scale"] !== false) out = bb.callOp("relax.multiply", [bb.emit(out), gamma]);
  if (call.attrs["center"] !== false) out = bb.callOp("relax.add", [bb.emit(out), beta]);
  return out;
}
