import { isFloat } from "@verticil/runtime-ffi";
import type { TestAttribute } from "../../../../packages/onnx/src/testing/onnx-model.ts";
import { exactOr, isComparable, isExact, magnitude, rounded, type Facts } from "../facts.ts";
import type { GraphBuilder, Rule, Value } from "../graph-builder.ts";

const isReal = (v: Facts): boolean => isFloat(v.dtype);
const isNumber = (v: Facts): boolean => v.dtype !== "bool";
const isInt = (v: Facts): boolean => v.dtype === "int32" || v.dtype === "int64";

/** A smooth function of a float: where it is defined, its bounds and how steep it is there. */
interface Smooth {
  readonly op: string;
  readonly accepts?: (v: Facts) => boolean;
  readonly f: (x: number) => number;
  readonly steep: (v: Facts) => number;
  /** Bounds, if they are not at the ends of the domain. */
  readonly range?: (v: Facts) => readonly [number, number];
  readonly attrs?: Readonly<Record<string, TestAttribute>>;
}

const one = (): number => 1;

const smooth: readonly Smooth[] = [
  { op: "Sigmoid", f: (x) => 1 / (1 + Math.exp(-x)), steep: () => 0.25 },
  { op: "Tanh", f: Math.tanh, steep: one },
  { op: "Exp", accepts: (v) => v.hi <= 4, f: Math.exp, steep: (v) => Math.exp(v.hi) },
  { op: "Log", accepts: (v) => v.lo >= 0.1, f: Math.log, steep: (v) => 1 / v.lo },
  { op: "Sqrt", accepts: (v) => v.lo >= 0.05, f: Math.sqrt, steep: (v) => 0.5 / Math.sqrt(v.lo) },
  { op: "Reciprocal", accepts: (v) => v.lo >= 0.1, f: (x) => 1 / x, steep: (v) => v.lo ** -2 },
  { op: "Erf", accepts: (v) => v.dtype === "float32", f: (x) => Math.tanh(1.2 * x), range: () => [-1, 1], steep: () => 1.2 },
  { op: "Softplus", accepts: (v) => v.dtype === "float32", f: (x) => Math.log1p(Math.exp(-Math.abs(x))) + Math.max(x, 0), steep: one },
  { op: "Softsign", accepts: (v) => v.dtype === "float32", f: (x) => x / (1 + Math.abs(x)), steep: one },
  { op: "Atan", accepts: (v) => v.dtype === "float32", f: Math.atan, steep: one },
  { op: "Asinh", accepts: (v) => v.dtype === "float32", f: Math.asinh, steep: one },
  { op: "Sin", accepts: (v) => magnitude(v) < 100, f: Math.sin, range: () => [-1, 1], steep: one },
  { op: "Cos", accepts: (v) => magnitude(v) < 100, f: Math.cos, range: () => [-1, 1], steep: one },
  { op: "Elu", accepts: (v) => v.dtype === "float32", f: (x) => (x < 0 ? Math.expm1(x) : x), steep: one },
  { op: "Selu", accepts: (v) => v.dtype === "float32", f: (x) => 1.0507 * (x < 0 ? 1.67326 * Math.expm1(x) : x), steep: () => 1.8 },
  { op: "Celu", accepts: (v) => v.dtype === "float32", f: (x) => (x < 0 ? Math.expm1(x) : x), steep: one },
  { op: "LeakyRelu", accepts: (v) => v.dtype === "float32", f: (x) => (x < 0 ? 0.2 * x : x), steep: one, attrs: { alpha: { float: 0.2 } } },
  { op: "HardSigmoid", accepts: (v) => v.dtype === "float32", f: (x) => Math.min(1, Math.max(0, 0.2 * x + 0.5)), steep: () => 0.2 },
  { op: "HardSwish", accepts: (v) => v.dtype === "float32", f: (x) => x, range: (v) => [-0.4, Math.max(0, v.hi)], steep: () => 1.5 },
  { op: "Gelu", accepts: (v) => v.dtype === "float32", f: (x) => x, range: (v) => [-0.2, Math.max(0, v.hi)], steep: () => 1.2 },
  { op: "Gelu", accepts: (v) => v.dtype === "float32", f: (x) => x, range: (v) => [-0.2, Math.max(0, v.hi)], steep: () => 1.2, attrs: { approximate: "tanh" } },
  { op: "Mish", accepts: (v) => v.dtype === "float32", f: (x) => x, range: (v) => [-0.4, Math.max(0, v.hi)], steep: () => 1.2 },
];

