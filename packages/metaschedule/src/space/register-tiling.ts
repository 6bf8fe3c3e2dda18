import { isVectorizable, loadsOf, usesVar, type Block, type BlockRV, type Buffer, type LoopRV, type Schedule, type Var } from "@verticil/tir";
import { anchorShape, isOneRun, LANES, type AnchorShape } from "./anchor-shape.ts";
import { attempt, attemptOn } from "./attempt.ts";
import { extentOf, isInjective, isReduction, loopExtent, loopOfVar } from "./block-kind.ts";
import { joinRows, linesJoin } from "./join-rows.ts";
import type { SpaceContext, SpaceRule } from "./space-rule.ts";

/** Rows of a register tile; what does not divide the extent leaves a rest that is peeled off. */
const ROWS = [1, 2, 3, 4, 5, 6, 7, 8];
const ROW_WEIGHTS = [1, 2, 4, 6, 3, 3, 1, 1];
/** The rows of a sketch: one, so that the blocks along their axis are as many as it is long. */
const SKETCH_ROWS = 0;
/** Vectors of a register tile along the lanes, at most: with rows beside them, and alone. */
const MOST_VECTORS = 4;
const MOST_VECTORS_ALONE = 8;
/** Iterations of one reduction loop that may be written out. */
const MOST_UNROLLED = 8;
/** Vectors of an epilogue of its own that are written out side by side. */
export const MOST_EPILOGUE_VECTORS = 4;

/** The structure of a tiled reduction, where there is a choice. */
interface TileForm {
  /** Lines and their pixels made one axis: see `joinRows`. */
  readonly join: boolean;
  /** The weight copied a panel at a time. */
  readonly pack: boolean;
  /** The epilogue after a block of tiles, over what they left in memory, instead of inside each tile. */
  readonly apart: boolean;
}

/**
 * Reductions as register tiles (upstream's `MultiLevelTiling`, with the structure that pays on WebAssembly): two levels
 * of blocks over every spatial axis, the reduction, of which a part is written out, and inside a tile of rows times
 * vectors whose accumulators live in a `local` buffer, carried out by the epilogue where they are. All sizes are sampled.
 *
 * Each choice of structure makes a sketch of its own: a weight that is not stored as the tile walks it may be copied to
 * that order first, a panel at a time; lines of pixels may be one list; an epilogue that computes something may follow
 * block by block, in a loop that keeps its constants in registers.
 */
export const registerTiling: SpaceRule = {
  name: "RegisterTiling",
  apply(sch, rv, ctx) {
    const { block } = sch.get(rv);
    const shape = isReduction(block) ? anchorShape(block) : undefined;
    if (shape === undefined) return [sch];
    const schedules = formsOf(sch, rv, shape, ctx).flatMap((form) => attemptOn(sch, (s) => tile(s, rv, form)) ?? []);
    return schedules.length > 0 ? schedules : [sch];
  },
};

function formsOf(sch: Schedule, rv: BlockRV, shape: AnchorShape, ctx: SpaceContext): readonly TileForm[] {
  const { block } = sch.get(rv);
  const choice = (open: boolean): readonly boolean[] => (open ? [false, true] : [false]);
  const packs = choice(packsOperand(sch, block, shape, ctx));
  const joins = linesJoin(block) ? (linesHoldTiles(block, shape) ? [true, false] : [true]) : [false];
  const aparts = choice(epilogueOf(sch, rv) !== undefined);
  return packs.flatMap((pack) => joins.flatMap((join) => aparts.map((apart) => ({ pack, join, apart }))));
}

/** True if a line of pixels can be divided into tiles of several rows: then there is no need to make lines one list. */
function linesHoldTiles(block: Block, { row }: AnchorShape): boolean {
  const length = row && extentOf(block, row);
  return length !== undefined && [3, 4, 5, 6, 7, 8].some((n) => length % n === 0);
}

/** True if the weight keeps its layout in memory, so that a packed copy of it may be worth its cost. */
function packsOperand(sch: Schedule, block: Block, shape: AnchorShape, ctx: SpaceContext): boolean {
  const { weight, row } = shape;
  const rows = row && extentOf(block, row);
  return weight !== undefined && rows !== undefined && rows >= 16 && !isLayoutFree(sch, weight, ctx);
}

function isLayoutFree(sch: Schedule, buffer: Buffer, ctx: SpaceContext): boolean {
  for (const func of sch.mod.functions.values()) {
    if (func.kind !== "tir.PrimFunc") continue;
    const { params, bufferMap } = func as ReturnType<Schedule["funcOf"]>;
    if (params.some((p, i) => ctx.layoutFree.has(i) && bufferMap.get(p) === buffer)) return true;
  }
  return false;
}

