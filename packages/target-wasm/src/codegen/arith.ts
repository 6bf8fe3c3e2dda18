import { parseDType, withLanes, type DType } from "@verticil/runtime-ffi";
import type { BinaryKind } from "@verticil/tir";
import { relayout, roundShort, wrapInt, wrapLanes } from "./cast.ts";
import type { Graph } from "./graph.ts";
import { domainOf, fromScalars, intShape, lanesPer, maskTo, repeat, shapeOf, toScalars, wasmTypeOf, type LaneWidth, type Typed } from "./lanes.ts";
import type { Value } from "./value.ts";

const COMPARE: { readonly [K in BinaryKind]?: string } = {
  "tir.EQ": "eq",
  "tir.NE": "ne",
  "tir.LT": "lt",
  "tir.LE": "le",
  "tir.GT": "gt",
  "tir.GE": "ge",
};

const PLAIN: { readonly [K in BinaryKind]?: string } = { "tir.Add": "add", "tir.Sub": "sub", "tir.Mul": "mul" };

/**
 * An operation with two operands of one type. `Min` and `Max` of floats are `b < a ? b : a` and `a < b ? b : a`: with a
 * NaN on either side the result is `a`, so that a bounded value stays NaN and a running maximum passes over it. Division of the smallest integer by -1 traps, as division by zero does.
 */
export function binary(graph: Graph, kind: BinaryKind, a: Typed, b: Typed): Typed {
  const dtype = COMPARE[kind] === undefined ? a.dtype : withLanes("bool", parseDType(a.dtype).lanes);
  const width = a.width === b.width ? a.width : 0;
  if (domainOf(a.dtype) === "bool" && a.width !== b.width) {
    const common = widthOfMasks(a, b);
    return binary(graph, kind, maskTo(graph, a, common), maskTo(graph, b, common));
  }
  if (width !== 0) {
    const vector = vectorBinary(graph, kind, a, b, width);
    if (vector !== undefined) return { ...vector, dtype };
  }
  const operand = withLanes(a.dtype, 1);
  const [xs, ys] = [toScalars(graph, a), toScalars(graph, b)];
  const results = xs.map((x, i) => scalarBinary(graph, kind, operand, x, ys[i] ?? x));
  return fromScalars(graph, dtype, results, width);
}

function widthOfMasks(a: Typed, b: Typed): LaneWidth {
  if (a.width === 0 || b.width === 0) return a.width === 0 ? b.width : a.width;
  return a.width > b.width ? a.width : b.width;
}

/** One operation on scalars of type `dtype`. */
export function scalarBinary(graph: Graph, kind: BinaryKind, dtype: DType, a: Value, b: Value): Value {
  const type = wasmTypeOf(dtype);
  const domain = domainOf(dtype);
  const compare = COMPARE[kind];
  if (domain === "float") {
    if (compare !== undefined) return graph.op(`${type}.${compare}`, [a, b]);
    return roundShort(graph, dtype, 0, scalarFloat(graph, kind, type, a, b));
  }
  const sign = domain === "int" ? "s" : "u";
  if (compare !== undefined) return graph.op(`${type}.${compare}${/^(eq|ne)$/.test(compare) ? "" : `_${sign}`}`, [a, b]);
  if (kind === "tir.And" || kind === "tir.Or") return graph.op(kind === "tir.And" ? "i32.and" : "i32.or", [a, b]);
  return wrapInt(graph, dtype, scalarInt(graph, kind, type, sign, a, b));
}

function scalarFloat(graph: Graph, kind: BinaryKind, type: string, a: Value, b: Value): Value {
  const plain = PLAIN[kind];
  if (plain !== undefined) return graph.op(`${type}.${plain}`, [a, b]);
  switch (kind) {
    case "tir.Div":
      return graph.op(`${type}.div`, [a, b]);
    case "tir.Min":
      return graph.select(graph.op(`${type}.lt`, [b, a]), b, a);
    case "tir.Max":
      return graph.select(graph.op(`${type}.lt`, [a, b]), b, a);
    default: {
      const rounding = kind === "tir.Mod" ? "trunc" : "floor";
      const quotient = graph.op(`${type}.${rounding}`, [graph.op(`${type}.div`, [a, b])]);
      return kind === "tir.FloorDiv" ? quotient : graph.op(`${type}.sub`, [a, graph.op(`${type}.mul`, [quotient, b])]);
    }
  }
}

