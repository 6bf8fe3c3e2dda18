import { at } from "@verticil/ir-core";
import { makeShapeExpr, type Expr } from "@verticil/relax";
import { tensorFrom, type Tensor } from "@verticil/runtime-ffi";
import { asInt } from "@verticil/tir";
import type { Converter, ConverterTable } from "../converter.ts";
import type { NodeContext } from "../node-context.ts";
import { splitAt } from "./shape.ts";
import { spatialLetters, windowsOf, type Windows } from "./windows.ts";

/** A pooling with the node's attributes. */
function pool(ctx: NodeContext, kind: "max" | "avg", x: Expr, countPads: boolean): Expr {
  const kernel = ctx.attrs.ints("kernel_shape") ?? ctx.unsupported("it has no kernel_shape");
  const n = kernel.length;
  const w = windowsOf(ctx, kernel, () => ctx.staticDims(x).slice(2));
  const padding = ctx.attrs.flag("ceil_mode") ? ctx.dims(x).slice(2).reduce((pads, d, i) => withoutEmptyWindow(pads, w, i, asInt(d)), w.pads) : w.pads;
  return ctx.emit(`nn.${kind}_pool${n}d`, [withoutUnread(ctx, x, padding)], {
    pool_size: w.kernel,
    strides: w.strides,
    dilation: w.dilations,
    padding: padding.map((p) => Math.max(p, 0)),
    ceil_mode: ctx.attrs.flag("ceil_mode"),
    count_include_pad: countPads,
    layout: `NC${spatialLetters(ctx, n)}`,
  });
}

/** An image without what no window reads at its ends: there the border is less than nothing. */
function withoutUnread(ctx: NodeContext, x: Expr, pads: readonly number[]): Expr {
  const n = pads.length / 2;
  const cut = pads.slice(n).flatMap((p, i) => (p < 0 ? [{ axis: i + 2, end: (ctx.staticDims(x)[i + 2] ?? 0) + p }] : []));
  if (cut.length === 0) return x;
  return ctx.emit("strided_slice", [x, ctx.prims(cut.map((c) => c.axis)), ctx.prims(cut.map(() => 0)), ctx.prims(cut.map((c) => c.end))]);
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
  if (ctx.usesOutput(1)) return maxPoolWithPositions(ctx, ctx.input(0));
  return maxPooled(ctx, ctx.input(0));
};

/** The maxima, and where they are in the whole tensor: each cell of the window is compared with the best so far. */
function maxPoolWithPositions(ctx: NodeContext, x: Expr): readonly Expr[] {
  const kernel = ctx.attrs.ints("kernel_shape") ?? ctx.unsupported("it has no kernel_shape");
  const [batch = 1, channels = 1, ...sizes] = ctx.staticDims(x);
  const w = windowsOf(ctx, kernel, () => sizes);
  const n = kernel.length;
  const spans = kernel.map((k, i) => (k - 1) * at(w.dilations, i) + 1);
  const isCeil = ctx.attrs.flag("ceil_mode");
  const pads = isCeil ? sizes.reduce((p, size, i) => withoutEmptyWindow(p, w, i, size), w.pads) : w.pads;
  const counts = sizes.map((size, i) => {
    const steps = (size + at(pads, i) + at(pads, i + n) - at(spans, i)) / at(w.strides, i);
    return (isCeil ? Math.ceil(steps) : Math.floor(steps)) + 1;
  });
  // As far as the last window reaches.
  const ends = counts.map((count, i) => (count - 1) * at(w.strides, i) + at(spans, i) - at(pads, i) - at(sizes, i));
  const dtype = ctx.dtype(x);
  const lowest = dtype === "uint8" ? 0 : dtype === "int8" ? -128 : dtype === "float16" ? -65504 : -3.4028234663852886e38;
  const widths = [0, 0, 0, 0, ...sizes.flatMap((_, i) => [at(pads, i), Math.max(0, at(ends, i))])];
  const padded = widths.every((p) => p === 0) ? x : ctx.emit("nn.pad", [x], { pad_width: widths, pad_value: lowest, pad_mode: "constant" });
  const axes = sizes.map((_, i) => i + 2);
  const cut = (y: Expr, offset: readonly number[]): Expr => {
    const begin = offset.map((o, i) => o * at(w.dilations, i));
    const end = begin.map((b, i) => b + (at(counts, i) - 1) * at(w.strides, i) + 1);
    return ctx.emit("strided_slice", [y, ctx.prims(axes), ctx.prims(begin), ctx.prims(end), ctx.prims(w.strides)]);
  };
  const places = ctx.constant(positionsOf(sizes, widths.slice(4), ctx.attrs.flag("storage_order")));
  const [first, ...others] = cellsOf(kernel).map((offset) => ({ value: cut(padded, offset), place: cut(places, offset) }));
  if (first === undefined) return ctx.unsupported("its windows are empty");
  const whole = { ...first, place: ctx.emit("broadcast_to", [first.place, makeShapeExpr([batch, channels, ...counts])]) };
  const best = others.reduce((a, b) => {
    const isMore = ctx.emit("greater", [b.value, a.value]);
    return { value: ctx.emit("where", [isMore, b.value, a.value]), place: ctx.emit("where", [isMore, b.place, a.place]) };
  }, whole);
  const area = sizes.reduce((a, b) => a * b, 1);
  const starts = tensorFrom(Array.from({ length: batch * channels }, (_, i) => i * area), [batch, channels, ...sizes.map(() => 1)], "int64");
  return [best.value, ctx.emit("add", [best.place, ctx.constant(starts)])];
}