function tile(sch: Schedule, anchor: BlockRV, { join, pack, apart }: TileForm): void {
  const epilogue = epilogueOf(sch, anchor);
  const carrier = apart && epilogue !== undefined ? epilogue : carryOut(sch, anchor, epilogue);
  if (join) joinRows(sch, anchor, carrier);
  if (apart && epilogue !== undefined) {
    const copy = sch.cacheWrite(anchor, 0, "local");
    const block = tileAnchor(sch, anchor, copy, pack);
    if (block !== undefined) followBlock(sch, epilogue, block);
  } else tileAnchor(sch, anchor, carrier, pack);
}

/** Tiles the reduction, its accumulators carried out by `carrier`; gives the innermost loop over blocks of tiles. */
function tileAnchor(sch: Schedule, anchor: BlockRV, carrier: BlockRV, pack: boolean): LoopRV | undefined {
  const shape = anchorShape(sch.get(anchor).block);
  if (shape === undefined) return undefined;
  const loops = sch.getLoops(anchor);
  const { block } = sch.get(anchor);
  const bound = new Map([...shape.spatial, ...shape.reduction].map((v) => [v, loopOfVar(sch, anchor, loops, v)]));
  const loopOf = (v: Var): LoopRV | undefined => bound.get(v);
  const rest = loops.filter((l) => ![...bound.values()].includes(l));
  const reduction = joinReduction(sch, block, shape.reduction.map((v) => ({ v, loop: loopOf(v) })));

  const lane = tileLane(sch, loopOf(shape.lane), shape.row === undefined ? MOST_VECTORS_ALONE : MOST_VECTORS);
  const axes = shape.spatial.filter((v) => v !== shape.lane).map((v) => {
    const loop = loopOf(v);
    return loop === undefined ? undefined : v === shape.row ? tileRow(sch, loop) : tileOuter(sch, loop, extentOf(block, v));
  });
  const blocked = reduction.map((l) => {
    if (loopExtent(sch, l) === 1) return { outer: l, inner: undefined };
    const [outer, inner] = sch.split(l, sch.samplePerfectTile(l, 2, MOST_UNROLLED));
    return { outer, inner };
  });
  const level = (n: number): readonly LoopRV[] => [lane.levels[n], ...axes.map((a) => a?.levels[n])].flatMap((l) => l ?? []);
  const tileLoops = [...axes.flatMap((a) => a?.inner ?? []), ...lane.inner];
  const outer = [...rest, ...level(0), ...level(1)];
  const unrolled = blocked.flatMap((b) => b.inner ?? []);
  sch.reorder([...outer, ...blocked.flatMap((b) => b.outer ?? []), ...unrolled, ...tileLoops]);

  const last = outer.at(-1);
  // With loops of one iteration kept, the carrier has as many loops whatever the tile is.
  if (last !== undefined) sch.reverseComputeAt(carrier, last, { preserveUnitLoops: true });
  const panel = level(0)[0];
  if (pack && panel !== undefined) packPanel(sch, anchor, shape, panel);
  for (const l of [...unrolled, ...tileLoops.slice(0, -1)]) sch.unroll(l);
  const vector = tileLoops.at(-1);
  if (vector !== undefined) sch.vectorize(vector);
  finishCarrier(sch, carrier, outer.length);
  return level(0).at(-1);
}

/** The only reader of a reduction, if it takes the result on element by element. */
function epilogueOf(sch: Schedule, anchor: BlockRV): BlockRV | undefined {
  const [epilogue, ...others] = sch.getConsumers(anchor);
  const buffer = sch.get(anchor).block.writes[0]?.buffer;
  if (epilogue === undefined || others.length > 0 || buffer === undefined) return undefined;
  return takesElementwise(sch.get(epilogue).block, buffer) ? epilogue : undefined;
}

/** Moves the accumulators to a `local` buffer; gives the block that takes them on: the epilogue, or a copy where there is none. */
function carryOut(sch: Schedule, anchor: BlockRV, epilogue: BlockRV | undefined): BlockRV {
  if (epilogue !== undefined && attempt(() => (sch.setScope(anchor, 0, "local"), true)) === true) return epilogue;
  return sch.cacheWrite(anchor, 0, "local");
}

/** True if a block reads the buffer at one variable an index, the same at each read, stores along the last, and has no other variables. */
function takesElementwise(block: Block, buffer: Buffer): boolean {
  const loads = loadsOf(block).filter((l) => l.buffer === buffer);
  const [first] = loads;
  if (first === undefined || !isInjective(block) || block.body.kind !== "tir.BufferStore") return false;
  const vars: Var[] = [];
  for (const [i, index] of first.indices.entries()) {
    if (loads.some((l) => l.indices[i] !== index && index.kind !== "ir.IntImm")) return false;
    if (index.kind === "ir.IntImm") continue;
    if (index.kind !== "tir.Var" || vars.includes(index)) return false;
    vars.push(index);
  }
  if (block.iterVars.some((iv) => !vars.includes(iv.var) && extentOf(block, iv.var) !== 1)) return false;
  const { indices } = block.body;
  const lane = vars.at(-1);
  return lane !== undefined && indices.at(-1) === lane && indices.slice(0, -1).every((i) => !usesVar(i, lane));
}

