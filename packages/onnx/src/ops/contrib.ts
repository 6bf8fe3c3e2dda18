import { makeShapeExpr, type Expr } from "@verticil/relax";
import { tensorFrom } from "@verticil/runtime-ffi";
import { constant } from "@verticil/tir";
import type { Converter, ConverterTable } from "../converter.ts";
import type { NodeContext } from "../node-context.ts";
import { activationNamed } from "./activation.ts";
import { convolve } from "./convolution.ts";
import { unpackedBits } from "./packed-bits.ts";
import { countedFrom } from "./positions.ts";

// Operators of ONNX Runtime's own domain that exporters and its optimizer write. Semantics: its ContribOperators.md.

/** `x` with a bias added along its last axis, if there is one. */
export function withBias(ctx: NodeContext, x: Expr, bias: Expr | undefined): Expr {
  return bias === undefined ? x : ctx.emit("add", [x, bias]);
}

const fastGelu: Converter = (ctx) => ctx.emit("nn.gelu_tanh", [withBias(ctx, ctx.input(0), ctx.optional(1))]);
const gelu: Converter = (ctx) => ctx.emit("nn.gelu", [ctx.input(0)]);
const biasGelu: Converter = (ctx) => ctx.emit("nn.gelu", [ctx.emit("add", [ctx.input(0), ctx.input(1)])]);
const biasAdd: Converter = (ctx) => ctx.emit("add", [ctx.emit("add", [ctx.input(0), ctx.input(1)]), ctx.input(2)]);

/** `x * sigmoid(alpha * x)`. */
const quickGelu: Converter = (ctx) => {
  const x = ctx.input(0);
  return ctx.emit("multiply", [x, ctx.emit("sigmoid", [ctx.emit("multiply", [x, ctx.scalar(ctx.attrs.float("alpha", 1.702), x)])])]);
};

interface Normalized {
  readonly y: Expr;
  readonly mean: Expr | undefined;
  readonly inverse: Expr | undefined;
}

/** The last axis normalized; the mean and the inverse deviation where the model reads them. */
function layerNormalized(ctx: NodeContext, x: Expr, gamma: Expr, beta: Expr | undefined): Normalized {
  const epsilon = ctx.attrs.float("epsilon", 1e-12);
  const y = ctx.emit("nn.layer_norm", [x, gamma, beta ?? ctx.emit("zeros_like", [gamma])], { axes: [-1], epsilon });
  const mean = ctx.usesOutput(1) ? ctx.emit("mean", [x], { axis: [-1], keepdims: true }) : undefined;
  return { y, mean, inverse: ctx.usesOutput(2) ? inverseRoot(ctx, ctx.emit("variance", [x], { axis: [-1], keepdims: true }), epsilon) : undefined };
}

function inverseRoot(ctx: NodeContext, x: Expr, epsilon: number): Expr {
  return ctx.emit("rsqrt", [ctx.emit("add", [x, ctx.scalar(epsilon, x)])]);
}

const skipLayerNorm: Converter = (ctx) => {
  const sum = withBias(ctx, ctx.emit("add", [ctx.input(0), ctx.input(1)]), ctx.optional(4));
  const { y, mean, inverse } = layerNormalized(ctx, sum, ctx.input(2), ctx.optional(3));
  return [y, mean, inverse, sum];
};

function rootMeanSquare(ctx: NodeContext, x: Expr, gamma: Expr, axes: readonly number[], epsilon: number): readonly [Expr, Expr | undefined] {
  const y = ctx.emit("nn.rms_norm", [x, gamma], { axes, epsilon });
  const last = ctx.usesOutput(2) || ctx.op === "SimplifiedLayerNormalization";
  return [y, last ? inverseRoot(ctx, ctx.emit("mean", [ctx.emit("multiply", [x, x])], { axis: axes, keepdims: true }), epsilon) : undefined];
}

const skipRmsNorm: Converter = (ctx) => {
  const sum = withBias(ctx, ctx.emit("add", [ctx.input(0), ctx.input(1)]), ctx.optional(3));
  const [y, inverse] = rootMeanSquare(ctx, sum, ctx.input(2), [-1], ctx.attrs.float("epsilon", 1e-12));
  return [y, undefined, inverse, sum];
};

