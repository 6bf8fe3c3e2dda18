import { isFloat, parseDType, scalarOf, withLanes, type DType } from "@verticil/runtime-ffi";
import type { Graph } from "./graph.ts";
import { bfloatToFloat, floatToBfloat, floatToHalf, halfToFloat } from "./half.ts";
import { scalarLaneOps, vectorLaneOps, type LaneOps } from "./lane-ops.ts";
import { domainOf, fromScalars, intShape, maskTo, repeat, toScalars, widthOf, type LaneWidth, type Typed } from "./lanes.ts";
import { floatToSmall, smallToFloat } from "./small-float.ts";
import type { Value } from "./value.ts";

/** True for the float types that are stored in 16 bits or less, and computed as f32. */
export function isShortFloat(dtype: DType): boolean {
  return isFloat(dtype) && parseDType(dtype).bits <= 16;
}

function laneOps(graph: Graph, width: LaneWidth): LaneOps {
  return width === 0 ? scalarLaneOps(graph) : vectorLaneOps(graph);
}

/** The stored bits of short floats that are held as f32. */
export function shortFloatBits(graph: Graph, dtype: DType, width: LaneWidth, value: Value): Value {
  const o = laneOps(graph, width);
  const { code, bits } = parseDType(dtype);
  if (bits < 16) return floatToSmall(o, scalarOf(dtype), value);
  return code === "bfloat" ? floatToBfloat(o, value) : floatToHalf(o, value);
}

/** Short floats held as f32, from their stored bits. */
export function shortFloatFromBits(graph: Graph, dtype: DType, width: LaneWidth, bits: Value): Value {
  const o = laneOps(graph, width);
  if (parseDType(dtype).bits < 16) return smallToFloat(o, scalarOf(dtype), bits);
  return parseDType(dtype).code === "bfloat" ? bfloatToFloat(o, bits) : halfToFloat(o, bits);
}

/** An f32 result brought to what the type can hold: the identity except for short floats. */
export function roundShort(graph: Graph, dtype: DType, width: LaneWidth, value: Value): Value {
  if (!isShortFloat(dtype)) return value;
  return shortFloatFromBits(graph, dtype, width, shortFloatBits(graph, dtype, width, value));
}

/** True for a value that is known to be one of a narrow integer type. */
function isWithin({ range }: Value, dtype: DType): boolean {
  const { bits, code } = parseDType(dtype);
  const [lo, hi] = code === "int" ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1];
  return range !== undefined && range.lo >= lo && range.hi <= hi;
}

/** An integer result brought to the bits of its type: sign- or zero-extended again. */
export function wrapInt(graph: Graph, dtype: DType, value: Value): Value {
  const { bits, code } = parseDType(dtype);
  if (bits >= 32 || code === "bool" || isWithin(value, dtype)) return value;
  const hi = 2 ** bits - 1;
  if (code === "uint") return graph.op("i32.and", [value, graph.i32(hi)]);
  if (bits === 8 || bits === 16) return graph.op(`i32.extend${bits}_s`, [value]);
  const shift = graph.i32(32 - bits);
  return graph.op("i32.shr_s", [graph.op("i32.shl", [value, shift]), shift]);
}

/** The same for narrow integers in 32-bit lanes. */
export function wrapLanes(graph: Graph, dtype: DType, value: Value): Value {
  const { bits, code } = parseDType(dtype);
  if (bits >= 32 || code === "bool" || isWithin(value, dtype)) return value;
  if (code === "uint") return graph.op("v128.and", [value, graph.v128(repeat("i32x4", 2 ** bits - 1))]);
  const shift = graph.i32(32 - bits);
  return graph.op("i32x4.shr_s", [graph.op("i32x4.shl", [value, shift]), shift]);
}

