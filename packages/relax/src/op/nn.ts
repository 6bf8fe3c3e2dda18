import { at } from "@verticil/ir-core";
import { add, asInt, floorDiv, mul } from "@verticil/tir";
import type { Call } from "../ir/expr.ts";
import { makeTupleStructInfo, shapeOf } from "../ir/make.ts";
import type { AttrField, InferStructInfo, OpDef } from "../ir/op-def.ts";
import { intAttr, intsAttr, opName, stringAttr } from "./attrs-of.ts";
import { atLeast, between, distinct, notEmpty, oneOf, scalar, whole } from "./attr-checks.ts";
import { attr, defineOp } from "./define.ts";
import { dimAt, normAxes, normAxis, provablyDiffer, replaced, sameAs, simplified, tensorArg, tensorLike } from "./infer.ts";
import { floatUnary } from "./unary.ts";

/** Checks that argument `i` has one dimension, of the size of `axis` of the data. */
function checkPerChannel(call: Call, i: number, axis: number): void {
  const info = tensorArg(call, i);
  if (info.ndim >= 0 && info.ndim !== 1) throw new RangeError(`Argument ${i} of ${opName(call)} has one dimension, not ${info.ndim}.`);
  const size = shapeOf(info)?.[0];
  const channels = shapeOf(tensorArg(call, 0))?.[axis];
  if (size !== undefined && channels !== undefined && provablyDiffer(size, channels)) {
    throw new RangeError(`Argument ${i} of ${opName(call)} has ${asInt(size)} elements for ${asInt(channels)} channels.`);
  }
}

const onAxis: InferStructInfo = (call, ctx) => {
  const x = tensorArg(call, 0);
  if (x.ndim >= 0) normAxis(call, intAttr(call, "axis"), x.ndim);
  return floatUnary(call, ctx);
};

const prelu: InferStructInfo = (call) => {
  const x = tensorArg(call, 0);
  if (x.ndim > 0) normAxis(call, intAttr(call, "axis"), x.ndim);
  return x;
};

const batchNorm: InferStructInfo = (call) => {
  const x = tensorArg(call, 0);
  const [mean, variance] = [tensorArg(call, 3), tensorArg(call, 4)];
  if (x.ndim >= 0) {
    const axis = normAxis(call, intAttr(call, "axis"), x.ndim);
    for (const i of [1, 2, 3, 4]) checkPerChannel(call, i, axis);
  }
  return makeTupleStructInfo([x, mean, variance]);
};

const layerNorm: InferStructInfo = (call) => {
  const x = tensorArg(call, 0);
  if (x.ndim < 0) return x;
  const axes = normAxes(call, intsAttr(call, "axes"), x.ndim);
  const dims = shapeOf(x);
  for (let i = 1; i < call.args.length; i++) {
    const scale = shapeOf(tensorArg(call, i));
    if (dims === undefined || scale === undefined) continue;
    if (scale.length !== axes.length) throw new RangeError(`Argument ${i} of ${opName(call)} has ${axes.length} dimensions, not ${scale.length}.`);
    scale.forEach((d, j) => {
      const own = at(dims, at(axes, j));
      if (provablyDiffer(d, own)) throw new RangeError(`Argument ${i} of ${opName(call)} has size ${asInt(d)} where the data has ${asInt(own)}.`);
    });
  }
  return x;
};

const channelNorm: InferStructInfo = (call) => {
  const x = tensorArg(call, 0);
  if (x.ndim < 0) return x;
  const axis = normAxis(call, intAttr(call, "channel_axis"), x.ndim);
  checkPerChannel(call, 1, axis);
  checkPerChannel(call, 2, axis);
  return x;
};

const dropout: InferStructInfo = (call) => {
  const x = tensorArg(call, 0);
  return makeTupleStructInfo([x, x]);
};

const pad: InferStructInfo = (call, ctx) => {
  const x = tensorArg(call, 0);
  const width = intsAttr(call, "pad_width");
  if (x.ndim >= 0 && width.length !== 2 * x.ndim) {
    throw new RangeError(`\`relax.nn.pad\` has ${width.length} widths for ${x.ndim} dimensions.`);
  }
  const dims = shapeOf(x);
  if (dims === undefined) return tensorLike(x, x.ndim);
  return tensorLike(x, dims.map((d, i) => simplified(ctx, add(d, at(width, 2 * i) + at(width, 2 * i + 1)))));
};

const pixelShuffle: InferStructInfo = (call, ctx) => {
  const x = tensorArg(call, 0);
  const r = intAttr(call, "upscale_factor");
  const dims = shapeOf(x);
  if (dims === undefined) return tensorLike(x, x.ndim);
  const n = dims.length;
  const changes = new Map([
    [n - 3, simplified(ctx, floorDiv(dimAt(dims, -3), r * r))],
    [n - 2, simplified(ctx, mul(dimAt(dims, -2), r))],
    [n - 1, simplified(ctx, mul(dimAt(dims, -1), r))],
  ]);
  return tensorLike(x, replaced(dims, changes));
};

const crossEntropy: InferStructInfo = (call) => tensorLike(tensorArg(call, 0), []);

