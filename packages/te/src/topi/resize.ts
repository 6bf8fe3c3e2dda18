import { at } from "@verticil/ir-core";
import { isFloat, type ScalarDType } from "@verticil/runtime-ffi";
import {
  add,
  asInt,
  cast,
  constant,
  div,
  floorDiv,
  floorMod,
  ge,
  gt,
  ifThenElse,
  intrin,
  le,
  lt,
  max,
  min,
  mul,
  or,
  select,
  sub,
  type PrimExpr,
} from "@verticil/tir";
import { compute } from "../compute.ts";
import type { Tensor } from "../tensor.ts";
import { layoutIndex } from "./layout.ts";
import { int } from "./transform.ts";

/** How a cell of the result is placed in the input. */
export type CoordinateMode =
  | "half_pixel"
  | "pytorch_half_pixel"
  | "align_corners"
  | "asymmetric"
  | "tf_half_pixel_for_nn"
  | "tf_crop_and_resize";

/** What a resize is told. */
export interface ResizeOptions {
  readonly method: "nearest_neighbor" | "linear" | "cubic";
  readonly coordinateMode: CoordinateMode;
  /** `round`, `floor`, `ceil`, `round_prefer_floor`, `round_prefer_ceil`; empty is `round` of aligned corners, else `floor`. */
  readonly roundingMethod: string;
  readonly cubicAlpha: number;
  readonly cubicExclude: boolean;
  readonly extrapolationValue: number;
  /** For `tf_crop_and_resize`: all begins, then all ends, as fractions. */
  readonly roi: readonly number[];
  readonly layout: string;
  readonly outDType?: ScalarDType | undefined;
}

function f32(value: number): PrimExpr {
  return constant(value, "float32");
}

/** Where the cell `x` of an axis lies in the input, as a float32. */
function sourceCoordinate(x: PrimExpr, size: PrimExpr, target: PrimExpr, mode: CoordinateMode, from: number, to: number): PrimExpr {
  const wide = cast("float32", x);
  const scale = ratio(size, target);
  switch (mode) {
    case "half_pixel":
    case "tf_half_pixel_for_nn": {
      const middle = mul(scale, add(wide, f32(0.5)));
      return mode === "half_pixel" ? sub(middle, f32(0.5)) : middle;
    }
    case "pytorch_half_pixel":
      return select(gt(target, int(1)), sub(mul(scale, add(wide, f32(0.5))), f32(0.5)), f32(0));
    case "align_corners": {
      const corner = ratio(sub(size, int(1)), sub(target, int(1)));
      return asInt(target) === 1 ? f32(0) : mul(corner, wide);
    }
    case "asymmetric":
      return mul(scale, wide);
    case "tf_crop_and_resize": {
      const last = cast("float32", sub(size, int(1)));
      if (asInt(target) === 1) return mul(f32(0.5 * (from + to)), last);
      const step = div(mul(f32(to - from), last), cast("float32", sub(target, int(1))));
      return add(mul(f32(from), last), mul(wide, step));
    }
  }
}

/** `size / target` as a float32. */
function ratio(size: PrimExpr, target: PrimExpr): PrimExpr {
  return div(cast("float32", size), cast("float32", target));
}

function roundingOf(o: ResizeOptions): string {
  if (o.roundingMethod !== "") return o.roundingMethod;
  return o.coordinateMode === "align_corners" ? "round" : "floor";
}

/** A coordinate rounded to an index that may be out of bounds. */
function nearest(x: PrimExpr, rounding: string): PrimExpr {
  const epsilon = f32(1e-5);
  const toIndex = (name: string, v: PrimExpr): PrimExpr => cast("int64", intrin(name, "float32", [v]));
  switch (rounding) {
    case "round":
      return toIndex("round", x);
    case "round_prefer_floor":
      return toIndex("ceil", sub(x, f32(0.5)));
    case "round_prefer_ceil":
      return toIndex("floor", add(x, f32(0.5)));
    case "floor":
      // A coordinate that should be whole may come out just below.
      return toIndex("floor", add(x, epsilon));
    case "ceil":
      return toIndex("ceil", sub(x, epsilon));
    default:
      throw new RangeError(`There is no rounding method \`${rounding}\`.`);
  }
}

