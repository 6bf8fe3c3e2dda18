import { at } from "@verticil/ir-core";
import type { Expr } from "@verticil/relax";
import { tensorFrom } from "@verticil/runtime-ffi";
import { asInt } from "@verticil/tir";
import type { Converter, ConverterTable } from "../converter.ts";
import type { NodeContext } from "../node-context.ts";

const batchNorm: Converter = (ctx) => {
  const x = ctx.input(0);
  if (ctx.attrs.flag("training_mode")) return trainedBatchNorm(ctx, x);
  if (ctx.usesOutput(1)) return ctx.unsupported("it is in training mode");
  const channels = ctx.rank(x) === 1 ? 0 : 1;
  const attrs = {
    axis: channels,
    epsilon: ctx.attrs.float("epsilon", 1e-5),
    momentum: ctx.attrs.float("momentum", 0.9),
    training: false,
  };
  return ctx.field(ctx.emit("nn.batch_norm", [x, ctx.input(1), ctx.input(2), ctx.input(3), ctx.input(4)], attrs), 0);
};

/** Normalized by the batch's own mean and variance, with the running ones moved towards them. */
function trainedBatchNorm(ctx: NodeContext, x: Expr): readonly Expr[] {
  const axes = Array.from({ length: ctx.rank(x) }, (_, i) => i).filter((i) => i !== 1);
  const momentum = ctx.attrs.float("momentum", 0.9);
  const mean = ctx.emit("mean", [x], { axis: axes, keepdims: false });
  const variance = ctx.emit("variance", [x], { axis: axes, keepdims: false });
  const y = normalized(ctx, x, axes, ctx.attrs.float("epsilon", 1e-5));
  const moved = (running: Expr, now: Expr): Expr =>
    ctx.emit("add", [ctx.emit("multiply", [running, ctx.scalar(momentum, running)]), ctx.emit("multiply", [now, ctx.scalar(1 - momentum, now)])]);
  const out = scaled(ctx, y, alongChannels(ctx, ctx.input(1), x), alongChannels(ctx, ctx.input(2), x));
  return [out, moved(ctx.input(3), mean), moved(ctx.input(4), variance)];
}

/** The last axes, from `axis` on, which layer normalization goes over. */
function lastAxes(ctx: NodeContext, x: Expr): readonly number[] {
  const rank = ctx.rank(x);
  const first = ctx.axis(ctx.attrs.int("axis", -1), rank);
  return Array.from({ length: rank - first }, (_, i) => first + i);
}

/** A constant of `value` in the shape of `like`. */
function constantLike(ctx: NodeContext, value: number, like: Expr): Expr {
  const shape = ctx.staticDims(like);
  const count = shape.reduce((a, b) => a * b, 1);
  return ctx.constant(tensorFrom(Array.from({ length: count }, () => value), shape, ctx.dtype(like)));
}

const layerNorm: Converter = (ctx) => {
  const [x, gamma] = [ctx.input(0), ctx.input(1)];
  const beta = ctx.optional(2) ?? constantLike(ctx, 0, gamma);
  const axes = lastAxes(ctx, x);
  const epsilon = ctx.attrs.float("epsilon", 1e-5);
  const y = ctx.emit("nn.layer_norm", [x, gamma, beta], { axes, epsilon });
  if (!ctx.usesOutput(1) && !ctx.usesOutput(2)) return y;
  const mean = ctx.emit("mean", [x], { axis: axes, keepdims: true });
  const variance = ctx.emit("variance", [x], { axis: axes, keepdims: true });
  return [y, mean, inverseRoot(ctx, variance, epsilon)];
};

function inverseRoot(ctx: NodeContext, variance: Expr, epsilon: number): Expr {
  return ctx.emit("rsqrt", [ctx.emit("add", [variance, ctx.scalar(epsilon, variance)])]);
}

const rmsNorm: Converter = (ctx) => {
  const [x, weight] = [ctx.input(0), ctx.input(1)];
  return ctx.emit("nn.rms_norm", [x, weight], { axes: lastAxes(ctx, x), epsilon: ctx.attrs.float("epsilon", 1e-5) });
};

