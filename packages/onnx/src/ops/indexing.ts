import { at } from "@verticil/ir-core";
import { makePrimValue, type Expr } from "@verticil/relax";
import { getElement, nonZeroOf, tensorFrom, uniqueOf } from "@verticil/runtime-ffi";
import { add, asInt, constant, mul, type PrimExpr } from "@verticil/tir";
import type { Converter, ConverterTable } from "../converter.ts";
import { sliceBounds } from "../fold/layout.ts";
import { nonMaxSuppressionOf } from "../fold/non-max-suppression.ts";
import { knownNumbers } from "../known.ts";
import type { NodeContext } from "../node-context.ts";
import { knownValue } from "../value.ts";
import { alongAxis, between, countedFrom, sizeOperand, sizesOperand } from "./positions.ts";

/** Indices that count from the end where they are negative, made to count from the front. */
function wrapped(ctx: NodeContext, i: number, size: PrimExpr): Expr {
  const indices = ctx.input(i);
  const dtype = ctx.dtype(indices);
  if (dtype.startsWith("uint")) return indices;
  const n = asInt(size);
  const stored = ctx.tensor(i);
  if (stored !== undefined && n !== undefined) {
    const values = Array.from({ length: stored.data.length }, (_, k) => Number(getElement(stored, k)));
    return values.every((v) => v >= 0) ? indices : ctx.constant(tensorFrom(values.map((v) => (v < 0 ? v + n : v)), stored.shape, dtype));
  }
  if (n === undefined) return indices;
  const isNegative = ctx.emit("less", [indices, ctx.scalar(0, dtype)]);
  return ctx.emit("where", [isNegative, ctx.emit("add", [indices, ctx.scalar(n, dtype)]), indices]);
}

/** Rows of an axis at the indices that the node's second input gives; negative ones count from the end. */
export function gather(ctx: NodeContext, x: Expr, axis: number): Expr {
  return ctx.emit("take", [x, wrapped(ctx, 1, at(ctx.dims(x), axis))], { axis });
}

const gatherElements: Converter = (ctx) => {
  const x = ctx.input(0);
  const axis = ctx.axis(ctx.attrs.int("axis", 0), ctx.rank(x));
  return ctx.emit("gather_elements", [x, wrapped(ctx, 1, at(ctx.dims(x), axis))], { axis });
};

/** Indices that are tuples, each part of which counts from the end where it is negative. */
function wrappedTuples(ctx: NodeContext, x: Expr, i: number, firstAxis: number): Expr {
  const indices = ctx.astype(ctx.input(i), "int64");
  const depth = asInt(at(ctx.dims(indices), -1)) ?? ctx.unsupported("the length of its indices is not known");
  const stored = ctx.tensor(i);
  const values = stored === undefined ? undefined : Array.from({ length: stored.data.length }, (_, k) => Number(getElement(stored, k)));
  if (values?.every((v) => v >= 0)) return indices;
  const sizes = ctx.dims(x).slice(firstAxis, firstAxis + depth).map(asInt);
  if (!sizes.every((s) => s !== undefined)) return indices;
  const isNegative = ctx.emit("less", [indices, ctx.scalar(0, "int64")]);
  const moved = ctx.emit("add", [indices, ctx.constant(tensorFrom(sizes, [depth], "int64"))]);
  return ctx.emit("where", [isNegative, moved, indices]);
}

const gatherNd: Converter = (ctx) => {
  const x = ctx.input(0);
  const batch = ctx.attrs.int("batch_dims", 0);
  return ctx.emit("gather_nd", [x, wrappedTuples(ctx, x, 1, batch)], { batch_dims: batch });
};

function reductionName(ctx: NodeContext): string {
  const name = ctx.attrs.string("reduction", "none");
  return name === "none" ? "update" : name;
}

const scatterElements: Converter = (ctx) => {
  const x = ctx.input(0);
  const axis = ctx.axis(ctx.attrs.int("axis", 0), ctx.rank(x));
  const indices = wrapped(ctx, 1, at(ctx.dims(x), axis));
  return ctx.emit("scatter_elements", [x, indices, ctx.input(2)], { axis, reduction: reductionName(ctx) });
};

