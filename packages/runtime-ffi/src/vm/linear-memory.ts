import { FfiError } from "../ffi-error.ts";
import type { WasmMemory } from "../host.ts";

const PAGE = 65536;
const ALIGNMENT = 64;
/** Kernels may read a vector beyond the last element. */
const SLACK = 16;
const LIMIT = 2 ** 32;

/**
 * Hands out pieces of a growing memory. Freed pieces join their free neighbours; the smallest that fits is taken.
 * Addresses are multiples of 64.
 */
export class LinearMemory {
  readonly #memory: WasmMemory;
  /** Free pieces in order of address, none touching another. */
  readonly #free: { start: number; end: number }[] = [];
  readonly #sizes = new Map<number, number>();
  #end: number;
  #used = 0;
  #peak = 0;

  /** Manages what lies above `base`. */
  constructor(memory: WasmMemory, base: number) {
    this.#memory = memory;
    this.#end = Math.ceil(base / ALIGNMENT) * ALIGNMENT;
  }

  /** The memory's bytes; another object after the memory grew. */
  get buffer(): ArrayBufferLike {
    return this.#memory.buffer;
  }

  /** Bytes handed out at the moment. */
  get usedBytes(): number {
    return this.#used;
  }

  /** The most bytes that were handed out at one time. */
  get peakBytes(): number {
    return this.#peak;
  }

  /** Counts the peak anew from what is in use. */
  resetPeak(): void {
    this.#peak = this.#used;
  }

  /** The address of `bytes` bytes that nobody else uses. @throws FfiError `out-of-memory`. */
  alloc(bytes: number): number {
    const size = Math.ceil((Math.max(1, bytes) + SLACK) / ALIGNMENT) * ALIGNMENT;
    const address = this.#take(size) ?? this.#append(size);
    this.#sizes.set(address, size);
    this.#used += size;
    this.#peak = Math.max(this.#peak, this.#used);
    return address;
  }

  /** Takes back what `alloc` gave. */
  free(address: number): void {
    const size = this.#sizes.get(address);
    if (size === undefined) throw new Error(`internal: nothing was allocated at ${address}`);
    this.#sizes.delete(address);
    this.#used -= size;
    this.#insert(address, address + size);
  }

  #take(size: number): number | undefined {
    let best: { start: number; end: number } | undefined;
    for (const piece of this.#free) {
      const room = piece.end - piece.start;
      if (room >= size && (best === undefined || room < best.end - best.start)) best = piece;
    }
    if (best === undefined) return undefined;
    const address = best.start;
    best.start += size;
    if (best.start === best.end) this.#free.splice(this.#free.indexOf(best), 1);
    return address;
  }

  #append(size: number): number {
    const last = this.#free[this.#free.length - 1];
    const address = last !== undefined && last.end === this.#end ? last.start : this.#end;
    const end = address + size;
    const missing = end - this.#memory.buffer.byteLength;
    if (missing > 0) this.#grow(missing, size);
    if (address !== this.#end) this.#free.pop();
    this.#end = end;
    return address;
  }

  #grow(missing: number, size: number): void {
    const current = this.#memory.buffer.byteLength;
    const needed = Math.ceil(missing / PAGE);
    // Growing moves the whole memory in some engines: by an eighth at least, where there is room for that.
    const generous = Math.min(Math.max(needed, Math.ceil(current / 8 / PAGE)), Math.floor((LIMIT - current) / PAGE));
    for (const pages of generous > needed ? [generous, needed] : [needed]) {
      try {
        this.#memory.grow(pages);
        return;
      } catch {
        // Tried again with less, and told below.
      }
    }
    throw new FfiError("out-of-memory", `The host refused ${size} bytes of memory beside the ${this.#used} in use. Give the model smaller inputs, or dispose of models that are not used.`);
  }

  #insert(start: number, end: number): void {
    let i = 0;
    while ((this.#free[i]?.start ?? Infinity) < start) i++;
    const before = this.#free[i - 1];
    const after = this.#free[i];
    const joinsBefore = before !== undefined && before.end === start;
    const joinsAfter = after !== undefined && after.start === end;
    if (joinsBefore && joinsAfter) {
      before.end = after.end;
      this.#free.splice(i, 1);
    } else if (joinsBefore) before.end = end;
    else if (joinsAfter) after.start = start;
    else this.#free.splice(i, 0, { start, end });
  }
}
