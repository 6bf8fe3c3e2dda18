import { makePointerType, makePrimType } from "@verticil/ir-core";
import { exprDeepEqual } from "../../arith/expr-deep-equal.ts";
import type { Buffer, BufferRegion } from "../../ir/buffer.ts";
import type { AnyVar, IterVar, PrimExpr, Var } from "../../ir/expr.ts";
import { makeBufferLoad, makeRange, makeVar } from "../../ir/make-expr.ts";
import { makeBlock, makeBlockRealize, makeBufferRegion, makeBufferStore, makeFor, makeIndexMap } from "../../ir/make-stmt.ts";
import { constant, isConstInt } from "../../ir/ops.ts";
import type { BlockRealize, For, IndexMap, Stmt } from "../../ir/stmt.ts";
import { substitute } from "../../ir/substitute.ts";
import { undefinedVars, usesVar } from "../../ir/free-vars.ts";
import { consumersOf, scopeRoot } from "../block-relations.ts";
import { changeAccess, onlyWriter, placeAfterWriter, regionOf, requireStorageScope, withStage, type AccessChange, type Stage, type StagePlace } from "../cache-stage.ts";
import { domainsOf, requireInBounds, requireNoReaderBefore, requireNotUpdated, requireWritesAll } from "../copy-safety.ts";
import { blockKey, type FuncTree } from "../func-tree.ts";
import { mapIndices, mapShape, nonSurjectiveInverse } from "../index-map.ts";
import type { Outcome } from "../outcome.ts";
import { refuse } from "../schedule-error.ts";

/** A copy of what the block reads of a buffer, laid out by a map of the block's variables to indices, which the block reads instead. */
export function reindexCacheRead(tree: FuncTree, realize: BlockRealize, index: number, storageScope: string, map: IndexMap): Outcome {
  requireStorageScope(storageScope);
  const buffer = realize.block.reads[index]?.buffer;
  if (buffer === undefined) return refuse(`block \`${realize.block.name}\` has no read number ${index}`, realize.block);
  const scope = scopeRoot(tree, realize, { stagePipeline: true });
  const region = regionOf(realize.block.reads, buffer);
  const writer = onlyWriter(scope, buffer);
  const place: StagePlace = writer === undefined ? { at: scope.block, pos: 0 } : placeAfterWriter(scope, writer, new Set([realize]));
  if (region === undefined) return refuse(`block \`${realize.block.name}\` does not read \`${buffer.name}\``, realize.block);
  requirePoint(tree, realize, region);
  return cacheBy(tree, realize, scope, place, region, storageScope, map, "read");
}

/** The block made to write a buffer laid out by a map of its variables to indices, which a new block copies to where the block wrote. */
export function reindexCacheWrite(tree: FuncTree, realize: BlockRealize, index: number, storageScope: string, map: IndexMap): Outcome {
  requireStorageScope(storageScope);
  const region = realize.block.writes[index];
  if (region === undefined) return refuse(`block \`${realize.block.name}\` has no write number ${index}`, realize.block);
  const scope = scopeRoot(tree, realize, { stagePipeline: true });
  onlyWriter(scope, region.buffer);
  requireNoReaderBefore(tree, realize, region.buffer);
  requireWritesAll(tree, realize, region, undefined);
  const readers = consumersOf(tree, realize).filter((c) => c.block.reads.some((r) => realize.block.writes.some((w) => w.buffer === r.buffer)));
  const place = placeAfterWriter(scope, realize, new Set(readers));
  requirePoint(tree, realize, region);
  return cacheBy(tree, realize, scope, place, region, storageScope, map, "write");
}

function requirePoint(tree: FuncTree, realize: BlockRealize, region: BufferRegion): void {
  requireNotUpdated(realize.block, region.buffer);
  requireInBounds(realize.block, region.buffer, region.region, domainsOf(tree, realize));
  if (region.region.every((r) => isConstInt(r.extent, 1))) return;
  refuse(`block \`${realize.block.name}\` touches more than one element of \`${region.buffer.name}\``, realize.block, "Reindexing needs single elements.");
}

function cacheBy(
  tree: FuncTree,
  realize: BlockRealize,
  scope: BlockRealize,
  place: StagePlace,
  region: BufferRegion,
  storageScope: string,
  map: IndexMap,
  side: "read" | "write",
): Outcome {
  const { block } = realize;
  const { buffer } = region;
  const extents = block.iterVars.map((iv) => iv.dom?.extent ?? constant(1, iv.var.dtype));
  const indices = mapIndices(map, block.iterVars.map((iv) => iv.var));
  const used = touchedVars(realize, region, indices);
  requireApart(realize, region, indices, used);
  const cache = layOut(buffer, storageScope, mapShape(map, extents));
  const stage = makeStage(tree, realize, place, region, cache, storageScope, indices, used, side);
  const points = indices.map((i) => makeRange(i, constant(1, "int32")));
  const change: AccessChange = { from: buffer, to: cache, indices: () => indices, region: () => points };
  const changed = changeAccess(realize, change, { writes: side === "write" });
  return { func: withStage(tree, scope, new Map<Stmt, Stmt>([[realize, changed]]), place, stage.nest, cache), blocks: [stage.key] };
}

