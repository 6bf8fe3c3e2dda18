import { lanesOf, parseDType, scalarOf, withLanes, type DType } from "@verticil/runtime-ffi";
import type { Buffer, PrimExpr } from "@verticil/tir";
import { elementsOf, strideOf, type Elements } from "./access.ts";
import { isShortFloat, shortFloatBits, shortFloatFromBits } from "./cast.ts";
import { loadCells, storeCells, taken } from "./cells.ts";
import type { FuncContext, MemoryStorage, Storage } from "./context.ts";
import { domainOf, fromScalars, lanesPer, repeat, splat, toScalars, wasmTypeOf, widthOf, type LaneWidth, type Typed } from "./lanes.ts";
import { addressOf, sumLinear, type Linear } from "./linear.ts";
import { unsupported } from "./unsupported.ts";
import type { Value } from "./value.ts";

/** Bytes of one element in memory; types below a byte take one. */
export function storedBytes(dtype: DType): number {
  const { bits, scalar } = parseDType(dtype);
  return scalar === "handle" ? 4 : Math.ceil(bits / 8);
}

/** The storage of a buffer. */
export function storageOf(cx: FuncContext, buffer: Buffer): Storage {
  const storage = cx.storage.get(buffer.data);
  return storage ?? unsupported(`buffer \`${buffer.name}\` without memory`, "Allocate it, or pass it as a parameter.", buffer.span);
}

/** Reads the elements at `indices`. */
export function loadBuffer(cx: FuncContext, buffer: Buffer, indices: readonly PrimExpr[]): Typed {
  const storage = storageOf(cx, buffer);
  const elements = elementsOf(cx, buffer, indices);
  const dtype = withLanes(scalarOf(buffer.dtype), elements.length);
  if (storage.kind === "cells") return loadCells(cx, storage, dtype, elements);
  checkBounds(cx, buffer, elements);
  const [first] = elements;
  if (first === undefined) throw new Error("internal: an access without elements");
  if (elements.length === 1) return { dtype, width: 0, parts: [loadScalar(cx, storage, dtype, first)] };
  const width = widthOf(dtype, cx.graph.simd);
  const stride = strideOf(elements);
  if (width !== 0 && stride === 1) return loadContiguous(cx, storage, dtype, width, first);
  if (stride === 0) return loadSplat(cx, storage, withLanes(dtype, 1), first, elements.length);
  if (width === parseDType(dtype).bits && width >= 32) return loadLanes(cx, storage, dtype, width, elements);
  const scalar = withLanes(dtype, 1);
  return fromScalars(cx.graph, dtype, elements.map((e) => loadScalar(cx, storage, scalar, e)), width);
}

/** Reads one element into all lanes. */
export function loadBroadcast(cx: FuncContext, buffer: Buffer, indices: readonly PrimExpr[], lanes: number): Typed {
  const storage = storageOf(cx, buffer);
  const elements = elementsOf(cx, buffer, indices);
  const [first] = elements;
  if (first === undefined) throw new Error("internal: an access without elements");
  const scalar = scalarOf(buffer.dtype);
  if (storage.kind === "memory") {
    checkBounds(cx, buffer, elements);
    return loadSplat(cx, storage, scalar, first, lanes);
  }
  const [value] = loadCells(cx, storage, scalar, elements).parts;
  if (value === undefined) throw new Error("internal: a cell without value");
  return broadcast(cx, scalar, value, lanes);
}

/** A vector of `lanes` copies of a scalar. */
export function broadcast(cx: FuncContext, scalar: DType, value: Value, lanes: number): Typed {
  const dtype = withLanes(scalar, lanes);
  const width = widthOf(dtype, cx.graph.simd);
  if (width === 0) return { dtype, width, parts: new Array<Value>(lanes).fill(value) };
  const part = splat(cx.graph, scalar, width, value);
  return { dtype, width, parts: new Array<Value>(lanes / lanesPer(width)).fill(part) };
}

/** One v128 by the load `op` from elements beside each other; undefined where they are not, or are in registers. */
export function loadRun(cx: FuncContext, buffer: Buffer, indices: readonly PrimExpr[], op: string): Value | undefined {
  const storage = storageOf(cx, buffer);
  if (storage.kind === "cells") return undefined;
  const elements = elementsOf(cx, buffer, indices);
  const [first] = elements;
  if (first === undefined || strideOf(elements) !== 1) return undefined;
  checkBounds(cx, buffer, elements);
  return load(cx, storage, op, first, storedBytes(buffer.dtype));
}

function load(cx: FuncContext, storage: MemoryStorage, op: string, at: Linear, scale: number, extra = 0): Value {
  const { base, offset } = addressOf(cx.graph, storage.base, at, scale);
  const epoch = cx.epochs.of(storage.token);
  return cx.graph.load(op, [base], offset + extra, epoch.token, epoch.region);
}

