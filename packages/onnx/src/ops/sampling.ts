import { at } from "@verticil/ir-core";
import { makePrimValue, makeShapeExpr, type Expr } from "@verticil/relax";
import { constant } from "@verticil/tir";
import type { NodeContext } from "../node-context.ts";

/** A corner of the cell around a point along one axis: which row of the data, and how much of it. */
interface Corner {
  /** `[batch, points]` int64, inside of the data. */
  readonly index: Expr;
  /** `[batch, points]`; 0 for a row outside of the data. */
  readonly weight: Expr;
}

/**
 * Reads data at points between its elements, multilinearly; what lies outside counts as zero.
 * @param data `[batch, channels, ...sizes]`, static.
 * @param points the points' places along each axis, in elements, `[batch, points]`.
 * @returns `[batch, channels, points]`.
 */
export function sampleLinear(ctx: NodeContext, data: Expr, points: readonly Expr[]): Expr {
  const [batch = 1, channels = 1, ...sizes] = ctx.staticDims(data);
  const [, count = 1] = ctx.staticDims(at(points, 0));
  const flat = ctx.reshape(data, [batch, channels, sizes.reduce((a, b) => a * b, 1)]);
  const axes = sizes.map((size, d) => cornersOf(ctx, at(points, d), size));
  const terms = combinations(axes).map((corners) => {
    const index = corners.map((c) => c.index).reduce((sum, i, d) => ctx.emit("add", [ctx.emit("multiply", [sum, ctx.scalar(at(sizes, d), "int64")]), i]));
    const weight = corners.map((c) => c.weight).reduce((a, b) => ctx.emit("multiply", [a, b]));
    const everywhere = ctx.emit("broadcast_to", [ctx.reshape(index, [batch, 1, count]), makeShapeExpr([batch, channels, count])]);
    const read = ctx.emit("gather_elements", [flat, everywhere], { axis: 2 });
    return ctx.emit("multiply", [read, ctx.reshape(weight, [batch, 1, count])]);
  });
  return terms.reduce((a, b) => ctx.emit("add", [a, b]));
}

/**
 * Places along an axis that lie outside of its `size` elements brought inside: to the border, or mirrored at it, where the
 * border lies half an element outside of the outer elements unless those are the corners.
 */
export function broughtInside(ctx: NodeContext, place: Expr, size: number, mode: string, corners: boolean): Expr {
  const dtype = ctx.dtype(place);
  const clipped = (x: Expr): Expr => ctx.emit("clip", [x, makePrimValue(constant(0, dtype)), makePrimValue(constant(size - 1, dtype))]);
  switch (mode) {
    case "zeros":
      return place;
    case "border":
      return clipped(place);
    case "reflection": {
      const [low, length] = corners ? [0, size - 1] : [-0.5, size];
      if (length === 0) return ctx.emit("zeros_like", [place]);
      const away = ctx.emit("abs", [ctx.emit("subtract", [place, ctx.scalar(low, place)])]);
      // There and back again is one period.
      const along = ctx.emit("floor_mod", [away, ctx.scalar(2 * length, place)]);
      const folded = ctx.emit("minimum", [along, ctx.emit("subtract", [ctx.scalar(2 * length, place), along])]);
      return clipped(ctx.emit("add", [folded, ctx.scalar(low, place)]));
    }
    default:
      return ctx.unsupported(`its padding_mode is \`${mode}\``);
  }
}

function cornersOf(ctx: NodeContext, point: Expr, size: number): readonly [Corner, Corner] {
  const dtype = ctx.dtype(point);
  const bounded = (x: Expr, low: number, high: number): Expr => ctx.emit("clip", [x, makePrimValue(constant(low, dtype)), makePrimValue(constant(high, dtype))]);
  // Far out is as good as outside, and has an index.
  const place = bounded(point, -2, size + 1);
  const low = ctx.emit("floor", [place]);
  const high = ctx.emit("add", [low, ctx.scalar(1, point)]);
  const near = ctx.emit("subtract", [place, low]);
  const corner = (row: Expr, weight: Expr): Corner => {
    const inside = bounded(row, 0, size - 1);
    const isInside = ctx.astype(ctx.emit("equal", [inside, row]), dtype);
    return { index: ctx.astype(inside, "int64"), weight: ctx.emit("multiply", [weight, isInside]) };
  };
  return [corner(low, ctx.emit("subtract", [ctx.scalar(1, point), near])), corner(high, near)];
}

function combinations(axes: readonly (readonly Corner[])[]): readonly (readonly Corner[])[] {
  return axes.reduce<readonly (readonly Corner[])[]>((all, axis) => all.flatMap((head) => axis.map((c) => [...head, c])), [[]]);
}