/** Neighbouring reduction loops made one where each operand is one run of memory over both. */
function joinReduction(sch: Schedule, block: Block, axes: readonly { readonly v: Var; readonly loop: LoopRV | undefined }[]): readonly LoopRV[] {
  const out: { readonly v: Var; readonly loop: LoopRV; readonly extent: number }[] = [];
  for (const { v, loop } of axes.toReversed()) {
    const extent = extentOf(block, v);
    if (loop === undefined) continue;
    const inner = out[0];
    const fused = inner && extent !== undefined && isOneRun(block, v, inner.v, inner.extent) ? attempt(() => sch.fuse([loop, inner.loop])) : undefined;
    if (inner !== undefined && fused !== undefined && extent !== undefined) out[0] = { v: inner.v, loop: fused, extent: inner.extent * extent };
    else out.unshift({ v, loop, extent: extent ?? NaN });
  }
  return out.map((x) => x.loop);
}

/** The loops that an axis becomes: blocks within blocks, and its part of the register tile. */
interface TiledAxis {
  readonly levels: readonly (LoopRV | undefined)[];
  readonly inner: readonly LoopRV[];
}

function tileLane(sch: Schedule, loop: LoopRV | undefined, most: number): TiledAxis {
  if (loop === undefined) return { levels: [], inner: [] };
  const [vectors, lanes] = sch.split(loop, [undefined, LANES]);
  if (vectors === undefined || lanes === undefined) return { levels: [], inner: [] };
  const [l0, l1, v] = sch.split(vectors, sch.samplePerfectTile(vectors, 3, most));
  return { levels: [l0, l1], inner: v === undefined ? [lanes] : [v, lanes] };
}

function tileRow(sch: Schedule, loop: LoopRV): TiledAxis {
  const [blocks, inner] = sch.split(loop, [undefined, sch.sampleCategorical(ROWS, ROW_WEIGHTS, SKETCH_ROWS)]);
  if (blocks === undefined || inner === undefined) return { levels: [], inner: [] };
  return { levels: sch.split(blocks, sch.samplePerfectTile(blocks, 2, -1)), inner: [inner] };
}

function tileOuter(sch: Schedule, loop: LoopRV, extent: number | undefined): TiledAxis {
  if (extent === 1) return { levels: [loop], inner: [] };
  return { levels: sch.split(loop, sch.samplePerfectTile(loop, 2, -1)), inner: [] };
}

/** The weight copied a panel at a time under the loop over panels. `RewriteLayout` puts the copy into the tile's order. */
function packPanel(sch: Schedule, anchor: BlockRV, shape: AnchorShape, panel: LoopRV): void {
  const index = sch.get(anchor).block.reads.findIndex((r) => r.buffer === shape.weight);
  if (index < 0) return;
  sch.computeAt(sch.cacheRead(anchor, index, "global"), panel);
}

/** The epilogue after each block of tiles, some of its vectors written out side by side. */
function followBlock(sch: Schedule, epilogue: BlockRV, loop: LoopRV): void {
  sch.reverseComputeAt(epilogue, loop, { preserveUnitLoops: true });
  const inner = sch.getLoops(epilogue).at(-1);
  const { block } = sch.get(epilogue);
  const lane = block.body.kind === "tir.BufferStore" ? block.body.indices.at(-1) : undefined;
  if (inner === undefined || lane?.kind !== "tir.Var" || !isVectorizable(block, lane)) return;
  const [vectors, lanes] = sch.split(inner, [undefined, LANES]);
  if (vectors === undefined || lanes === undefined) return;
  const [, side] = sch.split(vectors, sch.samplePerfectTile(vectors, 2, MOST_EPILOGUE_VECTORS));
  if (side !== undefined) sch.unroll(side);
  sch.vectorize(lanes);
}

/** The epilogue inside the tile: vectors along its last loop, everything else written out. */
function finishCarrier(sch: Schedule, carrier: BlockRV, depth: number): void {
  const loops = sch.getLoops(carrier).slice(depth);
  const inner = loops.at(-1);
  if (inner === undefined) return;
  const [vectors, lanes] = sch.split(inner, [undefined, LANES]);
  if (vectors === undefined || lanes === undefined) return;
  const { block } = sch.get(carrier);
  const lane = block.body.kind === "tir.BufferStore" ? block.body.indices.at(-1) : undefined;
  for (const l of [...loops.slice(0, -1), vectors]) sch.unroll(l);
  if (lane?.kind === "tir.Var" && isVectorizable(block, lane)) sch.vectorize(lanes);
  else sch.unroll(lanes);
}
