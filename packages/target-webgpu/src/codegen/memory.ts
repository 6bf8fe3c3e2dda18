import { lanesOf, parseDType, scalarOf } from "@verticil/runtime-ffi";
import { asInt, constant, floorDiv, type BufferLoad, type BufferStore, type PrimExpr } from "@verticil/tir";
import { baseOf } from "./accesses.ts";
import { components } from "./lane-ops.ts";
import { once, unsupported, type KernelContext } from "./kernel-context.ts";
import type { ArrayStorage, BoundStorage, CellStorage, Storage } from "./storage.ts";
import { wgslType, type WgslScalar } from "./wgsl-type.ts";

/** The value of a load, in `scalar` lanes. */
export function loadElements(cx: KernelContext, e: BufferLoad, scalar: WgslScalar): string {
  const [index] = e.indices;
  const storage = cx.storage.get(e.buffer.data);
  if (storage === undefined || index === undefined || e.indices.length !== 1 || e.predicate !== undefined) {
    return unsupported(cx, `the access of \`${e.buffer.name}\``, "Flatten the buffer first (`FlattenBuffer`); masked lanes are not supported.", e.span);
  }
  const lanes = lanesOf(index.dtype);
  if (storage.kind === "bound" && storage.form === "vectors") return converted(`${storage.name}[${vectorIndex(cx, index)}]`, storage.element, scalar, lanes);
  if (storage.kind === "cells") return loadCells(storage, index, lanes);
  const places = elementPlaces(cx, index, lanes);
  const values = places.map((p) => loadOne(cx, storage, p, scalar, e));
  return lanes === 1 ? (values[0] ?? "0") : `${wgslType(scalar, lanes)}(${values.join(", ")})`;
}

/** Writes the statements of a store. */
export function storeElements(cx: KernelContext, s: BufferStore): void {
  const [index] = s.indices;
  const storage = cx.storage.get(s.buffer.data);
  if (storage === undefined || index === undefined || s.indices.length !== 1 || s.predicate !== undefined) {
    unsupported(cx, `the access of \`${s.buffer.name}\``, "Flatten the buffer first (`FlattenBuffer`); masked lanes are not supported.", s.span);
    return;
  }
  const lanes = lanesOf(index.dtype);
  const value = storedValue(cx, storage, s.value);
  if (storage.kind === "bound" && storage.form === "vectors") {
    cx.code.line(`${storage.name}[${vectorIndex(cx, index)}] = ${converted(value.text, value.scalar, storage.element, lanes)};`);
    return;
  }
  if (storage.kind === "cells") {
    storeCells(cx, storage, index, lanes, value.text);
    return;
  }
  const held = lanes === 1 ? value.text : once(cx, "stored", value.text);
  elementPlaces(cx, index, lanes).forEach((p, i) => {
    storeOne(cx, storage, p, lanes === 1 ? held : `${held}.${components[i] ?? "x"}`, value.scalar);
  });
}

interface StoredValue {
  readonly text: string;
  readonly scalar: WgslScalar;
}

/** What is stored; a half float without the feature stays a float32 until it is packed. */
function storedValue(cx: KernelContext, storage: Storage, value: PrimExpr): StoredValue {
  const { code, bits } = parseDType(scalarOf(value.dtype));
  const half = code === "float" && bits === 16;
  if (half && storage.kind === "bound" && storage.form === "words" && value.kind === "tir.Cast") return { text: cx.expr(value.value), scalar: "f32" };
  const scalar: WgslScalar = code === "bool" ? "bool" : code === "float" ? (half ? "f16" : "f32") : code === "uint" ? "u32" : "i32";
  return { text: cx.expr(value), scalar };
}

/** The index of a vector of four whose first element is at `index`. */
function vectorIndex(cx: KernelContext, index: PrimExpr): string {
  const base = baseOf(index) ?? index;
  return cx.expr(cx.analyzer.simplify(floorDiv(base, constant(4, base.dtype))));
}