const scatterNd: Converter = (ctx) => {
  const x = ctx.input(0);
  return ctx.emit("scatter_nd", [x, wrappedTuples(ctx, x, 1, 0), ctx.input(2)], { reduction: reductionName(ctx) });
};

/** From here on a bound means "to the end". */
const FAR = 2 ** 31 - 2;

const slice: Converter = (ctx) => {
  const x = ctx.input(0);
  const byAttribute = ctx.opset < 10;
  const bounds = (name: string, i: number): readonly (PrimExpr | number)[] =>
    byAttribute ? (ctx.attrs.ints(name) ?? ctx.unsupported(`it has no ${name}`)) : ctx.dimsInput(i, `the ${name}`);
  const isComputed = (i: number): boolean => ctx.optionalValue(i) !== undefined && ctx.known(i) === undefined;
  if (!byAttribute && (isComputed(3) || isComputed(4))) return sliceByRows(ctx, x);
  const given = byAttribute ? ctx.attrs.ints("axes") : ctx.optionalNumbers(3, "the axes");
  if (!byAttribute && (ctx.known(1) === undefined || ctx.known(2) === undefined)) return openSlice(ctx, x, given);
  const [starts, ends] = [bounds("starts", 1), bounds("ends", 2)];
  const axes = ctx.axes(given ?? starts.map((_, i) => i), ctx.rank(x));
  const steps = (byAttribute ? undefined : ctx.optionalNumbers(4, "the steps")) ?? starts.map(() => 1);
  const dims = ctx.dims(x);
  const ranges = axes.map((axis, i) => rangeOf({ start: at(starts, i), end: at(ends, i), step: at(steps, i), size: at(dims, axis) }));
  const isWhole = ranges.every((r) => r.isWhole) && steps.every((s) => s === 1);
  if (isWhole) return x;
  const args = [x, ctx.prims(axes), ctx.prims(ranges.map((r) => r.begin)), ctx.prims(ranges.map((r) => r.end)), ctx.prims(steps)];
  return ctx.emit("strided_slice", args);
};

/** A slice whose bounds the model computes: it counts them from the front and clamps them, and each run binds what results. */
function openSlice(ctx: NodeContext, x: Expr, given: readonly number[] | undefined): Expr {
  const count = asInt(at(ctx.dims(ctx.input(1)), 0)) ?? ctx.dynamic("the number of its bounds");
  const axes = ctx.axes(given ?? Array.from({ length: count }, (_, i) => i), ctx.rank(x));
  const steps = ctx.optionalNumbers(4, "the steps") ?? axes.map(() => 1);
  if (steps.some((s) => s < 1)) return sliceByRows(ctx, x);
  const sizes = ctx.exprOf(knownValue({ dtype: "int64", shape: [count], elems: axes.map((a) => at(ctx.dims(x), a)) }));
  const zero = ctx.scalar(0, "int64");
  const clamped = (i: number): Expr => {
    const bound = ctx.astype(ctx.input(i), "int64");
    const fromFront = ctx.emit("where", [ctx.emit("less", [bound, zero]), ctx.emit("add", [bound, sizes]), bound]);
    return ctx.emit("minimum", [ctx.emit("maximum", [fromFront, zero]), sizes]);
  };
  const first = clamped(1);
  const [begin, end] = [ctx.openDims(first, count), ctx.openDims(ctx.emit("maximum", [clamped(2), first]), count)];
  return ctx.emit("strided_slice", [x, ctx.prims(axes), ctx.prims(begin), ctx.prims(end), ctx.prims(steps)]);
}

/**
 * A slice whose axes or steps the model computes too: which rows of each axis are taken is worked out, and how many is
 * bound by each run.
 */
