import { at, type Span } from "@verticil/ir-core";
import { dtypeBytes, lanesOf, parseDType, scalarOf, type DType } from "@verticil/runtime-ffi";
import type { Buffer } from "../ir/buffer.ts";
import type { PrimExpr } from "../ir/expr.ts";
import { asInt } from "../ir/ops.ts";
import { constantCode, intBinary, numberRun, valueCode, type Code } from "./code.ts";
import { raise } from "./errors.ts";
import { strideBytes, type Pointer } from "./memory.ts";
import { decodeBfloat, decodeHalf, encodeBfloat, encodeHalf, integerRange, type Scalar } from "./scalar.ts";
import { smallFloatOf } from "./small-float.ts";
import type { Scope, View } from "./scope.ts";

/** Shape and strides that are known before the program runs. */
export interface Geometry {
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** Strides of a compact row-major array. */
export function compactStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let i = shape.length - 2; i >= 0; i--) strides[i] = at(strides, i + 1) * at(shape, i + 1);
  return strides;
}

/** The geometry of a buffer without variables; undefined if it depends on values. */
export function staticGeometry(b: Buffer): Geometry | undefined {
  const shape = b.shape.map(asInt);
  const strides = b.strides.map(asInt);
  if (!shape.every((d) => d !== undefined) || !strides.every((d) => d !== undefined)) return undefined;
  return { shape, strides: strides.length === 0 ? compactStrides(shape) : strides };
}

type Compile = (e: PrimExpr, lane: number) => Code;

/** An element of a buffer: the closure of its place in the view's words, counted in elements. */
export function elementRun(
  view: View,
  geometry: Geometry | undefined,
  indices: readonly PrimExpr[],
  lane: number,
  compile: Compile,
  span: Span | undefined,
): () => number {
  const { buffer } = view;
  const lanes = lanesOf(buffer.dtype);
  const subLane = lane % lanes;
  const codes = indices.map((e) => compile(e, lanesOf(e.dtype) === 1 ? 0 : Math.floor(lane / lanes)));
  const run = geometry === undefined ? dynamicRun(view, codes, span) : staticRun(buffer, geometry, codes, span);
  return lanes === 1 ? run : () => run() * lanes + subLane;
}

function outOfBounds(buffer: Buffer, dimension: number, index: number, extent: number, span: Span | undefined): never {
  return raise("out-of-bounds", { buffer: buffer.name, dimension, index, extent }, span ?? buffer.span);
}

function staticRun(buffer: Buffer, g: Geometry, codes: readonly Code[], span: Span | undefined): () => number {
  // Indices that cannot leave their dimension add up to one linear closure; the others are checked one by one.
  let sum: Code | undefined;
  const checked: [run: () => number, extent: number, stride: number, dimension: number][] = [];
  codes.forEach((code, k) => {
    const extent = at(g.shape, k);
    const stride = at(g.strides, k);
    if (!code.wide && code.lo >= 0 && code.hi < extent) {
      const term = stride === 1 ? code : intBinary("tir.Mul", "int64", code, constantCode(stride));
      sum = sum === undefined ? term : intBinary("tir.Add", "int64", sum, term);
    } else checked.push([numberRun(code, "An index", span), extent, stride, k]);
  });
  let run = numberRun(sum ?? constantCode(0), "An index", span);
  for (const [index, extent, stride, k] of checked) {
    const rest = run;
    run = () => {
      const i = index();
      if (i < 0 || i >= extent) outOfBounds(buffer, k, i, extent, span);
      return i * stride + rest();
    };
  }
  return run;
}

function dynamicRun(view: View, codes: readonly Code[], span: Span | undefined): () => number {
  const runs = codes.map((c) => numberRun(c, "An index", span));
  return () => {
    let place = 0;
    for (let k = 0; k < runs.length; k++) {
      const i = at(runs, k)();
      const extent = at(view.shape, k);
      if (i < 0 || i >= extent) outOfBounds(view.buffer, k, i, extent, span);
      place += i * at(view.strides, k);
    }
    return place;
  };
}

/** Reads the element at `place`. */
export function loadCode(scope: Scope, view: View, place: () => number, span: Span | undefined): Code {
  const { buffer } = view;
  const miss = (): never => raise("outside-memory", { buffer: buffer.name, element: place() }, span ?? buffer.span);
  const code = plainLoad(view, place, miss);
  if (scope.options.checkUninitialized !== true) return code;
  const bytes = strideBytes(buffer.dtype);
  const check = (): void => {
    const p = view.pointer;
    const element = place();
    if (p?.memory.written?.[p.byteOffset + element * bytes] === 0) {
      raise("uninitialized-read", { buffer: buffer.name, element }, span ?? buffer.span);
    }
  };
  const { run } = code;
  const checked = (): Scalar => {
    check();
    return run();
  };
  return code.wide ? { ...code, run: checked } : { ...code, run: checked as () => number };
}

