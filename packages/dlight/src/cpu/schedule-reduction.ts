import { distanceOf, loadsOf, movementOf, usesVar, type Block, type BlockRV, type LoopRV, type Var } from "@verticil/tir";
import { attempt, beginWork, extentOf as loopExtent, funcOf, stages, type Stage, type Work } from "../loop-sites.ts";
import { findCarrier, readVars, storesAlong } from "../find-carrier.ts";
import { isVectorizableAligned } from "./align-conditions.ts";
import { partitionStage, type AxisCuts, type StagePart } from "./partition-stage.ts";
import { extentOf, reductionShape, type ReductionShape } from "../reduction-shape.ts";
import { lanes, parallelOuter } from "./schedule-injective.ts";
import { cutChannels, cutPixels, cutWide, type Cut } from "./tile-cuts.ts";

/** Above this, an operand is walked tile by tile outermost, so that one tile of it stays in the nearest cache. */
const smallOperandBytes = 24 * 1024;

/** Above this, rows of the other operand are walked a block at a time: the cache behind the nearest does not hold them all. */
const nearBytes = 256 * 1024;

/** What a block of rows takes at least, and in tiles of lanes, each of which is read once for a block. */
const rowBlock = { bytes: 32 * 1024, laneTiles: 8 };

/**
 * Windows of up to this many elements are written out where each element has a weight of its own: neighbouring pixels
 * share the loads of their windows, and the weights are read at constant offsets.
 */
export const windowUnrolled = 9;

/**
 * A reduction with its epilogue as register tiles: a few rows times a few vectors of accumulators in a `local` buffer
 * whose indices are constants after unrolling, updated in rolled reduction loops and carried out by the epilogue where
 * they are. Undefined, and nothing is changed, if the reduction has no such form.
 */
export function scheduleReduction(work: Work, name: string, parallel: boolean): TiledReduction | undefined {
  const anchor = stages(work).find((s) => s.block.name === name);
  const shape = anchor && reductionShape(anchor.block);
  if (anchor === undefined || shape === undefined) return undefined;
  const carried = carryOut(work, anchor, shape);
  if (carried === undefined) return undefined;
  const { carrier, axes } = carried;
  const buffer = work.sch.get(anchor.rv).block.writes[0]?.buffer;
  if (buffer === undefined) return undefined;
  const cut = partitionStage(funcOf(work), { anchor: name, carrier, buffer, axes });
  if (cut === undefined) return undefined;
  const next = beginWork(cut.func);
  if (next === undefined) return undefined;
  for (const part of cut.parts) tilePart(next, part, axes, parallel);
  return { work: next, carrier };
}

/** The work anew, and the block that has become part of the tiles. */
export interface TiledReduction {
  readonly work: Work;
  readonly carrier: string;
}

/** The accumulators moved to a buffer of their own, which the epilogue, or a copy where there is none, reads. */
function carryOut(
  work: Work,
  anchor: Stage,
  shape: ReductionShape,
): { readonly carrier: string; readonly axes: readonly AxisCuts[] } | undefined {
  const { sch } = work;
  const epilogue = findCarrier(work, anchor);
  const at = (v: Var): number => storedAt(anchor, v);
  const laneOf = (vars: readonly (Var | undefined)[]): Var | undefined => (shape.lane === undefined ? undefined : vars[at(shape.lane)]);
  let block: BlockRV;
  const lane = epilogue && laneOf(epilogue.vars);
  if (epilogue !== undefined && (shape.lane === undefined || (lane !== undefined && storesAlong(epilogue.stage.block, lane)))) {
    sch.setScope(anchor.rv, 0, "local");
    block = epilogue.stage.rv;
  } else block = sch.cacheWrite(anchor.rv, 0, "local");
  const carrier = sch.get(block).block;
  const buffer = sch.get(anchor.rv).block.writes[0]?.buffer;
  const vars = buffer && readVars(carrier, buffer);
  if (vars === undefined) return undefined;
  const axes: AxisCuts[] = [];
  const cuts = chooseCuts(anchor, shape);
  for (const [v, list] of cuts) {
    const other = vars[at(v)];
    if (other === undefined) return undefined;
    axes.push({ anchorVar: v, position: anchor.block.iterVars.findIndex((iv) => iv.var === v), carrierVar: other, cuts: list });
  }
  return { carrier: carrier.name, axes };
}