function scalarLoadName(dtype: DType): string {
  const { bits, scalar } = parseDType(dtype);
  const domain = domainOf(dtype);
  if (scalar === "handle") return "i32.load";
  if (domain === "float") {
    return bits === 64 ? "f64.load" : bits === 32 ? "f32.load" : bits === 16 ? "i32.load16_u" : "i32.load8_u";
  }
  if (bits === 64) return "i64.load";
  if (bits === 32) return "i32.load";
  return `i32.load${bits === 16 ? 16 : 8}_${domain === "int" ? "s" : "u"}`;
}

function loadScalar(cx: FuncContext, storage: MemoryStorage, dtype: DType, at: Linear): Value {
  const raw = load(cx, storage, scalarLoadName(dtype), at, storedBytes(dtype));
  return isShortFloat(dtype) ? shortFloatFromBits(cx.graph, dtype, 0, raw) : raw;
}

function loadSplat(cx: FuncContext, storage: MemoryStorage, scalar: DType, at: Linear, lanes: number): Typed {
  const dtype = withLanes(scalar, lanes);
  const width = widthOf(dtype, cx.graph.simd);
  const { bits } = parseDType(scalar);
  if (width === 0 || width !== bits || domainOf(scalar) === "bool" || isShortFloat(scalar)) return broadcast(cx, scalar, loadScalar(cx, storage, scalar, at), lanes);
  const part = load(cx, storage, `v128.load${bits}_splat`, at, storedBytes(scalar));
  return { dtype, width, parts: new Array<Value>(lanes / lanesPer(width)).fill(part) };
}

function loadContiguous(cx: FuncContext, storage: MemoryStorage, dtype: DType, width: LaneWidth, first: Linear): Typed {
  const { graph } = cx;
  const { lanes, bits } = parseDType(dtype);
  const bytes = storedBytes(dtype);
  const per = lanesPer(width);
  const sign = domainOf(dtype) === "int" ? "s" : "u";
  const parts = Array.from({ length: lanes / per }, (_, i) => {
    const extra = i * per * bytes;
    if (width === bits) return load(cx, storage, "v128.load", first, bytes, extra);
    if (bits === 16) {
      const words = load(cx, storage, `v128.load16x4_${sign}`, first, bytes, extra);
      return isShortFloat(dtype) ? shortFloatFromBits(graph, dtype, width, words) : words;
    }
    const quad = load(cx, storage, "v128.load32_zero", first, bytes, extra);
    const words = graph.op(`i32x4.extend_low_i16x8_${sign}`, [graph.op(`i16x8.extend_low_i8x16_${sign}`, [quad])]);
    if (isShortFloat(dtype)) return shortFloatFromBits(graph, dtype, width, words);
    return domainOf(dtype) === "bool" ? graph.op("i32x4.ne", [words, graph.v128(new Uint8Array(16))]) : words;
  });
  return { dtype, width, parts };
}

/** Lanes from all over the place, put together in a register. */
function loadLanes(cx: FuncContext, storage: MemoryStorage, dtype: DType, width: LaneWidth, elements: Elements): Typed {
  const bytes = storedBytes(dtype);
  const per = lanesPer(width);
  const epoch = cx.epochs.of(storage.token);
  const parts: Value[] = [];
  for (let i = 0; i < elements.length; i += per) {
    let part: Value | undefined;
    for (const [lane, at] of elements.slice(i, i + per).entries()) {
      if (part === undefined) part = load(cx, storage, `v128.load${width}_zero`, at, bytes);
      else {
        const { base, offset } = addressOf(cx.graph, storage.base, at, bytes);
        part = cx.graph.load(`v128.load${width}_lane`, [base, part], offset, epoch.token, epoch.region, [lane]);
      }
    }
    if (part !== undefined) parts.push(part);
  }
  return { dtype, width, parts };
}

/** Writes the elements at `indices`. */
export function storeBuffer(cx: FuncContext, buffer: Buffer, indices: readonly PrimExpr[], value: Typed): void {
  const storage = storageOf(cx, buffer);
  const elements = elementsOf(cx, buffer, indices);
  if (storage.kind === "cells") {
    storeCells(cx, storage, elements, value);
    return;
  }
  checkBounds(cx, buffer, elements);
  storeElements(cx, storage, elements, value);
  cx.epochs.written(storage.token);
}

function storeElements(cx: FuncContext, storage: MemoryStorage, elements: Elements, value: Typed): void {
  const [first] = elements;
  if (first === undefined) return;
  if (value.width !== 0 && strideOf(elements) === 1) {
    storeContiguous(cx, storage, first, { ...value, parts: taken(cx.graph, value.parts) });
    return;
  }
  const { bits } = parseDType(value.dtype);
  const per = lanesPer(value.width);
  const scalar = withLanes(value.dtype, 1);
  if (value.width === bits && bits >= 32) {
    const parts = taken(cx.graph, [...value.parts, ...value.parts]);
    for (const [i, at] of elements.entries()) {
      store(cx, storage, `v128.store${bits}_lane`, at, storedBytes(scalar), parts[Math.floor(i / per)], 0, i % per);
    }
    return;
  }
  const scalars = taken(cx.graph, toScalars(cx.graph, value));
  for (const [i, at] of elements.entries()) storeScalar(cx, storage, scalar, at, scalars[i]);
}