/** Integers in lanes of another width, from 8 to 32 bits; their values fit there. */
export function relayout(graph: Graph, t: Typed, width: LaneWidth): Typed {
  if (t.width === width) return t;
  if (t.width === 0 || width === 0 || t.width === 64 || width === 64) return fromScalars(graph, t.dtype, toScalars(graph, t), width);
  const suffix = domainOf(t.dtype) === "uint" ? "u" : "s";
  const step: LaneWidth = t.width < width ? (t.width === 8 ? 16 : 32) : t.width === 32 ? 16 : 8;
  const [to, from] = [intShape(step), intShape(t.width)];
  if (t.width < width) {
    const parts = t.parts.flatMap((p) => [graph.op(`${to}.extend_low_${from}_${suffix}`, [p]), graph.op(`${to}.extend_high_${from}_${suffix}`, [p])]);
    return relayout(graph, { ...t, width: step, parts }, width);
  }
  const parts: Value[] = [];
  for (let i = 0; i + 1 < t.parts.length; i += 2) parts.push(graph.op(`${to}.narrow_${from}_${suffix}`, t.parts.slice(i, i + 2)));
  return relayout(graph, { ...t, width: step, parts }, width);
}

/** Conversion lane by lane. Floats to integers truncate, and saturate at 32 and 64 bits; narrower integers wrap. */
export function castTyped(graph: Graph, t: Typed, dtype: DType, simd: boolean): Typed {
  if (t.dtype === dtype) return t;
  const width = widthOf(dtype, simd);
  if (t.width !== 0 && width !== 0) {
    const converted = castVector(graph, t, dtype, width);
    if (converted !== undefined) return converted;
  }
  const scalar = withLanes(dtype, 1);
  const from = withLanes(t.dtype, 1);
  return fromScalars(graph, dtype, toScalars(graph, t).map((v) => castScalar(graph, from, scalar, v)), width);
}

function castScalar(graph: Graph, from: DType, to: DType, value: Value): Value {
  if (from === to) return value;
  const { bits: fromBits } = parseDType(from);
  const { bits: toBits } = parseDType(to);
  const [fd, td] = [domainOf(from), domainOf(to)];
  const ft = fd === "float" ? (fromBits === 64 ? "f64" : "f32") : fromBits === 64 && from !== "handle" ? "i64" : "i32";
  const tt = td === "float" ? (toBits === 64 ? "f64" : "f32") : toBits === 64 && to !== "handle" ? "i64" : "i32";
  const sign = (d: string): string => (d === "uint" ? "u" : "s");
  if (td === "bool") {
    if (fd === "bool") return value;
    const zero = ft === "i64" ? graph.i64(0n) : ft === "f32" ? graph.f32(0) : ft === "f64" ? graph.f64(0) : graph.i32(0);
    return graph.op(`${ft}.ne`, [value, zero]);
  }
  if (fd === "float" && td === "float") {
    const converted = ft === tt ? value : graph.op(tt === "f64" ? "f64.promote_f32" : "f32.demote_f64", [value]);
    return roundShort(graph, to, 0, converted);
  }
  if (fd === "float") {
    // Narrow unsigned types wrap from the signed value, as C compilers do.
    const suffix = td === "uint" && toBits >= 32 ? "u" : "s";
    return wrapInt(graph, to, graph.op(`${tt}.trunc_sat_${ft}_${suffix}`, [value]));
  }
  if (td === "float") return roundShort(graph, to, 0, graph.op(`${tt}.convert_${ft}_${sign(fd)}`, [value]));
  if (ft === tt) return wrapInt(graph, to, value);
  return ft === "i32" ? graph.op(`i64.extend_i32_${sign(fd)}`, [value]) : wrapInt(graph, to, graph.op("i32.wrap_i64", [value]));
}