/** The block variables in the new indices, which must be those in the old ones. */
function touchedVars(realize: BlockRealize, region: BufferRegion, indices: readonly PrimExpr[]): readonly number[] {
  return realize.block.iterVars.flatMap((iv, i) => {
    const before = region.region.some((r) => usesVar(r.min, iv.var));
    const after = indices.some((e) => usesVar(e, iv.var));
    if (before !== after) {
      refuse(`\`${iv.var.name}\` of block \`${realize.block.name}\` is in the ${before ? "old" : "new"} indices of \`${region.buffer.name}\` only`, realize.block);
    }
    return after ? [i] : [];
  });
}

/** Refuses unless different elements of the buffer have different places in the cache. */
function requireApart(realize: BlockRealize, region: BufferRegion, indices: readonly PrimExpr[], used: readonly number[]): void {
  if (region.region.every((r) => indices.some((i) => exprDeepEqual(i, r.min)))) return;
  const vars = used.flatMap((i) => realize.block.iterVars[i] ?? []);
  const own = makeIndexMap(vars.map((iv) => iv.var as Var), indices);
  nonSurjectiveInverse(own, vars.map((iv) => iv.dom ?? makeRange(constant(0, iv.var.dtype), constant(1, iv.var.dtype))));
}

function layOut(buffer: Buffer, storageScope: string, shape: readonly PrimExpr[]): Buffer {
  const type = buffer.data.typeAnnotation;
  const element = type?.kind === "ir.PointerType" ? type.elementType : makePrimType(buffer.dtype);
  const name = `${buffer.name}_${storageScope}`;
  return { ...buffer, name, shape, data: makeVar(name, "handle", makePointerType(element, storageScope)) };
}

/** Of loops, innermost first, those that values are of and those that their bounds are of; outermost first. */
function loopsFor(values: readonly PrimExpr[], inside: readonly For[]): readonly For[] {
  const out: For[] = [];
  for (const l of inside) {
    const used = [...values, ...out.flatMap((x) => [x.min, x.extent])];
    if (used.some((e) => usesVar(e, l.loopVar))) out.unshift(l);
  }
  return out;
}

function makeStage(
  tree: FuncTree,
  realize: BlockRealize,
  place: StagePlace,
  region: BufferRegion,
  cache: Buffer,
  storageScope: string,
  indices: readonly PrimExpr[],
  used: readonly number[],
  side: "read" | "write",
): Stage {
  const values = new Map<AnyVar, PrimExpr>();
  const bindings = used.map((i) => realize.iterValues[i] ?? constant(0, "int32"));
  const under = tree.ancestors(realize);
  const inside = under.slice(0, under.findIndex((s) => s === place.at || s.kind === "tir.Block"));
  const loops = loopsFor(bindings, inside.filter((s) => s.kind === "tir.For"));
  const loopVars = loops.map((l): Var => {
    const v = makeVar(l.loopVar.name, l.loopVar.dtype);
    values.set(l.loopVar, v);
    return v;
  });
  const iterVars = used.flatMap((i): IterVar[] => {
    const iv = realize.block.iterVars[i];
    if (iv === undefined) return [];
    const v = makeVar(iv.var.name, iv.var.dtype);
    values.set(iv.var, v);
    return [{ ...iv, var: v, iterType: "kDataPar" }];
  });
  const point = (e: PrimExpr): PrimExpr => substitute(e, values);
  const original = region.region.map((r) => point(r.min));
  const mapped = indices.map(point);
  const one = constant(1, "int32");
  const originalRegion = makeBufferRegion(region.buffer, original.map((e) => makeRange(e, one)));
  const cacheRegion = makeBufferRegion(cache, mapped.map((e) => makeRange(e, one)));
  const read = side === "read";
  const store = read
    ? makeBufferStore(cache, makeBufferLoad(region.buffer, original), mapped)
    : makeBufferStore(region.buffer, makeBufferLoad(cache, mapped), original);
  const block = makeBlock(
    `${region.buffer.name}_${storageScope}`,
    iterVars,
    [read ? originalRegion : cacheRegion],
    [read ? cacheRegion : originalRegion],
    store,
  );
  // Where the block is guarded, so is the copy.
  const unit = new Map<AnyVar, PrimExpr>(inside.flatMap((s) => (s.kind === "tir.For" && isConstInt(s.extent, 1) ? [[s.loopVar, s.min] as const] : [])));
  const guard = substitute(realize.predicate, (v) => (loops.some((l) => l.loopVar === v) ? undefined : unit.get(v)));
  if (!undefinedVars(guard).every((v) => loops.some((l) => l.loopVar === v))) refuse(`block \`${realize.block.name}\` is guarded by loops that the copy does not go over`, realize.block);
  const predicate = point(guard);
  const nest = loops.reduceRight<Stmt>(
    (body, l, i) => makeFor(loopVars[i] ?? l.loopVar, point(l.min), point(l.extent), body),
    makeBlockRealize(bindings.map(point), predicate, block),
  );
  return { nest, key: blockKey(block) };
}
