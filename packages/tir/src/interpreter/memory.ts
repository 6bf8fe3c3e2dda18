import { dtypeBytes, scalarOf, type DType, type ScalarDType, type Tensor } from "@verticil/runtime-ffi";
import { raise } from "./errors.ts";

/** A piece of memory that programs point into. */
export interface Memory {
  readonly buffer: ArrayBufferLike;
  /** Where it starts in `buffer`, in bytes. */
  readonly start: number;
  readonly byteLength: number;
  /** One flag a byte, set when written; only kept for allocations, and only if asked for. */
  readonly written: Uint8Array | undefined;
}

/** An address: a place in a memory, in bytes. */
export interface Pointer {
  readonly memory: Memory;
  readonly byteOffset: number;
}

/** The typed arrays that memory is looked at through; a 64-bit integer is two words. */
export type Words =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array;

const WORDS: { readonly [D in ScalarDType]: { new (b: ArrayBufferLike, at: number, n: number): Words; BYTES_PER_ELEMENT: number } } = {
  bool: Uint8Array,
  int4: Int8Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: Int32Array,
  uint1: Uint8Array,
  uint4: Uint8Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: Uint32Array,
  float16: Uint16Array,
  float32: Float32Array,
  float64: Float64Array,
  bfloat16: Uint16Array,
  float8_e4m3fn: Uint8Array,
  float8_e5m2: Uint8Array,
  float8_e4m3fnuz: Uint8Array,
  float8_e5m2fnuz: Uint8Array,
  float4_e2m1fn: Uint8Array,
  handle: Uint32Array,
  void: Uint8Array,
};

/** Bytes between two elements in memory: types below a byte take one each. */
export function strideBytes(dtype: DType): number {
  return Math.max(1, dtypeBytes(scalarOf(dtype)));
}

/** The memory of a tensor, shared. */
export function tensorMemory(t: Tensor): Pointer {
  const { buffer, byteOffset, byteLength } = t.data;
  return { memory: { buffer, start: byteOffset, byteLength, written: undefined }, byteOffset: 0 };
}

/** New memory filled with bytes that read as NaN or -1, so that a read too early shows. */
export function allocateMemory(byteLength: number, track: boolean): Memory {
  const buffer = new ArrayBuffer(Math.ceil(byteLength / 8) * 8);
  const memory = { buffer, start: 0, byteLength, written: track ? new Uint8Array(byteLength) : undefined };
  scramble(memory);
  return memory;
}

/** Fills memory as `allocateMemory` does. */
export function scramble(memory: Memory): void {
  new Uint8Array(memory.buffer, memory.start, memory.byteLength).fill(0xff);
  memory.written?.fill(0);
}

/**
 * The memory from `pointer` to its end as elements of `dtype`.
 * @throws DiagnosticError if the address is not aligned to the element.
 */
export function wordsAt(pointer: Pointer, dtype: DType, name: string): Words {
  const { memory, byteOffset } = pointer;
  const constructor = WORDS[scalarOf(dtype)];
  const at = memory.start + byteOffset;
  const size = constructor.BYTES_PER_ELEMENT;
  if (at % size !== 0 || byteOffset < 0 || byteOffset > memory.byteLength) {
    raise("cannot-interpret", { what: `Buffer \`${name}\` at byte ${byteOffset} of its memory, which is not a place for ${dtype},` });
  }
  return new constructor(memory.buffer, at, Math.floor((memory.byteLength - byteOffset) / size));
}
