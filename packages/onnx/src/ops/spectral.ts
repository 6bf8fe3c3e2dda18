import { at } from "@verticil/ir-core";
import type { Expr } from "@verticil/relax";
import { tensorFrom } from "@verticil/runtime-ffi";
import { asInt, constant } from "@verticil/tir";
import type { Converter, ConverterTable } from "../converter.ts";
import { withAxes } from "../graph/run-time-axes.ts";
import type { NodeContext } from "../node-context.ts";
import { dtypeOf } from "../proto/tensor.ts";
import { countedFrom, sizeOperand } from "./positions.ts";

/** A window of a known length as a sum of cosines: `Σ cₖ cos(2πkn / N)`. */
const cosineWindow =
  (...coefficients: readonly number[]): Converter =>
  (ctx) => {
    if (ctx.known(0) === undefined) return openWindow(ctx, coefficients);
    const size = ctx.number(0, "the length of the window");
    const turns = ctx.attrs.flag("periodic", true) ? size : size - 1;
    const values = Array.from({ length: size }, (_, n) => {
      return coefficients.reduce((sum, c, k) => sum + c * Math.cos((2 * Math.PI * k * n) / Math.max(turns, 1)), 0);
    });
    return ctx.constant(tensorFrom(values, [size], dtypeOf(ctx.attrs.int("output_datatype", 1), `The result of ${ctx.label}`)));
  };

/** A window whose length the model computes. */
function openWindow(ctx: NodeContext, coefficients: readonly number[]): Expr {
  const size = at(ctx.dimsInput(0, "the length of the window"), 0);
  const real = (v: number): Expr => ctx.scalar(v, "float64");
  const length = sizeOperand(ctx, size, "float64");
  const turns = ctx.emit("maximum", [ctx.attrs.flag("periodic", true) ? length : ctx.emit("subtract", [length, real(1)]), real(1)]);
  const angle = ctx.emit("divide", [ctx.emit("multiply", [ctx.astype(countedFrom(ctx, constant(0, "int64"), size), "float64"), real(2 * Math.PI)]), turns]);
  const terms = coefficients.map((c, k) => ctx.emit("multiply", [ctx.emit("cos", [ctx.emit("multiply", [angle, real(k)])]), real(c)]));
  return ctx.astype(terms.reduce((a, b) => ctx.emit("add", [a, b])), dtypeOf(ctx.attrs.int("output_datatype", 1), `The result of ${ctx.label}`));
}

/** Triangular filters in mel frequencies; all its inputs decide shapes or values at compile time. */
const melWeights: Converter = (ctx) => {
  const [bins, length, rate, low, high] = [0, 1, 2, 3, 4].map((i) => ctx.number(i, "its parameters"));
  if (bins === undefined || length === undefined || rate === undefined || low === undefined || high === undefined) return ctx.unsupported("it has too few inputs");
  const rows = Math.floor(length / 2) + 1;
  const mel = (hz: number): number => 2595 * Math.log10(1 + hz / 700);
  const step = (mel(high) - mel(low)) / (bins + 2);
  const edges = Array.from({ length: bins + 2 }, (_, i) => {
    const hz = 700 * (10 ** ((i * step + mel(low)) / 2595) - 1);
    return Math.floor(((length + 1) * hz) / rate);
  });
  const values = new Float32Array(rows * bins);
  for (let b = 0; b < bins; b++) {
    const [start, center, end] = [at(edges, b), at(edges, b + 1), at(edges, b + 2)];
    if (center === start && center < rows) values[center * bins + b] = 1;
    else for (let j = start; j <= center && j < rows; j++) values[j * bins + b] = (j - start) / (center - start);
    for (let j = center; j < end && j < rows; j++) values[j * bins + b] = (end - j) / (end - center);
  }
  return ctx.constant(tensorFrom(values, [rows, bins], dtypeOf(ctx.attrs.int("output_datatype", 1), `The result of ${ctx.label}`)));
};

/**
 * A discrete Fourier transform along one axis as products with the matrices of cosines and sines; complex numbers are
 * pairs on the last axis.
 */
const dft: Converter = (ctx) => {
  const rank = ctx.rank(ctx.input(0));
  if (ctx.opset < 20) return dftAlong(ctx, ctx.axis(ctx.attrs.int("axis", 1), rank));
  return ctx.optionalValue(2) === undefined ? dftAlong(ctx, rank - 2) : withAxes(ctx, 2, rank, ([axis = 0]) => dftAlong(ctx, axis), (axis) => axis < rank - 1);
};

function dftAlong(ctx: NodeContext, axis: number): Expr {
  const x = ctx.input(0);
  const length = ctx.optionalNumbers(1, "the length")?.[0] ?? sizeOf(ctx, x, axis);
  return transformed(ctx, x, { axis, length, inverse: ctx.attrs.flag("inverse"), oneSided: ctx.attrs.flag("onesided") });
}

function sizeOf(ctx: NodeContext, x: Expr, axis: number): number {
  return asInt(at(ctx.dims(x), axis)) ?? ctx.dynamic("the length of what it transforms");
}