function clamp(index: PrimExpr, size: PrimExpr): PrimExpr {
  return max(min(index, sub(size, int(1))), int(0));
}

/** One read of the input along an axis: where, and how much it counts. */
interface Tap {
  readonly index: PrimExpr;
  readonly weight: PrimExpr;
}

function linearTaps(x: PrimExpr, size: PrimExpr): readonly Tap[] {
  const low = cast("int64", intrin("floor", "float32", [x]));
  const part = sub(x, intrin("floor", "float32", [x]));
  return [
    { index: clamp(low, size), weight: sub(f32(1), part) },
    { index: clamp(add(low, int(1)), size), weight: part },
  ];
}

function cubicTaps(x: PrimExpr, size: PrimExpr, alpha: number, exclude: boolean): readonly Tap[] {
  const low = cast("int64", intrin("floor", "float32", [x]));
  const t = sub(x, intrin("floor", "float32", [x]));
  const a = f32(alpha);
  const near = (v: PrimExpr): PrimExpr => add(mul(mul(sub(mul(add(a, f32(2)), v), add(a, f32(3))), v), v), f32(1));
  const far = (v: PrimExpr): PrimExpr => sub(mul(add(mul(sub(mul(a, v), mul(a, f32(5))), v), mul(a, f32(8))), v), mul(a, f32(4)));
  const one = f32(1);
  const weights = [far(add(t, one)), near(t), near(sub(one, t)), far(sub(f32(2), t))];
  const indices = weights.map((_, k) => add(low, int(k - 1)));
  if (!exclude) return weights.map((weight, k) => ({ index: clamp(at(indices, k), size), weight }));
  const inside = weights.map((w, k) => select(or(lt(at(indices, k), int(0)), ge(at(indices, k), size)), f32(0), w));
  const total = inside.reduce((acc, w) => add(acc, w));
  return inside.map((w, k) => ({ index: clamp(at(indices, k), size), weight: div(w, total) }));
}

/** The integer form of an exact nearest-neighbour enlargement or reduction, which needs no floats. */
function exactNearest(x: PrimExpr, size: PrimExpr, target: PrimExpr, o: ResizeOptions): PrimExpr | undefined {
  const n = asInt(size);
  const m = asInt(target);
  if (n === undefined || m === undefined) return undefined;
  const rounding = roundingOf(o);
  const floors = rounding === "floor";
  const isWhole = o.coordinateMode !== "tf_crop_and_resize" && (o.coordinateMode !== "tf_half_pixel_for_nn" || floors);
  if (n === m && isWhole) return x;
  if (o.coordinateMode === "asymmetric" && floors && m % n === 0) return floorDiv(x, int(m / n));
  if (o.coordinateMode === "asymmetric" && n % m === 0) return mul(x, int(n / m));
  const centred = o.coordinateMode === "half_pixel" || o.coordinateMode === "pytorch_half_pixel";
  // The centre of an output cell lies inside input cell floor(x / factor), never on a border.
  if (centred && m % n === 0 && (m / n) % 2 === 0 && !floors && rounding !== "ceil") return floorDiv(x, int(m / n));
  return undefined;
}

/** `x` with other extents of its spatial axes, `spatial` naming them. */
function resize(x: Tensor, size: readonly PrimExpr[], spatial: string, o: ResizeOptions): Tensor {
  const axes = [...spatial].map((letter) => layoutIndex(o.layout, letter));
  const shape = x.shape.map((d, i) => (axes.includes(i) ? at(size, axes.indexOf(i)) : d));
  const dtype = o.outDType ?? x.dtype;
  return compute(
    shape,
    (...i) => {
      const coordinates = axes.map((axis, k) =>
        sourceCoordinate(at(i, axis), at(x.shape, axis), at(size, k), o.coordinateMode, o.roi[k] ?? 0, o.roi[k + axes.length] ?? 1),
      );
      const taps = axes.map((axis, k): readonly Tap[] => {
        const [coordinate, extent] = [at(coordinates, k), at(x.shape, axis)];
        if (o.method === "linear") return linearTaps(coordinate, extent);
        if (o.method === "cubic") return cubicTaps(coordinate, extent, o.cubicAlpha, o.cubicExclude);
        const exact = exactNearest(at(i, axis), extent, at(size, k), o);
        return [{ index: exact ?? clamp(nearest(coordinate, roundingOf(o)), extent), weight: f32(1) }];
      });
      const value = o.method === "nearest_neighbor" ? x.at(...replaced(i, axes, taps.map((t) => at(t, 0).index))) : weighted(x, i, axes, taps);
      if (o.coordinateMode !== "tf_crop_and_resize") return cast(dtype, rounded(value, dtype));
      const outside = coordinates.map((c, k) => or(lt(c, f32(0)), gt(c, cast("float32", sub(at(x.shape, at(axes, k)), int(1))))));
      return ifThenElse(outside.reduce(or), constant(o.extrapolationValue, dtype), cast(dtype, rounded(value, dtype)));
    },
    "resize",
    { axes: "i", tag: "injective" },
  );
}

