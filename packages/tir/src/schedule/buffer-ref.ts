import type { Buffer } from "../ir/buffer.ts";
import type { Block } from "../ir/stmt.ts";
import { refuse } from "./schedule-error.ts";

/** A buffer that a block touches: by number among its reads or writes, by name if it is the only one, or itself. */
export type BufferRef = number | string | Buffer | readonly [side: "read" | "write", index: number];

/** A buffer by where it stands in the declared reads or writes of a block. */
export interface BufferIndex {
  readonly side: "read" | "write";
  readonly index: number;
  readonly buffer: Buffer;
}

/** Finds what a reference names; `side` says that it must be read, or written. Refuses if there is no such buffer, or more than one. */
export function resolveBuffer(block: Block, ref: BufferRef, side: "read" | "write" | undefined): BufferIndex {
  const all: readonly BufferIndex[] = [
    ...block.reads.map((r, index) => ({ side: "read" as const, index, buffer: r.buffer })),
    ...block.writes.map((r, index) => ({ side: "write" as const, index, buffer: r.buffer })),
  ];
  const found = lookUp(block, all, ref, side);
  if (side !== undefined && found.side !== side) {
    return refuse(`\`${found.buffer.name}\` is not a buffer that block \`${block.name}\` ${side === "read" ? "reads" : "writes"}`, block);
  }
  return found;
}

function lookUp(block: Block, all: readonly BufferIndex[], ref: BufferRef, side: "read" | "write" | undefined): BufferIndex {
  if (typeof ref === "number" || isPair(ref)) {
    const [wanted, index] = typeof ref === "number" ? [side ?? "read", ref] : ref;
    const list = all.filter((b) => b.side === wanted);
    return list[index] ?? refuse(`block \`${block.name}\` has ${list.length} ${wanted} buffers and no number ${index}`, block);
  }
  const matching = all.filter((b) => (typeof ref === "string" ? b.buffer.name === ref : b.buffer === ref));
  const [first] = matching;
  const name = typeof ref === "string" ? ref : ref.name;
  if (first === undefined) return refuse(`block \`${block.name}\` touches no buffer \`${name}\``, block, `It touches ${all.map((b) => b.buffer.name).join(", ")}.`);
  if (matching.some((b) => b.buffer !== first.buffer)) return refuse(`block \`${block.name}\` touches several buffers named \`${name}\``, block);
  // A name that is both read and written stands for the write, as upstream has it; the buffer itself for the read.
  return typeof ref === "string" ? (matching[matching.length - 1] ?? first) : first;
}

function isPair(ref: BufferRef): ref is readonly ["read" | "write", number] {
  return Array.isArray(ref);
}
