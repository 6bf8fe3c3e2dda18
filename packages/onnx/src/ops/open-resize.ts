import { at } from "@verticil/ir-core";
import { makeShapeExpr, type Expr } from "@verticil/relax";
import { asInt, constant, mul, neg, type PrimExpr } from "@verticil/tir";
import type { NodeContext } from "../node-context.ts";
import { alongAxis, between, countedFrom, sizeOperand } from "./positions.ts";

/** What a `Resize` does, whatever its sizes are. */
export interface OpenResampling {
  readonly method: string;
  readonly coordinates: string;
  readonly rounding: string;
  readonly cubicAlpha: number;
  readonly excludeOutside: boolean;
  readonly antialias: boolean;
  readonly extrapolation: number;
}

/** One axis: how many outputs it has, and how many there are per input, a float64 scalar. */
interface Goal {
  readonly axis: number;
  readonly count: PrimExpr;
  readonly scale: Expr;
  /** Where the region begins and ends, in shares of the axis. */
  readonly region: readonly [Expr, Expr] | undefined;
}

/** Weights are sums and products of doubles here, as the standard's own are. */
const REAL = "float64";

/**
 * `Resize` by scales, sizes or a region that the model computes: the weights of the inputs in each output are worked out
 * while it runs, and applied axis by axis.
 */
export function openResize(ctx: NodeContext, x: Expr, how: OpenResampling): Expr {
  const dtype = ctx.dtype(x);
  const goals = goalsOf(ctx, x, how);
  let out = how.method === "nearest_neighbor" ? x : ctx.astype(x, "float32");
  for (const goal of goals) {
    const place = positions(ctx, out, goal, how.coordinates);
    const size = at(ctx.dims(out), goal.axis);
    const last = ctx.emit("subtract", [sizeOperand(ctx, size, REAL), ctx.scalar(1, REAL)]);
    const rank = ctx.rank(out);
    if (how.method === "nearest_neighbor") {
      const cells = between(ctx, rounded(ctx, place, how.rounding), ctx.scalar(0, REAL), last);
      out = ctx.emit("take", [out, ctx.astype(cells, "int64")], { axis: goal.axis });
    } else out = weighted(ctx, out, goal.axis, ctx.astype(weights(ctx, place, size, goal, how), "float32"));
    if (how.coordinates !== "tf_crop_and_resize") continue;
    const isInside = ctx.emit("equal", [place, between(ctx, place, ctx.scalar(0, REAL), last)]);
    out = ctx.emit("where", [alongAxis(ctx, isInside, goal.axis, rank), out, ctx.scalar(how.extrapolation, out)]);
  }
  return ctx.dtype(out) === dtype ? out : ctx.astype(dtype.startsWith("float") ? out : ctx.emit("round", [out]), dtype);
}

function goalsOf(ctx: NodeContext, x: Expr, how: OpenResampling): readonly Goal[] {
  const dims = ctx.dims(x);
  const axes = ctx.axes(ctx.attrs.ints("axes") ?? dims.map((_, i) => i), dims.length);
  const part = (list: Expr, i: number): Expr => ctx.astype(ctx.emit("take", [list, ctx.scalar(i, "int64")], { axis: 0 }), REAL);
  const scalesInput = ctx.opset < 11 ? 1 : 2;
  const scales = isGiven(ctx, scalesInput) ? ctx.input(scalesInput) : undefined;
  const own = axes.map((a) => sizeOperand(ctx, at(dims, a), REAL));
  const ratios = scales === undefined ? axes.map((_, i) => ctx.emit("divide", [part(ctx.input(3), i), at(own, i)])) : axes.map((_, i) => part(scales, i));
  const policy = scales === undefined ? ctx.attrs.string("keep_aspect_ratio_policy", "stretch") : "stretch";
  const common = policy === "stretch" ? undefined : ratios.reduce((a, b) => ctx.emit(policy === "not_larger" ? "minimum" : "maximum", [a, b]));
  const factors = ratios.map((r) => common ?? r);
  const exact = factors.map((f, i) => ctx.emit("multiply", [f, at(own, i)]));
  // Halves up where a ratio is kept; scales are cut off, which are stored rounded.
  const counts = exact.map((e) => ctx.emit("floor", [ctx.emit("add", [e, ctx.scalar(scales === undefined ? 0.5 : 1e-4, REAL)])]));
  const sizes = ctx.openDims(ctx.astype(ctx.emit("stack", [ctx.tuple(counts)], { axis: 0 }), "int64"), axes.length);
  const crops = how.coordinates === "tf_crop_and_resize";
  return axes.map((axis, i): Goal => ({
    axis,
    count: at(sizes, i),
    scale: at(factors, i),
    region: crops ? [part(ctx.input(1), i), part(ctx.input(1), i + axes.length)] : undefined,
  }));
}

function isGiven(ctx: NodeContext, i: number): boolean {
  return ctx.optionalValue(i) !== undefined && ctx.dims(ctx.input(i)).every((d) => asInt(d) !== 0);
}

