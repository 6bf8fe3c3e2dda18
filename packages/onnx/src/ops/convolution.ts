import { at } from "@verticil/ir-core";
import type { Expr } from "@verticil/relax";
import { zeros } from "@verticil/runtime-ffi";
import type { Converter, ConverterTable } from "../converter.ts";
import type { NodeContext } from "../node-context.ts";
import { spatialLetters, windowsOf } from "./windows.ts";

/** A bias added along the channels. */
export function addBias(ctx: NodeContext, y: Expr, bias: Expr | undefined, spatial: number): Expr {
  if (bias === undefined) return y;
  const [channels] = ctx.dims(bias);
  return ctx.emit("add", [y, ctx.reshape(bias, [1, channels ?? 1, ...Array.from({ length: spatial }, () => 1)])]);
}

const conv: Converter = (ctx) => convolve(ctx, ctx.input(0), ctx.input(1), ctx.optional(2));

/** A convolution with the node's attributes. */
export function convolve(ctx: NodeContext, x: Expr, weight: Expr, bias: Expr | undefined, outDType?: string): Expr {
  const kernel = ctx.staticDims(weight, "the shape of its weights").slice(2);
  const n = kernel.length;
  const letters = spatialLetters(ctx, n);
  const w = windowsOf(ctx, kernel, () => ctx.staticDims(x).slice(2));
  const attrs = {
    strides: w.strides,
    padding: w.pads,
    dilation: w.dilations,
    groups: ctx.attrs.int("group", 1),
    data_layout: `NC${letters}`,
    kernel_layout: `OI${letters}`,
    ...(outDType === undefined ? {} : { out_dtype: outDType }),
  };
  return addBias(ctx, ctx.emit(`nn.conv${n}d`, [x, weight], attrs), bias, n);
}

/**
 * A depthwise convolution along the last axis that sees nothing of the future: what came before the input is the past
 * state, or silence; the end of the input is the state to go on from.
 */
const causalConv: Converter = (ctx) => {
  const [x, weight] = [ctx.input(0), ctx.input(1)];
  const [batch = 1, channels = 1, length = 1] = ctx.staticDims(x);
  const kernel = at(ctx.staticDims(weight, "the shape of its weights"), 2);
  const activation = ctx.attrs.string("activation", "none");
  if (activation !== "none" && activation !== "silu" && activation !== "swish") return ctx.unsupported(`its activation is ${activation}`);
  const past = ctx.optional(3) ?? ctx.constant(zeros(ctx.dtype(x), [batch, channels, kernel - 1]));
  const whole = kernel === 1 ? x : ctx.emit("concat", [ctx.tuple([past, x])], { axis: 2 });
  const sums = ctx.emit("nn.conv1d", [whole, weight], { groups: channels, data_layout: "NCW", kernel_layout: "OIW" });
  const y = addBias(ctx, sums, ctx.optional(2), 1);
  const state = ctx.emit("strided_slice", [whole, ctx.prims([2]), ctx.prims([length]), ctx.prims([length + kernel - 1])]);
  return [activation === "none" ? y : ctx.emit("multiply", [y, ctx.emit("sigmoid", [y])]), state];
};

const convTranspose: Converter = (ctx) => {
  const [x, weight] = [ctx.input(0), ctx.input(1)];
  const kernel = ctx.staticDims(weight, "the shape of its weights").slice(2);
  const n = kernel.length;
  const letters = spatialLetters(ctx, n);
  const strides = ctx.attrs.ints("strides") ?? kernel.map(() => 1);
  const dilations = ctx.attrs.ints("dilations") ?? kernel.map(() => 1);
  const spans = kernel.map((k, i) => (k - 1) * at(dilations, i) + 1);
  const { padding, extra } = transposedPads(ctx, { x, strides, spans });
  const attrs = {
    strides,
    padding,
    output_padding: extra,
    dilation: dilations,
    groups: ctx.attrs.int("group", 1),
    data_layout: `NC${letters}`,
    kernel_layout: `IO${letters}`,
  };
  return addBias(ctx, ctx.emit(`nn.conv${n}d_transpose`, [x, weight], attrs), ctx.optional(2), n);
};

interface Transposed {
  readonly x: Expr;
  readonly strides: readonly number[];
  /** Kernel sizes with dilation. */
  readonly spans: readonly number[];
}

/** Padding of a transposed convolution: as written, or such that the output has the size that is asked for. */
function transposedPads(ctx: NodeContext, t: Transposed): { readonly padding: readonly number[]; readonly extra: readonly number[] } {
  const n = t.spans.length;
  const extra = ctx.attrs.ints("output_padding") ?? t.spans.map(() => 0);
  const auto = ctx.attrs.string("auto_pad", "NOTSET");
  const wanted = ctx.attrs.ints("output_shape")?.slice(-n);
  const isSame = auto.startsWith("SAME");
  if (wanted === undefined && !isSame) {
    return { padding: ctx.attrs.ints("pads") ?? [...t.spans, ...t.spans].map(() => 0), extra };
  }
  const sizes = ctx.staticDims(t.x).slice(2);
  const totals = sizes.map((size, i) => {
    const stride = at(t.strides, i);
    const target = wanted === undefined ? size * stride : at(wanted, i);
    return stride * (size - 1) + at(extra, i) + at(t.spans, i) - target;
  });
  // Where the output is to be larger than the windows reach, it is made so at the end.
  const grown = totals.map((total, i) => at(extra, i) + Math.max(0, -total));
  const less = totals.map((total) => Math.floor(Math.max(0, total) / 2));
  const more = totals.map((total) => Math.ceil(Math.max(0, total) / 2));
  return { padding: auto === "SAME_UPPER" ? [...less, ...more] : [...more, ...less], extra: grown };
}

/** Convolutions. */
export const convolutionConverters: ConverterTable = { Conv: conv, ConvTranspose: convTranspose, CausalConvWithState: causalConv };