function castVector(graph: Graph, t: Typed, dtype: DType, width: LaneWidth): Typed | undefined {
  const [fd, td] = [domainOf(t.dtype), domainOf(dtype)];
  const as = (parts: readonly Value[], w: LaneWidth = width): Typed => ({ dtype, width: w, parts });
  if (fd === "bool" && td === "bool") return { ...t, dtype };
  if (fd === "bool") return castMask(graph, t, dtype, width);
  if (td === "bool") {
    const shape = fd === "float" ? (t.width === 64 ? "f64x2" : "f32x4") : intShape(t.width);
    return as(t.parts.map((p) => graph.op(`${shape}.ne`, [p, graph.v128(new Uint8Array(16))])), t.width);
  }
  if (t.width === 64 || width === 64) return castWide(graph, t, dtype, width);
  // Through 32-bit lanes.
  const wide = relayout(graph, t, 32);
  const suffix = (d: string, bits: number): string => (d === "uint" && bits === 32 ? "u" : "s");
  const convert = (p: Value): Value => {
    if (fd === "float" && td === "float") return roundShort(graph, dtype, 32, p);
    if (fd === "float") return wrapLanes(graph, dtype, graph.op(`i32x4.trunc_sat_f32x4_${suffix(td, parseDType(dtype).bits)}`, [p]));
    if (td === "float") return roundShort(graph, dtype, 32, graph.op(`f32x4.convert_i32x4_${suffix(fd, parseDType(t.dtype).bits)}`, [p]));
    return wrapLanes(graph, dtype, p);
  };
  return relayout(graph, as(wide.parts.map(convert), 32), width);
}

function castMask(graph: Graph, t: Typed, dtype: DType, width: LaneWidth): Typed {
  const mask = maskTo(graph, t, width);
  const shape = domainOf(dtype) === "float" ? (width === 64 ? "f64x2" : "f32x4") : intShape(width);
  const one = graph.v128(repeat(shape, 1));
  return { dtype, width, parts: mask.parts.map((p) => graph.op("v128.and", [p, one])) };
}

const LOW_WORDS = [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27];
const LOW_HALVES = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23];
const HIGH_TO_LOW = [8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15];

/** Conversions with 64-bit lanes on one side; undefined for those without vector instructions. */
function castWide(graph: Graph, t: Typed, dtype: DType, width: LaneWidth): Typed | undefined {
  const [fd, td] = [domainOf(t.dtype), domainOf(dtype)];
  const fromBits = parseDType(t.dtype).bits;
  const toBits = parseDType(dtype).bits;
  const pairs = (f: (low: Value, high: Value) => Value): Typed => {
    const parts: Value[] = [];
    for (let i = 0; i + 1 < t.parts.length; i += 2) {
      const [low, high] = t.parts.slice(i, i + 2);
      if (low !== undefined && high !== undefined) parts.push(f(low, high));
    }
    return { dtype, width: 32, parts };
  };
  const halves = (name: string): Typed => {
    const parts = relayout(graph, t, 32).parts.flatMap((p) => [
      graph.op(name, [p]),
      graph.op(name, [graph.op("i8x16.shuffle", [p, p], HIGH_TO_LOW)]),
    ]);
    return { dtype, width: 64, parts };
  };
  if (fromBits === 64 && toBits === 64) return fd !== "float" && td !== "float" ? { ...t, dtype } : undefined;
  if (toBits === 64) {
    if (fd === "float") return td === "float" ? halves("f64x2.promote_low_f32x4") : undefined;
    const sign = fd === "uint" ? "u" : "s";
    if (td === "float") return halves(`f64x2.convert_low_i32x4_${sign}`);
    const parts = relayout(graph, t, 32).parts.flatMap((p) => [
      graph.op(`i64x2.extend_low_i32x4_${sign}`, [p]),
      graph.op(`i64x2.extend_high_i32x4_${sign}`, [p]),
    ]);
    return { dtype, width: 64, parts };
  }
  if (t.parts.length % 2 === 1) return undefined;
  if (fd === "float" && td === "float") {
    const f32 = pairs((a, b) => {
      const [low, high] = [a, b].map((p) => graph.op("f32x4.demote_f64x2_zero", [p]));
      return low === undefined || high === undefined ? a : graph.op("i8x16.shuffle", [low, high], LOW_HALVES);
    });
    return { ...f32, parts: f32.parts.map((p) => roundShort(graph, dtype, 32, p)) };
  }
  if (fd === "float" || td === "float") return undefined;
  const words = pairs((a, b) => graph.op("i8x16.shuffle", [a, b], LOW_WORDS));
  return relayout(graph, { ...words, parts: words.parts.map((p) => wrapLanes(graph, dtype, p)) }, width);
}
