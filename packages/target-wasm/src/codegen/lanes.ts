import { parseDType, type DType } from "@verticil/runtime-ffi";
import type { WasmType } from "../encoder/opcodes.ts";
import type { Graph } from "./graph.ts";
import type { Value } from "./value.ts";

/** Bits of a lane inside a v128; 0 where each lane is a value of its own. */
export type LaneWidth = 0 | 8 | 16 | 32 | 64;

/**
 * A TIR value as WebAssembly values. With `width` 0, `parts` has a scalar for each lane; else a v128 for each 128 bits.
 * Scalars: integers below 32 bits are kept extended in an i32, `bool` is 0 or 1, floats below 32 bits are an f32 of a value
 * they can have. In vectors, narrow types may be widened to 32-bit lanes the same way, and a `bool` lane is all ones or zeros.
 */
export interface Typed {
  readonly dtype: DType;
  readonly width: LaneWidth;
  readonly parts: readonly Value[];
}

/** How values of a scalar type are computed. */
export type Domain = "int" | "uint" | "float" | "bool";

export function domainOf(dtype: DType): Domain {
  const { code } = parseDType(dtype);
  if (code === "int" || code === "uint" || code === "bool") return code;
  return code === "handle" ? "uint" : "float";
}

/** The WebAssembly type of one lane held as a scalar. */
export function wasmTypeOf(dtype: DType): WasmType {
  const { bits, scalar } = parseDType(dtype);
  if (scalar === "handle") return "i32";
  if (domainOf(dtype) === "float") return bits === 64 ? "f64" : "f32";
  return bits === 64 ? "i64" : "i32";
}

/** The lane width in which vectors of `dtype` are computed. */
export function widthOf(dtype: DType, simd: boolean): LaneWidth {
  const { bits, lanes, code } = parseDType(dtype);
  if (!simd || lanes === 1) return 0;
  if (bits === 64) return code !== "handle" && lanes % 2 === 0 ? 64 : 0;
  if (bits === 8 && (code === "int" || code === "uint") && lanes % 16 === 0) return 8;
  if (bits === 16 && (code === "int" || code === "uint") && lanes % 8 === 0) return 16;
  return lanes % 4 === 0 ? 32 : 0;
}

/** The WAT prefix of vectors: `f32x4`, `i8x16`, … */
export function shapeOf(dtype: DType, width: LaneWidth): string {
  if (domainOf(dtype) === "float") return width === 64 ? "f64x2" : "f32x4";
  return intShape(width);
}

export function intShape(width: LaneWidth): string {
  return width === 8 ? "i8x16" : width === 16 ? "i16x8" : width === 64 ? "i64x2" : "i32x4";
}

export function lanesPer(width: LaneWidth): number {
  return width === 0 ? 1 : 128 / width;
}

export function scalarTyped(dtype: DType, value: Value): Typed {
  return { dtype, width: 0, parts: [value] };
}

/** The value of a scalar. @throws Error ("internal: …") if it is a vector. */
export function single(t: Typed): Value {
  const [only] = t.parts;
  if (only === undefined || t.parts.length !== 1 || t.width !== 0) throw new Error(`internal: a vector where a scalar belongs (${t.dtype})`);
  return only;
}

/** One v128 with the same scalar in each lane. */
export function splat(graph: Graph, dtype: DType, width: LaneWidth, value: Value): Value {
  if (domainOf(dtype) === "bool") {
    const mask = graph.op("i32.sub", [graph.i32(0), value]);
    return splatAs(graph, intShape(width), width === 64 ? graph.op("i64.extend_i32_s", [mask]) : mask);
  }
  return splatAs(graph, shapeOf(dtype, width), value);
}

function splatAs(graph: Graph, shape: string, value: Value): Value {
  if (value.kind === "const" && !(value.value instanceof Uint8Array)) return graph.v128(repeat(shape, value.value));
  return graph.op(`${shape}.splat`, [value]);
}

/** The 16 bytes of a vector with the same number in each lane. */
export function repeat(shape: string, value: number | bigint): Uint8Array {
  switch (shape) {
    case "f32x4":
      return new Uint8Array(new Float32Array(4).fill(Number(value)).buffer);
    case "f64x2":
      return new Uint8Array(new Float64Array(2).fill(Number(value)).buffer);
    case "i64x2":
      return new Uint8Array(new BigInt64Array(2).fill(BigInt(value)).buffer);
    case "i32x4":
      return new Uint8Array(new Int32Array(4).fill(Number(value)).buffer);
    case "i16x8":
      return new Uint8Array(new Int16Array(8).fill(Number(value)).buffer);
    default:
      return new Uint8Array(16).fill(Number(value));
  }
}

