import { asInt, type Block } from "@verticil/tir";
import { attempt, stages, type Stage, type Work } from "../loop-sites.ts";
import { choiceOf } from "./restrict-nest.ts";
import { lanes } from "./schedule-injective.ts";
import { windowUnrolled } from "./schedule-reduction.ts";

/** The least height and width of an image whose borders are computed where they are read: of a small one most is border. */
const LEAST_SIDE = 40;

/**
 * Puts the padded copy of a large image into the windows that read it, where these are small and written out: the copy
 * costs more memory traffic than a window of a channel costs arithmetic, and `PeelGuards` takes the test for the border
 * out of all tiles but those at the border. After the tiling, whose vectors it does not touch.
 * @returns the names that are still blocks.
 */
export function inlineBorders(work: Work, names: ReadonlySet<string>): ReadonlySet<string> {
  const open = new Set(names);
  for (const s of stages(work)) {
    if (!open.has(s.block.name) || !isPaddedImage(s.block) || !readBySmallWindows(work, s)) continue;
    if (attempt(() => work.sch.computeInline(s.rv))) open.delete(s.block.name);
  }
  return open;
}

/** True for a copy under a condition to an image of vectors, channels last. */
function isPaddedImage({ body }: Block): boolean {
  if (body.kind !== "tir.BufferStore" || body.buffer.dtype !== "float32") return false;
  const { shape } = body.buffer;
  if (choiceOf(body.value)?.value.kind !== "tir.BufferLoad") return false;
  const [height, width, channels] = shape.slice(-3).map((d) => asInt(d) ?? 0);
  return shape.length > 2 && Math.min(height ?? 0, width ?? 0) >= LEAST_SIDE && (channels ?? 1) % lanes === 0;
}

/** True if everything that reads a block reduces windows that are written out: of one channel, and of few elements. */
function readBySmallWindows(work: Work, stage: Stage): boolean {
  const readers = work.sch.getConsumers(stage.rv).map((r) => work.sch.get(r).block);
  return readers.length > 0 && readers.every((r) => {
    const size = windowSize(r);
    return size > 1 && size <= windowUnrolled;
  });
}

function windowSize(block: Block): number {
  return block.iterVars.reduce((n, iv) => (iv.iterType === "kCommReduce" ? n * (asInt(iv.dom?.extent ?? iv.var) ?? Infinity) : n), 1);
}
