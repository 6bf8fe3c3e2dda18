import { at } from "@verticil/ir-core";
import { makePrimValue, type Expr } from "@verticil/relax";
import type { ScalarDType } from "@verticil/runtime-ffi";
import { constant } from "@verticil/tir";
import type { Converter, ConverterTable } from "../converter.ts";
import type { NodeContext } from "../node-context.ts";
import { dtypeOf } from "../proto/tensor.ts";
import { convolve } from "./convolution.ts";
import { shifted } from "./matmul.ts";

const RANGES: Readonly<Partial<Record<ScalarDType, readonly [number, number]>>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
  uint16: [0, 65535],
  int4: [-8, 7],
  uint4: [0, 15],
};

/** A scale or a zero point, one for all or one a channel, in the rank of `x`. */
export function along(ctx: NodeContext, v: Expr, x: Expr, axis: number): Expr {
  const rank = ctx.rank(v);
  if (rank === 0) return v;
  if (rank > 1) return byBlocks(ctx, v, x, axis);
  const [size] = ctx.staticDims(v);
  if (size === 1) return ctx.reshape(v, []);
  return ctx.reshape(v, Array.from({ length: ctx.rank(x) }, (_, i) => (i === axis ? (size ?? 1) : 1)));
}

/** One value for each run of `block_size` elements along the axis, repeated for all of them. */
function byBlocks(ctx: NodeContext, v: Expr, x: Expr, axis: number): Expr {
  const size = ctx.attrs.int("block_size", 0);
  const length = at(ctx.staticDims(x), axis);
  const blocks = at(ctx.staticDims(v), axis);
  if (ctx.rank(v) !== ctx.rank(x) || size < 1 || blocks * size < length) return ctx.unsupported("its scales do not cover its blocks");
  const repeated = ctx.emit("repeat", [v], { repeats: size, axis });
  if (blocks * size === length) return repeated;
  return ctx.emit("strided_slice", [repeated, ctx.prims([axis]), ctx.prims([0]), ctx.prims([length])]);
}

function axisOf(ctx: NodeContext, x: Expr): number {
  const rank = ctx.rank(x);
  return rank < 2 ? 0 : ctx.axis(ctx.attrs.int("axis", 1), rank);
}

/** `round(x / scale) + zero`, clamped to the type's range. */
export function quantized(ctx: NodeContext, x: Expr, scale: Expr, zero: Expr | undefined, dtype: ScalarDType): Expr {
  const [low, high] = RANGES[dtype] ?? ctx.unsupported(`it quantizes to ${dtype}`);
  const whole = ctx.emit("round", [ctx.emit("divide", [x, scale])]);
  const moved = zero === undefined ? whole : ctx.emit("add", [whole, ctx.astype(zero, ctx.dtype(x))]);
  const float = ctx.dtype(x);
  const clipped = ctx.emit("clip", [moved, makePrimValue(constant(low, float)), makePrimValue(constant(high, float))]);
  return ctx.astype(clipped, dtype);
}

/** `(x - zero) * scale`. */
export function dequantized(ctx: NodeContext, x: Expr, scale: Expr, zero: Expr | undefined): Expr {
  return ctx.emit("multiply", [ctx.astype(shifted(ctx, x, zero), ctx.dtype(scale)), scale]);
}

/** `QuantizeLinear`. */
export const quantizeLinear: Converter = (ctx) => {
  const x = ctx.input(0);
  const axis = axisOf(ctx, x);
  const zero = ctx.optional(2);
  const to = ctx.attrs.int("output_dtype", 0);
  const dtype = zero === undefined ? (to === 0 ? "uint8" : dtypeOf(to, `The result of ${ctx.label}`)) : ctx.dtype(zero);
  const scale = ctx.astype(along(ctx, ctx.input(1), x, axis), ctx.dtype(x));
  return quantized(ctx, x, scale, zero === undefined ? undefined : along(ctx, zero, x, axis), dtype);
};

