import { makeIntImm } from "@verticil/ir-core";
import type { Buffer } from "../../ir/buffer.ts";
import type { BlockRealize, PrimFunc } from "../../ir/stmt.ts";
import { replaceBuffers } from "../../ir/substitute.ts";
import type { BufferIndex } from "../buffer-ref.ts";
import type { FuncTree } from "../func-tree.ts";
import type { Outcome } from "../outcome.ts";
import { refuse } from "../schedule-error.ts";
import { matchedIn } from "./set-scope.ts";

/** The axes of a buffer grouped: each number is the first axis of the next group. Buffers that match the buffer get the same. */
export function setAxisSeparator(tree: FuncTree, realize: BlockRealize, which: BufferIndex, separators: readonly number[]): Outcome {
  const { buffer } = which;
  const dims = buffer.shape.length;
  separators.forEach((s, i) => {
    if (!Number.isInteger(s) || s < 0 || s > dims) refuse(`the axis separator ${s} is not between 0 and ${dims}`, realize.block);
    if (i > 0 && s < (separators[i - 1] ?? 0)) refuse(`the axis separators [${separators.join(", ")}] do not rise`, realize.block);
  });
  const axisSeparators = separators.map((s) => makeIntImm(s));
  const renewed = (b: Buffer): Buffer => ({ ...b, axisSeparators });
  const buffers = new Map<Buffer, Buffer>([[buffer, renewed(buffer)]]);
  // A part of the buffer with fewer dimensions lacks the first ones.
  for (const b of matchedIn(tree.func.body, buffer)) {
    const missing = dims - b.shape.length;
    buffers.set(b, { ...b, axisSeparators: separators.map((s) => makeIntImm(Math.max(0, s - missing))) });
  }
  return { func: replaceBuffersInFunc(tree, buffers) };
}

/** The function with buffers replaced, those of its parameters included. */
export function replaceBuffersInFunc(tree: FuncTree, buffers: ReadonlyMap<Buffer, Buffer>): PrimFunc {
  const bufferMap = new Map([...tree.func.bufferMap].map(([p, b]) => [p, buffers.get(b) ?? b]));
  const body = replaceBuffers(tree.func.body, buffers);
  return { ...tree.func, bufferMap, body };
}