function storedAt(anchor: Stage, v: Var): number {
  const { body } = anchor.block;
  return body.kind === "tir.BufferStore" ? body.indices.findIndex((i) => i === v) : -1;
}

/** The runs along the row and the lane, in the order row, lane; only of variables with more than one value. */
function chooseCuts(anchor: Stage, shape: ReductionShape): ReadonlyMap<Var, readonly Cut[]> {
  const out = new Map<Var, readonly Cut[]>();
  const { lane, row, dense, laneTile } = shape;
  const width = lane && extentOf(anchor.block, lane);
  const height = row && extentOf(anchor.block, row);
  const hasRows = height !== undefined && height > 1;
  if (row !== undefined && hasRows && lane !== undefined && width !== undefined) {
    // One vector a pixel. A window that is all written out has its weights in registers as well.
    const few = dense ? width < 8 : windowOf(anchor.block, shape) > windowUnrolled;
    out.set(row, few ? cutWide(height, 8) : cutPixels(height));
  }
  if (lane !== undefined && width !== undefined && width > 1) {
    const alone = width >= 32 ? 32 : 16;
    out.set(lane, cutChannels(width, dense ? laneTile : hasRows || grouped(anchor, shape, alone) ? lanes : alone));
  }
  return out;
}

/** How many elements are reduced. */
function windowOf(block: Block, { reduction }: ReductionShape): number {
  return reduction.reduce((n, v) => n * (extentOf(block, v) ?? Infinity), 1);
}

/** True if a quotient of the lane variable is an index that changes within a tile of `width` lanes. */
function grouped(anchor: Stage, shape: ReductionShape, width: number): boolean {
  const { lane } = shape;
  return lane !== undefined && loadsOf(anchor.block).some((l) => movementOf(l.indices, lane, width) === "strided");
}

interface TiledAxis {
  readonly loop: LoopRV;
  readonly cut: Cut;
}

function tilePart(work: Work, part: StagePart, axes: readonly AxisCuts[], parallel: boolean): void {
  const { sch } = work;
  const anchor = sch.getBlock(part.anchor, "main");
  const carrier = sch.getBlock(part.carrier, "main");
  const { block } = sch.get(anchor);
  const shape = reductionShape(block);
  if (shape === undefined) return;
  const loops = sch.getLoops(anchor);
  const loopOf = (v: Var): LoopRV | undefined => {
    const realize = sch.get(anchor);
    const value = realize.iterValues[realize.block.iterVars.findIndex((iv) => iv.var === v)];
    return loops.find((l) => value !== undefined && usesVar(value, sch.get(l).loopVar));
  };
  const tiled = axes.map((a, i): TiledAxis | undefined => {
    const cut = part.cuts[i];
    const v = block.iterVars[a.position]?.var;
    const loop = v && loopOf(v);
    return cut && loop && { loop, cut };
  });
  const laneVar = shape.lane;
  const laneAxis = laneVar && tiled.find((t) => t !== undefined && t.loop === loopOf(laneVar));
  const rowAxis = tiled.find((t) => t !== undefined && t !== laneAxis);
  const walked = shape.reduction.map((v) => ({ v, loop: loopOf(v) }));
  const others = loops.filter((l) => !walked.some((w) => w.loop === l) && l !== laneAxis?.loop && l !== rowAxis?.loop);
  const batch = batchLoops(work, anchor, shape, others);
  const joined = joinReduction(work, block, walked);
  const pairLoop = shape.pair && joined.at(-1);
  // The two values of a pair go side by side, next to the lanes that they serve.
  const [pairOuter, pairInner] = pairLoop === undefined ? [] : sch.split(pairLoop, [undefined, 2]);
  const reduction = pairOuter === undefined ? joined : [...joined.slice(0, -1), pairOuter];

  const [rowOuter, rowInner] = rowAxis ? sch.split(rowAxis.loop, [undefined, rowAxis.cut.tile]) : [];
  const vector = laneAxis !== undefined && laneAxis.cut.tile % lanes === 0;
  const laneParts = laneAxis ? sch.split(laneAxis.loop, vector ? [undefined, laneAxis.cut.tile / lanes, lanes] : [undefined, laneAxis.cut.tile]) : [];
  const [laneOuter, ...laneInner] = laneParts;
  const outer = orderOuter(work, { others, rowOuter, laneOuter, batch, rows: rowAxis?.cut.tile ?? 1 }, shape);
  const inner = [...(rowInner ? [rowInner] : []), ...laneInner.slice(0, -1), ...(pairInner ? [pairInner] : []), ...laneInner.slice(-1)];
  sch.reorder([...outer, ...reduction, ...inner]);

  const last = outer[outer.length - 1];
  if (last !== undefined) sch.reverseComputeAt(carrier, last);
  unrollTile(work, inner, vector);
  if (!shape.dense && vector) unrollTile(work, writtenOut(work, reduction, rowAxis !== undefined), false);
  finishCarrier(work, carrier, outer.length);
  if (parallel) parallelOuter(work, outer);
  // Last: an update apart from its init is no reduction any more, whose loops could change kind.
  const [firstReduction] = reduction;
  if (firstReduction !== undefined) sch.decomposeReduction(anchor, firstReduction);
}