const smoothRule: Rule = (g) => {
  const s = g.random.pick(smooth);
  const x = g.find((v) => isReal(v) && (s.accepts?.(v) ?? true));
  if (x === undefined) return undefined;
  const [lo, hi] = s.range?.(x) ?? [Math.min(s.f(x.lo), s.f(x.hi)), Math.max(s.f(x.lo), s.f(x.hi))];
  return { op: s.op, inputs: [x.name], attrs: s.attrs ?? {}, outputs: [rounded({ ...x, lo, hi }, s.steep(x) * x.error)] };
};

/** What keeps an exact value exact. */
const exactUnary: readonly (readonly [op: string, accepts: (v: Facts) => boolean, result: (v: Facts) => Facts])[] = [
  ["Neg", (v) => isNumber(v) && v.dtype !== "uint8", (v) => ({ ...v, lo: -v.hi, hi: -v.lo })],
  ["Abs", isNumber, (v) => ({ ...v, lo: 0, hi: magnitude(v) })],
  ["Relu", (v) => isReal(v) || v.dtype === "int32", (v) => ({ ...v, lo: Math.max(0, v.lo), hi: Math.max(0, v.hi) })],
  ["Identity", () => true, (v) => v],
  ["Not", (v) => v.dtype === "bool", (v) => v],
  ["BitwiseNot", isInt, (v) => ({ ...v, lo: -v.hi - 1, hi: -v.lo - 1 })],
];

const exactUnaryRule: Rule = (g) => {
  const [op, accepts, result] = g.random.pick(exactUnary);
  const x = g.find(accepts);
  return x && { op, inputs: [x.name], outputs: [result(x)] };
};

/** Functions with steps: of exact values only. */
const stepped: readonly (readonly [op: string, result: (v: Facts) => Facts])[] = [
  ["Floor", (v) => whole(v, Math.floor)],
  ["Ceil", (v) => whole(v, Math.ceil)],
  ["Round", (v) => whole(v, Math.round)],
  ["Sign", (v) => ({ ...v, lo: -1, hi: 1, grain: 1 })],
  ["ThresholdedRelu", (v) => ({ ...v, lo: 0, hi: Math.max(0, v.hi) })],
  ["IsNaN", (v) => ({ ...v, dtype: "bool", lo: 0, hi: 1, grain: 1 })],
  ["IsInf", (v) => ({ ...v, dtype: "bool", lo: 0, hi: 1, grain: 1 })],
];

function whole(v: Facts, f: (x: number) => number): Facts {
  return { ...v, lo: f(v.lo) - 1, hi: f(v.hi) + 1, grain: Math.max(1, v.grain) };
}

const steppedRule: Rule = (g) => {
  const [op, result] = g.random.pick(stepped);
  const x = g.find((v) => isReal(v) && isExact(v) && (v.dtype === "float32" || op.startsWith("F") || op.startsWith("C")));
  return x && { op, inputs: [x.name], outputs: [result(x)] };
};

/** A value and another that broadcasts with it: found, or a constant. */
function pair(g: GraphBuilder, accepts: (v: Facts) => boolean): readonly [Value, Value, readonly number[]] | undefined {
  const a = g.find(accepts);
  if (a === undefined) return undefined;
  const other = g.chance(0.5) ? g.find((v) => v.dtype === a.dtype && accepts(v) && broadcast(a.shape, v.shape) !== undefined) : undefined;
  const b = other ?? g.constant(a.dtype, g.broadcastable(a.shape));
  const shape = broadcast(a.shape, b.shape);
  return shape === undefined || !accepts(b) ? undefined : g.chance(0.5) ? [a, b, shape] : [b, a, shape];
}

/** The shape of both, undefined if they do not go together. */
export function broadcast(a: readonly number[], b: readonly number[]): readonly number[] | undefined {
  const rank = Math.max(a.length, b.length);
  const out: number[] = [];
  for (let i = 0; i < rank; i++) {
    const x = a[i - rank + a.length] ?? 1;
    const y = b[i - rank + b.length] ?? 1;
    if (x !== y && x !== 1 && y !== 1) return undefined;
    out.push(x === 1 ? y : x);
  }
  return out;
}

const products = (a: Facts, b: Facts): readonly number[] => [a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi];
const both = (a: Facts, b: Facts, grain: (x: number, y: number) => number): number => (isExact(a) && isExact(b) ? grain(a.grain, b.grain) : 0);

type Combine = (a: Facts, b: Facts, shape: readonly number[]) => Facts;

