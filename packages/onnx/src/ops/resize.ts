import { at } from "@verticil/ir-core";
import { makeShapeExpr, type Expr } from "@verticil/relax";
import { tensorFrom } from "@verticil/runtime-ffi";
import { asInt, constant, mul, type PrimExpr } from "@verticil/tir";
import type { AttrMap } from "@verticil/ir-core";
import type { Converter, ConverterTable } from "../converter.ts";
import type { NodeContext } from "../node-context.ts";
import { openResize } from "./open-resize.ts";
import { nearest, resampled } from "./resample.ts";
import { broughtInside, sampleLinear } from "./sampling.ts";

const METHODS: Readonly<Record<string, string>> = { nearest: "nearest_neighbor", linear: "linear", bilinear: "linear", cubic: "cubic" };

const resize: Converter = (ctx) => {
  const x = ctx.input(0);
  const method = methodOf(ctx);
  const isOld = ctx.opset < 11;
  const coordinates = isOld ? "asymmetric" : ctx.attrs.string("coordinate_transformation_mode", "half_pixel");
  if (isOpen(ctx, coordinates)) {
    return openResize(ctx, x, {
      method,
      coordinates,
      rounding: roundingOf(ctx, method, isOld),
      cubicAlpha: ctx.attrs.float("cubic_coeff_a", -0.75),
      excludeOutside: ctx.attrs.flag("exclude_outside"),
      antialias: ctx.attrs.flag("antialias"),
      extrapolation: ctx.attrs.float("extrapolation_value", 0),
    });
  }
  const attrs: AttrMap = {
    method,
    // Both are the same where the scale is the ratio of the sizes, and other scales do not come to this.
    coordinate_transformation_mode: coordinates === "half_pixel_symmetric" ? "half_pixel" : coordinates,
    rounding_method: roundingOf(ctx, method, isOld),
    cubic_alpha: ctx.attrs.float("cubic_coeff_a", -0.75),
    cubic_exclude: ctx.attrs.int("exclude_outside", 0),
    extrapolation_value: ctx.attrs.float("extrapolation_value", 0),
  };
  const sizes = isOld ? scaledDims(ctx, x, ctx.numbers(1, "the scales")) : targetDims(ctx, x);
  const matrices = byMatrices(ctx, x, sizes, { method, coordinates, isOld });
  if (matrices !== undefined) return matrices;
  return resized(ctx, x, sizes, coordinates === "tf_crop_and_resize" ? { ...attrs, roi: roiOf(ctx, x) } : attrs);
};

/** True where the model computes more than the sizes of some axes: scales, a region, or the sizes of all axes. */
function isOpen(ctx: NodeContext, coordinates: string): boolean {
  const isComputed = (i: number): boolean => ctx.optionalValue(i) !== undefined && ctx.known(i) === undefined;
  if (ctx.opset < 11) return isComputed(1);
  if (isComputed(2) || (coordinates === "tf_crop_and_resize" && isComputed(1))) return true;
  if (!isComputed(3)) return false;
  return ctx.attrs.ints("axes") === undefined || ctx.attrs.flag("antialias") || ctx.attrs.string("keep_aspect_ratio_policy", "stretch") !== "stretch";
}

/**
 * Relax's resize knows sizes only. Where the scales are not their ratio, or the filter widens, the weights are worked
 * out here; undefined where neither is so.
 */
function byMatrices(
  ctx: NodeContext,
  x: Expr,
  sizes: readonly PrimExpr[],
  how: { readonly method: string; readonly coordinates: string; readonly isOld: boolean },
): Expr | undefined {
  const antialias = ctx.attrs.flag("antialias");
  const { method, coordinates } = how;
  if (coordinates === "tf_crop_and_resize" || (antialias && method === "nearest_neighbor")) {
    return antialias ? ctx.unsupported("it is antialiased in this mode") : undefined;
  }
  const from = ctx.dims(x).map((d) => asInt(d));
  const to = sizes.map((d) => asInt(d));
  if (!from.every((d) => d !== undefined) || !to.every((d) => d !== undefined)) return antialias ? ctx.dynamic("the shape of its input") : undefined;
  const axes = ctx.axes(ctx.attrs.ints("axes") ?? from.map((_, i) => i), from.length);
  const given = how.isOld ? ctx.numbers(1, "the scales") : (ctx.optionalNumbers(2, "the scales", true) ?? keptScales(ctx, axes.map((a) => at(from, a))));
  const scales = from.map((d, i) => given?.[axes.indexOf(i)] ?? at(to, i) / d);
  if (method === "nearest_neighbor" && to.some((n, i) => n < 1 || at(from, i) < 1)) return undefined;
  const isExact = scales.every((s, i) => Math.abs(s * at(from, i) - at(to, i)) < 1e-3);
  if (isExact && !antialias) return undefined;
  if (method === "nearest_neighbor") return nearest(ctx, x, to, scales, { coordinates, rounding: roundingOf(ctx, method, how.isOld) });
  return resampled(ctx, x, to, scales, {
    method: method === "cubic" ? "cubic" : "linear",
    coordinates,
    cubicAlpha: ctx.attrs.float("cubic_coeff_a", -0.75),
    excludeOutside: ctx.attrs.flag("exclude_outside"),
    antialias,
  });
}

