import { definePass, type AttrMap, type Pass } from "@verticil/ir-core";
import { useCounts } from "../analysis/variables.ts";
import { BlockBuilder } from "../ir/block-builder.ts";
import { isCallTo } from "../ir/call-target.ts";
import type { Call, Expr } from "../ir/expr.ts";
import { makeConstant, makeShapeExpr, staticShapeOf } from "../ir/make.ts";
import { rewriteModule, type RuleContext } from "../ir/mutate.ts";
import { opRegistryKey } from "../ir/op-def.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";
import { tensorFrom } from "@verticil/runtime-ffi";
import { isVar } from "../analysis/variables.ts";

/**
 * Upstream's `FoldBatchnormToConv2D`: `batch_norm(conv2d(x, w))[0]` with constant weights becomes a convolution with
 * scaled weights and a bias. A bias between the two (`add` of a constant per channel) is folded as well.
 */
export function foldBatchnormToConv2D(): Pass {
  return definePass("FoldBatchnormToConv2D", (module, ctx) =>
    rewriteModule(
      module,
      () => new BlockBuilder({ ops: ctx.get(opRegistryKey), module }),
      (func) => {
        const uses = useCounts(func);
        return (value, ruleCtx) => {
          if (value.kind !== "relax.TupleGetItem" || value.index !== 0) return undefined;
          const norm = ruleCtx.value(value.tuple);
          if (norm === undefined || !isCallTo(norm, "relax.nn.batch_norm")) return undefined;
          const [data] = norm.args;
          const single = data !== undefined && isVar(data) && (uses.get(data) ?? 0) <= 1;
          return single ? fold(norm, ruleCtx) : undefined;
        };
      },
    ),
  );
}

function fold(norm: Call, ctx: RuleContext): Expr | undefined {
  const [data, gamma, beta, mean, variance] = norm.args;
  if (data === undefined || gamma === undefined || beta === undefined || mean === undefined || variance === undefined) return undefined;
  if (![gamma, beta, mean, variance].every((e) => e.kind === "relax.Constant")) return undefined;
  const inner = ctx.value(data);
  if (inner === undefined) return undefined;
  const biased = isCallTo(inner, "relax.add") ? biasedConv(inner, ctx) : undefined;
  const conv = biased?.conv ?? inner;
  const weight = isCallTo(conv, "relax.nn.conv2d") ? conv.args[1] : undefined;
  const input = isCallTo(conv, "relax.nn.conv2d") ? conv.args[0] : undefined;
  if (!isCallTo(conv, "relax.nn.conv2d") || weight?.kind !== "relax.Constant" || input === undefined) return undefined;
  if (conv.attrs["data_layout"] !== "NCHW" || conv.attrs["kernel_layout"] !== "OIHW" || norm.attrs["axis"] !== 1) return undefined;
  const dtype = weight.data.dtype;
  const { bb } = ctx;
  const epsilon = makeConstant(tensorFrom([Number(norm.attrs["epsilon"])], [], dtype));
  const deviation = bb.emitOp("relax.sqrt", [bb.emitOp("relax.add", [variance, epsilon])]);
  const one = makeConstant(tensorFrom([1], [], dtype));
  const scale = bb.emitOp("relax.divide", [norm.attrs["scale"] === false ? one : gamma, deviation]);
  const channels = staticShapeOf(structInfoOf(weight))?.[0] ?? -1;
  const perFilter = bb.emitOp("relax.reshape", [scale, makeShapeExpr([channels, 1, 1, 1])]);
  const scaled = bb.emitOp("relax.multiply", [weight, perFilter]);
  const offset = biased === undefined ? mean : bb.emitOp("relax.subtract", [mean, bb.emitOp("relax.reshape", [biased.bias, makeShapeExpr([channels])])]);
  const shift = bb.emitOp("relax.multiply", [offset, scale]);
  const zero = makeConstant(tensorFrom([0], [], dtype));
  const bias = bb.emitOp("relax.subtract", [norm.attrs["center"] === false ? zero : beta, shift]);
  const out = bb.emitOp("relax.nn.conv2d", [input, scaled], conv.attrs as AttrMap);
  return bb.callOp("relax.add", [out, bb.emitOp("relax.reshape", [bias, makeShapeExpr([1, channels, 1, 1])])]);
}

/** A convolution plus a constant per channel. */
function biasedConv(add: Call, ctx: RuleContext): { readonly conv: Expr; readonly bias: Expr } | undefined {
  const [a, b] = add.args;
  if (a === undefined || b?.kind !== "relax.Constant") return undefined;
  const conv = ctx.value(a);
  const shape = b.data.shape;
  const perChannel = shape.length === 4 && shape[0] === 1 && shape[2] === 1 && shape[3] === 1;
  return conv !== undefined && isCallTo(conv, "relax.nn.conv2d") && perChannel ? { conv, bias: b } : undefined;
}
