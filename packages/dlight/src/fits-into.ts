import type { Block } from "@verticil/tir";
import { countExprs } from "./count-exprs.ts";

/** As many expressions as one block may come to by what is inlined more than once: far more than any activation has. */
const MOST_REPEATED = 1000;

/**
 * True if a block may be put into one that reads it: read once it always may. What is read several times is there several
 * times afterwards, and in a chain of such blocks as often as the product: from some size on it is computed before.
 */
export function fitsInto(block: Block, reader: Block): boolean {
  const written = block.writes.map((w) => w.buffer);
  const reads = countExprs(reader.body, (e) => e.kind === "tir.BufferLoad" && written.includes(e.buffer));
  return reads < 2 || countExprs(reader.body) + reads * countExprs(block.body) <= MOST_REPEATED;
}