/** Interpolated values of integer tensors are rounded before they are stored. */
function rounded(value: PrimExpr, dtype: ScalarDType): PrimExpr {
  return isFloat(value.dtype) && !isFloat(dtype) ? intrin("round", value.dtype, [value]) : value;
}

function replaced(cell: readonly PrimExpr[], axes: readonly number[], values: readonly PrimExpr[]): readonly PrimExpr[] {
  return cell.map((v, d) => (axes.includes(d) ? at(values, axes.indexOf(d)) : v));
}

/** The weighted sum over all combinations of taps, the last axis innermost. */
function weighted(x: Tensor, cell: readonly PrimExpr[], axes: readonly number[], taps: readonly (readonly Tap[])[]): PrimExpr {
  const along = (k: number, chosen: readonly PrimExpr[]): PrimExpr => {
    if (k === axes.length) return cast("float32", x.at(...replaced(cell, axes, chosen)));
    const terms = at(taps, k).map((tap) => mul(along(k + 1, [...chosen, tap.index]), tap.weight));
    return terms.reduce((acc, t) => add(acc, t));
  };
  return along(0, []);
}

/** Resizes the axis W. */
export function resize1d(x: Tensor, size: readonly PrimExpr[], o: ResizeOptions): Tensor {
  return resize(x, size, "W", o);
}

/** Resizes the axes H and W. */
export function resize2d(x: Tensor, size: readonly PrimExpr[], o: ResizeOptions): Tensor {
  return resize(x, size, "HW", o);
}

/** Resizes the axes D, H and W. */
export function resize3d(x: Tensor, size: readonly PrimExpr[], o: ResizeOptions): Tensor {
  return resize(x, size, "DHW", o);
}

/** What a `gridSample` is told. */
export interface GridSampleOptions {
  readonly method: "bilinear" | "nearest" | "bicubic";
  readonly paddingMode: "zeros" | "border" | "reflection";
  readonly alignCorners: boolean;
}

/** Samples `[N, C, H, W]` data at the positions of a `[N, 2, H', W']` grid in `[-1, 1]`, x before y. */
export function gridSample(x: Tensor, grid: Tensor, o: GridSampleOptions): Tensor {
  const [h, w] = [at(x.shape, 2), at(x.shape, 3)];
  const shape = [at(x.shape, 0), at(x.shape, 1), at(grid.shape, 2), at(grid.shape, 3)];
  return compute(
    shape,
    (n = int(0), c = int(0), i = int(0), j = int(0)) => {
      const px = unnormalized(grid.at(n, int(0), i, j), w, o);
      const py = unnormalized(grid.at(n, int(1), i, j), h, o);
      const read = (y: PrimExpr, xi: PrimExpr): PrimExpr => {
        const value = x.at(n, c, inBounds(y, h, o), inBounds(xi, w, o));
        if (o.paddingMode !== "zeros") return value;
        const inside = [ge(y, int(0)), le(y, sub(h, int(1))), ge(xi, int(0)), le(xi, sub(w, int(1)))];
        return ifThenElse(inside.reduce((a, b) => ({ kind: "tir.And", dtype: "bool", a, b })), value, constant(0, x.dtype));
      };
      if (o.method === "nearest") {
        const index = (v: PrimExpr): PrimExpr => cast("int64", intrin("nearbyint", "float32", [v]));
        return read(index(py), index(px));
      }
      const [ys, xs] = [sampleTaps(py, o.method), sampleTaps(px, o.method)];
      const rows = ys.map((ty) => mul(xs.map((tx) => mul(cast("float32", read(ty.index, tx.index)), tx.weight)).reduce((a, b) => add(a, b)), ty.weight));
      return cast(x.dtype, rows.reduce((a, b) => add(a, b)));
    },
    "grid_sample",
    { axes: ["n", "c", "h", "w"], tag: "injective" },
  );
}

