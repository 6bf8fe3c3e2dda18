import { at } from "@verticil/ir-core";
import { tensorFrom } from "@verticil/runtime-ffi";
import type { Expr } from "@verticil/relax";
import type { Converter, ConverterTable } from "../converter.ts";
import type { NodeContext } from "../node-context.ts";
import { addBias } from "./convolution.ts";
import { sampleLinear } from "./sampling.ts";
import { windowsOf, type Windows } from "./windows.ts";

/**
 * A convolution whose every tap is moved by an offset: the taps are read between the pixels into columns, weighed by the
 * mask, and multiplied with the weights. Over images only, as in the standard's models.
 */
const deformConv: Converter = (ctx) => {
  const [x, weight, offset] = [ctx.input(0), ctx.input(1), ctx.input(2)];
  const [batch = 1, channels = 1, ...sizes] = ctx.staticDims(x);
  const [outChannels = 1, perGroup = 1, ...kernel] = ctx.staticDims(weight, "the shape of its weights");
  if (sizes.length !== 2) return ctx.unsupported("its input is not an image");
  const [, , ...out] = ctx.staticDims(offset, "the shape of its offsets");
  const groups = ctx.attrs.int("group", 1);
  const offsetGroups = ctx.attrs.int("offset_group", 1);
  const taps = kernel.reduce((a, b) => a * b, 1);
  const area = out.reduce((a, b) => a * b, 1);
  const windows = windowsOf(ctx, kernel, () => sizes);
  const mask = ctx.optional(4);
  const each = channels / offsetGroups;
  const parts = Array.from({ length: offsetGroups }, (_, g) => {
    const points = [0, 1].map((axis) => tapsOf(ctx, offset, { group: g, axis, kernel, out, windows, batch }));
    const data = sliced(ctx, x, 1, g * each, (g + 1) * each);
    const read = ctx.reshape(sampleLinear(ctx, data, points), [batch, each, taps, area]);
    return mask === undefined ? read : ctx.emit("multiply", [read, ctx.reshape(sliced(ctx, mask, 1, g * taps, (g + 1) * taps), [batch, 1, taps, area])]);
  });
  const columns = ctx.reshape(offsetGroups === 1 ? at(parts, 0) : ctx.emit("concat", [ctx.tuple(parts)], { axis: 1 }), [batch, groups, perGroup * taps, area]);
  const rows = ctx.reshape(weight, [1, groups, outChannels / groups, perGroup * taps]);
  const y = ctx.reshape(ctx.emit("matmul", [rows, columns]), [batch, outChannels, ...out]);
  return addBias(ctx, y, ctx.optional(3), 2);
};

interface Taps {
  readonly group: number;
  readonly axis: number;
  readonly kernel: readonly number[];
  readonly out: readonly number[];
  readonly windows: Windows;
  readonly batch: number;
}

/** Where the taps of an offset group lie along an axis, `[batch, taps * area]`. */
function tapsOf(ctx: NodeContext, offset: Expr, { group, axis, kernel, out, windows, batch }: Taps): Expr {
  const [kh = 1, kw = 1] = kernel;
  const [oh = 1, ow = 1] = out;
  const grid = Array.from({ length: kh * kw * oh * ow }, (_, i) => {
    const place = axis === 0 ? Math.floor(i / ow) % oh : i % ow;
    const tap = axis === 0 ? Math.floor(i / (kw * oh * ow)) : Math.floor(i / (oh * ow)) % kw;
    return place * at(windows.strides, axis) - at(windows.pads, axis) + tap * at(windows.dilations, axis);
  });
  const still = ctx.constant(tensorFrom(grid, [1, grid.length], ctx.dtype(offset)));
  const own = sliced(ctx, offset, 1, group * 2 * kh * kw, (group + 1) * 2 * kh * kw);
  const pairs = ctx.reshape(own, [batch, kh * kw, 2, oh * ow]);
  return ctx.emit("add", [ctx.reshape(sliced(ctx, pairs, 2, axis, axis + 1), [batch, grid.length]), still]);
}

function sliced(ctx: NodeContext, x: Expr, axis: number, from: number, to: number): Expr {
  if (from === 0 && to === at(ctx.staticDims(x), axis)) return x;
  return ctx.emit("strided_slice", [x, ctx.prims([axis]), ctx.prims([from]), ctx.prims([to])]);
}

/** Convolutions that sample between pixels. */
export const deformConverters: ConverterTable = { DeformConv: deformConv };