const nllLoss: InferStructInfo = (call) => {
  const predictions = tensorArg(call, 0);
  const targets = tensorArg(call, 1);
  if (stringAttr(call, "reduction") !== "none") return tensorLike(predictions, []);
  return { ...targets, dtype: predictions.dtype };
};

const attention: InferStructInfo = (call) => {
  const names = ["query", "key", "value"];
  const infos = names.map((name, i) => {
    const info = tensorArg(call, i);
    if (info.ndim >= 0 && info.ndim !== 4) throw new RangeError(`The ${name} of ${opName(call)} has 4 dimensions: batch, sequence, head, feature.`);
    return info;
  });
  const q = shapeOf(at(infos, 0));
  const v = shapeOf(at(infos, 2));
  return q === undefined || v === undefined ? tensorLike(at(infos, 0), 4) : tensorLike(at(infos, 0), [...q.slice(0, 3), dimAt(v, 3)]);
};

const attentionVarLen: InferStructInfo = (call) => {
  const q = tensorArg(call, 0);
  const qs = shapeOf(q);
  const vs = shapeOf(tensorArg(call, 2));
  return qs === undefined || vs === undefined ? tensorLike(q, 4) : tensorLike(q, [...qs.slice(0, 3), dimAt(vs, 3)]);
};

const affine: Readonly<Record<string, AttrField>> = { epsilon: attr("float", 1e-5, atLeast(0)), center: attr("bool", true), scale: attr("bool", true) };
const attentionAttrs = { scale: attr("any", null, scalar), causal_mask: attr("any", null, oneOf("TopLeft", "BottomRight")), window_size: attr("any", null, whole, atLeast(1)) };

/** Activations, normalizations, losses and attention. */
export const nnOps: readonly OpDef[] = [
  defineOp("nn.relu", { args: ["data"], infer: sameAs() }),
  ...["gelu", "gelu_tanh", "selu", "silu"].map((name) => defineOp(`nn.${name}`, { args: ["data"], infer: floatUnary })),
  defineOp("nn.leakyrelu", { args: ["data"], attrs: { alpha: attr("float", 0.01) }, infer: floatUnary }),
  defineOp("nn.prelu", { args: ["data", "alpha"], attrs: { axis: attr("int", 1) }, infer: prelu }),
  defineOp("nn.softplus", { args: ["data"], attrs: { beta: attr("float", 1), threshold: attr("float", 20) }, infer: floatUnary }),
  ...["softmax", "log_softmax"].map((name) =>
    defineOp(`nn.${name}`, { args: ["data"], attrs: { axis: attr("int", -1) }, infer: onAxis }),
  ),
  defineOp("nn.batch_norm", {
    args: ["data", "gamma", "beta", "moving_mean", "moving_var"],
    attrs: { axis: attr("int"), ...affine, momentum: attr("float", 0.1, between(0, 1)), training: attr("bool", true) },
    infer: batchNorm,
  }),
  defineOp("nn.layer_norm", { args: ["data", "gamma", "beta"], attrs: { axes: attr("ints", undefined, notEmpty, distinct), ...affine }, infer: layerNorm }),
  defineOp("nn.group_norm", {
    args: ["data", "gamma", "beta"],
    attrs: { num_groups: attr("int", undefined, atLeast(1)), channel_axis: attr("int"), axes: attr("ints", undefined, notEmpty, distinct), ...affine },
    infer: channelNorm,
  }),
  defineOp("nn.instance_norm", {
    args: ["data", "gamma", "beta"],
    attrs: { channel_axis: attr("int"), axes: attr("ints", undefined, notEmpty, distinct), ...affine },
    infer: channelNorm,
  }),
  defineOp("nn.rms_norm", {
    args: ["data", "weight"],
    attrs: { axes: attr("ints", [-1], notEmpty, distinct), epsilon: attr("float", 1e-5, atLeast(0)) },
    infer: layerNorm,
  }),
  defineOp("nn.dropout", { args: ["data"], attrs: { rate: attr("float", 0.5, between(0, 1)) }, infer: dropout }),
  defineOp("nn.pad", {
    args: ["data"],
    attrs: { pad_width: attr("ints"), pad_value: attr("float", 0), pad_mode: attr("string", "constant", oneOf("constant", "reflect", "replicate", "circular", "symmetric")) },
    infer: pad,
  }),
  defineOp("nn.pixel_shuffle", { args: ["data"], attrs: { upscale_factor: attr("int", undefined, atLeast(1)) }, infer: pixelShuffle }),
  defineOp("nn.cross_entropy_with_logits", { args: ["predictions", "labels"], infer: crossEntropy }),
  defineOp("nn.nll_loss", {
    args: ["predictions", "targets", "weights?"],
    attrs: { reduction: attr("string", "mean", oneOf("none", "mean", "sum")), ignore_index: attr("int", -100) },
    infer: nllLoss,
  }),
  defineOp("nn.attention", { args: ["query", "key", "value"], attrs: attentionAttrs, infer: attention }),
  defineOp("nn.attention_bias", { args: ["query", "key", "value", "bias"], attrs: attentionAttrs, infer: attention }),
  defineOp("nn.attention_var_len", {
    args: ["queries", "keys", "values", "seqstart_q", "seqstart_k", "max_seqlen_q", "max_seqlen_k"],
    attrs: attentionAttrs,
    infer: attentionVarLen,
  }),
];
