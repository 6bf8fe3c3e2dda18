import type { BlockRealize, Stmt } from "../../ir/stmt.ts";
import { consumersOf, scopeRoot } from "../block-relations.ts";
import {
  changeAccess,
  conditionAt,
  makeCopyStage,
  onlyWriter,
  placeAfterWriter,
  relaxUnder,
  renamed,
  requireStorageScope,
  shiftedTo,
  withScope,
  withStage,
} from "../cache-stage.ts";
import { rangesOf, requireNoReaderBefore, requireNotUpdated, requireWritesAll } from "../copy-safety.ts";
import { childBlocks, type FuncTree } from "../func-tree.ts";
import type { Outcome } from "../outcome.ts";
import { refuse } from "../schedule-error.ts";
import { sizedLike, withChildren } from "./cache-read.ts";

/**
 * The block made to write a buffer in another scope, which a new block copies to where the block wrote; `consumers` read
 * the former.
 */
export function cacheWrite(tree: FuncTree, realize: BlockRealize, writeIndex: number, storageScope: string, consumers: readonly BlockRealize[]): Outcome {
  requireStorageScope(storageScope);
  const region = realize.block.writes[writeIndex];
  if (region === undefined) return refuse(`block \`${realize.block.name}\` has no write number ${writeIndex}`, realize.block);
  const { buffer } = region;
  requireNotUpdated(realize.block, buffer);
  requireNoReaderBefore(tree, realize, buffer);
  const scope = scopeRoot(tree, realize);
  onlyWriter(scope, buffer);
  const users = withChildren(consumers);
  const readers = consumersOf(tree, realize).filter((c) => !users.has(c) && c.block.reads.some((r) => realize.block.writes.some((w) => w.buffer === r.buffer)));
  const place = placeAfterWriter(scope, realize, new Set(readers));
  requireWritesAll(tree, realize, region, place.at);
  const cached = relaxUnder(tree, realize, region, place.at);
  const compact = place.at === scope.block && childBlocks(scope).every((b) => tree.contains(place.at, b));
  const cache = sizedLike(withScope(buffer, storageScope), compact, cached.region.map((r) => r.extent));
  const domains = [...scope.block.iterVars.flatMap((iv) => (iv.dom === undefined ? [] : [[iv.var, iv.dom] as const])), ...rangesOf(tree.loopsOf(realize))];
  const stage = makeCopyStage(cached, cache, buffer, storageScope, { compact, condition: conditionAt(tree, realize, place.at), domains });
  const change = compact ? shiftedTo(tree, buffer, cache, cached.region) : renamed(buffer, cache);
  const replaced = new Map<Stmt, Stmt>();
  for (const b of [realize, ...users]) replaced.set(b, changeAccess(b, change, { writes: true }));
  return { func: withStage(tree, scope, replaced, place, stage.nest, cache), blocks: [stage.key] };
}