/** `DequantizeLinear`. */
export const dequantizeLinear: Converter = (ctx) => {
  const x = ctx.input(0);
  const axis = axisOf(ctx, x);
  const zero = ctx.optional(2);
  return dequantized(ctx, x, along(ctx, ctx.input(1), x, axis), zero === undefined ? undefined : along(ctx, zero, x, axis));
};

/** An operand as uint8 over its own range, the scale and the zero point. */
export function dynamicallyQuantized(ctx: NodeContext, x: Expr): readonly [Expr, Expr, Expr] {
  const zeroFloat = ctx.scalar(0, x);
  const low = ctx.emit("minimum", [ctx.emit("min", [x]), zeroFloat]);
  const high = ctx.emit("maximum", [ctx.emit("max", [x]), zeroFloat]);
  const scale = ctx.emit("divide", [ctx.emit("subtract", [high, low]), ctx.scalar(255, x)]);
  const offset = ctx.emit("round", [ctx.emit("divide", [ctx.emit("negative", [low]), scale])]);
  const bounded = ctx.emit("clip", [offset, makePrimValue(constant(0, "float32")), makePrimValue(constant(255, "float32"))]);
  const zero = ctx.astype(bounded, "uint8");
  return [quantized(ctx, x, scale, zero, "uint8"), scale, zero];
}

const dynamicQuantize: Converter = (ctx) => dynamicallyQuantized(ctx, ctx.input(0));

const qlinearMatmul: Converter = (ctx) => {
  const vector = (i: number, column: boolean): Expr => {
    const v = ctx.input(i);
    const isPerLine = ctx.rank(v) === 1 && at(ctx.staticDims(v), 0) !== 1;
    if (isPerLine) return column ? ctx.reshape(v, [...ctx.dims(v), 1]) : v;
    return ctx.rank(v) === 1 ? ctx.reshape(v, []) : v;
  };
  const a = dequantized(ctx, ctx.input(0), vector(1, true), vector(2, true));
  const b = dequantized(ctx, ctx.input(3), vector(4, false), vector(5, false));
  return quantized(ctx, ctx.emit("matmul", [a, b]), vector(6, true), vector(7, true), ctx.dtype(ctx.input(7)));
};

const convInteger: Converter = (ctx) => {
  const [x, weight] = [ctx.input(0), ctx.input(1)];
  const zeroX = ctx.optional(2);
  const zeroW = ctx.optional(3);
  const moved = shifted(ctx, x, zeroX === undefined ? undefined : along(ctx, zeroX, x, 1));
  return convolve(ctx, moved, shifted(ctx, weight, zeroW === undefined ? undefined : along(ctx, zeroW, weight, 0)), undefined);
};

const qlinearConv: Converter = (ctx) => {
  const [x, weight] = [ctx.input(0), ctx.input(3)];
  const scaleX = along(ctx, ctx.input(1), x, 1);
  const scaleW = ctx.input(4);
  const a = dequantized(ctx, x, scaleX, along(ctx, ctx.input(2), x, 1));
  const b = dequantized(ctx, weight, along(ctx, scaleW, weight, 0), along(ctx, ctx.input(5), weight, 0));
  const bias = ctx.optional(8);
  // The bias is an integer in units of both scales.
  const flatScale = ctx.rank(scaleW) === 0 ? scaleW : ctx.reshape(scaleW, ctx.dims(scaleW));
  const floatBias = bias === undefined ? undefined : ctx.emit("multiply", [ctx.astype(bias, "float32"), ctx.emit("multiply", [flatScale, scaleX])]);
  const y = convolve(ctx, a, b, floatBias);
  return quantized(ctx, y, along(ctx, ctx.input(6), y, 1), along(ctx, ctx.input(7), y, 1), ctx.dtype(ctx.input(7)));
};

/** Quantization; integer kernels are not used, the arithmetic is that of the dequantized values. */
export const quantizationConverters: ConverterTable = {
  QuantizeLinear: quantizeLinear,
  DequantizeLinear: dequantizeLinear,
  DynamicQuantizeLinear: dynamicQuantize,
  QLinearMatMul: qlinearMatmul,
  QLinearConv: qlinearConv,
  ConvInteger: convInteger,
};
