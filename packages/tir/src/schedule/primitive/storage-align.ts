import type { AttrValue } from "@verticil/ir-core";
import type { Buffer } from "../../ir/buffer.ts";
import type { Block, BlockRealize } from "../../ir/stmt.ts";
import type { FuncTree } from "../func-tree.ts";
import type { Outcome } from "../outcome.ts";
import { refuse } from "../schedule-error.ts";
import { setBlockAnnotation } from "./annotate.ts";

/** The stride of one axis of a buffer the block writes made `k * factor + offset`, by an annotation that lowering reads. */
export function storageAlign(tree: FuncTree, realize: BlockRealize, bufferIndex: number, axis: number, factor: number, offset: number): Outcome {
  const { block } = realize;
  const region = block.writes[bufferIndex];
  if (region === undefined) return refuse(`block \`${block.name}\` has no write number ${bufferIndex}`, block);
  if (factor <= 0) return refuse(`the factor is ${factor}`, block, "Factors are positive.");
  const dims = region.buffer.shape.length;
  const at = axis < 0 ? dims + axis : axis;
  if (at < 0 || at >= dims) return refuse(`\`${region.buffer.name}\` has no axis ${axis}`, block, `Axes are from ${-dims} to ${dims - 1}.`);
  allocationSite(tree, realize, region.buffer);
  const entry = [bufferIndex, at, factor, offset];
  const known = alignments(block);
  const same = (e: readonly AttrValue[]): boolean => intOf(e[0]) === bufferIndex && intOf(e[1]) === at;
  const found = known.some(same);
  const next = found ? known.map((e) => (same(e) ? entry : e)) : [...known, entry];
  return setBlockAnnotation(tree, realize, "buffer_dim_align", next);
}

function intOf(v: AttrValue | undefined): number | undefined {
  if (typeof v === "number") return v;
  return typeof v === "object" && v !== null && "value" in v && typeof v.value === "number" ? v.value : undefined;
}

function alignments(block: Block): readonly (readonly AttrValue[])[] {
  const old = block.annotations["buffer_dim_align"];
  if (old === undefined) return [];
  const list = Array.isArray(old) ? (old as readonly AttrValue[]) : undefined;
  const rows = list?.flatMap((e) => (Array.isArray(e) && e.length === 4 && (e as readonly AttrValue[]).every((x) => intOf(x) !== undefined) ? [e as readonly AttrValue[]] : []));
  if (list === undefined || rows === undefined || rows.length !== list.length) {
    return refuse(`the annotation \`buffer_dim_align\` of block \`${block.name}\` is not a list of four integers each`, block);
  }
  return rows;
}

/** The block that allocates a buffer, at or above `realize`. Refuses for a buffer of a parameter, or a matched one. */
export function allocationSite(tree: FuncTree, realize: BlockRealize, buffer: Buffer): BlockRealize {
  const blocks = [realize, ...tree.ancestors(realize)].filter((s) => s.kind === "tir.BlockRealize");
  const site = blocks.find((b) => b.block.allocBuffers.includes(buffer));
  return site ?? refuse(`\`${buffer.name}\` is not allocated in the function`, realize.block, "Only intermediate buffers can be changed; use `cacheWrite` first.");
}