function sliceByRows(ctx: NodeContext, x: Expr): Expr {
  const rank = ctx.rank(x);
  const int = (i: number): Expr => ctx.astype(ctx.input(i), "int64");
  const [starts, ends] = [int(1), int(2)];
  const count = asInt(at(ctx.dims(starts), 0)) ?? ctx.dynamic("the number of its bounds");
  const ones = ctx.constant(tensorFrom(new Array<number>(Math.max(rank, count)).fill(1), [Math.max(rank, count)], "int64"));
  const first = ctx.constant(tensorFrom(Array.from({ length: count }, (_, i) => i), [count], "int64"));
  const axes = ctx.emit("floor_mod", [ctx.optionalValue(3) === undefined ? first : int(3), ctx.scalar(rank, "int64")]);
  const steps = ctx.optionalValue(4) === undefined ? ctx.emit("take", [ones, first], { axis: 0 }) : int(4);
  const dims = sizesOperand(ctx, ctx.dims(x));
  const sizes = ctx.emit("take", [dims, axes], { axis: 0 });
  const [zero, one] = [ctx.scalar(0, "int64"), ctx.scalar(1, "int64")];
  const isForward = ctx.emit("greater", [steps, zero]);
  const choose = (forward: Expr, backward: Expr): Expr => ctx.emit("where", [isForward, forward, backward]);
  const wrap = (bound: Expr): Expr => ctx.emit("where", [ctx.emit("less", [bound, zero]), ctx.emit("add", [bound, sizes]), bound]);
  const before = choose(zero, ctx.scalar(-1, "int64"));
  const last = choose(sizes, ctx.emit("subtract", [sizes, one]));
  const [from, to] = [between(ctx, wrap(starts), before, last), between(ctx, wrap(ends), before, last)];
  // Rounded up: the last step may be a short one.
  const span = ctx.emit("subtract", [ctx.emit("add", [ctx.emit("subtract", [to, from]), steps]), choose(one, ctx.scalar(-1, "int64"))]);
  const counts = ctx.emit("maximum", [ctx.emit("floor_divide", [span, steps]), zero]);
  const spread = (all: Expr, some: Expr): Expr => ctx.emit("scatter_elements", [all, axes, some], { axis: 0, reduction: "update" });
  const every = ctx.emit("take", [ones, ctx.constant(tensorFrom(Array.from({ length: rank }, (_, i) => i), [rank], "int64"))], { axis: 0 });
  const begins = spread(ctx.emit("multiply", [every, zero]), from);
  const strides = spread(every, steps);
  const lengths = ctx.openDims(spread(dims, counts), rank);
  return lengths.reduce<Expr>((y, length, axis) => {
    const pick = (list: Expr): Expr => ctx.emit("take", [list, ctx.scalar(axis, "int64")], { axis: 0 });
    const rows = ctx.emit("multiply", [countedFrom(ctx, constant(0, "int64"), length), pick(strides)]);
    return ctx.emit("take", [y, ctx.emit("add", [rows, pick(begins)])], { axis });
  }, x);
}

interface Bounds {
  readonly start: PrimExpr | number;
  readonly end: PrimExpr | number;
  readonly step: number;
  readonly size: PrimExpr;
}

/** Bounds counted from the front and clamped where that can be known, as `strided_slice` takes them. */
function rangeOf({ start, end, step, size }: Bounds): { readonly begin: PrimExpr | number; readonly end: PrimExpr | number; readonly isWhole: boolean } {
  const [from, to, n] = [numberOf(start), numberOf(end), asInt(size)];
  if (from !== undefined && to !== undefined && n !== undefined) {
    const range = sliceBounds(from, to, step, n);
    // "Before the first element" cannot be written as -1, which is the last one.
    return { begin: range.start, end: range.end < 0 ? -n - 1 : range.end, isWhole: range.start === 0 && range.end === n };
  }
  const fromFront = (bound: PrimExpr | number, value: number | undefined): PrimExpr | number => {
    if (value === undefined) return bound;
    if (value >= FAR) return size;
    return value < 0 && value > -FAR ? add(size, value) : value;
  };
  return { begin: fromFront(start, from), end: fromFront(end, to), isWhole: from === 0 && step === 1 && to !== undefined && to >= FAR };
}

function numberOf(d: PrimExpr | number): number | undefined {
  return typeof d === "number" ? d : asInt(d);
}

