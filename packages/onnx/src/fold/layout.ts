import { at } from "@verticil/ir-core";
import { add, constant, max, min, mul, type PrimExpr } from "@verticil/tir";
import { knownNumbers, type Known } from "../known.ts";
import type { NodeContext } from "../node-context.ts";
import { broadcastShapes, offsetOf, positions, sizeOf } from "./broadcast.ts";
import type { Fold } from "./fold-node.ts";
import { readTensor } from "../proto/tensor.ts";

/** Reads `source` at the position that `f` gives for each position of `shape`. */
function rearranged(source: Known, shape: readonly number[], f: (position: readonly number[]) => readonly number[]): Known {
  const elems: PrimExpr[] = [];
  for (const position of positions(shape)) elems.push(at(source.elems, offsetOf(f(position), source.shape)));
  return { dtype: source.dtype, shape, elems };
}

const withShape = (source: Known, shape: readonly number[]): Known | undefined =>
  sizeOf(shape) === source.elems.length ? { ...source, shape } : undefined;

function numbersAt(inputs: readonly Known[], i: number): readonly number[] | undefined {
  const known = inputs[i];
  return known === undefined ? undefined : knownNumbers(known);
}

const reshape: Fold = (ctx, inputs) => {
  const data = at(inputs, 0);
  const target = ctx.opset < 5 ? ctx.attrs.ints("shape") : numbersAt(inputs, 1);
  if (target === undefined) return undefined;
  const keepZero = ctx.attrs.flag("allowzero");
  const shape = target.map((d, i) => (d === 0 && !keepZero ? (data.shape[i] ?? 0) : d));
  const rest = sizeOf(shape.filter((d) => d !== -1));
  return withShape(data, shape.map((d) => (d === -1 ? data.elems.length / rest : d)));
};

/** Axes by attribute before opset 13, by input from then on. */
function axesArg(ctx: NodeContext, inputs: readonly Known[], since = 13): readonly number[] | undefined {
  return ctx.opset < since ? ctx.attrs.ints("axes") : numbersAt(inputs, 1);
}

const unsqueeze: Fold = (ctx, inputs) => {
  const data = at(inputs, 0);
  const given = axesArg(ctx, inputs);
  if (given === undefined) return undefined;
  const rank = data.shape.length + given.length;
  const axes = new Set(ctx.axes(given, rank));
  const rest = [...data.shape];
  return withShape(data, Array.from({ length: rank }, (_, i) => (axes.has(i) ? 1 : (rest.shift() ?? 1))));
};

const squeeze: Fold = (ctx, inputs) => {
  const data = at(inputs, 0);
  const given = axesArg(ctx, inputs);
  const axes = given === undefined ? undefined : new Set(ctx.axes(given, data.shape.length));
  return withShape(data, data.shape.filter((d, i) => (axes === undefined ? d !== 1 : !axes.has(i))));
};

const gather: Fold = (ctx, inputs) => {
  const data = at(inputs, 0);
  const indices = numbersAt(inputs, 1);
  if (indices === undefined) return undefined;
  const axis = ctx.axis(ctx.attrs.int("axis", 0), data.shape.length);
  const size = data.shape[axis] ?? 1;
  const wrapped = indices.map((i) => (i < 0 ? i + size : i));
  if (wrapped.some((i) => i < 0 || i >= size)) return undefined;
  const taken = at(inputs, 1).shape;
  const shape = [...data.shape.slice(0, axis), ...taken, ...data.shape.slice(axis + 1)];
  return rearranged(data, shape, (p) => {
    const index = at(wrapped, offsetOf(p.slice(axis, axis + taken.length), taken));
    return [...p.slice(0, axis), index, ...p.slice(axis + taken.length)];
  });
};

const concat: Fold = (ctx, inputs) => {
  const first = at(inputs, 0);
  const axis = ctx.axis(ctx.attrs.int("axis", 1), first.shape.length);
  const sizes = inputs.map((k) => k.shape[axis] ?? 1);
  const shape = first.shape.map((d, i) => (i === axis ? sizes.reduce((a, b) => a + b, 0) : d));
  const elems: PrimExpr[] = [];
  for (const position of positions(shape)) {
    let along = position[axis] ?? 0;
    let part = 0;
    while (along >= (sizes[part] ?? 0)) along -= sizes[part++] ?? 0;
    const source = at(inputs, part);
    elems.push(at(source.elems, offsetOf(position.map((p, i) => (i === axis ? along : p)), source.shape)));
  }
  return { dtype: first.dtype, shape, elems };
};

const slice: Fold = (ctx, inputs) => {
  const data = at(inputs, 0);
  const byAttribute = ctx.opset < 10;
  const starts = byAttribute ? ctx.attrs.ints("starts") : numbersAt(inputs, 1);
  const ends = byAttribute ? ctx.attrs.ints("ends") : numbersAt(inputs, 2);
  if (starts === undefined || ends === undefined) return undefined;
  const axes = (byAttribute ? ctx.attrs.ints("axes") : numbersAt(inputs, 3)) ?? starts.map((_, i) => i);
  const steps = (byAttribute ? undefined : numbersAt(inputs, 4)) ?? starts.map(() => 1);
  const from = data.shape.map(() => 0);
  const step = data.shape.map(() => 1);
  const shape = [...data.shape];
  for (const [i, given] of axes.entries()) {
    const axis = ctx.axis(given, data.shape.length);
    const bounds = sliceBounds(at(starts, i), at(ends, i), at(steps, i), data.shape[axis] ?? 1);
    [from[axis], step[axis], shape[axis]] = [bounds.start, at(steps, i), bounds.count];
  }
  return rearranged(data, shape, (p) => p.map((x, i) => (from[i] ?? 0) + x * (step[i] ?? 1)));
};