/** A vector along the channels in the rank of `x`. */
function alongChannels(ctx: NodeContext, vector: Expr, x: Expr): Expr {
  return ctx.reshape(vector, [1, at(ctx.dims(vector), 0), ...Array.from({ length: ctx.rank(x) - 2 }, () => 1)]);
}

function normalized(ctx: NodeContext, x: Expr, axes: readonly number[], epsilon: number): Expr {
  const mean = ctx.emit("mean", [x], { axis: axes, keepdims: true });
  const variance = ctx.emit("variance", [x], { axis: axes, keepdims: true });
  return ctx.emit("multiply", [ctx.emit("subtract", [x, mean]), inverseRoot(ctx, variance, epsilon)]);
}

const instanceNorm: Converter = (ctx) => {
  const x = ctx.input(0);
  const axes = Array.from({ length: ctx.rank(x) - 2 }, (_, i) => i + 2);
  const y = normalized(ctx, x, axes, ctx.attrs.float("epsilon", 1e-5));
  return scaled(ctx, y, alongChannels(ctx, ctx.input(1), x), alongChannels(ctx, ctx.input(2), x));
};

function scaled(ctx: NodeContext, x: Expr, scale: Expr, bias: Expr): Expr {
  return ctx.emit("add", [ctx.emit("multiply", [x, scale]), bias]);
}

const groupNorm: Converter = (ctx) => {
  const x = ctx.input(0);
  const groups = ctx.attrs.int("num_groups") ?? ctx.unsupported("it has no num_groups");
  const channels = asInt(at(ctx.dims(x), 1)) ?? ctx.unsupported("the number of channels is not known");
  const repeats = channels / groups;
  // Scale and bias were one a group before opset 21.
  const perChannel = (v: Expr): Expr => (asInt(at(ctx.dims(v), 0)) === channels ? v : ctx.emit("repeat", [v], { repeats, axis: 0 }));
  const axes = Array.from({ length: ctx.rank(x) - 2 }, (_, i) => i + 2);
  const attrs = { num_groups: groups, channel_axis: 1, axes, epsilon: ctx.attrs.float("epsilon", 1e-5) };
  return ctx.emit("nn.group_norm", [x, perChannel(ctx.input(1)), perChannel(ctx.input(2))], attrs);
};

const meanVariance: Converter = (ctx) => {
  const x = ctx.input(0);
  const axes = ctx.axes(ctx.attrs.ints("axes", [0, 2, 3]), ctx.rank(x));
  const mean = ctx.emit("mean", [x], { axis: axes, keepdims: true });
  const deviation = ctx.emit("sqrt", [ctx.emit("variance", [x], { axis: axes, keepdims: true })]);
  const spread = ctx.emit("add", [deviation, ctx.scalar(1e-9, x)]);
  return ctx.emit("divide", [ctx.emit("subtract", [x, mean]), spread]);
};

const lpNorm: Converter = (ctx) => {
  const x = ctx.input(0);
  const axis = [ctx.axis(ctx.attrs.int("axis", -1), ctx.rank(x))];
  const isFirst = ctx.attrs.int("p", 2) === 1;
  const sum = ctx.emit("sum", [isFirst ? ctx.emit("abs", [x]) : ctx.emit("multiply", [x, x])], { axis, keepdims: true });
  return ctx.emit("divide", [x, isFirst ? sum : ctx.emit("sqrt", [sum])]);
};

const dropout: Converter = (ctx) => {
  const x = ctx.input(0);
  const training = ctx.optionalNumbers(2, "the training mode")?.[0] ?? 0;
  if (training !== 0) return ctx.unsupported("it is in training mode");
  return ctx.usesOutput(1) ? [x, ctx.emit("equal", [x, x])] : x;
};

/** Normalizations. */
export const normalizationConverters: ConverterTable = {
  BatchNormalization: batchNorm,
  LayerNormalization: layerNorm,
  RMSNormalization: rmsNorm,
  InstanceNormalization: instanceNorm,
  GroupNormalization: groupNorm,
  MeanVarianceNormalization: meanVariance,
  LpNormalization: lpNorm,
  Dropout: dropout,
};
