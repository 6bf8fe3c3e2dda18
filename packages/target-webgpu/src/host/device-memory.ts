import type { AttrMap, AttrValue, Reporter, WebgpuLimits } from "@verticil/ir-core";
import type { DevicePlace } from "@verticil/runtime-ffi";
import type { webgpuDiagnostics } from "../diagnostics.ts";

/** A place in one of the two memories of a static program, in bytes. */
export interface Place {
  readonly space: "arena" | "params";
  readonly offset: number;
}

/** A piece of a memory that has a place on the device. */
interface Piece {
  readonly start: number;
  readonly bytes: number;
  readonly buffer: number;
  /** Where the piece begins in its buffer. */
  readonly offset: number;
}

/**
 * The buffers of the device: one for each block of activations, so that no kernel reads and writes one buffer, and the
 * constants packed into as few as the largest binding allows.
 */
export class DeviceMemory {
  readonly buffers: number[] = [];
  readonly constants: readonly DevicePlace[];
  readonly #arena: readonly Piece[];
  readonly #params: readonly Piece[];

  constructor(attrs: AttrMap, limits: WebgpuLimits, report: Reporter<typeof webgpuDiagnostics>) {
    const largest = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize);
    const check = (what: string, bytes: number): void => {
      if (bytes > largest) report("binding-too-large", { what, bytes, limit: largest });
    };
    this.#arena = numbers(attrs["arena_blocks"]).map((start, i, starts) => {
      const bytes = (starts[i + 1] ?? Number(attrs["arena_bytes"])) - start;
      check("A block of activations", bytes);
      return { start, bytes, buffer: this.buffers.push(wholeVectors(bytes)) - 1, offset: 0 };
    });
    const align = limits.minStorageBufferOffsetAlignment;
    let open: { buffer: number; end: number } | undefined;
    this.#params = numbers(attrs["constants"]).map((start, i, starts) => {
      const bytes = wholeVectors((starts[i + 1] ?? Number(attrs["params_bytes"])) - start);
      check("A constant", bytes);
      const offset = open === undefined ? 0 : Math.ceil(open.end / align) * align;
      if (open === undefined || offset + bytes > largest) open = { buffer: this.buffers.push(bytes) - 1, end: bytes };
      else {
        open.end = offset + bytes;
        this.buffers[open.buffer] = open.end;
      }
      return { start, bytes, buffer: open.buffer, offset: open.end - bytes };
    });
    this.constants = this.#params.map(({ buffer, offset, bytes }) => ({ buffer, offset, bytes }));
  }

  /** The place of `bytes` bytes on the device. @throws RangeError if they lie in no block. */
  find({ space, offset }: Place, bytes: number): DevicePlace {
    const pieces = space === "arena" ? this.#arena : this.#params;
    const piece = pieces.findLast((p) => p.start <= offset);
    const size = wholeVectors(bytes);
    if (piece === undefined || offset - piece.start + size > wholeVectors(piece.bytes)) throw new RangeError(`internal: ${bytes} bytes at ${offset} lie in no block of ${space}`);
    return { buffer: piece.buffer, offset: piece.offset + offset - piece.start, bytes: size };
  }
}

/** Sizes of bindings: whole vectors of four. */
function wholeVectors(bytes: number): number {
  return Math.max(16, Math.ceil(bytes / 16) * 16);
}

function numbers(value: AttrValue | undefined): readonly number[] {
  return Array.isArray(value) ? value.map(Number) : [];
}
