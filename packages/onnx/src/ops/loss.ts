import { at } from "@verticil/ir-core";
import type { Expr } from "@verticil/relax";
import { tensorFrom } from "@verticil/runtime-ffi";
import { asInt } from "@verticil/tir";
import type { Converter, ConverterTable } from "../converter.ts";
import type { NodeContext } from "../node-context.ts";

/** The negative log likelihood of log probabilities, with the node's reduction and weights. */
function likelihoodLoss(ctx: NodeContext, logProbabilities: Expr): Expr {
  const attrs = { reduction: ctx.attrs.string("reduction", "mean"), ignore_index: ctx.attrs.int("ignore_index", -100) };
  const classes = asInt(at(ctx.dims(logProbabilities), 1)) ?? ctx.unsupported("the number of classes is not known");
  const ones = Array.from({ length: classes }, () => 1);
  const weights = ctx.optional(2) ?? ctx.constant(tensorFrom(ones, [classes], ctx.dtype(logProbabilities)));
  return ctx.emit("nn.nll_loss", [logProbabilities, ctx.input(1), weights], attrs);
}

const nllLoss: Converter = (ctx) => likelihoodLoss(ctx, ctx.input(0));

const softmaxCrossEntropy: Converter = (ctx) => {
  const logProbabilities = ctx.emit("nn.log_softmax", [ctx.input(0)], { axis: 1 });
  return [likelihoodLoss(ctx, logProbabilities), logProbabilities];
};

/** Losses, which models exported from training carry along. */
export const lossConverters: ConverterTable = {
  NegativeLogLikelihoodLoss: nllLoss,
  SoftmaxCrossEntropyLoss: softmaxCrossEntropy,
};
