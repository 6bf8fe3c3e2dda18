import { at } from "@verticil/ir-core";
import type { Expr } from "@verticil/relax";
import { tensorFrom } from "@verticil/runtime-ffi";
import type { NodeContext } from "../node-context.ts";

/** How an axis is resampled; `scale` is outputs per input, which need not be their ratio exactly. */
export interface Resampling {
  readonly method: "linear" | "cubic";
  readonly coordinates: string;
  readonly cubicAlpha: number;
  /** Weights of cells outside count as nothing instead of repeating the border. */
  readonly excludeOutside: boolean;
  /** Widen the filter when scaling down, so that no input is skipped. */
  readonly antialias: boolean;
}

/** Where output `i` lies among the inputs. */
function position(i: number, size: number, count: number, scale: number, coordinates: string): number {
  const exact = size * scale;
  switch (coordinates) {
    case "half_pixel":
      return (i + 0.5) / scale - 0.5;
    case "half_pixel_symmetric":
      return size / 2 - (exact > 0 ? (count / exact) * (size / 2) : 0) + (i + 0.5) / scale - 0.5;
    case "pytorch_half_pixel":
      return exact > 1 ? (i + 0.5) / scale - 0.5 : 0;
    case "align_corners":
      return exact > 1 ? (i * (size - 1)) / (exact - 1) : 0;
    default:
      return i / scale;
  }
}

function cubic(x: number, a: number): number {
  const d = Math.abs(x);
  if (d <= 1) return (a + 2) * d ** 3 - (a + 3) * d ** 2 + 1;
  return d < 2 ? a * d ** 3 - 5 * a * d ** 2 + 8 * a * d - 4 * a : 0;
}

/** The weights of `size` inputs in each of `count` outputs, `[size, count]` row-major. */
export function resamplingMatrix(size: number, count: number, scale: number, r: Resampling): Float32Array {
  const matrix = new Float32Array(size * count);
  const stretch = r.antialias ? Math.min(1, scale) : 1;
  const reach = (r.method === "linear" ? 1 : 2) / stretch;
  const filter = r.method === "linear" ? (d: number): number => Math.max(0, 1 - Math.abs(d)) : (d: number): number => cubic(d, r.cubicAlpha);
  for (let i = 0; i < count; i++) {
    const x = position(i, size, count, scale, r.coordinates);
    const taps: { readonly cell: number; readonly weight: number }[] = [];
    for (let cell = Math.ceil(x - reach); cell <= Math.floor(x + reach); cell++) {
      const outside = cell < 0 || cell >= size;
      if (outside && r.excludeOutside) continue;
      taps.push({ cell: Math.min(size - 1, Math.max(0, cell)), weight: filter((cell - x) * stretch) });
    }
    const total = taps.reduce((s, t) => s + t.weight, 0);
    for (const { cell, weight } of taps) {
      const k = cell * count + i;
      matrix[k] = (matrix[k] ?? 0) + weight / total;
    }
  }
  return matrix;
}

/** Resamples axes one after the other, each by a product with a matrix of weights. Sizes have to be static. */
export function resampled(ctx: NodeContext, x: Expr, sizes: readonly number[], scales: readonly number[], r: Resampling): Expr {
  const dtype = ctx.dtype(x);
  let out = ctx.astype(x, "float32");
  for (const [axis, size] of ctx.staticDims(x).entries()) {
    const [count, scale] = [at(sizes, axis), at(scales, axis)];
    if (size === count && scale === 1) continue;
    const matrix = ctx.constant(tensorFrom(resamplingMatrix(size, count, scale, r), [size, count], "float32"));
    const order = sizes.map((_, i) => i).filter((i) => i !== axis);
    const turned = ctx.emit("matmul", [ctx.transpose(out, [...order, axis]), matrix]);
    const back = [...order, axis];
    out = ctx.transpose(turned, sizes.map((_, i) => back.indexOf(i)));
  }
  return dtype === "float32" ? out : ctx.astype(dtype.startsWith("float") ? out : ctx.emit("round", [out]), dtype);
}

/** Takes of each axis the cells nearest to where its outputs lie. Sizes have to be static. */
export function nearest(
  ctx: NodeContext,
  x: Expr,
  sizes: readonly number[],
  scales: readonly number[],
  how: { readonly coordinates: string; readonly rounding: string },
): Expr {
  let out = x;
  for (const [axis, size] of ctx.staticDims(x).entries()) {
    const [count, scale] = [at(sizes, axis), at(scales, axis)];
    if (size === count && scale === 1) continue;
    const cells = Array.from({ length: count }, (_, i) => {
      const cell = rounded(position(i, size, count, scale, how.coordinates), how.rounding);
      return Math.min(size - 1, Math.max(0, cell));
    });
    out = ctx.emit("take", [out, ctx.constant(tensorFrom(cells, [count], "int64"))], { axis });
  }
  return out;
}

function rounded(x: number, rounding: string): number {
  switch (rounding) {
    case "floor":
      return Math.floor(x);
    case "ceil":
      return Math.ceil(x);
    case "round_prefer_ceil":
      return Math.floor(x + 0.5);
    default:
      return Math.ceil(x - 0.5);
  }
}