const arithmetic: readonly (readonly [op: string, combine: Combine])[] = [
  ["Add", (a, b, shape) => exactOr({ ...a, shape, lo: a.lo + b.lo, hi: a.hi + b.hi, grain: both(a, b, Math.min) }, a.error + b.error)],
  ["Sub", (a, b, shape) => exactOr({ ...a, shape, lo: a.lo - b.hi, hi: a.hi - b.lo, grain: both(a, b, Math.min) }, a.error + b.error)],
  ["Mul", (a, b, shape) => {
    const ends = products(a, b);
    const error = a.error * magnitude(b) + b.error * magnitude(a);
    return exactOr({ ...a, shape, lo: Math.min(...ends), hi: Math.max(...ends), grain: both(a, b, (x, y) => x * y) }, error);
  }],
];

const arithmeticRule: Rule = (g) => {
  const [op, combine] = g.random.pick(arithmetic);
  const operands = pair(g, (v) => isReal(v) || isInt(v));
  if (operands === undefined) return undefined;
  const [a, b, shape] = operands;
  return { op, inputs: [a.name, b.name], outputs: [combine(a, b, shape)] };
};

const extremeRule: Rule = (g) => {
  const op = g.random.pick(["Max", "Min"]);
  const operands = pair(g, (v) => (isReal(v) || isInt(v)) && isComparable(v));
  if (operands === undefined) return undefined;
  const [a, b, shape] = operands;
  const pickEnd = op === "Max" ? Math.max : Math.min;
  const facts = { ...a, shape, lo: pickEnd(a.lo, b.lo), hi: pickEnd(a.hi, b.hi), grain: both(a, b, Math.min) };
  return { op, inputs: [a.name, b.name], outputs: [isExact(facts) ? facts : rounded(facts, a.error + b.error)] };
};

const divideRule: Rule = (g) => {
  const a = g.find((v) => isReal(v) || isInt(v));
  if (a === undefined) return undefined;
  const isWhole = isInt(a);
  const b = (g.chance(0.5) ? g.find((v) => v.dtype === a.dtype && v.lo >= 0.25 && broadcast(a.shape, v.shape) !== undefined) : undefined) ??
    divisor(g, a);
  const shape = broadcast(a.shape, b.shape) ?? a.shape;
  const least = Math.min(...[b.lo, b.hi, isWhole ? 1 : 0.25].filter((x) => x > 0));
  const top = magnitude(a) / least;
  const facts = { ...a, shape, lo: -top, hi: top };
  const error = a.error / least + (magnitude(a) / least ** 2) * b.error;
  return { op: "Div", inputs: [a.name, b.name], outputs: [isWhole ? facts : rounded(facts, error)] };
};

/** Numbers other than 0, of both signs. */
function divisor(g: GraphBuilder, a: Facts): Value {
  const shape = g.broadcastable(a.shape);
  const count = shape.reduce((n, d) => n * d, 1);
  return g.constant(a.dtype, shape, Array.from({ length: count }, () => g.between(1, 5) * (g.chance(0.5) ? 1 : -1)));
}

const modRule: Rule = (g) => {
  const fmod = g.chance(0.4);
  const a = g.find((v) => isExact(v) && (isInt(v) || (fmod && v.dtype === "float32")));
  if (a === undefined) return undefined;
  const b = divisor(g, a);
  const shape = broadcast(a.shape, b.shape) ?? a.shape;
  return { op: "Mod", inputs: [a.name, b.name], attrs: fmod ? { fmod: 1 } : {}, outputs: [{ ...a, shape, lo: -5, hi: 5 }] };
};

const powRule: Rule = (g) => {
  const x = g.find((v) => v.dtype === "float32" && magnitude(v) < 20);
  if (x === undefined) return undefined;
  const power = g.random.pick(x.lo > 0.1 ? [2, 3, 0.5, -1, 1.5] : [2, 3]);
  const e = g.constant("float32", [], [power]);
  const ends = [x.lo ** power, x.hi ** power, ...(x.lo < 0 && x.hi > 0 ? [0] : [])];
  const steep = Math.abs(power) * Math.max(magnitude(x) ** (power - 1), x.lo > 0.1 ? x.lo ** (power - 1) : 0);
  return { op: "Pow", inputs: [x.name, e.name], outputs: [rounded({ ...x, lo: Math.min(...ends), hi: Math.max(...ends) }, steep * x.error)] };
};

const compareRule: Rule = (g) => {
  const op = g.random.pick(["Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual"]);
  const operands = pair(g, (v) => isExact(v) && (v.dtype === "float32" || isInt(v) || (op === "Equal" && v.dtype === "bool")));
  if (operands === undefined) return undefined;
  const [a, b, shape] = operands;
  return { op, inputs: [a.name, b.name], outputs: [{ dtype: "bool", shape, lo: 0, hi: 1, grain: 1, error: 0 }] };
};

