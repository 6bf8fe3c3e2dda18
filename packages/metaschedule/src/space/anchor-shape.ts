import { distanceOf, loadsOf, movementOf, usesVar, visitExpr, type Block, type Buffer, type Var } from "@verticil/tir";
import { extentOf } from "./block-kind.ts";

/** Lanes of a wasm vector of 32-bit values. */
export const LANES = 4;

/** What a register tile of a reduction is made of. */
export interface AnchorShape {
  /** The spatial variables in the order of the indices that are written; the last is `lane`. */
  readonly spatial: readonly Var[];
  /** Along which vectors run: every access stays or is contiguous there. */
  readonly lane: Var;
  /** The variable of which several values make the rows of a tile: one that shares the loads along `lane` if there is one. */
  readonly row: Var | undefined;
  /** The reduction variables, outermost first. */
  readonly reduction: readonly Var[];
  /** The operand that moves with `lane` and not with `row`, if there is one only: its layout is what the inner loop walks. */
  readonly weight: Buffer | undefined;
}

/**
 * How a reduction can be tiled in registers, from its access patterns alone: products, convolutions and poolings are
 * all the same to it. Undefined if it does not store one element at spatial variables, or no vector would be contiguous.
 */
export function anchorShape(block: Block): AnchorShape | undefined {
  const { body } = block;
  if (body.kind !== "tir.BufferStore" || block.writes.length !== 1 || body.buffer.dtype !== "float32") return undefined;
  const spatial: Var[] = [];
  for (const index of body.indices) {
    if (index.kind === "ir.IntImm") continue;
    const iv = block.iterVars.find((x) => x.var === index);
    if (index.kind !== "tir.Var" || iv?.iterType !== "kDataPar" || spatial.includes(index)) return undefined;
    spatial.push(index);
  }
  const lane = spatial.at(-1);
  if (lane === undefined || lane !== body.indices.at(-1) || (extentOf(block, lane) ?? 0) % LANES !== 0) return undefined;
  const loads = loadsOf(block);
  if (usedOutsideLoads(block, lane) || loads.some((l) => movementOf(l.indices, lane, LANES) === "strided")) return undefined;
  const along = loads.filter((l) => l.indices.some((i) => usesVar(i, lane)));
  const rows = spatial.filter((v) => v !== lane && (extentOf(block, v) ?? 1) > 1);
  const shared = rows.filter((v) => along.every((l) => !l.indices.some((i) => usesVar(i, v))));
  const row = shared.at(-1) ?? rows.at(-1);
  const [weight] = along;
  const isWeight = weight !== undefined && along.length === 1 && loads.length > 1 && (row === undefined || shared.length > 0);
  const reduction = block.iterVars.filter((iv) => iv.iterType === "kCommReduce").map((iv) => iv.var);
  return { spatial, lane, row, reduction, weight: isWeight ? weight.buffer : undefined };
}

function usedOutsideLoads(block: Block, v: Var): boolean {
  if (block.body.kind !== "tir.BufferStore") return true;
  let found = false;
  visitExpr(block.body.value, (e) => {
    if (e.kind === "tir.BufferLoad") return "skip";
    if (e === v) found = true;
    return undefined;
  });
  return found;
}

/** True if every operand is read on without a jump from the end of the inner variable's run to the outer's next value. */
export function isOneRun(block: Block, outer: Var, inner: Var, innerExtent: number): boolean {
  return loadsOf(block).every((l) => {
    const [near, far] = [distanceOf(l, inner), distanceOf(l, outer)];
    return near !== undefined && far === near * innerExtent;
  });
}
