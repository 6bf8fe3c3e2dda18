import type { Buffer } from "../../ir/buffer.ts";
import { constant, isConstInt } from "../../ir/ops.ts";
import type { BlockRealize, Stmt } from "../../ir/stmt.ts";
import { fullRegion } from "../../analysis/block-access-region.ts";
import { consumersOf, scopeRoot } from "../block-relations.ts";
import {
  changeAccess,
  conditionAt,
  makeCopyStage,
  onlyWriter,
  placeAfterWriter,
  regionOf,
  relaxUnder,
  renamed,
  requireRegionCover,
  requireStorageScope,
  shiftedTo,
  withScope,
  withStage,
  type StagePlace,
} from "../cache-stage.ts";
import { domainsOf, requireInBounds, requireNotUpdated } from "../copy-safety.ts";
import { childBlocks, type FuncTree } from "../func-tree.ts";
import type { Outcome } from "../outcome.ts";
import { refuse } from "../schedule-error.ts";

/**
 * A copy in another scope of a buffer that the block reads: made after the block of the scope that writes it (at the
 * start of the scope if none does) and read by `consumers`, or by all if there are none given.
 */
export function cacheRead(tree: FuncTree, realize: BlockRealize, readIndex: number, storageScope: string, consumers: readonly BlockRealize[]): Outcome {
  requireStorageScope(storageScope);
  const buffer = realize.block.reads[readIndex]?.buffer;
  if (buffer === undefined) return refuse(`block \`${realize.block.name}\` has no read number ${readIndex}`, realize.block);
  requireNotUpdated(realize.block, buffer);
  const scope = scopeRoot(tree, realize);
  requireRegionCover(tree, scope, buffer);
  const users = withChildren(consumers);
  const writer = onlyWriter(scope, buffer);
  if (writer !== undefined) requireFilled(tree, writer, buffer, users);
  const place: StagePlace = writer === undefined ? { at: scope.block, pos: 0 } : placeOf(tree, scope, writer, users);
  const written = writer && regionOf(writer.block.writes, buffer);
  if (writer === undefined) requireInBounds(realize.block, buffer, regionOf(scope.block.reads, buffer)?.region ?? [], domainsOf(tree, scope));
  const region =
    writer !== undefined && written !== undefined ? relaxUnder(tree, writer, written, place.at) : (regionOf(scope.block.reads, buffer) ?? fullRegion(buffer));
  const compact = place.at === scope.block && childBlocks(scope).every((b) => tree.contains(place.at, b));
  const cache = sizedLike(withScope(buffer, storageScope), compact, region.region.map((r) => r.extent));
  const condition = writer === undefined ? constant(1, "bool") : conditionAt(tree, writer, place.at);
  const stage = makeCopyStage(region, buffer, cache, storageScope, { compact, condition });
  const change = compact ? shiftedTo(tree, buffer, cache, region.region) : renamed(buffer, cache);
  const writes = (b: BlockRealize): boolean => b.block.writes.some((w) => w.buffer === buffer);
  const enter = (b: BlockRealize): boolean => !writes(b);
  const targets = users.size > 0 ? [...users] : childBlocks(scope);
  const replaced = new Map<Stmt, Stmt>();
  for (const b of targets) if (!writes(b)) replaced.set(b, changeAccess(b, change, { writes: false, enter }));
  return { func: withStage(tree, scope, replaced, place, stage.nest, cache), blocks: [stage.key] };
}

/**
 * Refuses readers that come before the block which writes the buffer: the copy would be made too late for them. Those named
 * may, all of them, if they run once: the copy is then made before.
 */
function requireFilled(tree: FuncTree, writer: BlockRealize, buffer: Buffer, users: ReadonlySet<BlockRealize>): void {
  const order = [...tree.blocks.values()];
  const at = order.indexOf(writer);
  const readers = order.filter((b) => b !== writer && b.block.reads.some((r) => r.buffer === buffer) && (users.size === 0 ? tree.scopeOf(b) === tree.scopeOf(writer) : users.has(b)));
  const earlier = readers.find((b) => order.indexOf(b) < at);
  if (earlier === undefined) return;
  const repeats = tree.loopsOf(writer).some((l) => tree.contains(l, earlier) && !isConstInt(l.extent, 1));
  if (users.size > 0 && !repeats && readers.every((b) => order.indexOf(b) < at)) return;
  refuse(`block \`${earlier.block.name}\` reads \`${buffer.name}\` before block \`${writer.block.name}\` writes it`, [earlier.block, writer.block], "Name as consumers only blocks that come after the writer.");
}

/** The blocks and those directly inside them. */
export function withChildren(blocks: readonly BlockRealize[]): ReadonlySet<BlockRealize> {
  return new Set(blocks.flatMap((b) => [b, ...childBlocks(b)]));
}

/** The buffer with another shape, if it is compact. */
export function sizedLike(buffer: Buffer, compact: boolean, shape: Buffer["shape"]): Buffer {
  return compact ? { ...buffer, shape } : buffer;
}

function placeOf(tree: FuncTree, scope: BlockRealize, writer: BlockRealize, users: ReadonlySet<BlockRealize>): StagePlace {
  if (users.size > 0) return placeAfterWriter(scope, writer, users);
  const readers = consumersOf(tree, writer).filter((c) => c.block.reads.some((r) => writer.block.writes.some((w) => w.buffer === r.buffer)));
  return placeAfterWriter(scope, writer, new Set(readers));
}