const simplifiedLayerNorm: Converter = (ctx) => {
  const x = ctx.input(0);
  const rank = ctx.rank(x);
  const first = ctx.axis(ctx.attrs.int("axis", -1), rank);
  const axes = Array.from({ length: rank - first }, (_, i) => first + i);
  const [y, inverse] = rootMeanSquare(ctx, x, ctx.input(1), axes, ctx.attrs.float("epsilon", 1e-5));
  return ctx.usesOutput(1) ? [y, inverse] : y;
};

interface Embedding {
  /** Tables of words, places and, where there are segments, those. */
  readonly words: Expr;
  readonly places: Expr;
  readonly segments: Expr | undefined;
  readonly gamma: Expr;
  readonly beta: Expr;
  readonly mask: Expr | undefined;
  /** Places of the words where they do not count from the first. */
  readonly at: Expr | undefined;
}

/** Words, their places and their segments looked up, added and normalized; how many words of each row count. */
export function embedded(ctx: NodeContext, e: Embedding): readonly Expr[] {
  const ids = ctx.input(0);
  const [batch = constant(1, "int64"), length = constant(1, "int64")] = ctx.dims(ids);
  const rows = (table: Expr, i: Expr): Expr => ctx.emit("take", [table, i], { axis: 0 });
  const places = e.at ?? ctx.emit("expand_dims", [countedFrom(ctx, constant(0, "int64"), length)], { axis: [0] });
  const segments = ctx.optional(1);
  const placed = ctx.emit("add", [rows(e.words, ids), rows(e.places, places)]);
  const sum = segments === undefined || e.segments === undefined ? placed : ctx.emit("add", [placed, rows(e.segments, segments)]);
  const y = ctx.emit("nn.layer_norm", [sum, e.gamma, e.beta], { axes: [-1], epsilon: ctx.attrs.float("epsilon", 1e-12) });
  const counted = e.mask === undefined ? ctx.emit("full", [makeShapeExpr([batch]), ctx.constant(tensorFrom([0], [], "int32"))], { dtype: "int32" }) : ctx.emit("sum", [e.mask], { axis: [1], keepdims: false });
  return [y, counted, sum];
}

const embedLayerNorm: Converter = (ctx) =>
  embedded(ctx, { words: ctx.input(2), places: ctx.input(3), segments: ctx.optional(4), gamma: ctx.input(5), beta: ctx.input(6), mask: ctx.optional(7), at: ctx.optional(8) });

/** A convolution, something added to it, and an activation. */
const fusedConv: Converter = (ctx) => {
  const y = convolve(ctx, ctx.input(0), ctx.input(1), ctx.optional(2));
  const [alpha, beta] = ctx.attrs.floats("activation_params") ?? [];
  return activated(ctx, withBias(ctx, y, ctx.optional(3)), alpha, beta);
};

/** What the node's `activation` makes of `x`. */
export function activated(ctx: NodeContext, x: Expr, alpha: number | undefined, beta: number | undefined): Expr {
  const name = ctx.attrs.string("activation", "");
  return name === "" ? x : (activationNamed(ctx, name, alpha, beta)?.(x) ?? ctx.unsupported(`its activation is \`${name}\``));
}

/** Axes with the last two swapped, or the first moved before the last where the batch is transposed. */
function operand(ctx: NodeContext, i: number, flag: string, batchFlag: string): Expr {
  const x = ctx.input(i);
  const rank = ctx.rank(x);
  const all = Array.from({ length: rank }, (_, k) => k);
  // [M, batch, K] stands for [batch, M, K].
  const unbatched = ctx.attrs.flag(batchFlag) ? ctx.transpose(x, [...all.slice(1, -1), 0, rank - 1]) : x;
  return ctx.attrs.flag(flag) && rank > 1 ? ctx.transpose(unbatched, [...all.slice(0, -2), rank - 1, rank - 2]) : unbatched;
}

const fusedMatMul: Converter = (ctx) => {
  const product = ctx.emit("matmul", [operand(ctx, 0, "transA", "transBatchA"), operand(ctx, 1, "transB", "transBatchB")]);
  const alpha = ctx.attrs.float("alpha", 1);
  return alpha === 1 ? product : ctx.emit("multiply", [product, ctx.scalar(alpha, product)]);
};

