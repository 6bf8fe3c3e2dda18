import { FfiError } from "@verticil/runtime-ffi";

/** Reads little-endian values one after the other. Every read is checked before it happens. */
export class ByteReader {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get offset(): number {
    return this.#offset;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }
  i8(): number {
    return this.#view.getInt8(this.#take(1));
  }
  u16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }
  i16(): number {
    return this.#view.getInt16(this.#take(2), true);
  }
  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }
  i32(): number {
    return this.#view.getInt32(this.#take(4), true);
  }
  f32(): number {
    return this.#view.getFloat32(this.#take(4), true);
  }
  f64(): number {
    return this.#view.getFloat64(this.#take(8), true);
  }
  i64(): bigint {
    return this.#view.getBigInt64(this.#take(8), true);
  }
  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8), true);
  }

  /** A 64-bit count or offset. @throws FfiError if it is beyond what a number counts exactly: no such file exists. */
  count(): number {
    const at = this.#offset;
    const value = this.u64();
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw damaged(`claims ${value} of something at byte ${at}`);
    return Number(value);
  }

  /** A string: its length in bytes, then UTF-8. */
  text(): string {
    const length = this.count();
    const start = this.#take(length);
    return new TextDecoder().decode(this.bytes.subarray(start, start + length));
  }

  #take(bytes: number): number {
    const start = this.#offset;
    if (start + bytes > this.bytes.byteLength) throw damaged(`ends at byte ${this.bytes.byteLength}, where ${bytes} bytes from ${start} on are to be read`);
    this.#offset += bytes;
    return start;
  }
}

/** The error for a file that is not what it says. */
export function damaged(what: string): FfiError {
  return new FfiError("invalid-input", `The GGUF file ${what}. Is it truncated? Download it again.`);
}
