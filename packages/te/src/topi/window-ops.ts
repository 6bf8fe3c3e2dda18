import { at } from "@verticil/ir-core";
import { add, and, cast, constant, div, floorDiv, ge, ifThenElse, intrin, lt, max, min, mul, or, sub, type PrimExpr } from "@verticil/tir";
import { compute } from "../compute.ts";
import { max as maxOver, reduceAxis, sum } from "../reduce.ts";
import type { Tensor } from "../tensor.ts";
import { pad } from "./nn-pad.ts";
import { int } from "./transform.ts";

/** Local response normalization: `x / (bias + alpha / size * sum of squares of the size nearest cells along axis) ^ beta`. */
export function lrn(x: Tensor, size: number, axis: number, bias: number, alpha: number, beta: number): Tensor {
  const side = x.shape.map((_, d) => int(d === axis ? Math.floor(size / 2) : 0));
  const padded = pad(x, side, side, constant(0, x.dtype), "pad_data");
  const k = reduceAxis(int(size), "rxs");
  const squares = compute(
    x.shape,
    (...i) => {
      const v = padded.at(...i.map((c, d) => (d === axis ? add(c, k.var) : c)));
      return sum(mul(v, v), k);
    },
    "sqr_sum",
  );
  const scale = (v: PrimExpr): PrimExpr => intrin("pow", x.dtype, [add(constant(bias, x.dtype), div(mul(constant(alpha, x.dtype), v), constant(size, x.dtype))), constant(beta, x.dtype)]);
  return compute(x.shape, (...i) => div(x.at(...i), scale(squares.at(...i))), "T_lrn");
}

/** What `dilation2d` is told. `padding` is top, left, bottom, right. */
export interface Dilation2dOptions {
  readonly strides: readonly [number, number];
  readonly padding: readonly [number, number, number, number];
  readonly dilation: readonly [number, number];
}

/** Grayscale dilation of `[N, C, H, W]` by `[C, kh, kw]`: the greatest `x + weight` in a window; the border never wins. */
export function dilation2d(x: Tensor, weight: Tensor, o: Dilation2dOptions): Tensor {
  const [top, left, bottom, right] = o.padding;
  const lowest = constant(-3.4028234663852886e38, x.dtype);
  const padded = pad(x, [0, 0, top, left].map(int), [0, 0, bottom, right].map(int), lowest, "pad_temp");
  const [kh, kw] = [at(weight.shape, 1), at(weight.shape, 2)];
  const cells = (axis: number, k: PrimExpr, n: 0 | 1): PrimExpr =>
    add(floorDiv(sub(sub(at(padded.shape, axis), mul(sub(k, 1), o.dilation[n])), 1), o.strides[n]), 1);
  const [ry, rx] = [reduceAxis(kh, "ry"), reduceAxis(kw, "rx")];
  return compute(
    [at(x.shape, 0), at(x.shape, 1), cells(2, kh, 0), cells(3, kw, 1)],
    (n = int(0), c = int(0), y = int(0), z = int(0)) => {
      const [row, column] = [add(mul(y, o.strides[0]), mul(ry.var, o.dilation[0])), add(mul(z, o.strides[1]), mul(rx.var, o.dilation[1]))];
      return maxOver(add(padded.at(n, c, row, column), weight.at(c, ry.var, rx.var)), [ry, rx]);
    },
    "dilation2d",
  );
}

/** The value of an image at a place between its cells; zero outside. */
function bilinear(read: (y: PrimExpr, x: PrimExpr) => PrimExpr, y: PrimExpr, x: PrimExpr, h: PrimExpr, w: PrimExpr): PrimExpr {
  const floorOf = (v: PrimExpr): PrimExpr => intrin("floor", "float32", [v]);
  const [y0, x0] = [floorOf(y), floorOf(x)];
  const [dy, dx] = [sub(y, y0), sub(x, x0)];
  const one = constant(1, "float32");
  const at2 = (row: PrimExpr, column: PrimExpr): PrimExpr => {
    const inside = and(and(ge(row, int(0)), lt(row, h)), and(ge(column, int(0)), lt(column, w)));
    return ifThenElse(inside, cast("float32", read(max(min(row, sub(h, 1)), int(0)), max(min(column, sub(w, 1)), int(0)))), constant(0, "float32"));
  };
  const [r, c] = [cast("int64", y0), cast("int64", x0)];
  const upper = add(mul(at2(r, c), sub(one, dx)), mul(at2(r, add(c, 1)), dx));
  const lower = add(mul(at2(add(r, 1), c), sub(one, dx)), mul(at2(add(r, 1), add(c, 1)), dx));
  return add(mul(upper, sub(one, dy)), mul(lower, dy));
}