function store(cx: FuncContext, storage: MemoryStorage, op: string, at: Linear, scale: number, value: Value | undefined, extra = 0, lane?: number): void {
  if (value === undefined) throw new Error("internal: nothing to store");
  const { base, offset } = addressOf(cx.graph, storage.base, at, scale);
  cx.graph.emit({ kind: "store", op, addr: base, offset: offset + extra, value, lane });
}

function storeScalar(cx: FuncContext, storage: MemoryStorage, dtype: DType, at: Linear, value: Value | undefined): void {
  if (value === undefined) throw new Error("internal: nothing to store");
  const bytes = storedBytes(dtype);
  const type = wasmTypeOf(dtype);
  if (isShortFloat(dtype)) store(cx, storage, `i32.store${bytes * 8}`, at, bytes, shortFloatBits(cx.graph, dtype, 0, value));
  else store(cx, storage, type === "i32" && bytes < 4 ? `i32.store${bytes * 8}` : `${type}.store`, at, bytes, value);
}

function storeContiguous(cx: FuncContext, storage: MemoryStorage, first: Linear, value: Typed): void {
  const { graph } = cx;
  const { bits } = parseDType(value.dtype);
  const bytes = storedBytes(value.dtype);
  const domain = domainOf(value.dtype);
  const sign = domain === "int" ? "s" : "u";
  const mask = domain === "bool" ? value.width : 0;
  for (const [i, part] of value.parts.entries()) {
    const extra = i * lanesPer(value.width) * bytes;
    if (value.width === bits && domain !== "bool") {
      store(cx, storage, "v128.store", first, bytes, part, extra);
      continue;
    }
    if (mask !== 0 && mask !== 32) {
      const scalars = toScalars(graph, { ...value, parts: [part] });
      for (const [k, s] of scalars.entries()) store(cx, storage, "i32.store8", first, bytes, s, extra + k);
      continue;
    }
    const words = domain === "bool" ? graph.op("v128.and", [part, graph.v128(repeat("i32x4", 1))]) : part;
    const held = isShortFloat(value.dtype) ? shortFloatBits(graph, value.dtype, 32, words) : words;
    const halves = graph.op(`i16x8.narrow_i32x4_${sign}`, [held, held]);
    if (bits === 16) store(cx, storage, "v128.store64_lane", first, bytes, halves, extra, 0);
    else store(cx, storage, "v128.store32_lane", first, bytes, graph.op(`i8x16.narrow_i16x8_${sign}`, [halves, halves]), extra, 0);
  }
}

/** In debug builds: traps if an element is outside of its buffer. */
function checkBounds(cx: FuncContext, buffer: Buffer, elements: Elements): void {
  if (!cx.checks.bounds) return;
  let size = lanesOf(buffer.dtype);
  for (const extent of buffer.shape) {
    if (extent.kind !== "ir.IntImm") return;
    size *= Number(extent.value);
  }
  if (buffer.strides.length > 0 || buffer.elemOffset !== undefined) return;
  for (const at of elements) {
    const index = sumLinear(cx.graph, at);
    cx.graph.emit({ kind: "check", condition: cx.graph.op("i32.lt_u", [index, cx.graph.i32(size)]) });
  }
}


/** Each lane of a read as a function that reads it, for loads under a condition. */
export function lanesOfLoad(cx: FuncContext, buffer: Buffer, indices: readonly PrimExpr[]): readonly (() => Value)[] {
  const storage = storageOf(cx, buffer);
  const scalar = scalarOf(buffer.dtype);
  return elementsOf(cx, buffer, indices).map((at) => () => {
    if (storage.kind === "memory") return loadScalar(cx, storage, scalar, at);
    const [value] = loadCells(cx, storage, scalar, [at]).parts;
    if (value === undefined) throw new Error("internal: a cell without value");
    return value;
  });
}

/** Writes one lane of an access. */
export function storeLane(cx: FuncContext, buffer: Buffer, indices: readonly PrimExpr[], lane: number, value: Value): void {
  const storage = storageOf(cx, buffer);
  const at = elementsOf(cx, buffer, indices)[lane];
  const scalar = scalarOf(buffer.dtype);
  if (at === undefined) throw new Error("internal: a lane that is not there");
  if (storage.kind === "cells") storeCells(cx, storage, [at], { dtype: scalar, width: 0, parts: [value] });
  else {
    storeScalar(cx, storage, scalar, at, value);
    cx.epochs.written(storage.token);
  }
}

/** The address of an element, for `address_of` and the like. */
export function addressOfElement(cx: FuncContext, buffer: Buffer, indices: readonly PrimExpr[]): Value {
  const storage = storageOf(cx, buffer);
  const [at] = elementsOf(cx, buffer, indices);
  if (storage.kind === "cells" || at === undefined) throw new Error("internal: the address of a local");
  const { base, offset } = addressOf(cx.graph, storage.base, at, storedBytes(buffer.dtype));
  return cx.graph.op("i32.add", [base, cx.graph.i32(offset)]);
}