function plainLoad(view: View, place: () => number, miss: () => never): Code {
  const scalar = scalarOf(view.buffer.dtype);
  // One closure a type, so that each sees one sort of array.
  switch (scalar) {
    case "float32":
      return valueCode(() => view.words[place()] ?? miss());
    case "float64":
      return valueCode(() => view.words[place()] ?? miss());
    case "float16":
      return valueCode(() => decodeHalf(view.words[place()] ?? miss()));
    case "bfloat16":
      return valueCode(() => decodeBfloat(view.words[place()] ?? miss()));
    case "int64":
    case "uint64":
      return { wide: true, run: wideLoad(view, place, miss, scalar === "uint64"), lo: integerRange(scalar)[0], hi: integerRange(scalar)[1] };
    case "float8_e4m3fn":
    case "float8_e5m2":
    case "float8_e4m3fnuz":
    case "float8_e5m2fnuz":
    case "float4_e2m1fn": {
      const decode = smallFloatOf(scalar)?.decode ?? ((x: number): number => x);
      return valueCode(() => decode(view.words[place()] ?? miss()));
    }
    case "bool":
    case "uint8":
      return valueCode(() => view.words[place()] ?? miss(), 0, 255);
    case "int32":
      return valueCode(() => view.words[place()] ?? miss(), ...integerRange(scalar));
    case "int8":
      return valueCode(() => view.words[place()] ?? miss(), ...integerRange(scalar));
    default:
      return valueCode(() => view.words[place()] ?? miss(), ...integerRange(scalar));
  }
}

function wideLoad(view: View, place: () => number, miss: () => never, unsigned: boolean): () => Scalar {
  return () => {
    const at2 = place() * 2;
    const low = (view.words[at2] ?? miss()) >>> 0;
    const word = view.words[at2 + 1] ?? miss();
    const high = unsigned ? word >>> 0 : word | 0;
    if (high < 0x200000 && (high > -0x200000 || (high === -0x200000 && low > 0))) return high * 0x100000000 + low;
    return (BigInt(high) << 32n) | BigInt(low);
  };
}

/** Writes to the element at `place`. */
export function storeRun(
  scope: Scope,
  view: View,
  place: () => number,
  span: Span | undefined,
): (value: Scalar) => void {
  const { buffer } = view;
  const miss = (element: number): never => raise("outside-memory", { buffer: buffer.name, element }, span ?? buffer.span);
  const encode = encoder(buffer.dtype);
  const isWide = /^u?int64/.test(buffer.dtype);
  const store = isWide
    ? (value: Scalar): void => {
        const at2 = place() * 2;
        const { words } = view;
        if (!(at2 >= 0 && at2 + 1 < words.length)) miss(at2 / 2);
        if (typeof value === "number") {
          const high = Math.floor(value / 0x100000000);
          words[at2] = value - high * 0x100000000;
          words[at2 + 1] = high;
        } else {
          words[at2] = Number(value & 0xffffffffn);
          words[at2 + 1] = Number((value >> 32n) & 0xffffffffn);
        }
      }
    : (value: Scalar): void => {
        const i = place();
        const { words } = view;
        if (!(i >= 0 && i < words.length)) miss(i);
        words[i] = encode(Number(value));
      };
  if (scope.options.checkUninitialized !== true) return store;
  const bytes = strideBytes(buffer.dtype);
  return (value) => {
    const p = view.pointer;
    const from = (p?.byteOffset ?? 0) + place() * bytes;
    store(value);
    p?.memory.written?.fill(1, from, from + bytes);
  };
}

/** A store of one number to a float32 buffer: the common case, without conversions. */
export function storeFloat(view: View, place: () => number, value: () => number, span: Span | undefined): () => void {
  return () => {
    const v = value();
    const i = place();
    const { words } = view;
    if (!(i >= 0 && i < words.length)) raise("outside-memory", { buffer: view.buffer.name, element: i }, span ?? view.buffer.span);
    words[i] = v;
  };
}

function encoder(dtype: DType): (x: number) => number {
  const { scalar, code } = parseDType(dtype);
  if (scalar === "float16") return encodeHalf;
  if (scalar === "bfloat16") return encodeBfloat;
  if (code === "bool") return (x) => (x === 0 ? 0 : 1);
  const small = smallFloatOf(scalar);
  if (small !== undefined) return small.encode;
  return (x) => x;
}

/** The address of the element at `place`. */
export function addressOf(view: View, place: () => number): () => Pointer {
  const bytes = Math.max(1, dtypeBytes(scalarOf(view.buffer.dtype)));
  return () => {
    const p = view.pointer ?? raise("undefined-buffer", { name: view.buffer.name });
    return { memory: p.memory, byteOffset: p.byteOffset + place() * bytes };
  };
}
