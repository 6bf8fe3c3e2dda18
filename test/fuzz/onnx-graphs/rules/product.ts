import { elementCount } from "@verticil/runtime-ffi";
import { exactOr, isExact, magnitude, rounded, type Facts } from "../facts.ts";
import type { GraphBuilder, Rule, Value } from "../graph-builder.ts";

/** What a sum of `n` products of two operands comes to. */
function products(a: Facts, b: Facts, shape: readonly number[], n: number): Facts {
  const top = n * magnitude(a) * magnitude(b);
  const grain = isExact(a) && isExact(b) ? a.grain * b.grain : 0;
  return exactOr({ ...a, shape, lo: -top, hi: top, grain }, n * (a.error * magnitude(b) + b.error * magnitude(a)), n);
}

const plus = (a: Facts, b: Facts): Facts =>
  exactOr({ ...a, lo: a.lo + b.lo, hi: a.hi + b.hi, grain: isExact(a) && isExact(b) ? Math.min(a.grain, b.grain) : 0 }, a.error + b.error);

const matmul: Rule = (g) => {
  const a = g.find((v) => v.shape.length >= 1 && (v.dtype === "float32" || v.dtype === "float64" || v.dtype === "int32"));
  if (a === undefined) return undefined;
  const k = a.shape.at(-1) ?? 1;
  const batch = a.shape.slice(0, -2);
  const n = g.between(1, 6);
  const found = g.chance(0.4) ? g.find((v) => v.dtype === a.dtype && v.shape.length === 2 && v.shape[0] === k) : undefined;
  const shapes = [[k, n], [k], ...(batch.length > 0 ? [[...batch, k, n], [...batch.map(() => 1), k, n]] : [])];
  const b = found ?? g.constant(a.dtype, g.random.pick(shapes));
  const columns = b.shape.length > 1 ? [b.shape.at(-1) ?? 1] : [];
  const rows = a.shape.length > 1 ? [a.shape.at(-2) ?? 1] : [];
  if (a.shape.length === 1 && b.shape.length > 2) return undefined;
  return { op: "MatMul", inputs: [a.name, b.name], outputs: [products(a, b, [...batch, ...rows, ...columns], k)] };
};

const gemm: Rule = (g) => {
  const a = g.find((v) => v.dtype === "float32" && v.shape.length === 2);
  if (a === undefined) return undefined;
  const [transA, transB] = [g.between(0, 1), g.between(0, 1)];
  const [m = 1, k = 1] = transA === 1 ? [...a.shape].reverse() : a.shape;
  const n = g.between(1, 6);
  const b = g.constant("float32", transB === 1 ? [n, k] : [k, n]);
  const alpha = g.random.pick([1, 0.5]);
  const product = products({ ...a, grain: a.grain * alpha }, b, [m, n], k);
  const attrs = { transA, transB, alpha: { float: alpha } };
  if (g.chance(0.3)) return { op: "Gemm", inputs: [a.name, b.name], attrs, outputs: [product] };
  const c = g.constant("float32", g.random.pick([[n], [m, n], [1, n], [m, 1], []]));
  return { op: "Gemm", inputs: [a.name, b.name, c.name], attrs, outputs: [plus(product, { ...c, shape: product.shape })] };
};

/** A value to slide windows over: batch, channels and one or two axes more. */
function picture(g: GraphBuilder, accepts: (v: Facts) => boolean = (v) => v.dtype === "float32"): Value | undefined {
  return g.find((v) => accepts(v) && (v.shape.length === 3 || v.shape.length === 4));
}

interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly pads: readonly number[];
  readonly out: readonly number[];
}

/** A window that fits the picture somewhere. */
function windowOf(g: GraphBuilder, sizes: readonly number[], dilated: boolean, ceil = false): Window | undefined {
  const kernel = sizes.map(() => g.between(1, 3));
  const strides = sizes.map(() => g.between(1, 2));
  const dilations = sizes.map(() => (dilated ? g.random.pick([1, 1, 2]) : 1));
  const side = (): readonly number[] => kernel.map((k) => g.between(0, Math.max(0, k - 1)));
  const pads = [...side(), ...side()];
  const out = sizes.map((d, i) => {
    const span = ((kernel[i] ?? 1) - 1) * (dilations[i] ?? 1) + 1;
    const room = d + (pads[i] ?? 0) + (pads[i + sizes.length] ?? 0) - span;
    const steps = room / (strides[i] ?? 1);
    return room < 0 ? 0 : (ceil ? Math.ceil(steps) : Math.floor(steps)) + 1;
  });
  return out.some((d) => d < 1) ? undefined : { kernel, strides, dilations, pads, out };
}