const fusedGemm: Converter = (ctx) => {
  const turned = (i: number, flag: string): Expr => (ctx.attrs.flag(flag) ? ctx.transpose(ctx.input(i), [1, 0]) : ctx.input(i));
  const product = ctx.emit("matmul", [turned(0, "transA"), turned(1, "transB")]);
  const scaled = ctx.emit("multiply", [product, ctx.scalar(ctx.attrs.float("alpha", 1), product)]);
  const c = ctx.optional(2);
  const sum = c === undefined ? scaled : ctx.emit("add", [scaled, ctx.emit("multiply", [c, ctx.scalar(ctx.attrs.float("beta", 1), c)])]);
  return activated(ctx, sum, ctx.attrs.float("activation_alpha"), ctx.attrs.float("activation_beta"));
};

/**
 * A product with weights of a few bits: `B` holds a row of blocks for each column of the product, each value less its
 * block's zero point times its block's scale.
 */
const matMulNBits: Converter = (ctx) => {
  const a = ctx.input(0);
  const [k, n, bits, block] = ["K", "N", "bits", "block_size"].map((name, i) => ctx.attrs.int(name) ?? (i === 2 ? 4 : ctx.unsupported(`it has no ${name}`)));
  if (k === undefined || n === undefined || bits === undefined || block === undefined) throw new Error("internal: four attributes");
  if (bits !== 2 && bits !== 4 && bits !== 8) return ctx.unsupported(`its weights have ${bits} bits`);
  if (ctx.optionalValue(4) !== undefined) return ctx.unsupported("its groups are permuted (g_idx)");
  const blocks = Math.ceil(k / block);
  const values = ctx.reshape(unpackedBits(ctx, ctx.input(1), bits), [n, blocks, block]);
  const scales = ctx.reshape(ctx.input(2), [n, blocks, 1]);
  const zero = zeroPoints(ctx, bits, n, blocks, ctx.dtype(scales));
  const floats = ctx.emit("multiply", [ctx.emit("subtract", [ctx.astype(values, ctx.dtype(scales)), zero]), scales]);
  const flat = ctx.reshape(floats, [n, blocks * block]);
  const weight = blocks * block === k ? flat : ctx.emit("strided_slice", [flat, ctx.prims([1]), ctx.prims([0]), ctx.prims([k])]);
  const product = ctx.emit("matmul", [a, ctx.transpose(ctx.astype(weight, ctx.dtype(a)), [1, 0])]);
  return withBias(ctx, product, ctx.optional(5));
};

function zeroPoints(ctx: NodeContext, bits: number, n: number, blocks: number, dtype: "float32" | ReturnType<NodeContext["dtype"]>): Expr {
  const given = ctx.optional(3);
  if (given === undefined) return ctx.scalar(2 ** (bits - 1), dtype);
  if (ctx.dtype(given) === dtype) return ctx.reshape(given, [n, blocks, 1]);
  // Rows of whole bytes: what is left over at the end of one is not used.
  const perRow = Math.ceil((blocks * bits) / 8) * (8 / bits);
  const all = ctx.reshape(unpackedBits(ctx, ctx.reshape(given, [n, (perRow * bits) / 8]), bits), [n, perRow]);
  const used = perRow === blocks ? all : ctx.emit("strided_slice", [all, ctx.prims([1]), ctx.prims([0]), ctx.prims([blocks])]);
  return ctx.astype(ctx.reshape(used, [n, blocks, 1]), dtype);
}

/** Operators of ONNX Runtime's own domain. */
export const contribConverters: ConverterTable = {
  "com.microsoft:FastGelu": fastGelu,
  "com.microsoft:Gelu": gelu,
  "com.microsoft:BiasGelu": biasGelu,
  "com.microsoft:BiasAdd": biasAdd,
  "com.microsoft:QuickGelu": quickGelu,
  "com.microsoft:SkipLayerNormalization": skipLayerNorm,
  "com.microsoft:SkipSimplifiedLayerNormalization": skipRmsNorm,
  SimplifiedLayerNormalization: simplifiedLayerNorm,
  "com.microsoft:SimplifiedLayerNormalization": simplifiedLayerNorm,
  "com.microsoft:EmbedLayerNormalization": embedLayerNorm,
  "com.microsoft:FusedConv": fusedConv,
  "com.microsoft:FusedGemm": fusedGemm,
  "com.microsoft:FusedMatMul": fusedMatMul,
  "com.microsoft:TransposeMatMul": fusedMatMul,
  "com.microsoft:MatMulNBits": matMulNBits,
};