/** `OneHot` whose depth or values the model computes: each index is compared with every number below the depth. */
function openOneHot(ctx: NodeContext): Expr {
  const depth = at(ctx.dimsInput(1, "the depth"), 0);
  const values = ctx.input(2);
  const [off, on] = [0, 1].map((i) => ctx.emit("take", [values, ctx.scalar(i, "int64")], { axis: 0 }));
  if (off === undefined || on === undefined) return ctx.unsupported("it does not have two values");
  const indices = ctx.astype(ctx.input(0), "int64");
  const isNegative = ctx.emit("less", [indices, ctx.scalar(0, "int64")]);
  const positive = ctx.emit("where", [isNegative, ctx.emit("add", [indices, sizeOperand(ctx, depth)]), indices]);
  const rank = ctx.rank(indices) + 1;
  const axis = ctx.axis(ctx.attrs.int("axis", -1), rank);
  const numbers = alongAxis(ctx, countedFrom(ctx, constant(0, "int64"), depth), axis, rank);
  return ctx.emit("where", [ctx.emit("equal", [ctx.emit("expand_dims", [positive], { axis: [axis] }), numbers]), on, off]);
}

const oneHot: Converter = (ctx) => {
  if (ctx.known(1) === undefined || ctx.known(2) === undefined) return openOneHot(ctx);
  const depth = ctx.number(1, "the depth");
  const values = ctx.known(2) ?? ctx.dynamic("its two values");
  const [off, on] = values.elems;
  if (off === undefined || on === undefined) return ctx.unsupported("it does not have two values");
  const indices = ctx.astype(ctx.input(0), "int64");
  const positive = ctx.emit("where", [
    ctx.emit("less", [indices, ctx.scalar(0, "int64")]),
    ctx.emit("add", [indices, ctx.scalar(depth, "int64")]),
    indices,
  ]);
  const axis = ctx.axis(ctx.attrs.int("axis", -1), ctx.rank(indices) + 1);
  return ctx.emit("one_hot", [positive, makePrimValue(on), makePrimValue(off)], { depth, axis });
};

const compress: Converter = (ctx) => {
  const condition = ctx.known(1);
  const chosen = condition === undefined ? undefined : knownNumbers(condition);
  if (chosen === undefined) return openCompress(ctx);
  const kept = chosen.flatMap((c, i) => (c !== 0 ? [i] : []));
  const x = ctx.input(0);
  const indices = ctx.constant(tensorFrom(kept, [kept.length], "int64"));
  const given = ctx.attrs.int("axis");
  if (given !== undefined) return ctx.emit("take", [x, indices], { axis: ctx.axis(given, ctx.rank(x)) });
  const count = ctx.staticDims(x).reduce((a, b) => a * b, 1);
  return ctx.emit("take", [ctx.reshape(x, [count]), indices], { axis: 0 });
};

/** `Compress` by a condition that the model computes: the positions where it holds are taken. */
function openCompress(ctx: NodeContext): Expr {
  const x = ctx.input(0);
  const found = nonZero(ctx, ctx.input(1));
  const indices = ctx.reshape(found, [at(ctx.dims(found), 1)]);
  const given = ctx.attrs.int("axis");
  if (given !== undefined) return ctx.emit("take", [x, indices], { axis: ctx.axis(given, ctx.rank(x)) });
  return ctx.emit("take", [ctx.reshape(x, [ctx.simplify(ctx.dims(x).reduce((a, b) => mul(a, b), constant(1, "int64")))]), indices], { axis: 0 });
}

function nonZero(ctx: NodeContext, x: Expr): Expr {
  return ctx.withOpenDims(ctx.emit("nonzero", [x]), [constant(ctx.rank(x), "int64"), undefined]);
}

