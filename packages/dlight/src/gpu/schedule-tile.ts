import { usesVar, type Block, type BlockRV, type LoopRV, type Var } from "@verticil/tir";
import { findCarrier, readVars } from "../find-carrier.ts";
import type { Stage, Work } from "../loop-sites.ts";
import { extentOf as domainOf, reductionShape, type ReductionShape } from "../reduction-shape.ts";
import { bindThreads, type GridLimits } from "./bind-threads.ts";
import { hasVectors, vectorLanes } from "./schedule-injective.ts";

/** Fewer threads than this leave a device idle, and larger tiles do not make up for it. */
const MIN_THREADS = 1024;

/** Elements of a result that one thread computes, along the row and along the lane. */
interface Tile {
  readonly row: number;
  readonly lane: number;
}

/**
 * A reduction with its epilogue: each thread accumulates a tile of a few rows and one vector of lanes in registers (a
 * `local` buffer whose indices are constants after unrolling) and the epilogue carries it out. Convolutions, products of
 * matrices and poolings are all the same to it.
 * @returns the name of the block that carries the result out; undefined, and nothing is changed, if the reduction has no such form.
 */
export function scheduleTile(work: Work, anchor: Stage, limits: GridLimits): string | undefined {
  const { sch } = work;
  const shape = reductionShape(anchor.block);
  if (shape === undefined || shape.reduction.length === 0) return undefined;
  const carrier = carrierOf(work, anchor);
  const { block } = sch.get(carrier);
  const buffer = sch.get(anchor.rv).block.writes[0]?.buffer;
  const vars = buffer && readVars(block, buffer);
  if (vars === undefined) return undefined;

  const tile = chooseTile(anchor.block, shape);
  const loops = sch.getLoops(carrier);
  const find = (v: Var | undefined): LoopRV | undefined => loopOf(work, carrier, v && vars[storedAt(anchor.block, v)], loops);
  const lane = find(laneVar(shape));
  const row = find(shape.row);
  const [rowOuter, rowInner] = row !== undefined && tile.row > 1 ? sch.split(row, [undefined, tile.row]) : [row];
  const [laneOuter, laneInner] = lane !== undefined && tile.lane > 1 ? sch.split(lane, [undefined, tile.lane]) : [lane];
  const outer = [...loops.filter((l) => l !== row && l !== lane), ...given(rowOuter), ...given(laneOuter)];
  const inner = [...given(rowInner), ...given(laneInner)];
  if (outer.length === 0) outer.push(sch.addUnitLoop(inner[0] ?? carrier));
  else sch.reorder([...outer, ...inner]);
  const vectors = laneInner !== undefined && tile.lane === vectorLanes && hasVectors(work, { rv: carrier, block }, laneInner);
  const last = outer.at(-1);
  if (last !== undefined) sch.computeAt(anchor.rv, last);
  unroll(work, inner, vectors);
  const reduction = orderReduction(work, anchor.rv, tile);
  // Not before the tile has its form: what thread indices leave of the bindings is too tangled to change it.
  bindThreads(work, outer, limits);
  // Last: an update apart from its init is no reduction any more, whose loops could change kind.
  const [first] = reduction;
  if (first !== undefined) sch.decomposeReduction(anchor.rv, first);
  return block.name;
}

/** The block that reads the accumulators: the epilogue, or a copy where there is none that takes each element once. */
function carrierOf(work: Work, anchor: Stage): BlockRV {
  const epilogue = findCarrier(work, anchor);
  if (epilogue === undefined) return work.sch.cacheWrite(anchor.rv, 0, "local");
  work.sch.setScope(anchor.rv, 0, "local");
  return epilogue.stage.rv;
}

/** Along which a thread takes neighbours: the lane of the vectors, else the last spatial variable. */
function laneVar(shape: ReductionShape): Var | undefined {
  return shape.lane ?? shape.spatial.at(-1);
}

function storedAt(block: Block, v: Var): number {
  return block.body.kind === "tir.BufferStore" ? block.body.indices.findIndex((i) => i === v) : -1;
}

function chooseTile(block: Block, shape: ReductionShape): Tile {
  const total = shape.spatial.reduce((product, v) => product * (domainOf(block, v) ?? 1), 1);
  const lane = shape.lane !== undefined && (domainOf(block, shape.lane) ?? 1) % vectorLanes === 0 ? vectorLanes : 1;
  const height = shape.row === undefined ? 1 : (domainOf(block, shape.row) ?? 1);
  const fits = (row: number): boolean => height % row === 0 && total / (lane * row) >= MIN_THREADS;
  return { row: shape.row === undefined || !shape.dense ? 1 : ([4, 2].find(fits) ?? 1), lane };
}

/** Puts the reduction loops, which it gives, outside of the tile's own, which become registers. */
function orderReduction(work: Work, anchor: BlockRV, tile: Tile): readonly LoopRV[] {
  const { sch } = work;
  const shape = reductionShape(sch.get(anchor).block);
  if (shape === undefined) return [];
  const loops = sch.getLoops(anchor);
  const reduction = shape.reduction.flatMap((v) => given(loopOf(work, anchor, v, loops)));
  const row = tile.row === 1 ? undefined : loopOf(work, anchor, shape.row, loops);
  const lane = tile.lane === 1 ? undefined : loopOf(work, anchor, laneVar(shape), loops);
  const inner = [...given(row), ...given(lane)];
  sch.reorder([...reduction, ...inner]);
  unroll(work, inner, lane !== undefined);
  return reduction;
}

/** The one of the loops around a block that gives its variable a value; undefined if a constant does. */
function loopOf(work: Work, rv: BlockRV, v: Var | undefined, loops: readonly LoopRV[]): LoopRV | undefined {
  const { block, iterValues } = work.sch.get(rv);
  const value = v && iterValues[block.iterVars.findIndex((iv) => iv.var === v)];
  if (value === undefined) return undefined;
  // The innermost: outer ones choose the tile.
  return loops.findLast((l) => usesVar(value, work.sch.get(l).loopVar));
}

function unroll(work: Work, loops: readonly LoopRV[], vector: boolean): void {
  loops.forEach((l, i) => {
    if (vector && i === loops.length - 1) work.sch.vectorize(l);
    else work.sch.unroll(l);
  });
}

function given<T>(value: T | undefined): readonly T[] {
  return value === undefined ? [] : [value];
}