/** Start, end and number of elements of a slice, clamped as ONNX does. */
export function sliceBounds(start: number, end: number, step: number, size: number): { readonly start: number; readonly end: number; readonly count: number } {
  const wrap = (x: number): number => (x < 0 ? x + size : x);
  const clamp = (x: number, lo: number, hi: number): number => Math.min(Math.max(x, lo), hi);
  const [lo, hi] = step > 0 ? [0, size] : [-1, size - 1];
  const from = clamp(wrap(start), step > 0 ? 0 : lo, step > 0 ? size : hi);
  // A negative end that stays negative means "past the first element" when walking backwards.
  const to = clamp(wrap(end), lo, hi);
  return { start: from, end: to, count: Math.max(0, Math.ceil((to - from) / step)) };
}

const transpose: Fold = (ctx, inputs) => {
  const data = at(inputs, 0);
  const perm = ctx.attrs.ints("perm") ?? data.shape.map((_, i) => data.shape.length - 1 - i);
  const shape = perm.map((p) => data.shape[p] ?? 1);
  return rearranged(data, shape, (position) => data.shape.map((_, i) => position[perm.indexOf(i)] ?? 0));
};

const expand: Fold = (_ctx, inputs) => {
  const data = at(inputs, 0);
  const target = numbersAt(inputs, 1);
  const shape = target === undefined ? undefined : broadcastShapes([data.shape, target]);
  return shape === undefined || sizeOf(shape) > 4096 ? undefined : rearranged(data, shape, (p) => p);
};

const constantOfShape: Fold = (ctx, inputs) => {
  const shape = numbersAt(inputs, 0);
  if (shape === undefined || sizeOf(shape) > 1024) return undefined;
  const proto = ctx.attrs.tensor("value");
  const value = proto === undefined ? undefined : readTensor(proto);
  const dtype = value?.dtype ?? "float32";
  if (dtype === "float16" || dtype === "bfloat16") return undefined;
  const elem = constant(value?.data[0] ?? 0, dtype);
  return { dtype, shape, elems: Array.from({ length: sizeOf(shape) }, () => elem) };
};

const range: Fold = (_ctx, inputs) => {
  const [start, limit, delta] = inputs.map((k) => knownNumbers(k)?.[0]);
  if (start === undefined || limit === undefined || delta === undefined || delta === 0) return undefined;
  const count = Math.max(0, Math.ceil((limit - start) / delta));
  if (count > 1024) return undefined;
  const { dtype } = at(inputs, 0);
  return { dtype, shape: [count], elems: Array.from({ length: count }, (_, i) => constant(start + i * delta, dtype)) };
};

const reduction =
  (f: (a: PrimExpr, b: PrimExpr) => PrimExpr, since = 18): Fold =>
  (ctx, inputs) => {
    const data = at(inputs, 0);
    const given = axesArg(ctx, inputs, since);
    const keep = ctx.attrs.flag("keepdims", true);
    // Shapes are lists; reducing anything else while importing is not needed.
    const isWhole = data.shape.length === 1 && (given === undefined || given.length <= 1) && data.elems.length > 0;
    if (!isWhole || (given?.length === 0 && ctx.attrs.flag("noop_with_empty_axes"))) return undefined;
    return { dtype: data.dtype, shape: keep ? [1] : [], elems: [data.elems.reduce(f)] };
  };

const split: Fold = (ctx, inputs) => {
  const data = at(inputs, 0);
  if (data.shape.length !== 1) return undefined;
  const total = data.elems.length;
  const parts = ctx.outputCount;
  const sizes = (ctx.opset < 13 ? ctx.attrs.ints("split") : numbersAt(inputs, 1)) ?? evenSplit(total, ctx.attrs.int("num_outputs", parts));
  let start = 0;
  return sizes.map((n) => ({ dtype: data.dtype, shape: [n], elems: data.elems.slice(start, (start += n)) }));
};

/** Sizes of `parts` parts; the last is smaller if they do not divide. */
export function evenSplit(total: number, parts: number): readonly number[] {
  const size = Math.ceil(total / parts);
  return Array.from({ length: parts }, (_, i) => Math.max(0, Math.min(size, total - i * size)));
}

const scatterNd: Fold = (_ctx, inputs) => {
  const [data, indices, updates] = [at(inputs, 0), numbersAt(inputs, 1), at(inputs, 2)];
  if (indices === undefined || data.shape.length !== 1 || indices.length !== updates.elems.length) return undefined;
  const elems = [...data.elems];
  for (const [i, index] of indices.entries()) elems[index < 0 ? index + elems.length : index] = at(updates.elems, i);
  return { ...data, elems };
};

const size: Fold = (_ctx, inputs) => ({ dtype: "int64", shape: [], elems: [constant(at(inputs, 0).elems.length, "int64")] });

/** Operators that move elements, on known values. */
export const layoutFolds: Readonly<Record<string, Fold>> = {
  Identity: (_ctx, inputs) => at(inputs, 0),
  Size: size,
  Reshape: reshape,
  Unsqueeze: unsqueeze,
  Squeeze: squeeze,
  Gather: gather,
  Concat: concat,
  Slice: slice,
  Transpose: transpose,
  Expand: expand,
  ConstantOfShape: constantOfShape,
  Range: range,
  Split: split,
  ScatterND: scatterNd,
  ReduceProd: reduction(mul),
  ReduceSum: reduction(add, 13),
  ReduceMin: reduction(min),
  ReduceMax: reduction(max),
};