function methodOf(ctx: NodeContext): string {
  const mode = ctx.attrs.string("mode", "nearest");
  return METHODS[mode] ?? ctx.unsupported(`its mode is \`${mode}\``);
}

function roundingOf(ctx: NodeContext, method: string, isOld: boolean): string {
  if (method !== "nearest_neighbor") return "";
  return isOld ? "floor" : ctx.attrs.string("nearest_mode", "round_prefer_floor");
}

/** Old models scale up by attribute or by their second input. */
const upsample: Converter = (ctx) => {
  const x = ctx.input(0);
  const method = methodOf(ctx);
  const scales = ctx.opset < 9 ? (ctx.attrs.floats("scales") ?? ctx.unsupported("it has no scales")) : ctx.numbers(1, "the scales");
  const attrs = { method, coordinate_transformation_mode: "asymmetric", rounding_method: method === "nearest_neighbor" ? "floor" : "" };
  return resized(ctx, x, scaledDims(ctx, x, scales), attrs);
};

function scaledDims(ctx: NodeContext, x: Expr, scales: readonly number[]): readonly PrimExpr[] {
  return ctx.dims(x).map((d, i) => scaledDim(ctx, d, at(scales, i)));
}

function scaledDim(ctx: NodeContext, d: PrimExpr, scale: number): PrimExpr {
  if (scale === 1) return d;
  const n = asInt(d);
  // A scale such as 1/3 is stored rounded; what it was meant to give is an integer.
  if (n !== undefined) return constant(Math.floor(n * scale + 1e-4), "int64");
  if (Number.isInteger(scale)) return ctx.simplify(mul(d, scale));
  return ctx.unsupported("it scales an axis of unknown size by a fraction");
}

/** The sizes after resizing, from `sizes` or `scales`, for all axes. */
function targetDims(ctx: NodeContext, x: Expr): readonly PrimExpr[] {
  const own = ctx.dims(x);
  const axes = ctx.axes(ctx.attrs.ints("axes") ?? own.map((_, i) => i), own.length);
  const out = [...own];
  const scales = ctx.optionalNumbers(2, "the scales", true);
  if (scales !== undefined) {
    for (const [i, axis] of axes.entries()) out[axis] = scaledDim(ctx, at(own, axis), at(scales, i));
    return out;
  }
  const sizes = ctx.dimsInput(3, "the sizes");
  const kept = keptRatio(ctx, axes.map((a) => at(own, a)), sizes);
  for (const [i, axis] of axes.entries()) out[axis] = at(kept, i);
  return out;
}

/** Sizes that keep the aspect ratio where the model asks for it. */
function keptRatio(ctx: NodeContext, own: readonly PrimExpr[], sizes: readonly PrimExpr[]): readonly PrimExpr[] {
  if (ctx.attrs.string("keep_aspect_ratio_policy", "stretch") === "stretch") return sizes;
  const from = own.map((d) => asInt(d) ?? ctx.unsupported("it keeps the ratio of axes of unknown size"));
  const ratio = ratioOf(ctx, from, sizes.map((d) => asInt(d) ?? ctx.unsupported("it keeps the ratio of unknown sizes")));
  return from.map((n) => constant(Math.round(n * ratio), "int64"));
}

/** The one scale of all axes that keeps the aspect ratio; undefined where the model does not ask for it. */
function keptScales(ctx: NodeContext, from: readonly number[]): readonly number[] | undefined {
  if (ctx.attrs.string("keep_aspect_ratio_policy", "stretch") === "stretch") return undefined;
  const ratio = ratioOf(ctx, from, ctx.numbers(3, "the sizes"));
  return from.map(() => ratio);
}