/** The positions within a window, row by row. */
function cellsOf(kernel: readonly number[]): readonly (readonly number[])[] {
  return kernel.reduce<readonly (readonly number[])[]>((all, k) => all.flatMap((head) => Array.from({ length: k }, (_, i) => [...head, i])), [[]]);
}

/** The number of each cell of a padded image, row by row or column by column, `[1, 1, ...sizes]`; the border's are not used. */
function positionsOf(sizes: readonly number[], widths: readonly number[], isColumnMajor: boolean): Tensor {
  const padded = sizes.map((size, i) => size + at(widths, 2 * i) + at(widths, 2 * i + 1));
  const steps = sizes.map((_, i) => (isColumnMajor ? sizes.slice(0, i) : sizes.slice(i + 1)).reduce((a, b) => a * b, 1));
  const values = cellsOf(padded).map((cell) => cell.reduce((sum, c, i) => sum + Math.min(Math.max(c - at(widths, 2 * i), 0), at(sizes, i) - 1) * at(steps, i), 0));
  return tensorFrom(values, [1, 1, ...padded], "int64");
}

/** `AveragePool` of an operand with the node's attributes. */
export function averagePooled(ctx: NodeContext, x: Expr): Expr {
  return pool(ctx, "avg", x, ctx.attrs.flag("count_include_pad"));
}

/** `MaxPool` of an operand with the node's attributes. */
export function maxPooled(ctx: NodeContext, x: Expr): Expr {
  return pool(ctx, "max", x, false);
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
    mode: ctx.attrs.string("mode", "avg") === "max" ? "max_share" : "avg",
  });
};

/** Corners are rounded here, halves away from zero as onnxruntime does; `R.vision.roi_pool` takes them to even. */
const maxRoiPool: Converter = (ctx) => {
  const rois = ctx.input(1);
  const [batch, corners] = splitAt(ctx, rois, 1, [1, 4]);
  if (batch === undefined || corners === undefined) throw new Error("internal: a region has five numbers");
  const scaled = ctx.emit("multiply", [corners, ctx.scalar(ctx.attrs.float("spatial_scale", 1), rois)]);
  const whole = ctx.emit("floor", [ctx.emit("add", [ctx.emit("abs", [scaled]), ctx.scalar(0.5, rois)])]);
  const rounded = ctx.emit("multiply", [ctx.emit("sign", [scaled]), whole]);
  return ctx.emit("vision.roi_pool", [ctx.input(0), ctx.emit("concat", [ctx.tuple([batch, rounded])], { axis: 1 })], {
    pooled_size: [...(ctx.attrs.ints("pooled_shape") ?? ctx.unsupported("it has no pooled_shape"))],
    spatial_scale: 1,
    layout: "NCHW",
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
  MaxRoiPool: maxRoiPool,
};
