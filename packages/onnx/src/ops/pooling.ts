import { at } from "@verticil/ir-core";
import type { Expr } from "@verticil/relax";
import { asInt } from "@verticil/tir";
import type { Converter, ConverterTable } from "../converter.ts";
import type { NodeContext } from "../node-context.ts";
import { spatialLetters, windowsOf, type Windows } from "./windows.ts";

/** A pooling with the node's attributes. */
function pool(ctx: NodeContext, kind: "max" | "avg", x: Expr, countPads: boolean): Expr {
  const kernel = ctx.attrs.ints("kernel_shape") ?? ctx.unsupported("it has no kernel_shape");
  const n = kernel.length;
  const w = windowsOf(ctx, kernel, () => ctx.staticDims(x).slice(2));
  const padding = ctx.attrs.flag("ceil_mode") ? ctx.dims(x).slice(2).reduce((pads, d, i) => withoutEmptyWindow(pads, w, i, asInt(d)), w.pads) : w.pads;
  return ctx.emit(`nn.${kind}_pool${n}d`, [x], {
    pool_size: w.kernel,
    strides: w.strides,
    dilation: w.dilations,
    padding,
    ceil_mode: ctx.attrs.flag("ceil_mode"),
    count_include_pad: countPads,
    layout: `NC${spatialLetters(ctx, n)}`,
  });
}

/**
 * Rounding up must not make a window that starts behind the data and its first border: the border at the end is cut
 * so that nothing is left to round.
 */
function withoutEmptyWindow(pads: readonly number[], w: Windows, i: number, size: number | undefined): readonly number[] {
  if (size === undefined) return pads;
  const n = w.kernel.length;
  const [before, after, stride] = [at(pads, i), at(pads, i + n), at(w.strides, i)];
  const span = (at(w.kernel, i) - 1) * at(w.dilations, i) + 1;
  const room = size + before + after - span;
  const last = Math.ceil(room / stride) * stride;
  if (room % stride === 0 || last < size + before) return pads;
  return pads.map((p, k) => (k === i + n ? after - (room % stride) : p));
}

const maxPool: Converter = (ctx) => {
  if (ctx.usesOutput(1)) return ctx.unsupported("the positions of the maxima are used");
  return pool(ctx, "max", ctx.input(0), false);
};

/** `AveragePool` of an operand with the node's attributes. */
export function averagePooled(ctx: NodeContext, x: Expr): Expr {
  return pool(ctx, "avg", x, ctx.attrs.flag("count_include_pad"));
}

const averagePool: Converter = (ctx) => averagePooled(ctx, ctx.input(0));

/** The sum of powers is the average times the size of the window. */
const lpPool: Converter = (ctx) => {
  const x = ctx.input(0);
  const p = ctx.attrs.int("p", 2);
  const size = (ctx.attrs.ints("kernel_shape") ?? []).reduce((a, b) => a * b, 1);
  const average = pool(ctx, "avg", power(ctx, ctx.emit("abs", [x]), p), true);
  return power(ctx, ctx.emit("multiply", [average, ctx.scalar(size, x)]), 1 / p);
};

function power(ctx: NodeContext, x: Expr, exponent: number): Expr {
  if (exponent === 1) return x;
  if (exponent === 2) return ctx.emit("multiply", [x, x]);
  return exponent === 0.5 ? ctx.emit("sqrt", [x]) : ctx.emit("power", [x, ctx.scalar(exponent, x)]);
}

function spatialAxes(ctx: NodeContext, x: Expr): readonly number[] {
  return Array.from({ length: ctx.rank(x) - 2 }, (_, i) => i + 2);
}

const globalPool =
  (name: "mean" | "max"): Converter =>
  (ctx) => {
    const x = ctx.input(0);
    return ctx.emit(name, [x], { axis: spatialAxes(ctx, x), keepdims: true });
  };

const globalLpPool: Converter = (ctx) => {
  const x = ctx.input(0);
  const p = ctx.attrs.int("p", 2);
  const sum = ctx.emit("sum", [power(ctx, ctx.emit("abs", [x]), p)], { axis: spatialAxes(ctx, x), keepdims: true });
  return power(ctx, sum, 1 / p);
};

/** Local response normalization: the window lies over the channels, which are made a spatial axis for it. */
const lrn: Converter = (ctx) => {
  const x = ctx.input(0);
  const size = ctx.attrs.int("size") ?? ctx.unsupported("it has no size");
  const [batch, channels, ...rest] = ctx.staticDims(x);
  const area = rest.reduce((a, b) => a * b, 1);
  const flat = ctx.reshape(ctx.emit("multiply", [x, x]), [batch ?? 1, 1, channels ?? 1, area]);
  const before = Math.floor((size - 1) / 2);
  const attrs = { pool_size: [size, 1], strides: [1, 1], padding: [before, 0, size - 1 - before, 0], count_include_pad: true, layout: "NCHW" };
  const average = ctx.reshape(ctx.emit("nn.avg_pool2d", [flat], attrs), ctx.dims(x));
  const scaled = ctx.emit("multiply", [average, ctx.scalar(ctx.attrs.float("alpha", 0.0001), x)]);
  const base = ctx.emit("add", [scaled, ctx.scalar(ctx.attrs.float("bias", 1), x)]);
  return ctx.emit("divide", [x, ctx.emit("power", [base, ctx.scalar(ctx.attrs.float("beta", 0.75), x)])]);
};

const roiAlign: Converter = (ctx) => {
  const [x, rois] = [ctx.input(0), ctx.input(1)];
  const count = at(ctx.dims(rois), 0);
  const batch = ctx.reshape(ctx.astype(ctx.input(2), ctx.dtype(rois)), [count, 1]);
  const mode = ctx.attrs.string("coordinate_transformation_mode", ctx.opset < 16 ? "output_half_pixel" : "half_pixel");
  return ctx.emit("vision.roi_align", [x, ctx.emit("concat", [ctx.tuple([batch, rois])], { axis: 1 })], {
    pooled_size: [ctx.attrs.int("output_height", 1), ctx.attrs.int("output_width", 1)],
    spatial_scale: ctx.attrs.float("spatial_scale", 1),
    sample_ratio: ctx.attrs.int("sampling_ratio", 0) === 0 ? -1 : ctx.attrs.int("sampling_ratio", 0),
    aligned: mode === "half_pixel",
    layout: "NCHW",
    mode: ctx.attrs.string("mode", "avg"),
  });
};

/** Poolings and normalizations over windows. */
export const poolingConverters: ConverterTable = {
  MaxPool: maxPool,
  AveragePool: averagePool,
  LpPool: lpPool,
  GlobalAveragePool: globalPool("mean"),
  GlobalMaxPool: globalPool("max"),
  GlobalLpPool: globalLpPool,
  LRN: lrn,
  RoiAlign: roiAlign,
};