function scalarInt(graph: Graph, kind: BinaryKind, type: string, sign: "s" | "u", a: Value, b: Value): Value {
  const plain = PLAIN[kind];
  if (plain !== undefined) return graph.op(`${type}.${plain}`, [a, b]);
  // Where both are known not to be negative the unsigned instructions are right, and cheaper.
  const positive = a.range !== undefined && b.range !== undefined && a.range.lo >= 0 && b.range.lo >= 0;
  const effective = positive ? "u" : sign;
  switch (kind) {
    case "tir.Min":
      return graph.select(graph.op(`${type}.lt_${sign}`, [a, b]), a, b);
    case "tir.Max":
      return graph.select(graph.op(`${type}.gt_${sign}`, [a, b]), a, b);
    case "tir.Div":
      return divide(graph, type, effective, a, b);
    case "tir.Mod":
      return graph.op(`${type}.rem_${effective}`, [a, b]);
    case "tir.FloorDiv":
      return effective === "u" ? divide(graph, type, "u", a, b) : floorDivide(graph, type, a, b);
    default:
      return effective === "u" ? remainder(graph, type, a, b) : floorRemainder(graph, type, a, b);
  }
}

/** log2 of a positive power of two, else undefined. */
function powerOfTwo(b: Value): number | undefined {
  const n = b.kind === "const" && !(b.value instanceof Uint8Array) ? Number(b.value) : 0;
  return Number.isSafeInteger(n) && n > 0 && Number.isInteger(Math.log2(n)) ? Math.log2(n) : undefined;
}

function count(graph: Graph, type: string, value: number): Value {
  return type === "i64" ? graph.i64(BigInt(value)) : graph.i32(value);
}

function divide(graph: Graph, type: string, sign: "s" | "u", a: Value, b: Value): Value {
  const shift = powerOfTwo(b);
  if (shift !== undefined && sign === "u") return graph.op(`${type}.shr_u`, [a, count(graph, type, shift)]);
  return graph.op(`${type}.div_${sign}`, [a, b]);
}

function remainder(graph: Graph, type: string, a: Value, b: Value): Value {
  const shift = powerOfTwo(b);
  if (shift === undefined) return graph.op(`${type}.rem_u`, [a, b]);
  return graph.op(`${type}.and`, [a, type === "i64" ? graph.i64((1n << BigInt(shift)) - 1n) : graph.i32(2 ** shift - 1)]);
}

function floorDivide(graph: Graph, type: string, a: Value, b: Value): Value {
  const shift = powerOfTwo(b);
  if (shift !== undefined) return graph.op(`${type}.shr_s`, [a, count(graph, type, shift)]);
  const quotient = graph.op(`${type}.div_s`, [a, b]);
  const rest = graph.op(`${type}.sub`, [a, graph.op(`${type}.mul`, [quotient, b])]);
  const below = isBelow(graph, type, rest, b);
  return graph.op(`${type}.sub`, [quotient, type === "i64" ? graph.op("i64.extend_i32_u", [below]) : below]);
}

function floorRemainder(graph: Graph, type: string, a: Value, b: Value): Value {
  const shift = powerOfTwo(b);
  if (shift !== undefined) return remainder(graph, type, a, b);
  const rest = graph.op(`${type}.rem_s`, [a, b]);
  const zero = count(graph, type, 0);
  return graph.op(`${type}.add`, [rest, graph.select(isBelow(graph, type, rest, b), b, zero)]);
}

/** 1 if a truncated remainder lies on the other side of zero than its divisor. */
function isBelow(graph: Graph, type: string, rest: Value, b: Value): Value {
  const zero = count(graph, type, 0);
  if (b.kind === "const" && Number(b.value) > 0) return graph.op(`${type}.lt_s`, [rest, zero]);
  const opposite = graph.op(`${type}.lt_s`, [graph.op(`${type}.xor`, [rest, b]), zero]);
  return graph.op("i32.and", [graph.op(`${type}.ne`, [rest, zero]), opposite]);
}

// Vectors.

function mapParts(a: Typed, b: Typed, f: (x: Value, y: Value) => Value): Typed {
  return { dtype: a.dtype, width: a.width, parts: a.parts.map((x, i) => f(x, b.parts[i] ?? x)) };
}