/** What `deformableConv2d` is told. `padding` is top, left, bottom, right. */
export interface DeformableConvOptions {
  readonly strides: readonly [number, number];
  readonly padding: readonly [number, number, number, number];
  readonly dilation: readonly [number, number];
  readonly deformableGroups: number;
  readonly groups: number;
}

/** A convolution of `[N, C, H, W]` whose window cells are moved by `offset`: `[N, groups * kh * kw * 2, H', W']`, y before x. */
export function deformableConv2d(x: Tensor, offset: Tensor, weight: Tensor, o: DeformableConvOptions): Tensor {
  const [h, w] = [at(x.shape, 2), at(x.shape, 3)];
  const [kh, kw] = [at(weight.shape, 2), at(weight.shape, 3)];
  const [channels, perGroup] = [at(x.shape, 1), at(weight.shape, 1)];
  const [ry, rx, rc] = [reduceAxis(kh, "ry"), reduceAxis(kw, "rx"), reduceAxis(perGroup, "rc")];
  const perOffset = floorDiv(channels, o.deformableGroups);
  const sampled = compute(
    [at(x.shape, 0), channels, kh, kw, at(offset.shape, 2), at(offset.shape, 3)],
    (n = int(0), c = int(0), i = int(0), j = int(0), y = int(0), z = int(0)) => {
      const cell = add(mul(add(mul(floorDiv(c, perOffset), kh), i), kw), j);
      const moved = (k: number): PrimExpr => cast("float32", offset.at(n, add(mul(cell, 2), k), y, z));
      const row = add(cast("float32", sub(add(mul(y, o.strides[0]), mul(i, o.dilation[0])), o.padding[0])), moved(0));
      const column = add(cast("float32", sub(add(mul(z, o.strides[1]), mul(j, o.dilation[1])), o.padding[1])), moved(1));
      return cast(x.dtype, bilinear((a, b) => x.at(n, c, a, b), row, column, h, w));
    },
    "data_deform",
  );
  const outPerGroup = floorDiv(at(weight.shape, 0), o.groups);
  return compute(
    [at(x.shape, 0), at(weight.shape, 0), at(offset.shape, 2), at(offset.shape, 3)],
    (n = int(0), f = int(0), y = int(0), z = int(0)) => {
      const c = add(mul(floorDiv(f, outPerGroup), perGroup), rc.var);
      return sum(mul(sampled.at(n, c, ry.var, rx.var, y, z), weight.at(f, rc.var, ry.var, rx.var)), [rc, ry, rx]);
    },
    "deformable_conv2d",
  );
}

/** Boxes `[y1, x1, y2, x2]` (fractions) cut out of `[N, C, H, W]` images and resized, linearly or to the nearest cell. */
export function cropAndResize(x: Tensor, boxes: Tensor, boxIndices: Tensor, size: readonly [number, number], method: "bilinear" | "nearest_neighbor", extrapolation: number): Tensor {
  const [h, w] = [at(x.shape, 2), at(x.shape, 3)];
  const place = (box: PrimExpr, axis: 0 | 1, i: PrimExpr): PrimExpr => {
    const last = cast("float32", sub(axis === 0 ? h : w, 1));
    const [from, to] = [boxes.at(box, int(axis)), boxes.at(box, int(axis + 2))];
    if (size[axis] === 1) return mul(mul(constant(0.5, "float32"), add(from, to)), last);
    const step = div(mul(sub(to, from), last), constant(size[axis] - 1, "float32"));
    return add(mul(from, last), mul(cast("float32", i), step));
  };
  return compute(
    [at(boxes.shape, 0), at(x.shape, 1), int(size[0]), int(size[1])],
    (box = int(0), c = int(0), i = int(0), j = int(0)) => {
      const n = cast("int64", boxIndices.at(box));
      const [y, z] = [place(box, 0, i), place(box, 1, j)];
      const zero = constant(0, "float32");
      const outside = or(or(lt(y, zero), lt(cast("float32", sub(h, 1)), y)), or(lt(z, zero), lt(cast("float32", sub(w, 1)), z)));
      const whole = (v: PrimExpr): PrimExpr => cast("int64", intrin("round", "float32", [v]));
      const clamp = (v: PrimExpr, last: PrimExpr): PrimExpr => max(min(v, sub(last, 1)), int(0));
      const value = method === "bilinear" ? bilinear((a, b) => x.at(n, c, a, b), y, z, h, w) : cast("float32", x.at(n, c, clamp(whole(y), h), clamp(whole(z), w)));
      return ifThenElse(outside, constant(extrapolation, x.dtype), cast(x.dtype, value));
    },
    "crop_and_resize",
  );
}

