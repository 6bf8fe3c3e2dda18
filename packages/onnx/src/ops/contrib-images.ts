import { at } from "@verticil/ir-core";
import { makeShapeExpr, type Expr } from "@verticil/relax";
import { asInt } from "@verticil/tir";
import type { Converter, ConverterTable } from "../converter.ts";
import type { NodeContext } from "../node-context.ts";
import { channelsFirst } from "./channels-last.ts";
import { activated, withBias } from "./contrib.ts";
import { convolve } from "./convolution.ts";
import { resizeConverters } from "./resize.ts";
import { sampleLinear } from "./sampling.ts";
import { readAs } from "./read-as.ts";

// Operators of ONNX Runtime on images, most of them with channels last: what its tools write for diffusion models.

/** Channels in groups, normalized over all pixels and the channels of a group. */
function groupNormalized(ctx: NodeContext, x: Expr): Expr {
  const groups = ctx.attrs.int("groups") ?? ctx.unsupported("it has no groups");
  const normalize = (y: Expr): Expr => {
    const [gamma, beta] = [ctx.input(1), ctx.input(2)].map((v) => ctx.astype(v, ctx.dtype(y)));
    if (gamma === undefined || beta === undefined) throw new Error("internal: a scale and a bias");
    return ctx.emit("nn.group_norm", [y, gamma, beta], { num_groups: groups, channel_axis: 1, axes: [2, 3], epsilon: ctx.attrs.float("epsilon", 1e-5) });
  };
  const y = ctx.attrs.flag("channels_last", true) ? channelsFirst(ctx, x, normalize) : normalize(x);
  return ctx.attrs.flag("activation") ? ctx.emit("nn.silu", [y]) : y;
}

const groupNorm: Converter = (ctx) => groupNormalized(ctx, ctx.input(0));

/** The same of a sum, which is its second output. The second summand is an image, or one number a channel of each image. */
const skipGroupNorm: Converter = (ctx) => {
  const [x, skip] = [ctx.input(0), ctx.input(3)];
  const [batch = 1, channels = 1] = ctx.dims(skip);
  const summand = ctx.rank(skip) === 2 ? ctx.reshape(skip, [batch, 1, 1, channels]) : skip;
  const sum = withBias(ctx, ctx.emit("add", [x, summand]), ctx.optional(4));
  return [groupNormalized(ctx, sum), sum];
};

/** The left half of the last axis times the Gelu of its right half. */
const biasSplitGelu: Converter = (ctx) => {
  const sum = ctx.emit("add", [ctx.input(0), ctx.input(1)]);
  const halves = ctx.emit("split", [sum], { indices_or_sections: 2, axis: ctx.rank(sum) - 1 });
  return ctx.emit("multiply", [ctx.field(halves, 0), ctx.emit("nn.gelu", [ctx.field(halves, 1)])]);
};

/** Its weights have channels last too. */
const nhwcConv: Converter = (ctx) => {
  const weight = ctx.transpose(ctx.input(1), [0, 3, 1, 2]);
  return channelsFirst(ctx, ctx.input(0), (x) => convolve(ctx, x, weight, ctx.optional(2)));
};

/** Its weights have channels first. */
const nhwcFusedConv: Converter = (ctx) => {
  const y = channelsFirst(ctx, ctx.input(0), (x) => convolve(ctx, x, ctx.input(1), ctx.optional(2)));
  const [alpha, beta] = ctx.attrs.floats("activation_params") ?? [];
  return activated(ctx, withBias(ctx, y, ctx.optional(3)), alpha, beta);
};

/** Places of a region's pixels along one axis, in pixels of the image, `[regions, count]`. */
function placesOf(ctx: NodeContext, rois: Expr, axis: number, size: number, count: number): Expr {
  const edge = (i: number): Expr => ctx.emit("multiply", [ctx.emit("strided_slice", [rois, ctx.prims([1]), ctx.prims([i]), ctx.prims([i + 1])]), ctx.scalar(size - 1, rois)]);
  const [first, last] = [edge(axis), edge(axis + 2)];
  const share = Array.from({ length: count }, (_, i) => (count === 1 ? 0.5 : i / (count - 1)));
  const steps = share.map((s) => ctx.emit("add", [first, ctx.emit("multiply", [ctx.emit("subtract", [last, first]), ctx.scalar(s, rois)])]));
  return ctx.emit("concat", [ctx.tuple(steps)], { axis: 1 });
}

/** Regions of images at one size; what lies outside of the image has a value of its own. */
const cropAndResize: Converter = (ctx) => {
  const [x, rois] = [ctx.input(0), ctx.input(1)];
  const [height = 1, width = 1] = ctx.numbers(3, "the size of its crops");
  const [, channels = 1, ...sizes] = ctx.staticDims(x);
  const count = asInt(at(ctx.dims(rois), 0)) ?? ctx.dynamic("the number of its regions");
  const mode = ctx.attrs.string("mode", "bilinear");
  if (mode !== "bilinear" && mode !== "nearest") return ctx.unsupported(`its mode is \`${mode}\``);
  const images = ctx.emit("take", [x, ctx.input(2)], { axis: 0 });
  const everywhere = (places: Expr, axis: number): Expr => {
    const shaped = ctx.reshape(places, axis === 0 ? [count, height, 1] : [count, 1, width]);
    return ctx.reshape(ctx.emit("broadcast_to", [shaped, makeShapeExpr([count, height, width])]), [count, height * width]);
  };
  const points = sizes.map((size, axis) => everywhere(placesOf(ctx, rois, axis, size, axis === 0 ? height : width), axis));
  const rounded = mode === "nearest" ? points.map((p) => ctx.emit("floor", [ctx.emit("add", [p, ctx.scalar(0.5, p)])])) : points;
  const isInside = points.map((p, axis) => ctx.emit("logical_and", [ctx.emit("greater_equal", [p, ctx.scalar(0, p)]), ctx.emit("less_equal", [p, ctx.scalar(at(sizes, axis) - 1, p)])]));
  const inside = ctx.reshape(isInside.reduce((a, b) => ctx.emit("logical_and", [a, b])), [count, 1, height * width]);
  const outside = ctx.scalar(ctx.attrs.float("extrapolation_value", 0), x);
  const y = ctx.emit("where", [inside, sampleLinear(ctx, images, rounded), outside]);
  return ctx.reshape(y, [count, channels, height, width]);
};

/** Images in ONNX Runtime's own domain. */
export const contribImageConverters: ConverterTable = {
  "com.microsoft:GroupNorm": groupNorm,
  "com.microsoft:SkipGroupNorm": skipGroupNorm,
  "com.microsoft:BiasSplitGelu": biasSplitGelu,
  "com.microsoft:NhwcConv": nhwcConv,
  "com.microsoft:NhwcFusedConv": nhwcFusedConv,
  "com.microsoft:CropAndResize": cropAndResize,
  "com.microsoft:GridSample": readAs(resizeConverters, "GridSample", 16),
};
