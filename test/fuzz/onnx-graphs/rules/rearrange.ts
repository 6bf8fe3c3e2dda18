import { elementCount } from "@verticil/runtime-ffi";
import type { Facts } from "../facts.ts";
import type { GraphBuilder, Rule, Value } from "../graph-builder.ts";

// Operators that move elements and compute none: any type, exact or not.

const isPlain = (v: Facts): boolean => v.dtype !== "float16";
const ranked = (g: GraphBuilder, least: number): Value | undefined => g.find((v) => v.shape.length >= least);

/** The axis, or the same counted from the end. */
function spelled(g: GraphBuilder, axis: number, rank: number): number {
  return g.chance(0.3) ? axis - rank : axis;
}

function shuffled(g: GraphBuilder, n: number): readonly number[] {
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = g.random.below(i + 1);
    [order[i], order[j]] = [order[j] ?? 0, order[i] ?? 0];
  }
  return order;
}

function replaceAt(shape: readonly number[], axis: number, size: number): readonly number[] {
  return shape.map((d, i) => (i === axis ? size : d));
}

const transpose: Rule = (g) => {
  const x = ranked(g, 1);
  if (x === undefined) return undefined;
  const perm = shuffled(g, x.shape.length);
  return { op: "Transpose", inputs: [x.name], attrs: { perm }, outputs: [{ ...x, shape: perm.map((i) => x.shape[i] ?? 1) }] };
};

const reshape: Rule = (g) => {
  const x = g.find(() => true);
  if (x === undefined) return undefined;
  const shape: number[] = [];
  let rest = elementCount(x.shape);
  for (let n = g.between(1, 4); n > 1; n--) {
    const divisors = Array.from({ length: rest }, (_, i) => i + 1).filter((d) => rest % d === 0 && d <= 12);
    const d = g.random.pick(divisors);
    shape.push(d);
    rest /= d;
  }
  shape.push(rest);
  const open = g.chance(0.3) ? g.random.below(shape.length) : -1;
  const given = shape.map((d, i) => (i === open ? -1 : d === x.shape[i] && g.chance(0.2) ? 0 : d));
  return { op: "Reshape", inputs: [x.name, g.indices(given)], outputs: [{ ...x, shape }] };
};

const flatten: Rule = (g) => {
  const x = ranked(g, 1);
  if (x === undefined) return undefined;
  const axis = g.between(0, x.shape.length);
  const shape = [elementCount(x.shape.slice(0, axis)), elementCount(x.shape.slice(axis))];
  return { op: "Flatten", inputs: [x.name], attrs: { axis }, outputs: [{ ...x, shape }] };
};

const unsqueeze: Rule = (g) => {
  const x = g.find((v) => v.shape.length < 5);
  if (x === undefined) return undefined;
  const axis = g.between(0, x.shape.length);
  const shape = [...x.shape.slice(0, axis), 1, ...x.shape.slice(axis)];
  return { op: "Unsqueeze", inputs: [x.name, g.indices([spelled(g, axis, shape.length)])], outputs: [{ ...x, shape }] };
};

const squeeze: Rule = (g) => {
  const x = g.find((v) => v.shape.includes(1));
  if (x === undefined) return undefined;
  const axis = x.shape.indexOf(1);
  const all = g.chance(0.3);
  const shape = x.shape.filter((d, i) => (all ? d !== 1 : i !== axis));
  const inputs = all ? [x.name] : [x.name, g.indices([spelled(g, axis, x.shape.length)])];
  return { op: "Squeeze", inputs, outputs: [{ ...x, shape }] };
};

const concat: Rule = (g) => {
  const a = ranked(g, 1);
  if (a === undefined) return undefined;
  const axis = g.random.below(a.shape.length);
  const suits = (v: Value): boolean => v.dtype === a.dtype && v.shape.length === a.shape.length && v.shape.every((d, i) => i === axis || d === a.shape[i]);
  const parts = [a, ...Array.from({ length: g.between(1, 2) }, () => g.find(suits) ?? a)];
  const facts: Facts = {
    ...a,
    shape: replaceAt(a.shape, axis, parts.reduce((sum, p) => sum + (p.shape[axis] ?? 0), 0)),
    lo: Math.min(...parts.map((p) => p.lo)),
    hi: Math.max(...parts.map((p) => p.hi)),
    grain: Math.min(...parts.map((p) => p.grain)),
    error: Math.max(...parts.map((p) => p.error)),
  };
  return { op: "Concat", inputs: parts.map((p) => p.name), attrs: { axis: spelled(g, axis, a.shape.length) }, outputs: [facts] };
};

