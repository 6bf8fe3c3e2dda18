import { at } from "@verticil/ir-core";
import type { Expr } from "@verticil/relax";
import type { Converter, ConverterTable } from "../converter.ts";
import type { NodeContext } from "../node-context.ts";
import { embedded } from "./contrib.ts";
import { selfAttention } from "./contrib-attention.ts";
import { channelsFirst } from "./channels-last.ts";
import { matmulInteger, shifted } from "./matmul.ts";
import { averagePooled, maxPooled } from "./pooling.ts";
import { dequantized, dequantizeLinear, dynamicallyQuantized, qlinearConvOf, quantized, quantizeLinear } from "./quantization.ts";

// Quantized operators of ONNX Runtime: what the plain operator makes of the dequantized values, quantized again.

/** Input `i` with its scale and zero point after it, as floats. */
function floats(ctx: NodeContext, i: number): Expr {
  return dequantized(ctx, ctx.input(i), scalar(ctx, ctx.input(i + 1)), optionalScalar(ctx, i + 2));
}

function scalar(ctx: NodeContext, x: Expr): Expr {
  return ctx.rank(x) === 0 ? x : ctx.reshape(x, []);
}

function optionalScalar(ctx: NodeContext, i: number): Expr | undefined {
  const x = ctx.optional(i);
  return x === undefined ? undefined : scalar(ctx, x);
}

/** Floats in the type, scale and zero point of the inputs from `i` on; without a zero point the type is that of `like`. */
function back(ctx: NodeContext, y: Expr, i: number, like: Expr): Expr {
  const zero = optionalScalar(ctx, i + 1);
  return quantized(ctx, y, scalar(ctx, ctx.input(i)), zero, ctx.dtype(zero ?? like));
}

const binary =
  (op: "add" | "multiply"): Converter =>
  (ctx) =>
    back(ctx, ctx.emit(op, [floats(ctx, 0), floats(ctx, 3)]), 6, ctx.input(0));

const unary =
  (f: (ctx: NodeContext, x: Expr) => Expr): Converter =>
  (ctx) =>
    back(ctx, f(ctx, floats(ctx, 0)), 3, ctx.input(0));

const leakyRelu = unary((ctx, x) => ctx.emit("nn.leakyrelu", [x], { alpha: ctx.attrs.float("alpha", 0.01) }));

const softmax = unary((ctx, x) => {
  const rank = ctx.rank(x);
  const axis = ctx.axis(ctx.attrs.int("axis", -1), rank);
  if (ctx.attrs.int("opset", 13) >= 13) return ctx.emit("nn.softmax", [x], { axis });
  // Before opset 13 all axes from this one on are one.
  const dims = ctx.staticDims(x);
  const count = (list: readonly number[]): number => list.reduce((a, b) => a * b, 1);
  return ctx.reshape(ctx.emit("nn.softmax", [ctx.reshape(x, [count(dims.slice(0, axis)), count(dims.slice(axis))])], { axis: 1 }), dims);
});

/** Channels last moved to where the plain operator has them, if the node says that they are last. */
function asSaid(ctx: NodeContext, x: Expr, f: (x: Expr) => Expr): Expr {
  return ctx.attrs.flag("channels_last") ? channelsFirst(ctx, x, f) : f(x);
}

const globalAverage = unary((ctx, x) => {
  return asSaid(ctx, x, (y) => ctx.emit("mean", [y], { axis: Array.from({ length: ctx.rank(y) - 2 }, (_, i) => i + 2), keepdims: true }));
});

const averagePool = unary((ctx, x) => asSaid(ctx, x, (y) => averagePooled(ctx, y)));

const reduceMean = unary((ctx, x) => {
  const axes = ctx.axes(ctx.attrs.ints("axes") ?? ctx.unsupported("it has no axes"), ctx.rank(x));
  return ctx.emit("mean", [x], { axis: axes, keepdims: ctx.attrs.flag("keepdims", true) });
});

const where: Converter = (ctx) => back(ctx, ctx.emit("where", [ctx.input(0), floats(ctx, 1), floats(ctx, 4)]), 7, ctx.input(1));

/** Inputs come in threes after the scale and the zero point of the result. */
const concat: Converter = (ctx) => {
  const parts = Array.from({ length: (ctx.inputCount - 2) / 3 }, (_, k) => floats(ctx, 2 + 3 * k));
  const joined = ctx.emit("concat", [ctx.tuple(parts)], { axis: ctx.axis(ctx.attrs.int("axis", 0), ctx.rank(at(parts, 0))) });
  return back(ctx, joined, 0, ctx.input(2));
};

/** One a column where there are several, else a scalar. */
function perColumn(ctx: NodeContext, x: Expr): Expr {
  return ctx.rank(x) === 1 && at(ctx.staticDims(x), 0) === 1 ? ctx.reshape(x, []) : x;
}

/** Products of integers, times both scales. */
function scaledProduct(ctx: NodeContext, a: { readonly x: Expr; readonly zero: Expr | undefined; readonly scale: Expr }, b: typeof a, bias: Expr | undefined): Expr {
  const product = ctx.emit("matmul", [shifted(ctx, a.x, a.zero), shifted(ctx, b.x, b.zero)]);
  const scale = ctx.emit("multiply", [a.scale, b.scale]);
  const y = ctx.emit("multiply", [ctx.astype(product, ctx.dtype(scale)), scale]);
  return bias === undefined ? y : ctx.emit("add", [y, bias]);
}

