import { makePrimValue, type Expr } from "@verticil/relax";
import { asInt, constant } from "@verticil/tir";
import { versions, type Converter, type ConverterTable } from "../converter.ts";
import type { NodeContext } from "../node-context.ts";

const relu: Converter = (ctx) => ctx.emit("nn.relu", [ctx.input(0)]);
const sigmoid: Converter = (ctx) => ctx.emit("sigmoid", [ctx.input(0)]);

const leakyRelu: Converter = (ctx) => ctx.emit("nn.leakyrelu", [ctx.input(0)], { alpha: ctx.attrs.float("alpha", 0.01) });

/** `alpha * (exp(x) - 1)`, the negative part of several activations. */
function expMinusOne(ctx: NodeContext, x: Expr, alpha: number): Expr {
  const grown = ctx.emit("subtract", [ctx.emit("exp", [x]), ctx.scalar(1, x)]);
  return alpha === 1 ? grown : ctx.emit("multiply", [ctx.scalar(alpha, x), grown]);
}

function positive(ctx: NodeContext, x: Expr): Expr {
  return ctx.emit("greater", [x, ctx.scalar(0, x)]);
}

function eluOf(ctx: NodeContext, x: Expr, alpha: number): Expr {
  // The exponential of a large number is never used, but an infinity times zero would be.
  const low = ctx.emit("minimum", [x, ctx.scalar(0, x)]);
  return ctx.emit("where", [positive(ctx, x), x, expMinusOne(ctx, low, alpha)]);
}

const elu: Converter = (ctx) => eluOf(ctx, ctx.input(0), ctx.attrs.float("alpha", 1));

const SELU_ALPHA = 1.6732632423543772;
const SELU_GAMMA = 1.0507009873554805;

const selu: Converter = (ctx) => {
  const x = ctx.input(0);
  const alpha = ctx.attrs.float("alpha", SELU_ALPHA);
  const gamma = ctx.attrs.float("gamma", SELU_GAMMA);
  if (Math.abs(alpha - SELU_ALPHA) < 1e-6 && Math.abs(gamma - SELU_GAMMA) < 1e-6) return ctx.emit("nn.selu", [x]);
  const low = ctx.emit("minimum", [x, ctx.scalar(0, x)]);
  const value = ctx.emit("where", [positive(ctx, x), x, expMinusOne(ctx, low, alpha)]);
  return ctx.emit("multiply", [ctx.scalar(gamma, x), value]);
};

const celu: Converter = (ctx) => {
  const x = ctx.input(0);
  const alpha = ctx.attrs.float("alpha", 1);
  const low = ctx.emit("minimum", [x, ctx.scalar(0, x)]);
  const scaled = alpha === 1 ? low : ctx.emit("divide", [low, ctx.scalar(alpha, x)]);
  return ctx.emit("add", [ctx.emit("nn.relu", [x]), expMinusOne(ctx, scaled, alpha)]);
};

const prelu: Converter = (ctx) => {
  const [x, slope] = [ctx.input(0), ctx.input(1)];
  const dims = ctx.dims(slope).map(asInt);
  const rank = ctx.rank(x);
  const isPerChannel = rank > 1 && dims.length === rank - 1 && dims.slice(1).every((d) => d === 1);
  const channels = asInt(ctx.dims(x)[1] ?? constant(0, "int64"));
  if (isPerChannel && dims[0] === channels && channels !== undefined) {
    return ctx.emit("nn.prelu", [x, ctx.reshape(slope, [channels])], { axis: 1 });
  }
  return ctx.emit("where", [ctx.emit("less", [x, ctx.scalar(0, x)]), ctx.emit("multiply", [slope, x]), x]);
};

function thresholded(ctx: NodeContext, x: Expr, alpha: number): Expr {
  const isAbove = ctx.emit("greater", [x, ctx.scalar(alpha, x)]);
  return ctx.emit("where", [isAbove, x, ctx.scalar(0, x)]);
}

const thresholdedRelu: Converter = (ctx) => thresholded(ctx, ctx.input(0), ctx.attrs.float("alpha", 1));