interface Transform {
  readonly axis: number;
  /** The signal is cut, or goes on with zeros. */
  readonly length: number;
  readonly inverse: boolean;
  readonly oneSided: boolean;
}

/** The transform of a tensor whose last axis holds real numbers, one each, or complex ones as pairs. */
function transformed(ctx: NodeContext, signal: Expr, { axis, length, inverse, oneSided }: Transform): Expr {
  // Sums of products that cancel: halves and singles would leave noise where there is nothing.
  const x = ctx.astype(signal, "float64");
  const rank = ctx.rank(x);
  const isComplex = sizeOf(ctx, x, rank - 1) === 2;
  // One-sided and inverse: half a spectrum in, real numbers out.
  const full = inverse && oneSided;
  const inputs = Math.min(sizeOf(ctx, x, axis), length);
  const outputs = oneSided && !inverse ? Math.floor(length / 2) + 1 : length;
  const [re, im] = components(ctx, x, isComplex, axis, inputs);
  const matrix = (f: (angle: number) => number, weight: (k: number) => number): Expr => {
    const values = Array.from({ length: inputs * outputs }, (_, i) => {
      const [n, k] = [Math.floor(i / outputs), i % outputs];
      // The remainder keeps the angle small, and with it exact.
      return weight(n) * f((2 * Math.PI * ((n * k) % length)) / length) * (inverse ? 1 / length : 1);
    });
    return ctx.constant(tensorFrom(values, [inputs, outputs], ctx.dtype(x)));
  };
  // What half a spectrum leaves out is the conjugate of what it holds.
  const weight = (n: number): number => (!full || n === 0 || 2 * n === length ? 1 : 2);
  const sign = inverse ? 1 : -1;
  const along = (v: Expr, m: Expr): Expr => ctx.emit("matmul", [v, m]);
  const [cos, sin] = [matrix(Math.cos, weight), matrix((a) => sign * Math.sin(a), weight)];
  const real = im === undefined ? along(re, cos) : ctx.emit("subtract", [along(re, cos), along(im, sin)]);
  const back = (v: Expr): Expr => ctx.astype(ctx.transpose(v, inversePermutation(lastOrder(rank - 1, axis))), ctx.dtype(signal));
  if (full) return ctx.emit("expand_dims", [back(real)], { axis: [-1] });
  const imaginary = im === undefined ? along(re, sin) : ctx.emit("add", [along(re, sin), along(im, cos)]);
  return ctx.emit("stack", [ctx.tuple([back(real), back(imaginary)])], { axis: -1 });
}

/** The transforms of frames of a signal, `[batch, frames, bins, 2]`: each begins a step behind the last one, and all have the same window. */
const shortTime: Converter = (ctx) => {
  const signal = ctx.input(0);
  const step = ctx.number(1, "the step between its frames");
  const window = ctx.optional(2);
  const length = ctx.optionalNumbers(3, "the length of its frames")?.[0] ?? (window === undefined ? ctx.unsupported("it has neither a window nor a length of frames") : sizeOf(ctx, window, 0));
  const count = Math.floor((sizeOf(ctx, signal, 1) - length) / step) + 1;
  const rows = Array.from({ length: count * length }, (_, i) => Math.floor(i / length) * step + (i % length));
  const frames = ctx.emit("take", [signal, ctx.constant(tensorFrom(rows, [count, length], "int64"))], { axis: 1 });
  const shaped = window === undefined ? frames : ctx.emit("multiply", [frames, ctx.reshape(window, [1, 1, length, 1])]);
  return transformed(ctx, shaped, { axis: 2, length, inverse: false, oneSided: ctx.attrs.flag("onesided", true) });
};

/** Real and imaginary parts without the axis of pairs, the transformed axis last and cut to `length`. */
function components(ctx: NodeContext, x: Expr, isComplex: boolean, axis: number, length: number): readonly [Expr, Expr | undefined] {
  const rank = ctx.rank(x);
  const part = (i: number): Expr => {
    const flat = ctx.emit("take", [x, ctx.scalar(i, "int64")], { axis: rank - 1 });
    const turned = ctx.transpose(flat, lastOrder(rank - 1, axis));
    return ctx.emit("strided_slice", [turned, ctx.prims([rank - 2]), ctx.prims([0]), ctx.prims([length])]);
  };
  return [part(0), isComplex ? part(1) : undefined];
}

/** The axes with `axis` moved to the end. */
function lastOrder(rank: number, axis: number): readonly number[] {
  const all = Array.from({ length: rank }, (_, i) => i);
  return [...all.filter((i) => i !== axis), axis];
}

function inversePermutation(order: readonly number[]): readonly number[] {
  return order.map((_, i) => order.indexOf(i));
}

/** Signal processing. */
export const spectralConverters: ConverterTable = {
  HannWindow: cosineWindow(0.5, -0.5),
  HammingWindow: cosineWindow(25 / 46, -21 / 46),
  BlackmanWindow: cosineWindow(0.42, -0.5, 0.08),
  MelWeightMatrix: melWeights,
  DFT: dft,
  STFT: shortTime,
};