/** The index of each element. */
function elementPlaces(cx: KernelContext, index: PrimExpr, lanes: number): readonly string[] {
  if (lanes === 1) return [cx.expr(index)];
  if (index.kind === "tir.Ramp") {
    const base = once(cx, "base", cx.expr(index.base));
    const stride = asInt(index.stride);
    const step = stride === undefined ? once(cx, "step", cx.expr(index.stride)) : undefined;
    return Array.from({ length: lanes }, (_, i) => {
      if (i === 0) return base;
      return step === undefined ? `${base} + ${i * (stride ?? 1)}i` : `${base} + ${i}i * ${step}`;
    });
  }
  const held = once(cx, "index", cx.expr(index));
  return components.slice(0, lanes).map((c) => `${held}.${c}`);
}

function loadCells(storage: CellStorage, index: PrimExpr, lanes: number): string {
  const place = asInt(baseOf(index) ?? index) ?? 0;
  const cell = storage.cells[Math.floor(place / storage.lanes)] ?? "0";
  return lanes === storage.lanes ? cell : `${cell}.${components[place % storage.lanes] ?? "x"}`;
}

function storeCells(cx: KernelContext, storage: CellStorage, index: PrimExpr, lanes: number, value: string): void {
  cx.code.line(`${loadCells(storage, index, lanes)} = ${value};`);
}

function loadOne(cx: KernelContext, storage: BoundStorage | ArrayStorage, place: string, scalar: WgslScalar, e: BufferLoad): string {
  if (storage.kind === "array" || storage.form !== "words") return converted(`${storage.name}[${place}]`, storage.element, scalar, 1);
  const at = once(cx, "at", place);
  const perWord = 32 / storage.bits;
  const address = `${storage.name}[${at} / ${perWord}i]`;
  const word = storage.atomic ? `atomicLoad(&${address})` : address;
  const { code } = parseDType(scalarOf(e.buffer.dtype));
  if (code === "float") {
    const value = `unpack2x16float(${word})[${at} % 2i]`;
    return scalar === "f16" ? `f16(${value})` : value;
  }
  const shifted = `(${word} >> (u32(${at} % ${perWord}i) * ${storage.bits}u)) & ${2 ** storage.bits - 1}u`;
  if (code === "bool") return `(${shifted}) != 0u`;
  if (code === "uint") return `(${shifted})`;
  return `(bitcast<i32>((${shifted}) << ${32 - storage.bits}u) >> ${32 - storage.bits}u)`;
}

/** Writes one element. In a word that several threads share, each changes its own bits only. */
function storeOne(cx: KernelContext, storage: BoundStorage | ArrayStorage, place: string, value: string, scalar: WgslScalar): void {
  if (storage.kind === "array" || storage.form !== "words") {
    cx.code.line(`${storage.name}[${place}] = ${converted(value, scalar, storage.element, 1)};`);
    return;
  }
  const at = once(cx, "at", place);
  const perWord = 32 / storage.bits;
  const mask = `${2 ** storage.bits - 1}u`;
  const shift = once(cx, "shift", `u32(${at} % ${perWord}i) * ${storage.bits}u`);
  const raw = scalar === "bool" ? `select(0u, 1u, ${value})` : scalar === "f32" || scalar === "f16" ? `pack2x16float(vec2<f32>(f32(${value}), 0f))` : `(bitcast<u32>(${value}) & ${mask})`;
  const held = once(cx, "raw", raw);
  cx.code.line(`atomicAnd(&${storage.name}[${at} / ${perWord}i], ~(${mask} << ${shift}));`);
  cx.code.line(`atomicOr(&${storage.name}[${at} / ${perWord}i], ${held} << ${shift});`);
}

/** The same bits where memory holds another 32-bit type than the program sees there. */
function converted(value: string, from: WgslScalar, to: WgslScalar, lanes: number): string {
  return from === to ? value : `bitcast<${wgslType(to, lanes)}>(${value})`;
}