/** `alpha * x + beta` between 0 and 1. */
function hardSigmoidOf(ctx: NodeContext, x: Expr, alpha: number, beta: number): Expr {
  const line = ctx.emit("add", [ctx.emit("multiply", [x, ctx.scalar(alpha, x)]), ctx.scalar(beta, x)]);
  const dtype = ctx.dtype(x);
  return ctx.emit("clip", [line, makePrimValue(constant(0, dtype)), makePrimValue(constant(1, dtype))]);
}

const hardSigmoid: Converter = (ctx) =>
  hardSigmoidOf(ctx, ctx.input(0), ctx.attrs.float("alpha", 0.2), ctx.attrs.float("beta", 0.5));

const hardSwish: Converter = (ctx) => {
  const x = ctx.input(0);
  return ctx.emit("multiply", [x, hardSigmoidOf(ctx, x, 1 / 6, 0.5)]);
};

const swish: Converter = (ctx) => swished(ctx, ctx.input(0));

/** `x · sigmoid(alpha · x)`. */
function swished(ctx: NodeContext, x: Expr): Expr {
  const alpha = ctx.attrs.float("alpha", 1);
  if (alpha === 1) return ctx.emit("nn.silu", [x]);
  return ctx.emit("multiply", [x, ctx.emit("sigmoid", [ctx.emit("multiply", [x, ctx.scalar(alpha, x)])])]);
}

/** The first operand through the activation, as a gate of the second. */
const swiGlu: Converter = (ctx) => ctx.emit("multiply", [swished(ctx, ctx.input(0)), ctx.input(1)]);

const softplus: Converter = (ctx) => ctx.emit("nn.softplus", [ctx.input(0)]);

const mish: Converter = (ctx) => {
  const x = ctx.input(0);
  return ctx.emit("multiply", [x, ctx.emit("tanh", [ctx.emit("nn.softplus", [x])])]);
};

const softsign: Converter = (ctx) => {
  const x = ctx.input(0);
  return ctx.emit("divide", [x, ctx.emit("add", [ctx.scalar(1, x), ctx.emit("abs", [x])])]);
};

const gelu: Converter = (ctx) => {
  const isTanh = ctx.attrs.string("approximate", "none") === "tanh";
  return ctx.emit(isTanh ? "nn.gelu_tanh" : "nn.gelu", [ctx.input(0)]);
};

const shrink: Converter = (ctx) => {
  const x = ctx.input(0);
  const [lambd, bias] = [ctx.attrs.float("lambd", 0.5), ctx.attrs.float("bias", 0)];
  const low = ctx.emit("where", [ctx.emit("less", [x, ctx.scalar(-lambd, x)]), ctx.emit("add", [x, ctx.scalar(bias, x)]), ctx.scalar(0, x)]);
  return ctx.emit("where", [ctx.emit("greater", [x, ctx.scalar(lambd, x)]), ctx.emit("subtract", [x, ctx.scalar(bias, x)]), low]);
};

/** Runs `f` on the input seen as a matrix whose rows end at `axis`, as normalizations before opset 13 do. */
function asMatrix(ctx: NodeContext, f: (x: Expr, axis: number) => Expr): Expr {
  const x = ctx.input(0);
  const rank = ctx.rank(x);
  const axis = ctx.axis(ctx.attrs.int("axis", 1), rank);
  const dims = ctx.dims(x);
  if (dims.slice(axis + 1).every((d) => asInt(d) === 1)) return f(x, axis);
  const rows = ctx.staticDims(x).slice(0, axis).reduce((a, b) => a * b, 1);
  const columns = ctx.staticDims(x).slice(axis).reduce((a, b) => a * b, 1);
  return ctx.reshape(f(ctx.reshape(x, [rows, columns]), 1), dims);
}

const onAxis = (f: (ctx: NodeContext, x: Expr, axis: number) => Expr): ReturnType<typeof versions> =>
  versions(
    [1, (ctx): Expr => asMatrix(ctx, (x, axis) => f(ctx, x, axis))],
    [13, (ctx): Expr => f(ctx, ctx.input(0), ctx.axis(ctx.attrs.int("axis", -1), ctx.rank(ctx.input(0))))],
  );

