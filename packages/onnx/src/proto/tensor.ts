import { dtypeBytes, elementCount, tensor, tensorFrom, tensorView, type ScalarDType, type Tensor } from "@verticil/runtime-ffi";
import { fail } from "../messages.ts";
import { toBigInt, toNumber } from "./integers.ts";
import type { TensorProto } from "./schema.ts";

const TYPES: ReadonlyMap<number, ScalarDType> = new Map([
  [1, "float32"],
  [2, "uint8"],
  [3, "int8"],
  [4, "uint16"],
  [5, "int16"],
  [6, "int32"],
  [7, "int64"],
  [9, "bool"],
  [10, "float16"],
  [11, "float64"],
  [12, "uint32"],
  [13, "uint64"],
  [16, "bfloat16"],
  [17, "float8_e4m3fn"],
  [18, "float8_e4m3fnuz"],
  [19, "float8_e5m2"],
  [20, "float8_e5m2fnuz"],
  [21, "uint4"],
  [22, "int4"],
  [23, "float4_e2m1fn"],
]);

/** With the reason why not. */
const NAMES: ReadonlyMap<number, string> = new Map([
  [0, "undefined"],
  [8, "string (tensors here hold numbers)"],
  [14, "complex64 (numbers here are real)"],
  [15, "complex128 (numbers here are real)"],
  [24, "float8e8m0 (of the 8-bit floats, those with a sign are)"],
  [25, "uint2 (integers here have 4 bits at least)"],
  [26, "int2 (integers here have 4 bits at least)"],
]);

/**
 * The data type of an ONNX element type.
 * @throws DiagnosticError (`onnx/unsupported-type`) that says what it is the type of.
 */
export function dtypeOf(type: number, what: string): ScalarDType {
  return TYPES.get(type) ?? fail("unsupported-type", { what, type: unsupportedType(type) ?? "" });
}

/** The name of an ONNX element type that is not supported; undefined for one that is. */
export function unsupportedType(type: number): string | undefined {
  return TYPES.has(type) ? undefined : (NAMES.get(type) ?? `number ${type}`);
}

const MAX_DIM = 2 ** 31 - 1;

/** @throws DiagnosticError (`onnx/dimension-too-large`) */
export function checkDim(size: number, name: string): number {
  if (size > MAX_DIM) fail("dimension-too-large", { name, size: String(size) });
  return size;
}

/** Where a tensor's data lie that are not in the model's file. */
export interface ExternalPiece {
  /** The tensor's name. */
  readonly name: string;
  /** The file's name, in relation to the model's folder. */
  readonly location: string;
  /** In bytes, from the file's start. */
  readonly offset: number;
  /** In bytes; undefined up to the file's end. */
  readonly length: number | undefined;
}

/** Gives the bytes of a piece; they are kept, not copied, where they are aligned. */
export type ReadExternal = (piece: ExternalPiece) => Uint8Array;

function pieceOf(proto: TensorProto, name: string): ExternalPiece {
  const entries = new Map((proto.externalData ?? []).map((e) => [e.key ?? "", e.value ?? ""]));
  const length = entries.get("length");
  const piece = { name, location: entries.get("location") ?? "", offset: Number(entries.get("offset") ?? 0), length: length === undefined ? undefined : Number(length) };
  const isWhole = [piece.offset, piece.length ?? 0].every((n) => Number.isSafeInteger(n) && n >= 0);
  return piece.location === "" || !isWhole ? fail("bad-external-data", { name, reason: "it names no place" }) : piece;
}

/**
 * The tensor of a message. Its data are copied only if they are not aligned.
 * @throws DiagnosticError if the data do not fill the shape, are elsewhere and nothing reads them, or are of a type that is
 * not supported.
 */
export function readTensor(proto: TensorProto, fallbackName = "a constant", readExternal?: ReadExternal): Tensor {
  const name = proto.name === undefined || proto.name === null || proto.name === "" ? fallbackName : proto.name;
  const dtype = dtypeOf(proto.dataType ?? 0, `The tensor \`${name}\``);
  const shape = (proto.dims ?? []).map((d) => checkDim(toNumber(d), name));
  const bad = (got: number): never =>
    fail("tensor-size", { name, shape: shape.join(", "), expected: shape.reduce((a, b) => a * b, 1), got });
  if (shape.some((d) => d < 0)) bad(0);
  // Before anything is allocated: what the file says of the shape is only believed if it has the data.
  const count = shape.reduce((a, b) => a * b, 1);
  if (proto.dataLocation === 1) {
    if (readExternal === undefined) return fail("external-data", { name });
    return readRaw(dtype, shape, count, readExternal(pieceOf(proto, name)), bad);
  }
  const raw = proto.rawData;
  if (raw !== undefined && raw !== null && raw.length > 0) return readRaw(dtype, shape, count, raw, bad);
  const values = typedValues(proto, dtype);
  if (isPacked(dtype)) return unpackValues(dtype, shape, count, values, bad);
  if (values.length !== count) bad(values.length);
  if (dtype === "float16" || dtype === "bfloat16") {
    return tensor(Uint16Array.from(values, Number), shape, dtype);
  }
  if (dtype.startsWith("float8")) return tensor(Uint8Array.from(values, Number), shape, dtype);
  return tensorFrom(values, shape, dtype);
}

function isPacked(dtype: ScalarDType): boolean {
  return dtype === "int4" || dtype === "uint4" || dtype === "float4_e2m1fn";
}

function readRaw(dtype: ScalarDType, shape: readonly number[], count: number, raw: Uint8Array, bad: (got: number) => never): Tensor {
  if (isPacked(dtype)) {
    if (raw.length !== Math.ceil(count / 2)) bad(raw.length * 2);
    return unpackValues(dtype, shape, count, raw, bad);
  }
  const width = dtypeBytes(dtype);
  if (raw.length !== count * width) bad(raw.length / width);
  // Small tensors are copied as well, so that they do not keep the whole file alive.
  const aligned = raw.byteOffset % width === 0 && raw.length > 4096;
  return aligned ? tensorView(dtype, shape, raw.buffer, raw.byteOffset) : tensorView(dtype, shape, raw.slice().buffer);
}

/** Two values a byte, the first in the low half. */
function unpackValues(
  dtype: ScalarDType,
  shape: readonly number[],
  count: number,
  bytes: ArrayLike<number | bigint>,
  bad: (got: number) => never,
): Tensor {
  if (bytes.length !== Math.ceil(count / 2)) bad(bytes.length * 2);
  const nibble = (i: number): number => (Number(bytes[i >> 1] ?? 0) >> (i % 2 === 0 ? 0 : 4)) & 15;
  const nibbles = Array.from({ length: elementCount(shape) }, (_, i) => nibble(i));
  return dtype === "float4_e2m1fn" ? tensor(Uint8Array.from(nibbles), shape, dtype) : tensorFrom(nibbles, shape, dtype);
}

function typedValues(proto: TensorProto, dtype: ScalarDType): readonly (number | bigint)[] {
  switch (dtype) {
    case "float32":
      return proto.floatData ?? [];
    case "float64":
      return proto.doubleData ?? [];
    case "int64":
      return (proto.int64Data ?? []).map(toBigInt);
    case "uint64":
      return (proto.uint64Data ?? []).map(toBigInt);
    case "uint32":
      return (proto.uint64Data ?? []).map(toNumber);
    default:
      return proto.int32Data ?? [];
  }
}