const split: Rule = (g) => {
  const x = g.find((v) => v.shape.some((d) => d > 1));
  if (x === undefined) return undefined;
  const axis = x.shape.findIndex((d) => d > 1);
  const size = x.shape[axis] ?? 2;
  const first = g.between(1, size - 1);
  const outputs = [first, size - first].map((n) => ({ ...x, shape: replaceAt(x.shape, axis, n) }));
  return { op: "Split", inputs: [x.name, g.indices([first, size - first])], attrs: { axis: spelled(g, axis, x.shape.length) }, outputs };
};

const slice: Rule = (g) => {
  const x = ranked(g, 1);
  if (x === undefined) return undefined;
  const axis = g.random.below(x.shape.length);
  const size = x.shape[axis] ?? 1;
  const step = g.random.pick([1, 1, 2, 3, -1, -2]);
  const from = g.random.below(size);
  const count = step > 0 ? g.between(1, Math.ceil((size - from) / step)) : g.between(1, Math.floor(from / -step) + 1);
  const last = from + step * (count - 1);
  const end = step > 0 ? g.random.pick([last + 1, last + 1, last + 1 - size || 2 ** 31]) : last === 0 ? -(2 ** 31) : last - 1;
  const inputs = [x.name, ...[[from], [end], [spelled(g, axis, x.shape.length)], [step]].map((v) => g.indices(v))];
  return { op: "Slice", inputs, outputs: [{ ...x, shape: replaceAt(x.shape, axis, count) }] };
};

const gather: Rule = (g) => {
  const x = ranked(g, 1);
  if (x === undefined) return undefined;
  const axis = g.random.below(x.shape.length);
  const size = x.shape[axis] ?? 1;
  const shape = g.random.pick([[], [1], [3], [2, 2]]);
  const index = g.constant(g.random.pick(["int64", "int32"] as const), shape, Array.from({ length: elementCount(shape) }, () => g.between(-size, size - 1)));
  const out = [...x.shape.slice(0, axis), ...shape, ...x.shape.slice(axis + 1)];
  return { op: "Gather", inputs: [x.name, index.name], attrs: { axis: spelled(g, axis, x.shape.length) }, outputs: [{ ...x, shape: out }] };
};

const gatherElements: Rule = (g) => {
  const x = g.find((v) => v.shape.length >= 1 && isPlain(v));
  if (x === undefined) return undefined;
  const axis = g.random.below(x.shape.length);
  const size = x.shape[axis] ?? 1;
  const shape = x.shape.map((d, i) => (i === axis ? g.between(1, 4) : g.between(1, d)));
  const index = g.constant("int64", shape, Array.from({ length: elementCount(shape) }, () => g.between(-size, size - 1)));
  return { op: "GatherElements", inputs: [x.name, index.name], attrs: { axis }, outputs: [{ ...x, shape }] };
};

const gatherNd: Rule = (g) => {
  const x = g.find((v) => v.shape.length >= 2 && isPlain(v));
  if (x === undefined) return undefined;
  const depth = g.between(1, x.shape.length);
  const rows = g.between(1, 4);
  const entries = Array.from({ length: rows * depth }, (_, i) => {
    const d = x.shape[i % depth] ?? 1;
    return g.between(-d, d - 1);
  });
  const index = g.constant("int64", [rows, depth], entries);
  return { op: "GatherND", inputs: [x.name, index.name], outputs: [{ ...x, shape: [rows, ...x.shape.slice(depth)] }] };
};

const scatterElements: Rule = (g) => {
  const x = g.find((v) => v.shape.length >= 1 && isPlain(v) && v.dtype !== "bool");
  if (x === undefined) return undefined;
  const axis = g.random.below(x.shape.length);
  const size = x.shape[axis] ?? 1;
  // Indices along the axis differ, so that the order of writing does not matter.
  const count = g.between(1, size);
  const shape = x.shape.map((d, i) => (i === axis ? count : g.between(1, d)));
  const order = shuffled(g, size).slice(0, count);
  const inner = elementCount(shape.slice(axis + 1));
  const entries = Array.from({ length: elementCount(shape) }, (_, i) => order[Math.floor(i / inner) % count] ?? 0);
  const index = g.constant("int64", shape, entries);
  const updates = g.constant(x.dtype, shape);
  const facts = { ...x, lo: Math.min(x.lo, updates.lo), hi: Math.max(x.hi, updates.hi), grain: Math.min(x.grain, updates.grain) };
  return { op: "ScatterElements", inputs: [x.name, index.name, updates.name], attrs: { axis }, outputs: [facts] };
};

const expand: Rule = (g) => {
  const x = g.find((v) => v.shape.length <= 3 && elementCount(v.shape) < 200);
  if (x === undefined) return undefined;
  const front = g.chance(0.4) ? [g.between(1, 3)] : [];
  const shape = [...front, ...x.shape.map((d) => (d === 1 ? g.between(1, 4) : d))];
  return { op: "Expand", inputs: [x.name, g.indices(shape)], outputs: [{ ...x, shape }] };
};