function ratioOf(ctx: NodeContext, from: readonly number[], sizes: readonly number[]): number {
  const ratios = sizes.map((size, i) => size / at(from, i));
  return ctx.attrs.string("keep_aspect_ratio_policy", "stretch") === "not_larger" ? Math.min(...ratios) : Math.max(...ratios);
}

/** The region in Relax's order (all begins, then all ends) over the spatial axes. */
function roiOf(ctx: NodeContext, x: Expr): readonly number[] {
  const rank = ctx.rank(x);
  const roi = ctx.numbers(1, "the region");
  const axes = ctx.axes(ctx.attrs.ints("axes") ?? Array.from({ length: rank }, (_, i) => i), rank);
  const begins = new Array<number>(rank).fill(0);
  const ends = new Array<number>(rank).fill(1);
  for (const [i, axis] of axes.entries()) [begins[axis], ends[axis]] = [at(roi, i), at(roi, i + axes.length)];
  return [...begins.slice(2), ...ends.slice(2)];
}

/** Resizes the axes whose size changes, seen as the spatial axes of an image. */
function resized(ctx: NodeContext, x: Expr, sizes: readonly PrimExpr[], attrs: AttrMap): Expr {
  const dims = ctx.dims(x);
  const changed = dims.flatMap((d, i) => (d === at(sizes, i) || (asInt(d) !== undefined && asInt(d) === asInt(at(sizes, i))) ? [] : [i]));
  if (changed.length === 0 && attrs["coordinate_transformation_mode"] !== "tf_crop_and_resize") return x;
  const rank = dims.length;
  const layout = layoutFor(rank, changed);
  if (layout !== undefined) {
    const target = [...layout].flatMap((letter, i) => ("DHW".includes(letter) ? [at(sizes, i)] : []));
    return ctx.emit(`image.resize${target.length}d`, [x, makeShapeExpr(target)], { ...attrs, layout });
  }
  const isSignal = rank < 3 || (rank === 3 && changed.every((c) => c === 2));
  if (!isSignal) return resizedLast(ctx, x, sizes, changed, attrs);
  // A signal or a bare matrix is an image with axes of size 1 in front.
  const [image, goal] = rank === 3 ? [[at(dims, 0), at(dims, 1), 1, at(dims, 2)], [constant(1, "int64"), at(sizes, 2)]] : [[1, 1, ...onesBefore(dims)], onesBefore(sizes)];
  const y = ctx.emit("image.resize2d", [ctx.reshape(x, image), makeShapeExpr(goal)], { ...attrs, layout: "NCHW" });
  return ctx.reshape(y, sizes);
}

/** Resizes any axes, moved behind the others, which are one list of images meanwhile. */
function resizedLast(ctx: NodeContext, x: Expr, sizes: readonly PrimExpr[], changed: readonly number[], attrs: AttrMap): Expr {
  const isPart = attrs["coordinate_transformation_mode"] === "tf_crop_and_resize";
  if (isPart || changed.length > 3) return ctx.unsupported(`it resizes ${isPart ? "a part of " : ""}the axes ${changed.join(", ")} of ${sizes.length}`);
  const kept = sizes.flatMap((_, i) => (changed.includes(i) ? [] : [i]));
  const order = [...kept, ...changed];
  const dims = ctx.dims(x);
  const one = constant(1, "int64");
  const images = kept.reduce<PrimExpr>((n, i) => mul(n, at(dims, i)), one);
  const spatial = (of: readonly PrimExpr[]): readonly PrimExpr[] => [...(changed.length === 1 ? [one] : []), ...changed.map((i) => at(of, i))];
  const image = ctx.reshape(ctx.transpose(x, order), [one, ctx.simplify(images), ...spatial(dims)]);
  const goal = spatial(sizes);
  const resize = ctx.emit(`image.resize${goal.length}d`, [image, makeShapeExpr(goal)], { ...attrs, layout: goal.length === 2 ? "NCHW" : "NCDHW" });
  const back = order.map((_, i) => order.indexOf(i));
  return ctx.transpose(ctx.reshape(resize, order.map((i) => at(sizes, i))), back);
}

function onesBefore(dims: readonly PrimExpr[]): readonly PrimExpr[] {
  return dims.length === 1 ? [constant(1, "int64"), at(dims, 0)] : dims;
}

function layoutFor(rank: number, changed: readonly number[]): string | undefined {
  const within = (...axes: readonly number[]): boolean => changed.every((c) => axes.includes(c));
  if (rank === 4 && within(2, 3)) return "NCHW";
  if (rank === 4 && within(1, 2)) return "NHWC";
  if (rank === 5 && within(2, 3, 4)) return "NCDHW";
  return rank === 5 && within(1, 2, 3) ? "NDHWC" : undefined;
}

