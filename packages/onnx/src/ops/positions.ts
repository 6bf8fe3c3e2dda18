import { at } from "@verticil/ir-core";
import { makePrimValue, type Expr } from "@verticil/relax";
import type { ScalarDType } from "@verticil/runtime-ffi";
import { add, asInt, constant, neg, type PrimExpr } from "@verticil/tir";
import type { NodeContext } from "../node-context.ts";
import { knownValue } from "../value.ts";

// Sizes and positions that the model computes: rows are taken at positions that are worked out while it runs.

/** A size as a scalar operand. */
export function sizeOperand(ctx: NodeContext, size: PrimExpr, dtype: ScalarDType = "int64"): Expr {
  return ctx.astype(ctx.exprOf(knownValue({ dtype: "int64", shape: [], elems: [size] })), dtype);
}

/** Sizes as a list `[n]` int64. */
export function sizesOperand(ctx: NodeContext, sizes: readonly PrimExpr[]): Expr {
  return ctx.exprOf(knownValue({ dtype: "int64", shape: [sizes.length], elems: sizes }));
}

/** `first, first + 1, …` up to `end`, which is not among them, as int64. */
export function countedFrom(ctx: NodeContext, first: PrimExpr, end: PrimExpr): Expr {
  return ctx.emit("arange", [first, end, constant(1, "int64")].map((d) => makePrimValue(ctx.simplify(d))), { dtype: "int64" });
}

/** `x` shaped to stand along one axis of `rank`. */
export function alongAxis(ctx: NodeContext, x: Expr, axis: number, rank: number): Expr {
  const [length] = ctx.dims(x);
  return ctx.reshape(x, Array.from({ length: rank }, (_, i) => (i === axis ? (length ?? 1) : 1)));
}

/** Each element between two scalars. */
export function between(ctx: NodeContext, x: Expr, low: Expr, high: Expr): Expr {
  return ctx.emit("minimum", [ctx.emit("maximum", [x, low]), high]);
}

/** How an axis goes on outside of its data. */
export interface Border {
  readonly mode: "constant" | "edge" | "reflect" | "wrap";
  /** A scalar of the data's type, for `constant`. */
  readonly value: Expr;
}

/** An axis from `before` rows in front of its first one up to `after` rows behind its last; fewer where they are negative. */
export function extended(ctx: NodeContext, x: Expr, axis: number, before: PrimExpr, after: PrimExpr, border: Border): Expr {
  const size = at(ctx.dims(x), axis);
  if (asInt(before) === 0 && asInt(after) === 0) return x;
  const rows = countedFrom(ctx, neg(before), add(size, after));
  const zero = ctx.scalar(0, "int64");
  const last = ctx.emit("subtract", [sizeOperand(ctx, size), ctx.scalar(1, "int64")]);
  const inside = between(ctx, rows, zero, last);
  switch (border.mode) {
    case "wrap":
      return ctx.emit("take", [x, ctx.emit("floor_mod", [rows, sizeOperand(ctx, size)])], { axis });
    case "reflect": {
      // There and back again is one period.
      const period = ctx.emit("maximum", [ctx.emit("multiply", [last, ctx.scalar(2, "int64")]), ctx.scalar(1, "int64")]);
      const place = ctx.emit("floor_mod", [rows, period]);
      const folded = ctx.emit("minimum", [place, ctx.emit("subtract", [period, place])]);
      return ctx.emit("take", [x, between(ctx, folded, zero, last)], { axis });
    }
    case "edge":
      return ctx.emit("take", [x, inside], { axis });
    case "constant": {
      const taken = ctx.emit("take", [x, inside], { axis });
      const isInside = alongAxis(ctx, ctx.emit("equal", [rows, inside]), axis, ctx.rank(x));
      return ctx.emit("where", [isInside, taken, border.value]);
    }
  }
}
