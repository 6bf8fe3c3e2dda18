import { asInt, exprDeepEqual, isConstInt, loadsOf, usesVar, type Block, type Buffer, type Var } from "@verticil/tir";
import { isInjective, stages, type Stage, type Work } from "./loop-sites.ts";

/** A block that takes a reduction's result on, element by element, with its variable for each index of the result. */
export interface Carrier {
  readonly stage: Stage;
  readonly buffer: Buffer;
  /** Undefined where the result's index is a constant. */
  readonly vars: readonly (Var | undefined)[];
}

/**
 * The only reader of what `anchor` writes, if it reads it at one variable an index and does nothing else before: the
 * epilogue that can be computed on the accumulators. Undefined if there is none.
 */
export function findCarrier(work: Work, anchor: Stage): Carrier | undefined {
  const buffer = anchor.block.writes[0]?.buffer;
  if (buffer === undefined) return undefined;
  const readers = work.sch.getConsumers(anchor.rv);
  const [reader] = readers;
  if (reader === undefined || readers.length !== 1) return undefined;
  const stage = stages(work).find((s) => s.block === work.sch.get(reader).block);
  if (stage === undefined || !isInjective(stage.block) || !isAllocated(work, buffer)) return undefined;
  if (!hasAllOthersBefore(work, stage, anchor)) return undefined;
  const vars = readVars(stage.block, buffer);
  return vars && readsAll(stage.block, buffer, vars) ? { stage, buffer, vars } : undefined;
}

/** True if the block walks the whole buffer: one that reads a slice of it cannot follow the tiles of the whole. */
function readsAll(block: Block, buffer: Buffer, vars: readonly (Var | undefined)[]): boolean {
  return buffer.shape.every((extent, i) => {
    const v = vars[i];
    if (v === undefined) return isConstInt(extent, 1);
    const dom = block.iterVars.find((iv) => iv.var === v)?.dom;
    if (dom === undefined || !isConstInt(dom.min, 0)) return false;
    const known = asInt(extent);
    return known === undefined ? exprDeepEqual(dom.extent, extent) : isConstInt(dom.extent, known);
  });
}

/** True if what the reader reads besides the anchor's result is there before the anchor runs: the reader runs with the anchor. */
function hasAllOthersBefore(work: Work, reader: Stage, anchor: Stage): boolean {
  const order = stages(work).map((s) => s.block);
  const last = order.indexOf(anchor.block);
  return work.sch.getProducers(reader.rv).every((p) => order.indexOf(work.sch.get(p).block) <= last);
}

/** The variables at which a block reads a buffer, the same at every read; undefined if it is not so. */
export function readVars(block: Block, buffer: Buffer): readonly (Var | undefined)[] | undefined {
  const loads = loadsOf(block).filter((l) => l.buffer === buffer);
  const [first] = loads;
  if (first === undefined) return undefined;
  const vars: (Var | undefined)[] = [];
  for (const [i, index] of first.indices.entries()) {
    if (loads.some((l) => l.indices[i] !== index && !isConstInt(index))) return undefined;
    if (isConstInt(index)) vars.push(undefined);
    else if (index.kind === "tir.Var" && !vars.includes(index)) vars.push(index);
    else return undefined;
  }
  // A variable that is not an index of the result would compute the same epilogue again and again.
  const extra = block.iterVars.some((iv) => !vars.includes(iv.var) && !(iv.dom !== undefined && isConstInt(iv.dom.extent, 1)));
  return extra ? undefined : vars;
}

function isAllocated(work: Work, buffer: Buffer): boolean {
  return work.sch.get(work.root).block.allocBuffers.includes(buffer);
}

/** True if the block's result is stored along `v` at its last index. */
export function storesAlong(block: Block, v: Var): boolean {
  const { body } = block;
  return body.kind === "tir.BufferStore" && body.indices.at(-1) === v && body.indices.slice(0, -1).every((i) => !usesVar(i, v));
}
