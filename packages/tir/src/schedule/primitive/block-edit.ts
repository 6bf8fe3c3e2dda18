import type { AttrValue } from "@verticil/ir-core";
import type { Buffer } from "../../ir/buffer.ts";
import { makeIntImm } from "@verticil/ir-core";
import type { BlockRealize, PrimFunc } from "../../ir/stmt.ts";
import { replaceStmts, type FuncTree } from "../func-tree.ts";
import { refuse } from "../schedule-error.ts";

/** The block with an annotation set, or removed where `value` is undefined. */
export function annotateBlock(tree: FuncTree, realize: BlockRealize, key: string, value: AttrValue | undefined): PrimFunc {
  const { block } = realize;
  if (value === undefined && block.annotations[key] === undefined) return refuse(`block \`${block.name}\` has no annotation \`${key}\``, block);
  const annotations = Object.fromEntries(Object.entries({ ...block.annotations, [key]: value }).filter(([, v]) => v !== undefined));
  return replaceStmts(tree.func, new Map([[block, { ...block, annotations }]]));
}

/** The alignment of one axis of a buffer the block writes: its stride becomes `k * factor + offset`. */
export function storageAlign(
  tree: FuncTree,
  realize: BlockRealize,
  bufferIndex: number,
  axis: number,
  factor: number,
  offset: number,
): PrimFunc {
  const region = realize.block.writes[bufferIndex];
  if (region === undefined) return refuse(`block \`${realize.block.name}\` has no write number ${bufferIndex}`, realize.block);
  const dims = region.buffer.shape.length;
  const at = axis < 0 ? dims + axis : axis;
  if (at < 0 || at >= dims) return refuse(`\`${region.buffer.name}\` has no axis ${axis}`, realize.block);
  if (factor <= 0) return refuse(`the factor is ${factor}`, realize.block, "Factors are positive.");
  requireAllocated(tree, region.buffer, realize);
  const entry = [bufferIndex, at, factor, offset].map((n) => makeIntImm(n));
  const old = realize.block.annotations["buffer_dim_align"];
  const kept = Array.isArray(old) ? (old as readonly AttrValue[]) : [];
  return annotateBlock(tree, realize, "buffer_dim_align", [...kept, entry]);
}

function requireAllocated(tree: FuncTree, buffer: Buffer, realize: BlockRealize): void {
  if ([...tree.blocks.values()].some((r) => r.block.allocBuffers.includes(buffer))) return;
  refuse(`\`${buffer.name}\` is not allocated in the function`, realize.block, "Only the layout of intermediate buffers is free.");
}