function hardmaxOf(ctx: NodeContext, x: Expr, axis: number): Expr {
  const depth = asInt(ctx.dims(x)[axis] ?? constant(0, "int64"));
  if (depth === undefined) return ctx.unsupported("the size of its axis is not known");
  const position = ctx.emit("argmax", [x], { axis });
  // Where nothing is above minus infinity none is found, which is said by -1.
  const largest = ctx.emit("maximum", [position, ctx.scalar(0, position)]);
  const dtype = ctx.dtype(x);
  const [on, off] = [makePrimValue(constant(1, dtype)), makePrimValue(constant(0, dtype))];
  return ctx.emit("one_hot", [largest, on, off], { depth, axis });
}

/** What an activation makes of an operand. */
export type Activation = (x: Expr) => Expr;

/** How many of the numbers that go with a list of activations each one takes, by its name in small letters. */
export const activationNumbers: Readonly<Record<string, { readonly alpha?: true; readonly beta?: true }>> = {
  affine: { alpha: true, beta: true },
  scaledtanh: { alpha: true, beta: true },
  hardsigmoid: { alpha: true, beta: true },
  leakyrelu: { alpha: true },
  thresholdedrelu: { alpha: true },
  elu: { alpha: true },
};

/** An activation by the name that recurrent and fused operators know it by, with the standard's defaults; undefined for others. */
export function activationNamed(ctx: NodeContext, name: string, alpha: number | undefined, beta: number | undefined): Activation | undefined {
  const scalar = (v: number, x: Expr): Expr => ctx.scalar(v, x);
  const affine = (x: Expr, a: number, b: number): Expr => ctx.emit("add", [ctx.emit("multiply", [x, scalar(a, x)]), scalar(b, x)]);
  switch (name.toLowerCase()) {
    case "sigmoid":
      return (x) => ctx.emit("sigmoid", [x]);
    case "tanh":
      return (x) => ctx.emit("tanh", [x]);
    case "relu":
      return (x) => ctx.emit("nn.relu", [x]);
    case "leakyrelu":
      return (x) => ctx.emit("nn.leakyrelu", [x], { alpha: alpha ?? 0.01 });
    case "affine":
      return (x) => affine(x, alpha ?? 1, beta ?? 0);
    case "scaledtanh":
      return (x) => ctx.emit("multiply", [ctx.emit("tanh", [ctx.emit("multiply", [x, scalar(beta ?? 1, x)])]), scalar(alpha ?? 1, x)]);
    case "hardsigmoid":
      return (x) => ctx.emit("minimum", [ctx.emit("maximum", [affine(x, alpha ?? 0.2, beta ?? 0.5), scalar(0, x)]), scalar(1, x)]);
    case "elu":
      return (x) => eluOf(ctx, x, alpha ?? 1);
    case "thresholdedrelu":
      return (x) => thresholded(ctx, x, alpha ?? 1);
    case "softplus":
      return (x) => ctx.emit("nn.softplus", [x]);
    case "softsign":
      return (x) => ctx.emit("divide", [x, ctx.emit("add", [ctx.emit("abs", [x]), scalar(1, x)])]);
    case "clip":
      return (x) => ctx.emit("clip", [x, ...[alpha ?? -3.4e38, beta ?? 3.4e38].map((v) => makePrimValue(constant(v, ctx.dtype(x))))]);
    default:
      return undefined;
  }
}

/** Activations. */
export const activationConverters: ConverterTable = {
  Relu: relu,
  Sigmoid: sigmoid,
  LeakyRelu: leakyRelu,
  Elu: elu,
  Selu: selu,
  Celu: celu,
  PRelu: prelu,
  ThresholdedRelu: thresholdedRelu,
  HardSigmoid: hardSigmoid,
  HardSwish: hardSwish,
  Swish: swish,
  SwiGLU: swiGlu,
  Softplus: softplus,
  Softsign: softsign,
  Mish: mish,
  Gelu: gelu,
  Shrink: shrink,
  Softmax: onAxis((ctx, x, axis) => ctx.emit("nn.softmax", [x], { axis })),
  LogSoftmax: onAxis((ctx, x, axis) => ctx.emit("nn.log_softmax", [x], { axis })),
  Hardmax: onAxis(hardmaxOf),
};
