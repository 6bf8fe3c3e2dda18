import type { AttrMap } from "@verticil/ir-core";
import { asInt } from "@verticil/tir";
import { makeShapeExpr } from "../ir/make.ts";
import { add, exprOp, reshape, tensorOp, type Operand } from "./ops.ts";
import type { Parameter } from "./parameter.ts";
import type { Tensor } from "./value.ts";

// Convolutions and the sizes of images, by the names of upstream's `nn.op`. Data is `[batch, channel, …]` unless told.

/** How a window moves. One number stands for all spatial axes; `padding` may be given before and after each. */
export interface ConvOptions {
  readonly stride?: number | readonly number[];
  readonly padding?: number | readonly number[];
  readonly dilation?: number | readonly number[];
  readonly groups?: number;
}

/** `ConvOptions`, and what is added at the end where a stride leaves several sizes open. */
export interface ConvTransposeOptions extends ConvOptions {
  readonly outputPadding?: number | readonly number[];
}

function windowAttrs(opts: ConvOptions): AttrMap {
  return { strides: numbers(opts.stride ?? 1), padding: numbers(opts.padding ?? 0), dilation: numbers(opts.dilation ?? 1), groups: opts.groups ?? 1 };
}

function numbers(value: number | readonly number[]): number | readonly number[] {
  return typeof value === "number" ? value : [...value];
}

/** Adds a bias of one value a channel, which is the second axis. */
function withBias(x: Tensor, bias: Tensor | Parameter | undefined): Tensor {
  if (bias === undefined) return x;
  const t = "scope" in bias ? bias : x.parameter(bias);
  return add(x, reshape(t, [1, -1, ...Array.from({ length: x.ndim - 2 }, () => 1)]));
}

/** Over one spatial axis; the weight is `[out, in / groups, width]`. */
export function conv1d(x: Tensor, weight: Operand, bias?: Tensor | Parameter, opts: ConvOptions = {}): Tensor {
  return withBias(tensorOp("relax.nn.conv1d", [x, weight], windowAttrs(opts), "conv1d"), bias);
}

/** Over two spatial axes; the weight is `[out, in / groups, height, width]`. */
export function conv2d(x: Tensor, weight: Operand, bias?: Tensor | Parameter, opts: ConvOptions = {}): Tensor {
  return withBias(tensorOp("relax.nn.conv2d", [x, weight], windowAttrs(opts), "conv2d"), bias);
}

/** Over three spatial axes; the weight is `[out, in / groups, depth, height, width]`. */
export function conv3d(x: Tensor, weight: Operand, bias?: Tensor | Parameter, opts: ConvOptions = {}): Tensor {
  return withBias(tensorOp("relax.nn.conv3d", [x, weight], windowAttrs(opts), "conv3d"), bias);
}

/** The gradient of `conv1d` by its data; the weight is `[in, out / groups, width]`. */
export function conv1dTranspose(x: Tensor, weight: Operand, bias?: Tensor | Parameter, opts: ConvTransposeOptions = {}): Tensor {
  const attrs = { ...windowAttrs(opts), output_padding: numbers(opts.outputPadding ?? 0) };
  return withBias(tensorOp("relax.nn.conv1d_transpose", [x, weight], attrs, "conv1d_transpose"), bias);
}

/** What `interpolate` may be told. */
export interface InterpolateOptions {
  /** Height and width of the result; or else how many times those of `x`. */
  readonly size?: number | readonly number[];
  readonly scaleFactor?: number | readonly number[];
  readonly mode?: "nearest" | "bilinear" | "bicubic";
  readonly alignCorners?: boolean;
}

/**
 * An NCHW image in another size (PyTorch's `interpolate`).
 * @throws RangeError if neither a size nor a factor is given, or a factor meets a symbolic size.
 */
export function interpolate(x: Tensor, opts: InterpolateOptions): Tensor {
  const mode = opts.mode ?? "nearest";
  const method = mode === "nearest" ? "nearest_neighbor" : mode === "bilinear" ? "linear" : "cubic";
  const coordinates = mode === "nearest" ? "asymmetric" : opts.alignCorners === true ? "align_corners" : "half_pixel";
  const attrs = { layout: "NCHW", method, coordinate_transformation_mode: coordinates, ...(mode === "nearest" ? { rounding_method: "floor" } : {}) };
  return exprOp(x.scope, "relax.image.resize2d", [x.expr, makeShapeExpr(imageSize(x, opts))], attrs, "interpolate");
}

function imageSize(x: Tensor, { size, scaleFactor }: InterpolateOptions): readonly number[] {
  if (size !== undefined) return typeof size === "number" ? [size, size] : size;
  if (scaleFactor === undefined) throw new RangeError("`interpolate` takes a `size` or a `scaleFactor`.");
  return [2, 3].map((axis, i) => {
    const known = x.shape[axis];
    const factor = typeof scaleFactor === "number" ? scaleFactor : (scaleFactor[i] ?? 1);
    const extent = known && asInt(known);
    if (extent === undefined) throw new RangeError("`scaleFactor` needs an image of known size; give `size` instead.");
    return Math.floor(extent * factor);
  });
}