/** Where the outputs of an axis lie among its inputs, `[count]`. */
function positions(ctx: NodeContext, x: Expr, { axis, count, scale, region }: Goal, coordinates: string): Expr {
  const real = (v: number): Expr => ctx.scalar(v, REAL);
  const [plus, minus, times, over] = (["add", "subtract", "multiply", "divide"] as const).map((op) => (a: Expr, b: Expr): Expr => ctx.emit(op, [a, b]));
  if (plus === undefined || minus === undefined || times === undefined || over === undefined) throw new Error("internal: four operators");
  const i = ctx.astype(countedFrom(ctx, constant(0, "int64"), count), REAL);
  const size = sizeOperand(ctx, at(ctx.dims(x), axis), REAL);
  const exact = times(size, scale);
  const half = (): Expr => minus(over(plus(i, real(0.5)), scale), real(0.5));
  const last = minus(size, real(1));
  const ifMany = (many: Expr, one: Expr): Expr => ctx.emit("where", [ctx.emit("greater", [exact, real(1)]), many, one]);
  const span = (n: Expr): Expr => ctx.emit("maximum", [minus(n, real(1)), real(1e-9)]);
  switch (coordinates) {
    case "half_pixel":
      return half();
    case "half_pixel_symmetric": {
      const adjusted = over(sizeOperand(ctx, count, REAL), exact);
      return plus(times(over(size, real(2)), minus(real(1), adjusted)), half());
    }
    case "pytorch_half_pixel":
      return ifMany(half(), times(i, real(0)));
    case "align_corners":
      return ifMany(over(times(i, last), span(exact)), times(i, real(0)));
    case "tf_crop_and_resize": {
      if (region === undefined) throw new Error("internal: a region is cropped");
      const [from, to] = region;
      const outputs = sizeOperand(ctx, count, REAL);
      const many = plus(times(from, last), over(times(i, times(minus(to, from), last)), span(outputs)));
      const middle = times(times(plus(from, to), real(0.5)), last);
      return ctx.emit("where", [ctx.emit("greater", [outputs, real(1)]), many, plus(times(i, real(0)), middle)]);
    }
    case "asymmetric":
      return over(i, scale);
    default:
      return ctx.unsupported(`its coordinates are \`${coordinates}\``);
  }
}

function rounded(ctx: NodeContext, x: Expr, rounding: string): Expr {
  const half = ctx.scalar(0.5, REAL);
  switch (rounding) {
    case "floor":
      return ctx.emit("floor", [x]);
    case "ceil":
      return ctx.emit("ceil", [x]);
    case "round_prefer_ceil":
      return ctx.emit("floor", [ctx.emit("add", [x, half])]);
    default:
      return ctx.emit("ceil", [ctx.emit("subtract", [x, half])]);
  }
}

/**
 * The weights of `size` inputs in each output, `[size, count]`. Cells of the filter that lie outside count for the first or
 * last input; two sizes on each side are as far as any filter reaches.
 */
function weights(ctx: NodeContext, place: Expr, size: PrimExpr, goal: Goal, how: OpenResampling): Expr {
  const real = (v: number): Expr => ctx.scalar(v, REAL);
  const cells = countedFrom(ctx, ctx.simplify(neg(mul(size, 2))), ctx.simplify(mul(size, 3)));
  const column = ctx.emit("expand_dims", [ctx.astype(cells, REAL)], { axis: [1] });
  const stretch = how.antialias ? ctx.emit("minimum", [goal.scale, real(1)]) : real(1);
  const distance = ctx.emit("abs", [ctx.emit("multiply", [ctx.emit("subtract", [column, ctx.emit("expand_dims", [place], { axis: [0] })]), stretch])]);
  const filter = how.method === "linear" ? ctx.emit("maximum", [ctx.emit("subtract", [real(1), distance]), real(0)]) : cubic(ctx, distance, how.cubicAlpha);
  const last = ctx.emit("subtract", [sizeOperand(ctx, size), ctx.scalar(1, "int64")]);
  const inside = between(ctx, cells, ctx.scalar(0, "int64"), last);
  const isInside = ctx.emit("expand_dims", [ctx.astype(ctx.emit("equal", [cells, inside]), REAL)], { axis: [1] });
  const counted = how.excludeOutside ? ctx.emit("multiply", [filter, isInside]) : filter;
  const shares = ctx.emit("divide", [counted, ctx.emit("sum", [counted], { axis: [0], keepdims: true })]);
  // Which input each cell counts for.
  const inputs = ctx.emit("expand_dims", [countedFrom(ctx, constant(0, "int64"), size)], { axis: [1] });
  const belongs = ctx.astype(ctx.emit("equal", [inputs, ctx.emit("expand_dims", [inside], { axis: [0] })]), REAL);
  return ctx.emit("matmul", [belongs, shares]);
}

function cubic(ctx: NodeContext, d: Expr, a: number): Expr {
  const real = (v: number): Expr => ctx.scalar(v, REAL);
  const polynomial = (...coefficients: readonly number[]): Expr =>
    coefficients.slice(1).reduce<Expr>((sum, c) => ctx.emit("add", [ctx.emit("multiply", [sum, d]), real(c)]), real(coefficients[0] ?? 0));
  const near = polynomial(a + 2, -(a + 3), 0, 1);
  const far = polynomial(a, -5 * a, 8 * a, -4 * a);
  const below = (limit: number): Expr => ctx.emit("less", [d, real(limit)]);
  return ctx.emit("where", [below(1), near, ctx.emit("where", [below(2), far, ctx.emit("multiply", [d, real(0)])])]);
}

/** An axis times a matrix `[size, count]`. */
function weighted(ctx: NodeContext, x: Expr, axis: number, matrix: Expr): Expr {
  const rank = ctx.rank(x);
  const order = [...Array.from({ length: rank }, (_, i) => i).filter((i) => i !== axis), axis];
  const dims = ctx.dims(x);
  const rows = order.slice(0, -1).reduce<PrimExpr>((n, i) => mul(n, at(dims, i)), constant(1, "int64"));
  const flat = ctx.reshape(ctx.transpose(x, order), [ctx.simplify(rows), at(dims, axis)]);
  const product = ctx.emit("matmul", [flat, matrix]);
  const count = at(ctx.dims(matrix), 1);
  const apart = ctx.emit("reshape", [product, makeShapeExpr([...order.slice(0, -1).map((i) => at(dims, i)), count])]);
  return ctx.transpose(apart, Array.from({ length: rank }, (_, i) => order.indexOf(i)));
}