const tile: Rule = (g) => {
  const x = g.find((v) => v.shape.length >= 1 && elementCount(v.shape) < 200);
  if (x === undefined) return undefined;
  const times = x.shape.map(() => g.random.pick([1, 1, 2, 3]));
  return { op: "Tile", inputs: [x.name, g.indices(times)], outputs: [{ ...x, shape: x.shape.map((d, i) => d * (times[i] ?? 1)) }] };
};

const pad: Rule = (g) => {
  const x = g.find((v) => v.shape.length >= 1 && isPlain(v));
  if (x === undefined) return undefined;
  const mode = g.random.pick(["constant", "constant", "reflect", "edge"]);
  const side = (d: number): number => g.between(mode === "constant" && d > 1 ? -1 : 0, mode === "reflect" ? Math.min(2, d - 1) : 2);
  const front = x.shape.map(side);
  const back = x.shape.map((d, i) => (d + (front[i] ?? 0) <= 1 ? 1 : side(d)));
  const shape = x.shape.map((d, i) => d + (front[i] ?? 0) + (back[i] ?? 0));
  if (shape.some((d) => d < 1) || (mode === "reflect" && back.some((b, i) => b >= (x.shape[i] ?? 1)))) return undefined;
  const facts = { ...x, shape, lo: Math.min(0, x.lo), hi: Math.max(0, x.hi) };
  return { op: "Pad", inputs: [x.name, g.indices([...front, ...back])], attrs: { mode }, outputs: [facts] };
};

const depthSpace: Rule = (g) => {
  const deep = g.chance(0.5);
  const x = g.find((v) => v.dtype === "float32" && v.shape.length === 4 && (deep ? (v.shape[1] ?? 1) % 4 === 0 : (v.shape[2] ?? 1) % 2 === 0 && (v.shape[3] ?? 1) % 2 === 0));
  if (x === undefined) return undefined;
  const [n = 1, c = 1, h = 1, w = 1] = x.shape;
  const shape = deep ? [n, c / 4, h * 2, w * 2] : [n, c * 4, h / 2, w / 2];
  const mode = deep ? { mode: g.random.pick(["DCR", "CRD"]) } : {};
  return { op: deep ? "DepthToSpace" : "SpaceToDepth", inputs: [x.name], attrs: { blocksize: 2, ...mode }, outputs: [{ ...x, shape }] };
};

const shapeOf: Rule = (g) => {
  const x = ranked(g, 1);
  if (x === undefined) return undefined;
  const isSize = g.chance(0.3);
  const top = elementCount(x.shape);
  const facts: Facts = { dtype: "int64", shape: isSize ? [] : [x.shape.length], lo: 1, hi: top, grain: 1, error: 0 };
  return { op: isSize ? "Size" : "Shape", inputs: [x.name], outputs: [facts] };
};

const trilu: Rule = (g) => {
  const x = g.find((v) => v.shape.length >= 2 && (v.dtype === "float32" || v.dtype === "int64"));
  if (x === undefined) return undefined;
  const k = g.constant("int64", [], [g.between(-2, 2)]);
  const facts = { ...x, lo: Math.min(0, x.lo), hi: Math.max(0, x.hi) };
  return { op: "Trilu", inputs: [x.name, k.name], attrs: { upper: g.between(0, 1) }, outputs: [facts] };
};

const reverseSequence: Rule = (g) => {
  const x = g.find((v) => v.shape.length >= 2 && v.dtype === "float32");
  if (x === undefined) return undefined;
  const [time = 1, batch = 1] = x.shape;
  const lengths = g.constant("int64", [batch], Array.from({ length: batch }, () => g.between(1, time)));
  return { op: "ReverseSequence", inputs: [x.name, lengths.name], attrs: { time_axis: 0, batch_axis: 1 }, outputs: [x] };
};

const oneHot: Rule = (g) => {
  const x = g.find((v) => v.dtype === "int64" && v.shape.length >= 1 && v.shape.length <= 2);
  if (x === undefined) return undefined;
  const depth = g.constant("int64", [], [g.between(2, 6)]);
  const values = g.constant("float32", [2], [g.between(-1, 0), g.between(1, 3)]);
  const shape = [...x.shape, depth.hi];
  return { op: "OneHot", inputs: [x.name, depth.name, values.name], outputs: [{ dtype: "float32", shape, lo: -1, hi: 3, grain: 1, error: 0 }] };
};

/** Operators that move elements. */
export const rearrangeRules: readonly Rule[] = [
  transpose, transpose, reshape, reshape, flatten, unsqueeze, squeeze, concat, concat, split, slice, slice, gather, gather, gatherElements,
  gatherNd, scatterElements, expand, tile, pad, depthSpace, shapeOf, trilu, reverseSequence, oneHot,
];

