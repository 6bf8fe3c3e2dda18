import { at } from "@verticil/ir-core";
import { makePrimValue, type Expr } from "@verticil/relax";
import { getElement, tensorFrom } from "@verticil/runtime-ffi";
import { add, asInt, constant, type PrimExpr } from "@verticil/tir";
import type { Converter, ConverterTable } from "../converter.ts";
import { sliceBounds } from "../fold/layout.ts";
import { nonZeroOf, uniqueOf } from "../fold/data-dependent.ts";
import { knownNumbers } from "../known.ts";
import type { NodeContext } from "../node-context.ts";

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

const gather: Converter = (ctx) => {
  const x = ctx.input(0);
  const axis = ctx.axis(ctx.attrs.int("axis", 0), ctx.rank(x));
  return ctx.emit("take", [x, wrapped(ctx, 1, at(ctx.dims(x), axis))], { axis });
};

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
  const [starts, ends] = [bounds("starts", 1), bounds("ends", 2)];
  const given = byAttribute ? ctx.attrs.ints("axes") : ctx.optionalNumbers(3, "the axes");
  const axes = ctx.axes(given ?? starts.map((_, i) => i), ctx.rank(x));
  const steps = (byAttribute ? undefined : ctx.optionalNumbers(4, "the steps")) ?? starts.map(() => 1);
  const dims = ctx.dims(x);
  const ranges = axes.map((axis, i) => rangeOf({ start: at(starts, i), end: at(ends, i), step: at(steps, i), size: at(dims, axis) }));
  const isWhole = ranges.every((r) => r.isWhole) && steps.every((s) => s === 1);
  if (isWhole) return x;
  const args = [x, ctx.prims(axes), ctx.prims(ranges.map((r) => r.begin)), ctx.prims(ranges.map((r) => r.end)), ctx.prims(steps)];
  return ctx.emit("strided_slice", args);
};

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

const oneHot: Converter = (ctx) => {
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
  if (chosen === undefined) return ctx.dynamic("its condition");
  const kept = chosen.flatMap((c, i) => (c !== 0 ? [i] : []));
  const x = ctx.input(0);
  const indices = ctx.constant(tensorFrom(kept, [kept.length], "int64"));
  const given = ctx.attrs.int("axis");
  if (given !== undefined) return ctx.emit("take", [x, indices], { axis: ctx.axis(given, ctx.rank(x)) });
  const count = ctx.staticDims(x).reduce((a, b) => a * b, 1);
  return ctx.emit("take", [ctx.reshape(x, [count]), indices], { axis: 0 });
};

const nonZero: Converter = (ctx) => ctx.emit("nonzero", [ctx.input(0)]);

const unique: Converter = (ctx) => {
  const stored = ctx.tensor(0);
  if (stored !== undefined) return uniqueOf(stored, ctx.attrs.int("axis"), ctx.attrs.flag("sorted", true)).map((t) => ctx.constant(t));
  if (ctx.usesOutput(1) || ctx.usesOutput(2) || ctx.usesOutput(3)) return ctx.dynamic("its input, because more than its first output is used,");
  const flag = (value: boolean): Expr => makePrimValue(constant(value ? 1 : 0, "bool"));
  const axis = ctx.attrs.int("axis");
  const args = [ctx.input(0), flag(ctx.attrs.flag("sorted", true)), flag(false), flag(false), flag(false)];
  return ctx.emit("unique", axis === undefined ? args : [...args, makePrimValue(axis)]);
};

const nonZeroOrConstant: Converter = (ctx) => {
  const stored = ctx.tensor(0);
  return stored === undefined ? nonZero(ctx) : ctx.constant(nonZeroOf(stored));
};

const reverseSequence: Converter = (ctx) =>
  ctx.emit("reverse_sequence", [ctx.input(0), ctx.input(1)], {
    seq_axis: ctx.attrs.int("time_axis", 0),
    batch_axis: ctx.attrs.int("batch_axis", 1),
  });

const nonMaxSuppression: Converter = (ctx) => {
  if (ctx.attrs.flag("center_point_box")) return ctx.unsupported("its boxes are centres and sizes");
  const limit = ctx.optional(2) ?? ctx.constant(tensorFrom([0], [], "int64"));
  const iou = ctx.optional(3) ?? ctx.scalar(0, "float32");
  const score = ctx.optional(4) ?? ctx.scalar(-Infinity, "float32");
  const single = (x: Expr): Expr => (ctx.rank(x) === 0 ? ctx.reshape(x, [1]) : x);
  const found = ctx.emit("vision.all_class_non_max_suppression", [ctx.input(0), ctx.input(1), single(limit), single(iou), single(score)], {
    output_format: "onnx",
  });
  return ctx.field(found, 0);
};

/** Operators that read and write at positions. */
export const indexingConverters: ConverterTable = {
  Gather: gather,
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
