import { makeShapeExpr, makeTuple, type Expr } from "@verticil/relax";
import { isFloat, type ScalarDType } from "@verticil/runtime-ffi";
import { constant, isConstInt, maxValue, minValue, type PrimExpr } from "@verticil/tir";
import type { Converter, ConverterTable } from "../converter.ts";
import { withAxes } from "../graph/run-time-axes.ts";
import type { NodeContext } from "../node-context.ts";

interface Reduction {
  readonly axis: readonly number[] | null;
  readonly keepdims: boolean;
}

/** `undefined` for what is not reduced at all. */
type Reduce = (name: string, x: Expr) => Expr;

/** Axes by attribute until `since`, by input from then on. */
const reduction =
  (f: (ctx: NodeContext, x: Expr, reduce: Reduce, how: Reduction | undefined) => Expr, since = 18): Converter =>
  (ctx) => {
    const x = ctx.input(0);
    const keepdims = ctx.attrs.flag("keepdims", true);
    const by = (axes: readonly number[]): Expr => {
      const isAll = axes.length === 0;
      const how = isAll && ctx.attrs.flag("noop_with_empty_axes") ? undefined : { axis: isAll ? null : axes, keepdims };
      // Even of nothing, the logarithm or the square that goes with the reduction is taken.
      return f(ctx, x, (name, y) => (how === undefined || ctx.rank(y) === 0 ? y : reduced(ctx, name, y, how)), how);
    };
    if (ctx.opset < since) return by(ctx.axes(ctx.attrs.ints("axes") ?? [], ctx.rank(x)));
    return ctx.optionalValue(1) === undefined ? by([]) : withAxes(ctx, 1, ctx.rank(x), by);
  };

/** A reduction by one of our operators; of nothing, what the operator starts from. */
function reduced(ctx: NodeContext, name: string, x: Expr, { axis, keepdims }: Reduction): Expr {
  const dims = ctx.dims(x);
  const isReduced = (i: number): boolean => axis === null || axis.includes(i);
  if (!dims.some((d, i) => isReduced(i) && isConstInt(d, 0))) return ctx.emit(name, [x], { axis, keepdims });
  const left = dims.flatMap((d, i) => (!isReduced(i) ? [d] : keepdims ? [constant(1, "int64")] : []));
  const dtype = ctx.dtype(x);
  return ctx.emit("full", [makeShapeExpr(left), ctx.scalar(startOf(name, dtype), dtype)], { dtype });
}

function startOf(name: string, dtype: ScalarDType): number | bigint {
  if (name === "prod") return 1;
  if (name !== "max" && name !== "min") return 0;
  if (isFloat(dtype)) return name === "max" ? -Infinity : Infinity;
  const last = name === "max" ? minValue(dtype) : maxValue(dtype);
  return last.kind === "ir.IntImm" ? last.value : 0;
}

const plain = (name: string, since = 18): Converter => reduction((_ctx, x, reduce) => reduce(name, x), since);

/** Maximum and minimum of booleans are or and and. */
const extremum = (name: "max" | "min"): Converter =>
  reduction((ctx, x, reduce) => {
    if (ctx.dtype(x) !== "bool") return reduce(name, x);
    return ctx.astype(reduce(name, ctx.astype(x, "uint8")), "bool");
  });

const square = (ctx: NodeContext, x: Expr): Expr => ctx.emit("multiply", [x, x]);

const logSumExp = reduction((ctx, x, reduce, how) => {
  if (how === undefined) return x;
  const largest = reduced(ctx, "max", x, { axis: how.axis, keepdims: true });
  // Infinity less itself is no number: there nothing is taken off.
  const isFinite = ctx.emit("less", [ctx.emit("abs", [largest]), ctx.scalar(Infinity, x)]);
  const taken = ctx.emit("where", [isFinite, largest, ctx.scalar(0, x)]);
  const sum = reduce("sum", ctx.emit("exp", [ctx.emit("subtract", [x, taken])]));
  const offset = how.keepdims ? taken : ctx.emit("squeeze", [taken], { axis: how.axis });
  return ctx.emit("add", [ctx.emit("log", [sum]), offset]);
});

