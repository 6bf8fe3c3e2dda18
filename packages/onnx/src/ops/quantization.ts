import { at } from "@verticil/ir-core";
import { makePrimValue, type Expr } from "@verticil/relax";
import { isFloat, zeros, type ScalarDType } from "@verticil/runtime-ffi";
import { constant } from "@verticil/tir";
import type { Converter, ConverterTable } from "../converter.ts";
import type { NodeContext } from "../node-context.ts";
import { dtypeOf } from "../proto/tensor.ts";
import { convolve } from "./convolution.ts";
import { isSmallFloat, toSmallFloat } from "./small-float.ts";
import { shifted } from "./matmul.ts";

const RANGES: Readonly<Partial<Record<ScalarDType, readonly [number, number]>>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
  uint16: [0, 65535],
  int4: [-8, 7],
  uint4: [0, 15],
};

/** A scale or a zero point as `R.quantize` takes it where it can: a scalar or a vector of channels; those of blocks in the rank of `x`. */
function asOperand(ctx: NodeContext, v: Expr, x: Expr, axis: number): Expr {
  if (ctx.rank(v) > 1) return along(ctx, v, x, axis);
  return ctx.rank(v) === 1 && ctx.staticDims(v)[0] === 1 ? scalarOf(ctx, v) : v;
}

/** A tensor of one element as a scalar. */
function scalarOf(ctx: NodeContext, v: Expr): Expr {
  return v.kind === "relax.Constant" ? ctx.constant({ ...v.data, shape: [] }) : ctx.reshape(v, []);
}

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

/** The rank and the axis of scales that `R.quantize` takes: one for all, or one a channel. */
function isPlain(ctx: NodeContext, scale: Expr, zero: Expr | undefined): boolean {
  return ctx.rank(scale) <= 1 && (zero === undefined || ctx.rank(zero) === ctx.rank(scale));
}

function zeroPoint(ctx: NodeContext, zero: Expr | undefined, scale: Expr, dtype: ScalarDType): Expr {
  return zero ?? ctx.constant(zeros(dtype, ctx.rank(scale) === 0 ? [] : ctx.staticDims(scale)));
}

/**
 * `round(x / scale) + zero`, clamped to the type's range. One scale a channel is a vector along `axis`; scales of the rank
 * of `x` broadcast.
 */
export function quantized(ctx: NodeContext, x: Expr, scale: Expr, zero: Expr | undefined, dtype: ScalarDType, axis = -1): Expr {
  if (isSmallFloat(dtype)) return quantizedToSmallFloat(ctx, x, scale, zero, dtype, axis);
  const [low, high] = RANGES[dtype] ?? ctx.unsupported(`it quantizes to ${dtype}`);
  if (isPlain(ctx, scale, zero) && isFloat(ctx.dtype(x))) {
    return ctx.emit("quantize", [x, scale, zeroPoint(ctx, zero, scale, dtype)], { axis, out_dtype: dtype });
  }
  const whole = ctx.emit("round", [ctx.emit("divide", [x, scale])]);
  const moved = zero === undefined ? whole : ctx.emit("add", [whole, ctx.astype(zero, ctx.dtype(x))]);
  const float = ctx.dtype(x);
  const clipped = ctx.emit("clip", [moved, makePrimValue(constant(low, float)), makePrimValue(constant(high, float))]);
  return ctx.astype(clipped, dtype);
}

function quantizedToSmallFloat(ctx: NodeContext, x: Expr, scale: Expr, zero: Expr | undefined, dtype: ScalarDType, axis: number): Expr {
  const rank = ctx.rank(x);
  const along = (v: Expr): Expr => {
    if (ctx.rank(v) !== 1 || rank < 2) return v;
    const own = ctx.axis(axis, rank);
    return ctx.reshape(v, Array.from({ length: rank }, (_, i) => (i === own ? at(ctx.dims(v), 0) : 1)));
  };
  const scaled = ctx.emit("divide", [x, along(scale)]);
  return toSmallFloat(ctx, zero === undefined ? scaled : ctx.emit("add", [scaled, along(ctx.astype(zero, ctx.dtype(x)))]), dtype);
}

/** `(x - zero) * scale`; scales as in `quantized`. */
export function dequantized(ctx: NodeContext, x: Expr, scale: Expr, zero: Expr | undefined, axis = -1): Expr {
  if (isPlain(ctx, scale, zero)) {
    return ctx.emit("dequantize", [x, scale, zeroPoint(ctx, zero, scale, ctx.dtype(x))], { axis, out_dtype: ctx.dtype(scale) });
  }
  return ctx.emit("multiply", [ctx.astype(shifted(ctx, x, zero), ctx.dtype(scale)), scale]);
}

