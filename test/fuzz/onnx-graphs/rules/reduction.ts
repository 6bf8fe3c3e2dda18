import { elementCount, isFloat } from "@verticil/runtime-ffi";
import { exactOr, isComparable, isExact, magnitude, rounded, type Facts } from "../facts.ts";
import type { GraphBuilder, Rule, Value } from "../graph-builder.ts";

/** Axes of a value, a few or all, and the shape without them. */
function axesOf(g: GraphBuilder, x: Value): { readonly axes: readonly number[]; readonly shape: readonly number[]; readonly keep: boolean; readonly count: number } {
  const chosen = x.shape.map((_, i) => i).filter(() => g.chance(0.5));
  const axes = chosen.length === 0 ? [g.random.below(x.shape.length)] : chosen;
  const keep = g.chance(0.5);
  const shape = x.shape.flatMap((d, i) => (axes.includes(i) ? (keep ? [1] : []) : [d]));
  return { axes, shape, keep, count: axes.reduce((n, a) => n * (x.shape[a] ?? 1), 1) };
}

type Reduce = (x: Facts, shape: readonly number[], count: number) => Facts;

const sums: Reduce = (x, shape, n) => exactOr({ ...x, shape, lo: Math.min(n * x.lo, x.lo), hi: Math.max(n * x.hi, x.hi) }, n * x.error, n);
const ends: Reduce = (x, shape) => ({ ...x, shape });

const reductions: readonly (readonly [op: string, result: Reduce, accepts?: (v: Facts) => boolean])[] = [
  ["ReduceSum", sums],
  ["ReduceMax", ends, isComparable],
  ["ReduceMin", ends, isComparable],
  ["ReduceMean", (x, shape, n) => rounded({ ...x, shape }, x.error, n), (v) => v.dtype === "float32"],
  ["ReduceL1", (x, shape, n) => exactOr({ ...x, shape, lo: 0, hi: n * magnitude(x) }, n * x.error, n), (v) => v.dtype === "float32"],
  ["ReduceSumSquare", (x, shape, n) => exactOr({ ...x, shape, lo: 0, hi: n * magnitude(x) ** 2, grain: x.grain ** 2 }, 2 * n * magnitude(x) * x.error, n), (v) => v.dtype === "float32"],
  ["ReduceL2", (x, shape, n) => rounded({ ...x, shape, lo: x.lo, hi: Math.sqrt(n) * magnitude(x) }, Math.sqrt(n) * x.error, n), (v) => v.dtype === "float32" && v.lo > 0.1],
  ["ReduceProd", (x, shape, n) => exactOr({ ...x, shape, lo: -(magnitude(x) ** n), hi: Math.max(1, magnitude(x)) ** n, grain: x.grain ** n }, n * Math.max(1, magnitude(x)) ** n * x.error, n), (v) => magnitude(v) <= 2],
  ["ReduceLogSumExp", (x, shape, n) => rounded({ ...x, shape, hi: x.hi + Math.log(n) }, x.error, n), (v) => v.dtype === "float32" && magnitude(v) < 50],
];

const reduce: Rule = (g) => {
  const [op, result, accepts] = g.random.pick(reductions);
  const x = g.find((v) => v.shape.length >= 1 && (v.dtype === "float32" || v.dtype === "int32" || v.dtype === "int64") && (accepts?.(v) ?? true));
  if (x === undefined) return undefined;
  const { axes, shape, keep, count } = axesOf(g, x);
  const spelled = axes.map((a) => (g.chance(0.3) ? a - x.shape.length : a));
  return { op, inputs: [x.name, g.indices(spelled)], attrs: { keepdims: Number(keep) }, outputs: [result(x, shape, count)] };
};

const argExtreme: Rule = (g) => {
  const x = g.find((v) => isExact(v) && v.shape.length >= 1 && (v.dtype === "float32" || v.dtype === "int32"));
  if (x === undefined) return undefined;
  const axis = g.random.below(x.shape.length);
  const keepdims = g.between(0, 1);
  const shape = x.shape.flatMap((d, i) => (i !== axis ? [d] : keepdims === 1 ? [1] : []));
  const facts: Facts = { dtype: "int64", shape, lo: 0, hi: x.shape[axis] ?? 1, grain: 1, error: 0 };
  const last = g.chance(0.3) ? { select_last_index: 1 } : {};
  return { op: g.random.pick(["ArgMax", "ArgMin"]), inputs: [x.name], attrs: { axis, keepdims, ...last }, outputs: [facts] };
};

const topK: Rule = (g) => {
  const x = g.find((v) => isExact(v) && v.shape.length >= 1 && (v.dtype === "float32" || v.dtype === "int64"));
  if (x === undefined) return undefined;
  const axis = g.random.below(x.shape.length);
  const k = g.between(1, x.shape[axis] ?? 1);
  const shape = x.shape.map((d, i) => (i === axis ? k : d));
  const index: Facts = { dtype: "int64", shape, lo: 0, hi: x.shape[axis] ?? 1, grain: 1, error: 0 };
  return { op: "TopK", inputs: [x.name, g.indices([k])], attrs: { axis, largest: g.between(0, 1) }, outputs: [{ ...x, shape }, index] };
};

const cumSum: Rule = (g) => {
  const x = g.find((v) => v.shape.length >= 1 && (v.dtype === "float32" || v.dtype === "int32" || v.dtype === "int64"));
  if (x === undefined) return undefined;
  const axis = g.random.below(x.shape.length);
  const n = x.shape[axis] ?? 1;
  const attrs = { exclusive: g.between(0, 1), reverse: g.between(0, 1) };
  const facts = { ...x, lo: Math.min(0, n * x.lo), hi: Math.max(0, n * x.hi) };
  return { op: "CumSum", inputs: [x.name, g.constant("int32", [], [axis]).name], attrs, outputs: [exactOr(facts, n * x.error, n)] };
};

const softmax: Rule = (g) => {
  const x = g.find((v) => isFloat(v.dtype) && v.dtype !== "float64" && v.shape.length >= 1 && magnitude(v) < 30);
  if (x === undefined) return undefined;
  const log = g.chance(0.3);
  const axis = g.between(-1, x.shape.length - 1);
  const facts = log ? { ...x, lo: x.lo - x.hi - 9, hi: 0 } : { ...x, lo: 0, hi: 1 };
  return { op: log ? "LogSoftmax" : "Softmax", inputs: [x.name], attrs: { axis }, outputs: [rounded(facts, 2 * x.error)] };
};

const layerNorm: Rule = (g) => {
  const x = g.find((v) => v.dtype === "float32" && v.shape.length >= 1 && magnitude(v) < 100);
  if (x === undefined) return undefined;
  const axis = g.random.below(x.shape.length);
  const rest = x.shape.slice(axis);
  const n = elementCount(rest);
  const [scale, bias] = [g.constant("float32", rest), g.constant("float32", rest)];
  const top = 4 * Math.sqrt(n) + 4;
  // The epsilon keeps the quotient tame where all elements are near each other.
  const facts = rounded({ ...x, lo: -top, hi: top }, 8 * x.error * Math.sqrt(n), n);
  return { op: "LayerNormalization", inputs: [x.name, scale.name, bias.name], attrs: { axis, epsilon: { float: 1 } }, outputs: [{ ...facts, error: facts.error + 1e-6 * magnitude(x) }] };
};

/** Operators that make one element of many. */
export const reductionRules: readonly Rule[] = [reduce, reduce, reduce, argExtreme, topK, cumSum, softmax, layerNorm];