/**
 * The reduction loops, two neighbours made one where every operand is read on without a jump from the end of the inner
 * loop to its next beginning: a row of a window and its channels are one run of memory.
 */
function joinReduction(work: Work, block: Block, axes: readonly { readonly v: Var; readonly loop: LoopRV | undefined }[]): readonly LoopRV[] {
  const loads = loadsOf(block);
  const out: { readonly v: Var; readonly loop: LoopRV; readonly count: number }[] = [];
  for (const { v, loop } of [...axes].reverse()) {
    const count = extentOf(block, v);
    if (loop === undefined) continue;
    const inner = out[0];
    const joins = inner !== undefined && count !== undefined && loads.every((l) => {
      const [near, far] = [distanceOf(l, inner.v), distanceOf(l, v)];
      return near !== undefined && far === near * inner.count;
    });
    if (joins && inner !== undefined && attempt(() => void (out[0] = { v: inner.v, loop: work.sch.fuse([loop, inner.loop]), count: inner.count * count }))) continue;
    out.unshift({ v, loop, count: count ?? NaN });
  }
  return out.map((x) => x.loop);
}

function volume(work: Work, loops: readonly LoopRV[]): number {
  return loops.reduce((product, l) => product * (loopExtent(work, l) ?? Infinity), 1);
}

/** The loops of a window that are written out: all of a small one, else its rows, where the pixels of a tile share them. */
function writtenOut(work: Work, reduction: readonly LoopRV[], hasRows: boolean): readonly LoopRV[] {
  const small = (loops: readonly LoopRV[]): boolean => volume(work, loops) <= windowUnrolled;
  const from = reduction.findIndex((_, i) => small(reduction.slice(i)));
  return from === 0 || (from > 0 && hasRows) ? reduction.slice(from) : [];
}

/** The outer loops that the lane's operand depends on: batches, over which nothing of it is reused. */
function batchLoops(work: Work, anchor: BlockRV, shape: ReductionShape, others: readonly LoopRV[]): ReadonlySet<LoopRV> {
  const { lane } = shape;
  const realize = work.sch.get(anchor);
  if (lane === undefined) return new Set();
  const regions = realize.block.reads.filter((r) => r.region.some((d) => usesVar(d.min, lane)));
  return new Set(
    others.filter((l) => {
      const { loopVar } = work.sch.get(l);
      return realize.block.iterVars.some((iv, i) => {
        const value = realize.iterValues[i];
        return value !== undefined && usesVar(value, loopVar) && regions.some((r) => r.region.some((d) => usesVar(d.min, iv.var)));
      });
    }),
  );
}