const unique: Converter = (ctx) => {
  const stored = ctx.tensor(0);
  if (stored !== undefined) return uniqueOf(stored, ctx.attrs.int("axis"), ctx.attrs.flag("sorted", true)).map((t) => ctx.constant(t));
  const x = ctx.input(0);
  const flag = (value: boolean): Expr => makePrimValue(constant(value ? 1 : 0, "bool"));
  const given = ctx.attrs.int("axis");
  const axis = given === undefined ? undefined : ctx.axis(given, ctx.rank(x));
  const args = [x, flag(ctx.attrs.flag("sorted", true)), flag(true), flag(true), flag(true)];
  const all = ctx.emit("unique", axis === undefined ? args : [...args, makePrimValue(axis)]);
  const values = ctx.withOpenDims(ctx.field(all, 0), axis === undefined ? [undefined] : ctx.dims(x).map((d, i) => (i === axis ? undefined : d)));
  const count = at(ctx.dims(values), axis ?? 0);
  const size = axis === undefined ? ctx.simplify(ctx.dims(x).reduce((a, b) => mul(a, b), constant(1, "int64"))) : at(ctx.dims(x), axis);
  return [values, ...[count, size, count].map((d, i) => ctx.withOpenDims(ctx.field(all, i + 1), [d]))];
};

const nonZeroOrConstant: Converter = (ctx) => {
  const stored = ctx.tensor(0);
  return stored === undefined ? nonZero(ctx, ctx.input(0)) : ctx.constant(nonZeroOf(stored));
};

const reverseSequence: Converter = (ctx) =>
  ctx.emit("reverse_sequence", [ctx.input(0), ctx.input(1)], {
    seq_axis: ctx.attrs.int("time_axis", 0),
    batch_axis: ctx.attrs.int("batch_axis", 1),
  });

/** Boxes as two corners (y, x, y, x) from centres and sizes (x, y, width, height). */
function cornersOf(ctx: NodeContext, boxes: Expr): Expr {
  const part = (i: number): Expr => ctx.emit("strided_slice", [boxes, ctx.prims([2]), ctx.prims([i]), ctx.prims([i + 1])]);
  const half = (i: number): Expr => ctx.emit("multiply", [part(i), ctx.scalar(0.5, boxes)]);
  const edges = (["subtract", "add"] as const).flatMap((op) => [ctx.emit(op, [part(1), half(3)]), ctx.emit(op, [part(0), half(2)])]);
  return ctx.emit("concat", [ctx.tuple(edges)], { axis: 2 });
}

const nonMaxSuppression: Converter = (ctx) => {
  const [stored, scores] = [ctx.tensor(0), ctx.tensor(1)];
  if (stored !== undefined && scores !== undefined) {
    const told = (i: number, fallback: number): number => ctx.optionalNumbers(i, "its limits")?.[0] ?? fallback;
    const options = { limit: told(2, 0), overlap: told(3, 0), score: told(4, -Infinity), centred: ctx.attrs.flag("center_point_box") };
    return ctx.constant(nonMaxSuppressionOf(stored, scores, options));
  }
  const boxes = ctx.attrs.flag("center_point_box") ? cornersOf(ctx, ctx.input(0)) : ctx.input(0);
  const limit = ctx.optional(2) ?? ctx.constant(tensorFrom([0], [], "int64"));
  const iou = ctx.optional(3) ?? ctx.scalar(0, "float32");
  const score = ctx.optional(4) ?? ctx.scalar(-Infinity, "float32");
  const single = (x: Expr): Expr => (ctx.rank(x) === 0 ? ctx.reshape(x, [1]) : x);
  const found = ctx.emit("vision.all_class_non_max_suppression", [boxes, ctx.input(1), single(limit), single(iou), single(score)], {
    output_format: "onnx",
  });
  // The rows that were found come first; how many they are is known after the run.
  const [count] = ctx.openDims(ctx.field(found, 1), 1);
  return ctx.emit("strided_slice", [ctx.field(found, 0), ctx.prims([0]), ctx.prims([0]), ctx.prims([count ?? 0])]);
};

/** Operators that read and write at positions. */
export const indexingConverters: ConverterTable = {
  Gather: (ctx) => gather(ctx, ctx.input(0), ctx.axis(ctx.attrs.int("axis", 0), ctx.rank(ctx.input(0)))),
  GatherElements: gatherElements,
  GatherND: gatherNd,
  Scatter: scatterElements,
  ScatterElements: scatterElements,
  ScatterND: scatterNd,
  Slice: slice,
  OneHot: oneHot,
  Compress: compress,
  NonZero: nonZeroOrConstant,
  Unique: unique,
  ReverseSequence: reverseSequence,
  NonMaxSuppression: nonMaxSuppression,
};