const conv: Rule = (g) => {
  const x = picture(g);
  if (x === undefined) return undefined;
  const [n = 1, c = 1, ...sizes] = x.shape;
  const w = windowOf(g, sizes, true);
  if (w === undefined) return undefined;
  const group = g.chance(0.3) ? c : c % 2 === 0 && g.chance(0.2) ? 2 : 1;
  const out = group * g.between(1, 4);
  const weight = g.constant("float32", [out, c / group, ...w.kernel]);
  const product = products(x, weight, [n, out, ...w.out], (c / group) * elementCount(w.kernel));
  const attrs = { kernel_shape: w.kernel, strides: w.strides, dilations: w.dilations, pads: w.pads, group };
  if (g.chance(0.4)) return { op: "Conv", inputs: [x.name, weight.name], attrs, outputs: [product] };
  const bias = g.constant("float32", [out]);
  return { op: "Conv", inputs: [x.name, weight.name, bias.name], attrs, outputs: [plus(product, { ...bias, shape: product.shape })] };
};

const convTranspose: Rule = (g) => {
  const x = picture(g);
  if (x === undefined) return undefined;
  const [n = 1, c = 1, ...sizes] = x.shape;
  const kernel = sizes.map(() => g.between(1, 3));
  const strides = sizes.map(() => g.between(1, 2));
  const group = g.chance(0.2) ? c : 1;
  const weight = g.constant("float32", [c, g.between(1, 3), ...kernel]);
  const out = sizes.map((d, i) => (d - 1) * (strides[i] ?? 1) + (kernel[i] ?? 1));
  const facts = products(x, weight, [n, (weight.shape[1] ?? 1) * group, ...out], (c / group) * elementCount(kernel));
  return { op: "ConvTranspose", inputs: [x.name, weight.name], attrs: { kernel_shape: kernel, strides, group }, outputs: [facts] };
};

/** True if every window has a cell inside of the data along axis `i`. */
function seesData(w: Window, i: number, count: number, size: number): boolean {
  const cells = Array.from({ length: w.kernel[i] ?? 1 }, (_, k) => k * (w.dilations[i] ?? 1) - (w.pads[i] ?? 0));
  return Array.from({ length: count }, (_, o) => o * (w.strides[i] ?? 1)).every((at) => cells.some((c) => at + c >= 0 && at + c < size));
}

const pool: Rule = (g) => {
  const max = g.chance(0.5);
  const ceil = g.chance(0.2);
  const x = picture(g);
  if (x === undefined) return undefined;
  const [n = 1, c = 1, ...sizes] = x.shape;
  const w = windowOf(g, sizes, max, ceil);
  if (w === undefined || (ceil && w.pads.some((p) => p > 0))) return undefined;
  // The last window must begin inside.
  if (ceil && w.out.some((d, i) => (d - 1) * (w.strides[i] ?? 1) >= (sizes[i] ?? 1))) return undefined;
  // The largest of nothing is whatever a kernel starts from.
  if (max && !w.out.every((count, i) => seesData(w, i, count, sizes[i] ?? 1))) return undefined;
  const shape = [n, c, ...w.out];
  const attrs = { kernel_shape: w.kernel, strides: w.strides, pads: w.pads, ceil_mode: Number(ceil) };
  if (max) return { op: "MaxPool", inputs: [x.name], attrs: { ...attrs, dilations: w.dilations }, outputs: [{ ...x, shape }] };
  const facts = rounded({ ...x, shape, lo: Math.min(0, x.lo), hi: Math.max(0, x.hi) }, x.error, 9);
  return { op: "AveragePool", inputs: [x.name], attrs: { ...attrs, count_include_pad: g.between(0, 1) }, outputs: [facts] };
};

const globalPool: Rule = (g) => {
  const x = picture(g);
  if (x === undefined) return undefined;
  const max = g.chance(0.5);
  const shape = x.shape.map((d, i) => (i < 2 ? d : 1));
  const facts = { ...x, shape };
  return { op: max ? "GlobalMaxPool" : "GlobalAveragePool", inputs: [x.name], outputs: [max ? facts : rounded(facts, x.error, elementCount(x.shape.slice(2)))] };
};

const batchNorm: Rule = (g) => {
  const x = picture(g);
  if (x === undefined) return undefined;
  const c = x.shape[1] ?? 1;
  const [scale, bias, mean] = [g.constant("float32", [c]), g.constant("float32", [c]), g.constant("float32", [c])];
  const variance = g.constant("float32", [c], Array.from({ length: c }, () => g.between(1, 4)));
  const top = 4 * (magnitude(x) + 4) + 4;
  return { op: "BatchNormalization", inputs: [x, scale, bias, mean, variance].map((v) => v.name), outputs: [rounded({ ...x, lo: -top, hi: top }, 4 * x.error)] };
};