/** The loops around a register tile, and how many rows it has. */
interface TileLoops {
  readonly others: readonly LoopRV[];
  readonly rowOuter: LoopRV | undefined;
  readonly laneOuter: LoopRV | undefined;
  /** Those of `others` over which nothing of the lane's operand is reused. */
  readonly batch: ReadonlySet<LoopRV>;
  readonly rows: number;
}

/**
 * A large operand of the lane is walked outermost, one tile of it at a time, over a block of rows that stays near; one that
 * is small within a batch is walked for every tile of rows.
 */
function orderOuter(work: Work, loops: TileLoops, shape: ReductionShape): readonly LoopRV[] {
  const { others, batch } = loops;
  const row = loops.rowOuter ? [loops.rowOuter] : [];
  const lane = loops.laneOuter ? [loops.laneOuter] : [];
  const batches = volume(work, [...batch]);
  const operandBytes = shape.laneOperandBytes / batches;
  if (!shape.dense || operandBytes <= smallOperandBytes) return [...others, ...row, ...lane];
  const walked = [...others.filter((l) => !batch.has(l)), ...row];
  const { outside, inside } = blockOf(work, walked, rowsOfBlock(shape, batches) / loops.rows);
  return [...others.filter((l) => batch.has(l)), ...outside, ...lane, ...inside];
}

/** How many rows make a block; no bound where all of them stay near. */
function rowsOfBlock(shape: ReductionShape, batches: number): number {
  const bytes = shape.rowOperandBytes / batches;
  if (bytes <= nearBytes) return Infinity;
  const tile = (shape.laneOperandBytes / batches / shape.laneExtent) * shape.laneTile;
  return Math.max(rowBlock.bytes, rowBlock.laneTiles * tile) / (bytes / (shape.rowCount / batches));
}

/**
 * The innermost iterations of a nest, at most `most` of them in whole loops and an even part of one; the rest is outside.
 * Where such a part is far smaller, all is inside: a block would not be worth reading the other operand again.
 */
function blockOf(work: Work, loops: readonly LoopRV[], most: number): { readonly outside: readonly LoopRV[]; readonly inside: readonly LoopRV[] } {
  let room = most;
  for (let i = loops.length - 1; i >= 0; i--) {
    const loop = loops[i];
    const extent = loop && loopExtent(work, loop);
    if (loop === undefined || extent === undefined) break;
    if (extent <= room) {
      room /= extent;
      continue;
    }
    const part = divisorUpTo(extent, room);
    if (part < room / 3) break;
    const [outer, inner] = part > 1 ? work.sch.split(loop, [undefined, part]) : [loop];
    return { outside: [...loops.slice(0, i), ...(outer ? [outer] : [])], inside: [...(inner ? [inner] : []), ...loops.slice(i + 1)] };
  }
  return { outside: [], inside: loops };
}

/** The largest divisor of `n` up to `most`, which is less; at least 1. */
function divisorUpTo(n: number, most: number): number {
  for (let d = Math.floor(most); d > 1; d--) if (n % d === 0) return d;
  return 1;
}

function unrollTile(work: Work, loops: readonly LoopRV[], vector: boolean): void {
  loops.forEach((l, i) => {
    if (vector && i === loops.length - 1) work.sch.vectorize(l);
    else work.sch.unroll(l);
  });
}

/** The epilogue inside the tile: vectors along its last loop where it allows them, everything else unrolled. */
function finishCarrier(work: Work, carrier: BlockRV, depth: number): void {
  const { sch } = work;
  const loops = sch.getLoops(carrier).slice(depth);
  const inner = loops[loops.length - 1];
  if (inner === undefined) return;
  const { block, iterValues } = sch.get(carrier);
  const { loopVar, extent } = sch.get(inner);
  const n = extent.kind === "ir.IntImm" ? Number(extent.value) : 1;
  const v = block.iterVars[iterValues.findIndex((x) => usesVar(x, loopVar))]?.var;
  const vector = n % lanes === 0 && v !== undefined && isVectorizableAligned(block, v);
  if (!vector) return unrollTile(work, loops, false);
  const parts = n === lanes ? [inner] : sch.split(inner, [undefined, lanes]);
  unrollTile(work, [...loops.slice(0, -1), ...parts], true);
}