/** Taps that may lie out of bounds. */
function sampleTaps(v: PrimExpr, method: "bilinear" | "bicubic"): readonly Tap[] {
  const huge = constant(2 ** 40, "int64");
  const shifted = method === "bilinear" ? linearTaps(v, huge) : cubicTaps(v, huge, -0.75, false);
  const low = cast("int64", intrin("floor", "float32", [v]));
  const first = method === "bilinear" ? 0 : -1;
  return shifted.map((t, k) => ({ index: add(low, int(k + first)), weight: t.weight }));
}

/** The cell that a tap reads: the nearest one, or where it is reflected to. */
function inBounds(index: PrimExpr, size: PrimExpr, o: GridSampleOptions): PrimExpr {
  if (o.paddingMode !== "reflection" || o.method !== "bicubic") return clamp(index, size);
  // There and back again is one period, in which the first and last cells come once or twice.
  const once = int(o.alignCorners ? 2 : 0);
  const period = max(sub(mul(size, int(2)), once), int(1));
  const place = floorMod(index, period);
  return clamp(min(place, sub(sub(period, place), int(o.alignCorners ? 0 : 1))), size);
}

/** A grid value in `[-1, 1]` as a position in cells, brought into bounds as the padding mode wants. */
function unnormalized(v: PrimExpr, size: PrimExpr, o: GridSampleOptions): PrimExpr {
  const extent = cast("float32", size);
  const wide = cast("float32", v);
  const last = sub(extent, f32(1));
  const position = o.alignCorners ? mul(mul(add(wide, f32(1)), f32(0.5)), last) : sub(mul(mul(add(wide, f32(1)), f32(0.5)), extent), f32(0.5));
  const low = o.alignCorners ? f32(0) : f32(-0.5);
  const span = o.alignCorners ? last : extent;
  // A cubic filter reaches further than the cell it lies in: what it reads is brought into bounds instead.
  const bounded = (v: PrimExpr): PrimExpr => (o.method === "bicubic" ? v : max(min(v, last), f32(0)));
  if (o.paddingMode === "border") return bounded(position);
  if (o.paddingMode === "zeros") return position;
  const distance = intrin("fabs", "float32", [sub(position, low)]);
  const turns = intrin("floor", "float32", [div(distance, span)]);
  const rest = sub(distance, mul(turns, span));
  const odd = sub(turns, mul(intrin("floor", "float32", [div(turns, f32(2))]), f32(2)));
  const reflected = select(gt(odd, f32(0.5)), add(sub(span, rest), low), add(rest, low));
  return bounded(reflected);
}

/** The grid of an affine map: `[N, 2, 3]` matrices to `[N, 2, H, W]` positions in `[-1, 1]`. */
export function affineGrid(theta: Tensor, size: readonly PrimExpr[], alignCorners: boolean): Tensor {
  const [h, w] = [at(size, 0), at(size, 1)];
  const place = (i: PrimExpr, extent: PrimExpr): PrimExpr => {
    const wide = cast("float32", i);
    const count = cast("float32", extent);
    if (alignCorners) return sub(div(mul(wide, f32(2)), max(sub(count, f32(1)), f32(1e-9))), f32(1));
    return sub(div(add(mul(wide, f32(2)), f32(1)), count), f32(1));
  };
  return compute(
    [at(theta.shape, 0), int(2), h, w],
    (n = int(0), d = int(0), i = int(0), j = int(0)) => {
      const term = (k: number, v: PrimExpr): PrimExpr => mul(cast("float32", theta.at(n, d, int(k))), v);
      return cast(theta.dtype, add(add(term(0, place(j, w)), term(1, place(i, h))), cast("float32", theta.at(n, d, int(2)))));
    },
    "affine_grid",
    { axes: ["n", "c", "h", "w"], tag: "injective" },
  );
}