/** `QuantizeLinear`. */
export const quantizeLinear: Converter = (ctx) => {
  const x = ctx.input(0);
  const axis = axisOf(ctx, x);
  const zero = ctx.optional(2);
  const to = ctx.attrs.int("output_dtype", 0);
  const dtype = zero === undefined ? (to === 0 ? "uint8" : dtypeOf(to, `The result of ${ctx.label}`)) : ctx.dtype(zero);
  const scale = ctx.astype(asOperand(ctx, ctx.input(1), x, axis), ctx.dtype(x));
  return quantized(ctx, x, scale, zero === undefined ? undefined : asOperand(ctx, zero, x, axis), dtype, axis);
};

/** `DequantizeLinear`. */
export const dequantizeLinear: Converter = (ctx) => {
  const x = ctx.input(0);
  const axis = axisOf(ctx, x);
  const zero = ctx.optional(2);
  return dequantized(ctx, x, asOperand(ctx, ctx.input(1), x, axis), zero === undefined ? undefined : asOperand(ctx, zero, x, axis), axis);
};

/** An operand as uint8 over its own range, the scale and the zero point. */
export function dynamicallyQuantized(ctx: NodeContext, x: Expr): readonly [Expr, Expr, Expr] {
  const zeroFloat = ctx.scalar(0, x);
  const low = ctx.emit("minimum", [ctx.emit("min", [x]), zeroFloat]);
  const high = ctx.emit("maximum", [ctx.emit("max", [x]), zeroFloat]);
  const range = ctx.emit("divide", [ctx.emit("subtract", [high, low]), ctx.scalar(255, x)]);
  // Of zeros alone, or of nothing, the scale is 1.
  const scale = ctx.emit("where", [ctx.emit("equal", [range, zeroFloat]), ctx.scalar(1, x), range]);
  const offset = ctx.emit("round", [ctx.emit("divide", [ctx.emit("negative", [low]), scale])]);
  const bounded = ctx.emit("clip", [offset, makePrimValue(constant(0, "float32")), makePrimValue(constant(255, "float32"))]);
  const zero = ctx.astype(bounded, "uint8");
  return [quantized(ctx, x, scale, zero, "uint8"), scale, zero];
}

const dynamicQuantize: Converter = (ctx) => dynamicallyQuantized(ctx, ctx.input(0));

const qlinearMatmul: Converter = (ctx) => {
  const [x, w] = [ctx.input(0), ctx.input(3)];
  const operand = (i: number): Expr => asOperand(ctx, ctx.input(i), x, -1);
  // One scale a row of the first operand and of the result, one a column of the second.
  const row = Math.max(0, ctx.rank(x) - 2);
  const a = dequantized(ctx, x, operand(1), operand(2), row);
  const b = dequantized(ctx, w, operand(4), operand(5), Math.max(0, ctx.rank(w) - 1));
  return quantized(ctx, ctx.emit("matmul", [a, b]), operand(6), operand(7), ctx.dtype(ctx.input(7)), row);
};

const convInteger: Converter = (ctx) => {
  const [x, weight] = [ctx.input(0), ctx.input(1)];
  const zeroX = ctx.optional(2);
  const zeroW = ctx.optional(3);
  const moved = shifted(ctx, x, zeroX === undefined ? undefined : along(ctx, zeroX, x, 1), "int16");
  return convolve(ctx, moved, shifted(ctx, weight, zeroW === undefined ? undefined : along(ctx, zeroW, weight, 0), "int16"), undefined, "int32");
};

const qlinearConv: Converter = (ctx) => qlinearConvOf(ctx, ctx.input(0));

/** `QLinearConv` of an image with channels first. */
export function qlinearConvOf(ctx: NodeContext, x: Expr): Expr {
  const weight = ctx.input(3);
  const operand = (i: number): Expr => asOperand(ctx, ctx.input(i), x, 1);
  const [scaleX, scaleW] = [operand(1), operand(4)];
  const a = dequantized(ctx, x, scaleX, operand(2), 1);
  const b = dequantized(ctx, weight, scaleW, operand(5), 0);
  const bias = ctx.optional(8);
  // The bias is an integer in units of both scales.
  const units = ctx.emit("multiply", [scaleW, scaleX]);
  const floatBias = bias === undefined ? undefined : dequantized(ctx, bias, units, undefined, 0);
  const y = convolve(ctx, a, b, floatBias);
  return quantized(ctx, y, operand(6), operand(7), ctx.dtype(ctx.input(7)), 1);
}

/** Quantization in the words of `R.quantize` and `R.dequantize`; `QDQToInteger` makes integer arithmetic of them. */
export const quantizationConverters: ConverterTable = {
  QuantizeLinear: quantizeLinear,
  DequantizeLinear: dequantizeLinear,
  DynamicQuantizeLinear: dynamicQuantize,
  QLinearMatMul: qlinearMatmul,
  QLinearConv: qlinearConv,
  ConvInteger: convInteger,
};