function extractName(dtype: DType, width: LaneWidth): string {
  const shape = shapeOf(dtype, width);
  const signed = width <= 16 ? (domainOf(dtype) === "uint" ? "_u" : "_s") : "";
  return `${shape}.extract_lane${signed}`;
}

/** Each lane as a scalar. */
export function toScalars(graph: Graph, t: Typed): readonly Value[] {
  if (t.width === 0) return t.parts;
  const per = lanesPer(t.width);
  return t.parts.flatMap((part) => Array.from({ length: per }, (_, lane) => extractLane(graph, t.dtype, t.width, part, lane)));
}

/** One lane of a v128 as a scalar of `dtype`. */
export function extractLane(graph: Graph, dtype: DType, width: LaneWidth, part: Value, lane: number): Value {
  // A lane of a splat is the scalar itself.
  if (part.kind === "op" && part.op.endsWith(".splat") && domainOf(dtype) !== "bool" && width >= 32) {
    const [scalar] = part.args;
    if (scalar !== undefined) return scalar;
  }
  const raw = graph.op(extractName(dtype, width), [part], [lane]);
  if (domainOf(dtype) !== "bool") return raw;
  return width === 64
    ? graph.op("i64.ne", [raw, graph.i64(0n)])
    : graph.op("i32.and", [raw, graph.i32(1)]);
}

/** A v128 with lane `lane` replaced. */
export function replaceLane(graph: Graph, dtype: DType, width: LaneWidth, part: Value, lane: number, value: Value): Value {
  const stored =
    domainOf(dtype) !== "bool"
      ? value
      : width === 64
        ? graph.op("i64.extend_i32_s", [graph.op("i32.sub", [graph.i32(0), value])])
        : graph.op("i32.sub", [graph.i32(0), value]);
  return graph.op(`${shapeOf(dtype, width)}.replace_lane`, [part, stored], [lane]);
}

/** A vector of scalars, in v128s where the type allows. */
export function fromScalars(graph: Graph, dtype: DType, scalars: readonly Value[], width: LaneWidth): Typed {
  if (width === 0) return { dtype, width, parts: scalars };
  const per = lanesPer(width);
  const parts: Value[] = [];
  for (let at = 0; at < scalars.length; at += per) {
    const [first, ...rest] = scalars.slice(at, at + per);
    if (first === undefined) break;
    const constant = constantLanes(graph, dtype, width, scalars.slice(at, at + per));
    let part = constant ?? splat(graph, dtype, width, first);
    if (constant === undefined) {
      for (const [i, value] of rest.entries()) if (value !== first) part = replaceLane(graph, dtype, width, part, i + 1, value);
    }
    parts.push(part);
  }
  return { dtype, width, parts };
}

function constantLanes(graph: Graph, dtype: DType, width: LaneWidth, scalars: readonly Value[]): Value | undefined {
  const bytes = new Uint8Array(16);
  const size = width / 8;
  for (const [i, s] of scalars.entries()) {
    if (s.kind !== "const" || s.value instanceof Uint8Array) return undefined;
    const value = domainOf(dtype) === "bool" ? -Number(s.value) : s.value;
    bytes.set(repeat(shapeOf(dtype, width), value).subarray(0, size), i * size);
  }
  return graph.v128(bytes);
}

/** The same mask in lanes of another width. */
export function maskTo(graph: Graph, t: Typed, width: LaneWidth): Typed {
  if (t.width === width) return t;
  if (t.width === 0 || width === 0) {
    const scalars = toScalars(graph, t);
    return fromScalars(graph, t.dtype, scalars, width);
  }
  const next = t.width < width ? widenMask(graph, t) : narrowMask(graph, t);
  return maskTo(graph, next, width);
}

function widenMask(graph: Graph, t: Typed): Typed {
  const width: LaneWidth = t.width === 8 ? 16 : t.width === 16 ? 32 : 64;
  const [to, from] = [intShape(width), intShape(t.width)];
  const parts = t.parts.flatMap((p) => [graph.op(`${to}.extend_low_${from}_s`, [p]), graph.op(`${to}.extend_high_${from}_s`, [p])]);
  return { dtype: t.dtype, width, parts };
}

function narrowMask(graph: Graph, t: Typed): Typed {
  const width: LaneWidth = t.width === 64 ? 32 : t.width === 32 ? 16 : 8;
  const parts: Value[] = [];
  for (let i = 0; i + 1 < t.parts.length; i += 2) {
    const pair = t.parts.slice(i, i + 2);
    parts.push(
      t.width === 64
        ? graph.op("i8x16.shuffle", pair, [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27])
        : graph.op(`${intShape(width)}.narrow_${intShape(t.width)}_s`, pair),
    );
  }
  // An odd number of parts does not fill the narrower vectors.
  if (t.parts.length % 2 === 1) return fromScalars(graph, t.dtype, toScalars(graph, t), 0);
  return { dtype: t.dtype, width, parts };
}