const optionalColumn = (ctx: NodeContext, i: number): Expr | undefined => {
  const x = ctx.optional(i);
  return x === undefined ? undefined : perColumn(ctx, x);
};

const integerToFloat: Converter = (ctx) => {
  const a = { x: ctx.input(0), scale: perColumn(ctx, ctx.input(2)), zero: optionalColumn(ctx, 4) };
  return scaledProduct(ctx, a, { x: ctx.input(1), scale: perColumn(ctx, ctx.input(3)), zero: optionalColumn(ctx, 5) }, ctx.optional(6));
};

/** The left side quantized as `DynamicQuantizeLinear` does. */
const dynamicMatMul: Converter = (ctx) => {
  const [x, scale, zero] = dynamicallyQuantized(ctx, ctx.input(0));
  return scaledProduct(ctx, { x, scale, zero }, { x: ctx.input(1), scale: perColumn(ctx, ctx.input(2)), zero: optionalColumn(ctx, 3) }, ctx.optional(4));
};

/** The projections of quantized words with quantized weights; attention itself is in floats. */
const attention: Converter = (ctx) => {
  const a = { x: ctx.input(0), scale: perColumn(ctx, ctx.input(3)), zero: optionalColumn(ctx, 6) };
  const projected = scaledProduct(ctx, a, { x: ctx.input(1), scale: perColumn(ctx, ctx.input(4)), zero: optionalColumn(ctx, 7) }, ctx.optional(2));
  return selfAttention(ctx, projected, { mask: ctx.optional(5), past: ctx.optional(8), added: undefined });
};

/** The addend is in units of both scales, before `alpha`. Without a scale of the result the result is in floats. */
const gemm: Converter = (ctx) => {
  const turned = (x: Expr, flag: string): Expr => (ctx.attrs.flag(flag) ? ctx.transpose(x, [1, 0]) : x);
  const zeroB = optionalColumn(ctx, 5);
  const b = turned(ctx.input(3), "transB");
  const product = ctx.emit("matmul", [shifted(ctx, turned(ctx.input(0), "transA"), optionalScalar(ctx, 2)), shifted(ctx, b, zeroB)]);
  const c = ctx.optional(6);
  const sum = c === undefined ? product : ctx.emit("add", [product, c]);
  const units = ctx.emit("multiply", [scalar(ctx, ctx.input(1)), perColumn(ctx, ctx.input(4))]);
  const factor = ctx.emit("multiply", [units, ctx.scalar(ctx.attrs.float("alpha", 1), units)]);
  const y = ctx.emit("multiply", [ctx.astype(sum, ctx.dtype(factor)), factor]);
  return ctx.optionalValue(7) === undefined ? y : back(ctx, y, 7, ctx.input(0));
};

/** Tables in integers, each with a scale and a zero point: words, places, segments, and what scales and moves the result. */
const embedLayerNorm: Converter = (ctx) => {
  const table = (i: number, k: number): Expr => dequantized(ctx, ctx.input(i), scalar(ctx, ctx.input(8 + k)), optionalScalar(ctx, 13 + k));
  const segments = ctx.optionalValue(4) === undefined ? undefined : table(4, 2);
  const [y, counted] = embedded(ctx, { words: table(2, 0), places: table(3, 1), segments, gamma: table(5, 3), beta: table(6, 4), mask: ctx.optional(7), at: undefined });
  return [y, counted];
};

const maxPool: Converter = (ctx) => channelsFirst(ctx, ctx.input(0), (x) => maxPooled(ctx, x));

const conv: Converter = (ctx) => asSaid(ctx, ctx.input(0), (x) => qlinearConvOf(ctx, x));

/** Quantized operators of ONNX Runtime's own domain. */
export const contribQuantizedConverters: ConverterTable = {
  "com.microsoft:QuantizeLinear": quantizeLinear,
  "com.microsoft:DequantizeLinear": dequantizeLinear,
  "com.microsoft:QLinearAdd": binary("add"),
  "com.microsoft:QLinearMul": binary("multiply"),
  "com.microsoft:QLinearSigmoid": unary((ctx, x) => ctx.emit("sigmoid", [x])),
  "com.microsoft:QLinearLeakyRelu": leakyRelu,
  "com.microsoft:QLinearSoftmax": softmax,
  "com.microsoft:QLinearGlobalAveragePool": globalAverage,
  "com.microsoft:QLinearAveragePool": averagePool,
  "com.microsoft:QLinearConcat": concat,
  "com.microsoft:QLinearReduceMean": reduceMean,
  "com.microsoft:QLinearWhere": where,
  "com.microsoft:QLinearConv": conv,
  "com.microsoft:QGemm": gemm,
  "com.microsoft:QAttention": attention,
  "com.microsoft:QEmbedLayerNormalization": embedLayerNorm,
  "com.microsoft:NhwcMaxPool": maxPool,
  "com.microsoft:MatMulInteger16": matmulInteger,
  "com.microsoft:MatMulIntegerToFloat": integerToFloat,
  "com.microsoft:DynamicQuantizeMatMul": dynamicMatMul,
};
