import { FfiError } from "@verticil/runtime-ffi";
import { ByteReader, damaged } from "./byte-reader.ts";

// The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3, little-endian.

/** A value of the metadata. 64-bit integers are numbers where they are safe ones. */
export type GgufValue = number | bigint | boolean | string | readonly GgufValue[];

/** How elements are stored, by the names that the format's documents use. */
export type GgufType = "F32" | "F16" | "BF16" | "Q8_0";

/** A tensor of the file. */
export interface GgufTensor {
  readonly type: GgufType;
  /** Dimensions, outermost first: the reverse of how the file lists them. */
  readonly shape: readonly number[];
  /** Its bytes, a view of the file. */
  readonly bytes: Uint8Array;
}

/** A file's metadata and tensors, both by name. */
export interface Gguf {
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: ReadonlyMap<string, GgufTensor>;
}

interface Block {
  readonly type: GgufType;
  /** Elements a block, and bytes that they take. */
  readonly elements: number;
  readonly bytes: number;
}

/** What is read, by the number in the file. */
const BLOCKS: ReadonlyMap<number, Block> = new Map([
  [0, { type: "F32", elements: 1, bytes: 4 }],
  [1, { type: "F16", elements: 1, bytes: 2 }],
  [30, { type: "BF16", elements: 1, bytes: 2 }],
  [8, { type: "Q8_0", elements: 32, bytes: 34 }],
]);

/** Names of types that are not read, for the message. */
const OTHERS: Readonly<Record<number, string>> = { 2: "Q4_0", 3: "Q4_1", 6: "Q5_0", 7: "Q5_1", 10: "Q2_K", 11: "Q3_K", 12: "Q4_K", 13: "Q5_K", 14: "Q6_K", 15: "Q8_K" };

const MAGIC = 0x46554747;
const DEFAULT_ALIGNMENT = 32;
/** Arrays of arrays may nest this deep; the format's writers nest none. */
const MAX_DEPTH = 8;

/**
 * Reads a GGUF file. Tensors are views of `bytes`.
 * @throws FfiError (`invalid-input`) for a file that is damaged, (`unsupported`) for one that is of another version or
 * stores tensors in a way that is not read; both say where.
 */
export function readGguf(bytes: Uint8Array): Gguf {
  const r = new ByteReader(bytes);
  if (bytes.byteLength < 4 || r.u32() !== MAGIC) throw new FfiError("invalid-input", "The file does not begin with `GGUF`: it is another kind of file.");
  const version = r.u32();
  if (version !== 2 && version !== 3) throw new FfiError("unsupported", `The GGUF file is of version ${version}; versions 2 and 3 are read.`);
  const tensorCount = r.count();
  const keyCount = r.count();
  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < keyCount; i++) metadata.set(r.text(), readValue(r, r.u32(), 0));
  const headers: TensorHeader[] = [];
  for (let i = 0; i < tensorCount; i++) headers.push(readHeader(r));
  const alignment = alignmentOf(metadata);
  const start = Math.ceil(r.offset / alignment) * alignment;
  return { metadata, tensors: new Map(headers.map((h) => [h.name, tensorOf(h, bytes, start)])) };
}

function alignmentOf(metadata: ReadonlyMap<string, GgufValue>): number {
  const value = metadata.get("general.alignment") ?? DEFAULT_ALIGNMENT;
  if (typeof value !== "number" || !Number.isInteger(value) || value < 1) throw damaged(`has the alignment ${String(value)}`);
  return value;
}

function readValue(r: ByteReader, type: number, depth: number): GgufValue {
  switch (type) {
    case 0:
      return r.u8();
    case 1:
      return r.i8();
    case 2:
      return r.u16();
    case 3:
      return r.i16();
    case 4:
      return r.u32();
    case 5:
      return r.i32();
    case 6:
      return r.f32();
    case 7:
      return r.u8() !== 0;
    case 8:
      return r.text();
    case 9:
      return readArray(r, depth);
    case 10:
      return narrow(r.u64());
    case 11:
      return narrow(r.i64());
    case 12:
      return r.f64();
    default:
      throw damaged(`has a value of the unknown type ${type} before byte ${r.offset}`);
  }
}

function readArray(r: ByteReader, depth: number): readonly GgufValue[] {
  if (depth >= MAX_DEPTH) throw damaged(`nests arrays deeper than ${MAX_DEPTH} at byte ${r.offset}`);
  const type = r.u32();
  const count = r.count();
  // Each element takes a byte at least, so that a count beyond the file is refused before memory is taken for it.
  if (count > r.bytes.byteLength - r.offset) throw damaged(`claims an array of ${count} values at byte ${r.offset}`);
  return Array.from({ length: count }, () => readValue(r, type, depth + 1));
}

function narrow(value: bigint): number | bigint {
  const n = Number(value);
  return Number.isSafeInteger(n) ? n : value;
}

interface TensorHeader {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: number;
  readonly offset: number;
}

function readHeader(r: ByteReader): TensorHeader {
  const name = r.text();
  const ndim = r.u32();
  if (ndim > 8) throw damaged(`gives \`${name}\` ${ndim} dimensions`);
  const dims = Array.from({ length: ndim }, () => r.count());
  return { name, shape: dims.reverse(), type: r.u32(), offset: r.count() };
}

function tensorOf(h: TensorHeader, bytes: Uint8Array, start: number): GgufTensor {
  const block = BLOCKS.get(h.type);
  if (block === undefined) {
    const known = [...BLOCKS.values()].map((b) => b.type).join(", ");
    throw new FfiError("unsupported", `The GGUF file stores \`${h.name}\` as ${OTHERS[h.type] ?? `type ${h.type}`}; ${known} are read. Use a file of another quantization.`);
  }
  const row = h.shape[h.shape.length - 1] ?? 1;
  if (row % block.elements !== 0) throw damaged(`stores \`${h.name}\` as ${block.type} in rows of ${row}, which ${block.elements} does not divide`);
  const size = (h.shape.reduce((a, b) => a * b, 1) / block.elements) * block.bytes;
  const from = start + h.offset;
  if (!Number.isSafeInteger(size) || from + size > bytes.byteLength) {
    throw damaged(`ends at byte ${bytes.byteLength}, but \`${h.name}\` takes ${size} bytes from ${from} on`);
  }
  return { type: block.type, shape: h.shape, bytes: bytes.subarray(from, from + size) };
}
