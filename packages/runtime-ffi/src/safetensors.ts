import { dtypeBytes, type ScalarDType } from "./dtype.ts";
import { FfiError } from "./ffi-error.ts";
import { tensorBytes, tensorView, type Tensor } from "./tensor.ts";

// The format: 8 bytes little-endian length of a JSON header, the header, then the data. The header maps names to
// {dtype, shape, data_offsets: [start, end]}; `__metadata__` holds strings. https://github.com/huggingface/safetensors

const NAMES: { readonly [D in ScalarDType]?: string } = {
  bool: "BOOL",
  int8: "I8",
  int16: "I16",
  int32: "I32",
  int64: "I64",
  uint8: "U8",
  uint16: "U16",
  uint32: "U32",
  uint64: "U64",
  float16: "F16",
  float32: "F32",
  float64: "F64",
  bfloat16: "BF16",
  float8_e4m3fn: "F8_E4M3",
  float8_e5m2: "F8_E5M2",
};

/** Bytes of the longest header that is read: the limit of the reference implementation. */
const MAX_HEADER = 100_000_000;

/** Tensors by name, and the file's own metadata. */
export interface Safetensors {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** What a safetensors file says of one of its tensors: the bytes of it, counted from the end of the header. */
export interface SafetensorsEntry {
  readonly name: string;
  readonly dtype: ScalarDType;
  readonly shape: readonly number[];
  readonly start: number;
  readonly end: number;
}

/**
 * Reads a safetensors file. Tensors are views of `bytes` where their alignment allows.
 * @throws FfiError (`invalid-artifact`) that says what is wrong with the file.
 */
export function readSafetensors(bytes: Uint8Array): Safetensors {
  const length = headerBytes(bytes, bytes.byteLength);
  const header = parseHeader(bytes.subarray(8, length));
  const data = bytes.subarray(length);
  const tensors = new Map(entriesOf(header, data.byteLength).map((entry) => [entry.name, viewOf(entry, data)]));
  return { tensors, metadata: (header["__metadata__"] ?? {}) as Record<string, string> };
}

/**
 * What a file of `fileBytes` says of its tensors, read from its first `headerBytes`.
 * @throws FfiError as `readSafetensors`.
 */
export function readSafetensorsHeader(header: Uint8Array, fileBytes: number): readonly SafetensorsEntry[] {
  return entriesOf(parseHeader(header.subarray(8)), fileBytes - header.byteLength);
}

/** Bytes of the header, its length included, of a file that begins with `bytes`. @throws FfiError as `readSafetensors`. */
export function headerBytes(bytes: Uint8Array, fileBytes: number): number {
  if (bytes.byteLength < 8) throw bad("is shorter than its 8-byte header length");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32;
  if (length > MAX_HEADER || 8 + length > fileBytes) throw bad(`claims a header of ${length} bytes, which it does not have`);
  return 8 + length;
}

function entriesOf(header: Readonly<Record<string, unknown>>, dataBytes: number): readonly SafetensorsEntry[] {
  return Object.entries(header).flatMap(([name, entry]) => (name === "__metadata__" ? [] : [readEntry(name, entry, dataBytes)]));
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw bad("has a header that is not JSON", cause);
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) throw bad("has a header that is no JSON object");
  return parsed as Record<string, unknown>;
}

function readEntry(name: string, entry: unknown, dataBytes: number): SafetensorsEntry {
  const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as { dtype?: unknown; shape?: unknown; data_offsets?: unknown };
  const scalar = Object.entries(NAMES).find(([, n]) => n === dtype)?.[0] as ScalarDType | undefined;
  if (scalar === undefined) throw bad(`stores \`${name}\` as ${String(dtype)}, which is not supported`);
  if (!isNumberList(shape) || !isNumberList(offsets) || offsets.length !== 2) throw bad(`does not say where \`${name}\` is`);
  const [start = 0, end = 0] = offsets;
  const expected = shape.reduce((a, b) => a * b, dtypeBytes(scalar));
  if (start < 0 || end > dataBytes || end - start !== expected) {
    throw bad(`gives \`${name}\` bytes ${start} to ${end}, but it takes ${expected} and the file has ${dataBytes}`);
  }
  return { name, dtype: scalar, shape, start, end };
}

function viewOf({ dtype, shape, start, end }: SafetensorsEntry, data: Uint8Array): Tensor {
  const at = data.byteOffset + start;
  // Not copied by `slice`: that of Node's buffers is a view.
  const aligned = at % dtypeBytes(dtype) === 0;
  return aligned ? tensorView(dtype, shape, data.buffer, at) : tensorView(dtype, shape, Uint8Array.from(data.subarray(start, end)).buffer);
}

function isNumberList(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((v) => Number.isSafeInteger(v) && Number(v) >= 0);
}

function bad(what: string, cause?: unknown): FfiError {
  return new FfiError("invalid-artifact", `The safetensors file ${what}. Is it truncated, or another kind of file?`, { cause });
}

/**
 * Writes a safetensors file: data in the order of the map, header padded so that it starts at a multiple of 64.
 * The same tensors give the same bytes.
 * @throws RangeError for a dtype that the format does not have.
 */
export function writeSafetensors(tensors: ReadonlyMap<string, Tensor>, metadata: Readonly<Record<string, string>> = {}): Uint8Array {
  const header: Record<string, unknown> = Object.keys(metadata).length > 0 ? { __metadata__: metadata } : {};
  let offset = 0;
  for (const [name, t] of tensors) {
    const dtype = NAMES[t.dtype];
    if (dtype === undefined) throw new RangeError(`safetensors has no \`${t.dtype}\`.`);
    header[name] = { dtype, shape: t.shape, data_offsets: [offset, offset + t.data.byteLength] };
    offset += t.data.byteLength;
  }
  const text = JSON.stringify(header);
  const encoded = new TextEncoder().encode(text);
  const padded = Math.ceil((8 + encoded.length) / 64) * 64 - 8;
  const out = new Uint8Array(8 + padded + offset);
  new DataView(out.buffer).setUint32(0, padded, true);
  out.fill(0x20, 8, 8 + padded);
  out.set(encoded, 8);
  let at = 8 + padded;
  for (const t of tensors.values()) {
    out.set(tensorBytes(t), at);
    at += t.data.byteLength;
  }
  return out;
}
