import { asInt, loadsOf, movementOf, usesVar, visitExpr, type Block, type Buffer, type BufferLoad, type Var } from "@verticil/tir";
import { lanes } from "./cpu/schedule-injective.ts";

/** What a register tile of a reduction is made of. */
export interface ReductionShape {
  /** The spatial variables in the order of the indices that are written. */
  readonly spatial: readonly Var[];
  /** Along which vectors run; undefined if no access would be contiguous. */
  readonly lane: Var | undefined;
  /** Of which several values share the loads that `lane` needs; undefined if there is none. */
  readonly row: Var | undefined;
  /** True if each vector is reused for every row: a product of two tensors that each miss one of the variables. */
  readonly dense: boolean;
  readonly reduction: readonly Var[];
  /** How many lanes a tile may have at most so that every access in it stays or is contiguous: 8 or 4. */
  readonly laneTile: number;
  /** Bytes of the operand that moves with `lane`. */
  readonly laneOperandBytes: number;
  /** Bytes of the operands that do not. */
  readonly rowOperandBytes: number;
  /** How many values `lane` has, and how many results there are for each, those of all batches together. */
  readonly laneExtent: number;
  readonly rowCount: number;
  /** The reduction variable of which the lane's operand holds two neighbouring values beside each other, for each lane. */
  readonly pair: Var | undefined;
}

/**
 * How a reduction can be tiled; undefined if it is not one store of one element whose indices are spatial variables.
 * Works on access patterns alone: convolutions in any layout, products of matrices and poolings are all the same to it.
 */
export function reductionShape(block: Block): ReductionShape | undefined {
  const { body } = block;
  if (body.kind !== "tir.BufferStore" || block.writes.length !== 1) return undefined;
  const spatial: Var[] = [];
  for (const index of body.indices) {
    if (index.kind === "ir.IntImm") continue;
    const iv = block.iterVars.find((x) => x.var === index);
    if (index.kind !== "tir.Var" || iv?.iterType !== "kDataPar" || spatial.includes(index)) return undefined;
    spatial.push(index);
  }
  const reduction = block.iterVars.filter((iv) => iv.iterType === "kCommReduce").map((iv) => iv.var);
  const loads = loadsOf(block);
  const last = body.indices[body.indices.length - 1];
  const candidate = spatial.find((v) => v === last);
  const laneTile = [8, lanes].find((n) => candidate !== undefined && isLane(block, loads, candidate, n)) ?? lanes;
  const lane = candidate !== undefined && isLane(block, loads, candidate, laneTile) ? candidate : undefined;
  const axis = lane ?? candidate;
  const withLane = axis === undefined ? [] : loads.filter((l) => (lane === undefined ? moves(l, axis) : laneMovement(l, axis, laneTile) !== "still"));
  const others = spatial.filter((v) => v !== axis);
  const extent = (v: Var): number => extentOf(block, v) ?? 1;
  // Best: a variable that the lane's operand does not depend on, so that its vectors serve several rows.
  const sharing = others.filter((v) => withLane.every((l) => !moves(l, v)) && extent(v) > 1);
  const dense = lane !== undefined && sharing.length > 0 && withLane.length > 0 && loads.some((l) => !withLane.includes(l));
  const row = dense ? sharing[sharing.length - 1] : others.filter((v) => extent(v) > 1).at(-1);
  const pairs = withLane.map(pairOf);
  const pair = reduction.at(-1);
  const laneExtent = extentOfResult(body.buffer, -1);
  const rowCount = body.buffer.shape.reduce((n, _, d) => n * extentOfResult(body.buffer, d), 1) / laneExtent;
  return {
    spatial,
    lane,
    row,
    dense,
    reduction,
    laneTile,
    laneOperandBytes: bytesOf(withLane),
    rowOperandBytes: bytesOf(loads.filter((l) => !withLane.includes(l))),
    laneExtent,
    rowCount,
    pair: pair !== undefined && pairs.includes(pair) ? pair : undefined,
  };
}

/** The variable whose two neighbouring values lie beside each other at the end of a packed operand: `[…, lane, k % 2]`. */
function pairOf(load: BufferLoad): Var | undefined {
  const last = load.indices.at(-1);
  const size = load.buffer.shape.at(-1);
  if (last?.kind !== "tir.FloorMod" || last.a.kind !== "tir.Var" || size === undefined) return undefined;
  return asInt(last.b) === 2 && asInt(size) === 2 ? last.a : undefined;
}

/** How a load moves with the lane, where a pair counts as one element. */
function laneMovement(load: BufferLoad, v: Var, tile: number): "still" | "contiguous" | "strided" {
  const pair = pairOf(load);
  return movementOf(pair === undefined || pair === v ? load.indices : load.indices.slice(0, -1), v, tile);
}

/** The constant extent of a variable of a block. */
export function extentOf(block: Block, v: Var): number | undefined {
  const dom = block.iterVars.find((iv) => iv.var === v)?.dom;
  return dom && asInt(dom.extent);
}

/** An axis of the whole result, of which a block may compute a run. */
function extentOfResult({ shape }: Buffer, axis: number): number {
  const extent = shape.at(axis);
  return (extent && asInt(extent)) ?? 1;
}

function moves(load: BufferLoad, v: Var): boolean {
  return load.indices.some((i) => usesVar(i, v));
}

function isLane(block: Block, loads: readonly BufferLoad[], v: Var, tile: number): boolean {
  if (loads.some((l) => laneMovement(l, v, tile) === "strided")) return false;
  return !hasScalarUse(block, v);
}

/** True if the variable is used outside of indices, where a vector could not stand. */
function hasScalarUse(block: Block, v: Var): boolean {
  if (block.body.kind !== "tir.BufferStore") return true;
  let found = false;
  visitExpr(block.body.value, (e) => {
    if (e.kind === "tir.BufferLoad") return "skip";
    if (e === v) found = true;
    return undefined;
  });
  return found;
}

function bytesOf(loads: readonly BufferLoad[]): number {
  return loads.reduce((sum, l) => sum + l.buffer.shape.reduce((n, d) => n * (asInt(d) ?? 1), 4), 0);
}