const logicRule: Rule = (g) => {
  const isBits = g.chance(0.4);
  const op = g.random.pick(isBits ? ["BitwiseAnd", "BitwiseOr", "BitwiseXor"] : ["And", "Or", "Xor"]);
  const operands = pair(g, (v) => (isBits ? isInt(v) : v.dtype === "bool"));
  if (operands === undefined) return undefined;
  const [a, b, shape] = operands;
  const top = isBits ? 2 ** Math.ceil(Math.log2(Math.max(magnitude(a), magnitude(b)) + 2)) : 1;
  return { op, inputs: [a.name, b.name], outputs: [{ ...a, shape, lo: isBits ? -top : 0, hi: top }] };
};

const whereRule: Rule = (g) => {
  const operands = pair(g, (v) => isReal(v) || isInt(v) || v.dtype === "uint8");
  if (operands === undefined || operands[0].dtype === "float16") return undefined;
  const [a, b, shape] = operands;
  const condition = g.find((v) => v.dtype === "bool" && broadcast(v.shape, shape) !== undefined) ?? g.constant("bool", g.broadcastable(shape));
  const out = broadcast(condition.shape, shape) ?? shape;
  const facts = { ...a, shape: out, lo: Math.min(a.lo, b.lo), hi: Math.max(a.hi, b.hi), grain: both(a, b, Math.min), error: Math.max(a.error, b.error) };
  return { op: "Where", inputs: [condition.name, a.name, b.name], outputs: [facts] };
};

const clipRule: Rule = (g) => {
  const x = g.find((v) => (v.dtype === "float32" || isInt(v)) && isComparable(v));
  if (x === undefined) return undefined;
  const [low, high] = [g.between(-3, 0), g.between(1, 5)];
  const bounds = [g.constant(x.dtype, [], [low]).name, g.constant(x.dtype, [], [high]).name];
  const clamp = (v: number): number => Math.min(high, Math.max(low, v));
  return { op: "Clip", inputs: [x.name, ...bounds], outputs: [{ ...x, lo: clamp(x.lo), hi: clamp(x.hi), grain: Math.min(x.grain, 1) }] };
};

const sumRule: Rule = (g) => {
  const a = g.find((v) => v.dtype === "float32");
  if (a === undefined) return undefined;
  const all = Array.from({ length: g.between(2, 4) }, () => g.find((v) => v.dtype === a.dtype && v.shape.join() === a.shape.join()) ?? a);
  const total = (f: (v: Value) => number): number => all.reduce((sum, v) => sum + f(v), 0);
  const mean = g.chance(0.4);
  const facts = { ...a, lo: total((v) => v.lo), hi: total((v) => v.hi), grain: all.every(isExact) ? Math.min(...all.map((v) => v.grain)) : 0 };
  const sum = exactOr(facts, total((v) => v.error));
  return { op: mean ? "Mean" : "Sum", inputs: all.map((v) => v.name), outputs: [mean ? rounded(sum, total((v) => v.error)) : sum] };
};

const preluRule: Rule = (g) => {
  const x = g.find((v) => v.dtype === "float32");
  if (x === undefined) return undefined;
  const slope = g.constant("float32", g.broadcastable(x.shape));
  const top = 4 * magnitude(x);
  return { op: "PRelu", inputs: [x.name, slope.name], outputs: [exactOr({ ...x, lo: -top, hi: top, grain: x.grain * 0.125 }, 4 * x.error)] };
};

const castRule: Rule = (g) => {
  const x = g.find(() => true);
  if (x === undefined) return undefined;
  const to = g.random.pick(["float32", "float32", "float16", "float64", "int32", "int64", "uint8", "int8", "bool"] as const);
  const toFloat = isFloat(to);
  if (!isExact(x) && !toFloat) return undefined;
  if (to === "uint8" && x.lo < 0) return undefined;
  if (to === "float64" && x.dtype === "float16") return undefined;
  const number = { float32: 1, float16: 10, float64: 11, int32: 6, int64: 7, uint8: 2, int8: 3, bool: 9 }[to];
  const facts: Facts = { ...x, dtype: to };
  const result = (): Facts => {
    if (to === "bool") return { ...facts, lo: 0, hi: 1, grain: 1 };
    if (toFloat) return exactOr(facts, x.error);
    return { ...facts, lo: Math.trunc(x.lo), hi: Math.trunc(x.hi), grain: Math.max(1, x.grain) };
  };
  return { op: "Cast", inputs: [x.name], attrs: { to: number }, outputs: [result()] };
};

/** Operators that work element by element. */
export const elementwiseRules: readonly Rule[] = [
  smoothRule, smoothRule, smoothRule, exactUnaryRule, exactUnaryRule, steppedRule, arithmeticRule, arithmeticRule, arithmeticRule,
  extremeRule, divideRule, modRule, powRule, compareRule, logicRule, whereRule, clipRule, sumRule, preluRule, castRule, castRule,
];

