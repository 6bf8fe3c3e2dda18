import type { Span } from "@verticil/ir-core";

/** Says where the bytes from `at` on come from. */
export interface ByteMark {
  readonly at: number;
  readonly span: Span;
}

/** Bytes that grow at the end, with the encodings of the WebAssembly binary format. */
export class ByteWriter {
  /** Where the bytes come from, in order, if anyone said so; marks move along when a writer is appended to another. */
  readonly marks: ByteMark[] = [];
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  constructor(capacity = 64) {
    this.#bytes = new Uint8Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  /** The bytes written so far, as a copy. */
  toBytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  bytes(values: ArrayLike<number>): void {
    this.#reserve(values.length);
    this.#bytes.set(values, this.#length);
    this.#length += values.length;
  }

  /** What is written from here on comes from `span`. */
  mark(span: Span): void {
    this.marks.push({ at: this.#length, span });
  }

  /** Everything another writer holds. */
  append(other: ByteWriter): void {
    for (const { at, span } of other.marks) this.marks.push({ at: at + this.#length, span });
    this.bytes(other.#bytes.subarray(0, other.#length));
  }

  /** Unsigned LEB128 of an integer below 2^32. */
  u32(value: number): void {
    let rest = value >>> 0;
    while (rest >= 0x80) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.byte(rest);
  }

  /** Signed LEB128 of a 32-bit integer. */
  s32(value: number): void {
    let rest = value | 0;
    for (;;) {
      const low = rest & 0x7f;
      rest >>= 7;
      if ((rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0)) {
        this.byte(low);
        return;
      }
      this.byte(low | 0x80);
    }
  }

  /** Signed LEB128 of a 64-bit integer. */
  s64(value: bigint): void {
    let rest = BigInt.asIntN(64, value);
    for (;;) {
      const low = Number(rest & 0x7fn);
      rest >>= 7n;
      if ((rest === 0n && (low & 0x40) === 0) || (rest === -1n && (low & 0x40) !== 0)) {
        this.byte(low);
        return;
      }
      this.byte(low | 0x80);
    }
  }

  f32(value: number): void {
    this.bytes(new Uint8Array(new Float32Array([value]).buffer));
  }

  f64(value: number): void {
    this.bytes(new Uint8Array(new Float64Array([value]).buffer));
  }

  /** A UTF-8 string with its length in front. */
  name(text: string): void {
    const encoded = new TextEncoder().encode(text);
    this.u32(encoded.length);
    this.bytes(encoded);
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}