const instanceNorm: Rule = (g) => {
  const x = picture(g);
  if (x === undefined || magnitude(x) > 100) return undefined;
  const c = x.shape[1] ?? 1;
  const n = elementCount(x.shape.slice(2));
  const [scale, bias] = [g.constant("float32", [c]), g.constant("float32", [c])];
  const top = 4 * Math.sqrt(n) + 4;
  const facts = rounded({ ...x, lo: -top, hi: top }, 8 * x.error * Math.sqrt(n), n);
  return { op: "InstanceNormalization", inputs: [x.name, scale.name, bias.name], attrs: { epsilon: { float: 1 } }, outputs: [{ ...facts, error: facts.error + 1e-6 * magnitude(x) }] };
};

const resize: Rule = (g) => {
  const x = g.find((v) => v.dtype === "float32" && v.shape.length === 4);
  if (x === undefined) return undefined;
  const mode = g.random.pick(["nearest", "linear"]);
  // Powers of two: the places to read from are exact.
  const scales = [1, 1, g.random.pick([1, 2, 4]), g.random.pick([1, 2, 0.5])];
  const shape = x.shape.map((d, i) => Math.floor(d * (scales[i] ?? 1)));
  if (shape.some((d) => d < 1)) return undefined;
  const coordinates = g.random.pick(mode === "nearest" ? ["asymmetric", "half_pixel"] : ["asymmetric", "half_pixel", "align_corners"]);
  const attrs = { mode, coordinate_transformation_mode: coordinates, ...(mode === "nearest" ? { nearest_mode: g.random.pick(["floor", "round_prefer_floor", "ceil"]) } : {}) };
  // Where the last output lies when a size is no whole number: the standard and onnxruntime differ.
  if (coordinates === "align_corners" && x.shape.some((d, i) => !Number.isInteger(d * (scales[i] ?? 1)))) return undefined;
  const constant = g.constant("float32", [4], scales);
  const facts = { ...x, shape };
  return { op: "Resize", inputs: [x.name, "", constant.name], attrs, outputs: [mode === "nearest" ? facts : rounded(facts, 2 * x.error)] };
};

const quantize: Rule = (g) => {
  const x = g.find((v) => v.dtype === "float32" && isExact(v));
  if (x === undefined) return undefined;
  const dtype = g.random.pick(["uint8", "int8"] as const);
  const scale = g.constant("float32", [], [g.random.pick([0.25, 0.5, 1, 2])]);
  const zero = g.constant(dtype, [], [dtype === "uint8" ? 100 : g.between(-5, 5)]);
  const facts: Facts = { dtype, shape: x.shape, lo: dtype === "uint8" ? 0 : -127, hi: dtype === "uint8" ? 255 : 127, grain: 1, error: 0 };
  return { op: "QuantizeLinear", inputs: [x.name, scale.name, zero.name], outputs: [facts] };
};

const dequantize: Rule = (g) => {
  const x = g.find((v) => v.dtype === "uint8" || v.dtype === "int8");
  if (x === undefined) return undefined;
  const scale = g.constant("float32", [], [0.25]);
  const zero = g.constant(x.dtype, [], [3]);
  const facts: Facts = { dtype: "float32", shape: x.shape, lo: 0.25 * (x.lo - 3), hi: 0.25 * (x.hi - 3), grain: 0.25, error: 0 };
  return { op: "DequantizeLinear", inputs: [x.name, scale.name, zero.name], outputs: [facts] };
};

const matmulInteger: Rule = (g) => {
  const a = g.find((v) => v.dtype === "uint8" && v.shape.length >= 2);
  if (a === undefined) return undefined;
  const k = a.shape.at(-1) ?? 1;
  const b = g.constant("uint8", [k, g.between(1, 4)]);
  const zero = g.constant("uint8", [], [g.between(0, 9)]);
  const top = k * 255 * 15;
  const facts: Facts = { dtype: "int32", shape: [...a.shape.slice(0, -1), b.shape[1] ?? 1], lo: -top, hi: top, grain: 1, error: 0 };
  return { op: "MatMulInteger", inputs: [a.name, b.name, zero.name], outputs: [facts] };
};

/** Operators that multiply and add, slide windows or quantize. */
export const productRules: readonly Rule[] = [matmul, matmul, gemm, conv, conv, convTranspose, pool, pool, globalPool, batchNorm, instanceNorm, resize, quantize, dequantize, matmulInteger];
