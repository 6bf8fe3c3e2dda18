import { at } from "@verticil/ir-core";
import { tensorFrom } from "@verticil/runtime-ffi";
import type { Converter, ConverterTable } from "../converter.ts";
import { activationNamed } from "./activation.ts";
import { indexingConverters } from "./indexing.ts";
import { readAs } from "./read-as.ts";

// Operators that the standard tried before version 10 and gave up; ONNX Runtime still reads them in its domain.

/** An activation with two numbers, both 1 unless told: `alpha * f(beta * x)`. */
const named =
  (name: string, beta: number): Converter =>
  (ctx) => {
    const f = activationNamed(ctx, name, ctx.attrs.float("alpha", 1), ctx.attrs.float("beta", beta));
    return f === undefined ? ctx.unsupported(`it is no ${name}`) : f(ctx.input(0));
  };

const parametricSoftplus: Converter = (ctx) => {
  const x = ctx.input(0);
  const [alpha, beta] = ["alpha", "beta"].map((name) => ctx.scalar(ctx.attrs.float(name) ?? ctx.unsupported(`it has no ${name}`), x));
  if (alpha === undefined || beta === undefined) throw new Error("internal: two factors");
  return ctx.emit("multiply", [alpha, ctx.emit("nn.softplus", [ctx.emit("multiply", [x, beta])])]);
};

const scale: Converter = (ctx) => ctx.emit("multiply", [ctx.input(0), ctx.scalar(ctx.attrs.float("scale", 1), ctx.input(0))]);

/** An image times one number, plus one a channel. */
const imageScaler: Converter = (ctx) => {
  const x = ctx.input(0);
  const bias = ctx.attrs.floats("bias") ?? ctx.unsupported("it has no bias");
  const scaled = ctx.emit("multiply", [x, ctx.scalar(ctx.attrs.float("scale", 1), x)]);
  return ctx.emit("add", [scaled, ctx.constant(tensorFrom(bias, [1, bias.length, 1, 1], ctx.dtype(x)))]);
};

/** What of an image is left without its border, or of that as much as `scale` says from its first corner on. */
const crop: Converter = (ctx) => {
  const x = ctx.input(0);
  const [left = 0, top = 0, right = 0, bottom = 0] = ctx.attrs.ints("border") ?? ctx.unsupported("it has no border");
  const [, , height, width] = ctx.staticDims(x);
  const size = ctx.attrs.ints("scale");
  const end = size === undefined ? [(height ?? 0) - bottom, (width ?? 0) - right] : [top + at(size, 0), left + at(size, 1)];
  return ctx.emit("strided_slice", [x, ctx.prims([2, 3]), ctx.prims([top, left]), ctx.prims(end)]);
};

/** Operators that the standard no longer has. */
export const contribEarlyConverters: ConverterTable = {
  Affine: named("Affine", 0),
  ScaledTanh: named("ScaledTanh", 1),
  ParametricSoftplus: parametricSoftplus,
  Scale: scale,
  ImageScaler: imageScaler,
  Crop: crop,
  DynamicSlice: readAs(indexingConverters, "Slice", 10),
};