const gridSample: Converter = (ctx) => {
  const [x, grid] = [ctx.input(0), ctx.input(1)];
  if (ctx.rank(x) === 5) return volumeSample(ctx, x, grid);
  if (ctx.rank(x) !== 4) return ctx.unsupported("its input is not an image");
  const mode = ctx.attrs.string("mode", ctx.opset < 20 ? "bilinear" : "linear");
  const methods: Readonly<Record<string, string>> = { bilinear: "bilinear", linear: "bilinear", nearest: "nearest", bicubic: "bicubic", cubic: "bicubic" };
  return ctx.emit("image.grid_sample", [x, ctx.transpose(grid, [0, 3, 1, 2])], {
    method: methods[mode] ?? ctx.unsupported(`its mode is \`${mode}\``),
    layout: "NCHW",
    padding_mode: ctx.attrs.string("padding_mode", "zeros"),
    align_corners: ctx.attrs.flag("align_corners"),
  });
};

/** A volume read at the points of a grid, whose last axis is x, y, z in `[-1, 1]`. */
function volumeSample(ctx: NodeContext, x: Expr, grid: Expr): Expr {
  const mode = ctx.attrs.string("mode", ctx.opset < 20 ? "bilinear" : "linear");
  if (mode !== "linear" && mode !== "bilinear" && mode !== "nearest") return ctx.unsupported(`it samples a volume in the mode \`${mode}\``);
  const outside = ctx.attrs.string("padding_mode", "zeros");
  const [batch = 1, channels = 1, ...sizes] = ctx.staticDims(x);
  const [, ...out] = ctx.staticDims(grid).slice(0, -1);
  const count = out.reduce((a, b) => a * b, 1);
  const align = ctx.attrs.flag("align_corners");
  const points = sizes.map((size, d) => {
    const last = ctx.emit("take", [grid, ctx.scalar(sizes.length - 1 - d, "int64")], { axis: sizes.length + 1 });
    const [factor, shift] = align ? [(size - 1) / 2, (size - 1) / 2] : [size / 2, (size - 1) / 2];
    const scaled = ctx.emit("multiply", [ctx.reshape(last, [batch, count]), ctx.scalar(factor, grid)]);
    const point = ctx.emit("add", [scaled, ctx.scalar(shift, grid)]);
    // As onnxruntime has it: rounded before it is brought inside.
    const place = mode === "nearest" ? ctx.emit("round", [point]) : point;
    return broughtInside(ctx, place, size, outside, align);
  });
  return ctx.reshape(sampleLinear(ctx, x, points), [batch, channels, ...out]);
}

/** The places of a volume's cells through affine maps `[n, 3, 4]`. */
function volumeGrid(ctx: NodeContext, sizes: readonly number[]): Expr {
  const theta = ctx.input(0);
  const [depth = 1, height = 1, width = 1] = sizes;
  const align = ctx.attrs.flag("align_corners");
  const place = (i: number, n: number): number => (align ? (n === 1 ? 0 : (2 * i) / (n - 1) - 1) : (2 * i + 1) / n - 1);
  const cells = Array.from({ length: depth * height * width }, (_, i) => [
    place(i % width, width),
    place(Math.floor(i / width) % height, height),
    place(Math.floor(i / (width * height)), depth),
    1,
  ]);
  const base = ctx.constant(tensorFrom(cells.flat(), [1, cells.length, 4], ctx.dtype(theta)));
  const grid = ctx.emit("matmul", [base, ctx.transpose(theta, [0, 2, 1])]);
  return ctx.reshape(grid, [at(ctx.dims(theta), 0), ...sizes, 3]);
}

const affineGrid: Converter = (ctx) => {
  const size = ctx.dimsInput(1, "the size");
  if (size.length === 5) return volumeGrid(ctx, size.slice(2).map((d) => asInt(d) ?? ctx.dynamic("the size of its grid")));
  if (size.length !== 4) return ctx.unsupported("its grid is not that of an image");
  const grid = ctx.emit("image.affine_grid", [ctx.input(0), makeShapeExpr(size.slice(2))], { align_corners: ctx.attrs.flag("align_corners") });
  return ctx.transpose(grid, [0, 2, 3, 1]);
};

/** Operators on images. */
export const resizeConverters: ConverterTable = {
  Resize: resize,
  Upsample: upsample,
  GridSample: gridSample,
  AffineGrid: affineGrid,
};