/** The operation on v128s, or undefined where there are no instructions for it. */
function vectorBinary(graph: Graph, kind: BinaryKind, a: Typed, b: Typed, width: LaneWidth): Typed | undefined {
  const domain = domainOf(a.dtype);
  if (domain === "bool") return maskBinary(graph, kind, a, b, width);
  if (domain === "float") return floatVector(graph, kind, a, b, width);
  const name = intVectorName(kind, domain === "uint", width);
  if (name !== undefined) {
    const wrap = (v: Value): Value => (width === 32 && COMPARE[kind] === undefined ? wrapLanes(graph, a.dtype, v) : v);
    return mapParts(a, b, (x, y) => wrap(graph.op(`${intShape(width)}.${name}`, [x, y])));
  }
  if (width === 8 || width === 16) {
    const wide = binary(graph, kind, relayout(graph, a, 32), relayout(graph, b, 32));
    return COMPARE[kind] === undefined ? relayout(graph, wide, width) : wide;
  }
  return powerOfTwoVector(graph, kind, a, b, width);
}

function maskBinary(graph: Graph, kind: BinaryKind, a: Typed, b: Typed, width: LaneWidth): Typed | undefined {
  const name = { "tir.And": "v128.and", "tir.Or": "v128.or", "tir.NE": "v128.xor", "tir.EQ": `${intShape(width)}.eq` }[kind as string];
  return name === undefined ? undefined : mapParts(a, b, (x, y) => graph.op(name, [x, y]));
}

function floatVector(graph: Graph, kind: BinaryKind, a: Typed, b: Typed, width: LaneWidth): Typed {
  const shape = shapeOf(a.dtype, width);
  const compare = COMPARE[kind];
  if (compare !== undefined) return mapParts(a, b, (x, y) => graph.op(`${shape}.${compare}`, [x, y]));
  const op = (name: string, x: Value, y: Value): Value => graph.op(`${shape}.${name}`, [x, y]);
  const compute = (x: Value, y: Value): Value => {
    const plain = PLAIN[kind];
    if (plain !== undefined) return fused(graph, plain, shape, x, y) ?? op(plain, x, y);
    if (kind === "tir.Div") return op("div", x, y);
    if (kind === "tir.Min") return op("pmin", x, y);
    if (kind === "tir.Max") return op("pmax", x, y);
    const quotient = graph.op(`${shape}.${kind === "tir.Mod" ? "trunc" : "floor"}`, [op("div", x, y)]);
    return kind === "tir.FloorDiv" ? quotient : op("sub", x, op("mul", quotient, y));
  };
  return mapParts(a, b, (x, y) => roundShort(graph, a.dtype, width, compute(x, y)));
}

/** A sum with a product as one instruction, or undefined: where there is none, or no such instruction. */
function fused(graph: Graph, name: string, shape: string, x: Value, y: Value): Value | undefined {
  const factors = (v: Value): readonly Value[] | undefined => (v.kind === "op" && v.op === `${shape}.mul` ? v.args : undefined);
  const fy = name === "add" || name === "sub" ? factors(y) : undefined;
  const fx = name === "add" ? factors(x) : undefined;
  if (fx === undefined && fy === undefined) return undefined;
  if (!graph.relaxed) {
    graph.canRelax = true;
    return undefined;
  }
  if (fy !== undefined) return graph.op(`${shape}.relaxed_${name === "add" ? "madd" : "nmadd"}`, [...fy, x]);
  return fx && graph.op(`${shape}.relaxed_madd`, [...fx, y]);
}

function intVectorName(kind: BinaryKind, unsigned: boolean, width: LaneWidth): string | undefined {
  const compare = COMPARE[kind];
  if (compare !== undefined) {
    if (compare === "eq" || compare === "ne") return compare;
    return width === 64 && unsigned ? undefined : `${compare}_${unsigned ? "u" : "s"}`;
  }
  const plain = PLAIN[kind];
  if (plain === "mul" && width === 8) return undefined;
  if (plain !== undefined) return plain;
  if ((kind === "tir.Min" || kind === "tir.Max") && width !== 64) return `${kind === "tir.Min" ? "min" : "max"}_${unsigned ? "u" : "s"}`;
  return undefined;
}

/** Division and remainder by the same power of two in all lanes; rounding down only, or unsigned. */
function powerOfTwoVector(graph: Graph, kind: BinaryKind, a: Typed, b: Typed, width: LaneWidth): Typed | undefined {
  const shift = splatPowerOfTwo(b, width);
  const unsigned = domainOf(a.dtype) === "uint";
  if (shift === undefined || (!unsigned && kind !== "tir.FloorDiv" && kind !== "tir.FloorMod")) return undefined;
  if (kind === "tir.FloorDiv" || kind === "tir.Div") {
    const name = `${intShape(width)}.shr_${unsigned ? "u" : "s"}`;
    return { ...a, parts: a.parts.map((p) => graph.op(name, [p, graph.i32(shift)])) };
  }
  const mask = width === 64 ? (1n << BigInt(shift)) - 1n : 2 ** shift - 1;
  return { ...a, parts: a.parts.map((p) => graph.op("v128.and", [p, graph.v128(repeat(intShape(width), mask))])) };
}