const argReduction =
  (name: "argmax" | "argmin"): Converter =>
  (ctx) => {
    const x = ctx.input(0);
    const axis = ctx.axis(ctx.attrs.int("axis", 0), ctx.rank(x));
    const attrs = { axis, keepdims: ctx.attrs.flag("keepdims", true) };
    // Where nothing is above minus infinity none is found, which is said by -1.
    const found = (y: Expr): Expr => {
      const position = ctx.emit(name, [y], attrs);
      return isFloat(ctx.dtype(x)) ? ctx.emit("maximum", [position, ctx.scalar(0, position)]) : position;
    };
    if (!ctx.attrs.flag("select_last_index")) return found(x);
    // The last one is the first one from behind.
    const size = ctx.staticDims(x)[axis] ?? 1;
    const fromBehind = found(ctx.emit("flip", [x], { axis }));
    return ctx.emit("subtract", [ctx.scalar(size - 1, "int64"), fromBehind]);
  };

const cumulative =
  (name: "cumsum" | "cumprod"): Converter =>
  (ctx) => {
    const x = ctx.input(0);
    if (ctx.dims(x).some((d) => isConstInt(d, 0))) return x;
    return withAxes(ctx, 1, ctx.rank(x), ([axis = 0]) => {
      const flip = (y: Expr): Expr => (ctx.attrs.flag("reverse") ? ctx.emit("flip", [y], { axis }) : y);
      return flip(ctx.emit(name, [flip(x)], { axis, exclusive: ctx.attrs.flag("exclusive") }));
    });
  };

/** A tensor without elements. */
function nothing(ctx: NodeContext, dims: readonly PrimExpr[], dtype: ScalarDType): Expr {
  return ctx.emit("full", [makeShapeExpr(dims), ctx.scalar(0, dtype)], { dtype });
}

const topK: Converter = (ctx) => {
  const x = ctx.input(0);
  const axis = ctx.axis(ctx.attrs.int("axis", -1), ctx.rank(x));
  if (ctx.opset >= 10 && ctx.known(1) === undefined) return openTopK(ctx, x, axis);
  const k = ctx.opset < 10 ? (ctx.attrs.int("k") ?? ctx.unsupported("it has no k")) : ctx.number(1, "k");
  // To our operator a count of 0 means all.
  if (k === 0) return [ctx.dtype(x), "int64" as const].map((dtype) => nothing(ctx, ctx.dims(x).with(axis, constant(0, "int64")), dtype));
  const both = ctx.emit("topk", [x], { k, axis, ret_type: "both", largest: ctx.attrs.flag("largest", true), dtype: "int64" });
  return [ctx.field(both, 0), ctx.field(both, 1)];
};

/** `TopK` with a count that the model computes: all are sorted, and that many are kept. */
function openTopK(ctx: NodeContext, x: Expr, axis: number): readonly Expr[] {
  const both = ctx.emit("topk", [x], { k: -1, axis, ret_type: "both", largest: ctx.attrs.flag("largest", true), dtype: "int64" });
  const k = ctx.dimsInput(1, "k");
  return [0, 1].map((i) => ctx.emit("strided_slice", [ctx.field(both, i), ctx.prims([axis]), ctx.prims([0]), ctx.prims(k)]));
}

const einsum: Converter = (ctx) =>
  ctx.emit("einsum", [makeTuple(ctx.inputs())], { subscripts: ctx.attrs.string("equation", "").replaceAll(" ", "") });

/** Reductions, searches, scans and sums of products. */
export const reductionConverters: ConverterTable = {
  ReduceSum: plain("sum", 13),
  ReduceMean: plain("mean"),
  ReduceMax: extremum("max"),
  ReduceMin: extremum("min"),
  ReduceProd: plain("prod"),
  ReduceL1: reduction((ctx, x, reduce) => reduce("sum", ctx.emit("abs", [x]))),
  ReduceL2: reduction((ctx, x, reduce) => ctx.emit("sqrt", [reduce("sum", square(ctx, x))])),
  ReduceSumSquare: reduction((ctx, x, reduce) => reduce("sum", square(ctx, x))),
  ReduceLogSum: reduction((ctx, x, reduce) => ctx.emit("log", [reduce("sum", x)])),
  ReduceLogSumExp: logSumExp,
  ArgMax: argReduction("argmax"),
  ArgMin: argReduction("argmin"),
  CumSum: cumulative("cumsum"),
  CumProd: cumulative("cumprod"),
  TopK: topK,
  Einsum: einsum,
};
