import { extentOf, makeRule, stages, type ScheduleRule, type Work } from "@verticil/dlight";
import type { BlockRV, LoopRV } from "@verticil/tir";
import { framedProduct } from "./power-spectrum.ts";

/** Frames and columns of a tile: 4 × 8 sums of four lanes each fit the registers. */
const tileFrames = 4;
const tileColumns = 8;
const lanes = 4;

/**
 * Products of overlapping frames with a table: tiles of four frames and eight columns whose sums stay in registers, each
 * row of the table loaded once a tile. The tables are short enough to stay in the nearest cache but one, so the columns
 * are walked outermost.
 */
export const framedProductRule: ScheduleRule = makeRule("FramedProduct", (work) => {
  const { sch } = work;
  const stage = stages(work).find((s) => s.block.annotations[framedProduct] !== undefined);
  if (stage === undefined) return undefined;
  const [frames, columns, sample, ...more] = sch.getLoops(stage.rv);
  if (frames === undefined || columns === undefined || sample === undefined || more.length > 0) return undefined;
  if (!divides(work, frames, tileFrames) || !divides(work, columns, tileColumns)) return undefined;

  const consumers = sch.getConsumers(stage.rv);
  const sums = sch.cacheWrite(stage.rv, 0, "local");
  const [frameTile, frame] = two(sch.split(frames, [undefined, tileFrames]));
  const [columnTile, column] = two(sch.split(columns, [undefined, tileColumns]));
  const [vector, lane] = two(sch.split(column, [undefined, lanes]));
  sch.reorder([columnTile, frameTile, sample, frame, vector, lane]);
  sch.reverseComputeAt(sums, frameTile);
  for (const loop of [frame, vector]) sch.unroll(loop);
  sch.vectorize(lane);
  vectorizeInner(work, sums, 2);
  for (const consumer of consumers) vectorizeInner(work, consumer, 0);
  sch.decomposeReduction(stage.rv, sample);
  return work;
});

function divides(work: Work, loop: LoopRV, tile: number): boolean {
  const extent = extentOf(work, loop);
  return extent !== undefined && extent % tile === 0;
}

/** Vectors along the innermost of a block's loops below `depth`, the others between them written out. */
function vectorizeInner(work: Work, block: BlockRV, depth: number): void {
  const { sch } = work;
  const loops = sch.getLoops(block).slice(depth);
  const inner = loops.at(-1);
  if (inner === undefined || !divides(work, inner, lanes)) return;
  const [outer, lane] = two(sch.split(inner, [undefined, lanes]));
  sch.vectorize(lane);
  if (depth > 0) for (const loop of [...loops.slice(0, -1), outer]) sch.unroll(loop);
}

function two<T>([a, b]: readonly T[]): readonly [T, T] {
  if (a === undefined || b === undefined) throw new Error("internal: a loop is split in two.");
  return [a, b];
}