function splatPowerOfTwo(b: Typed, width: LaneWidth): number | undefined {
  let shift: number | undefined;
  for (const part of b.parts) {
    if (part.kind !== "const" || !(part.value instanceof Uint8Array)) return undefined;
    const view = new DataView(part.value.buffer, part.value.byteOffset, 16);
    for (let i = 0; i < lanesPer(width); i++) {
      const lane = width === 64 ? Number(view.getBigInt64(i * 8, true)) : view.getInt32(i * 4, true);
      const log = Number.isSafeInteger(lane) && lane > 0 ? Math.log2(lane) : NaN;
      if (!Number.isInteger(log) || (shift !== undefined && shift !== log)) return undefined;
      shift = log;
    }
  }
  return shift;
}

/** Bitwise operations and shifts. */
export function bitwise(graph: Graph, name: "and" | "or" | "xor" | "shl" | "shr", a: Typed, b: Typed): Typed {
  const unsigned = domainOf(a.dtype) !== "int";
  const scalar = withLanes(a.dtype, 1);
  const instruction = name === "shr" ? (unsigned ? "shr_u" : "shr_s") : name;
  if (a.width !== 0 && a.width === b.width) {
    if (name === "and" || name === "or" || name === "xor") return mapParts(a, b, (x, y) => graph.op(`v128.${name}`, [x, y]));
    const by = splatInt(graph, b);
    if (by !== undefined) {
      const shifted = a.parts.map((p) => graph.op(`${intShape(a.width)}.${instruction}`, [p, by]));
      return { ...a, parts: a.width === 32 ? shifted.map((p) => wrapLanes(graph, a.dtype, p)) : shifted };
    }
  }
  const type = wasmTypeOf(a.dtype);
  const [xs, ys] = [toScalars(graph, a), toScalars(graph, b)];
  const results = xs.map((x, i) => wrapInt(graph, scalar, graph.op(`${type}.${instruction}`, [x, ys[i] ?? x])));
  return fromScalars(graph, a.dtype, results, a.width);
}

/** The i32 that every lane of a splat holds, or undefined. */
function splatInt(graph: Graph, t: Typed): Value | undefined {
  const [first] = t.parts;
  if (first === undefined || t.parts.some((p) => p !== first)) return undefined;
  if (first.kind === "op" && first.op.endsWith(".splat")) {
    const [scalar] = first.args;
    return scalar?.type === "i64" ? graph.op("i32.wrap_i64", [scalar]) : scalar;
  }
  if (first.kind !== "const" || !(first.value instanceof Uint8Array)) return undefined;
  const bytes = first.value;
  const size = t.width / 8;
  if (bytes.some((byte, i) => byte !== bytes[i % size])) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  return graph.i32(t.width === 8 ? view.getInt8(0) : t.width === 16 ? view.getInt16(0, true) : view.getInt32(0, true));
}

/** `condition ? t : f` lane by lane, both computed. */
export function selectTyped(graph: Graph, condition: Typed, t: Typed, f: Typed): Typed {
  const pairs = t.parts.map((x, i): readonly [Value, Value] => [x, f.parts[i] ?? x]);
  if (parseDType(condition.dtype).lanes === 1) {
    const [c] = condition.parts;
    if (c === undefined) return t;
    return { ...t, parts: pairs.map(([x, y]) => graph.select(c, x, y)) };
  }
  const mask = maskTo(graph, condition, t.width);
  const choose = ([x, y]: readonly [Value, Value], i: number): Value => {
    const m = mask.parts[i] ?? x;
    return t.width === 0 ? graph.select(m, x, y) : graph.op("v128.bitselect", [x, y, m]);
  };
  return { ...t, parts: pairs.map(choose) };
}

/** Logical negation. */
export function notTyped(graph: Graph, t: Typed): Typed {
  return { ...t, parts: t.parts.map((p) => (t.width === 0 ? graph.op("i32.eqz", [p]) : graph.op("v128.not", [p]))) };
}

