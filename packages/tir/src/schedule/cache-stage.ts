import { makePointerType, makePrimType } from "@verticil/ir-core";
import { Analyzer, conjuncts } from "../arith/analyzer.ts";
import { coverRange } from "../arith/int-set.ts";
import { estimateRegionUpperBound } from "../arith/estimate-region.ts";
import type { Buffer, BufferRegion, MatchBufferRegion } from "../ir/buffer.ts";
import type { AnyVar, PrimExpr, Range } from "../ir/expr.ts";
import { makeBufferLoad, makeIterVar, makeRange, makeVar } from "../ir/make-expr.ts";
import { makeBlock, makeBlockRealize, makeBufferRegion, makeBufferStore, makeFor, makeSeq, scopeOf } from "../ir/make-stmt.ts";
import { mapExprChildren, mapItems, mapStmtChildren, mapSubStmts, type ChildMapper } from "../ir/map-children.ts";
import { usesVar } from "../ir/free-vars.ts";
import { add, allOf, constant, ge, isConstInt, lt, sub } from "../ir/ops.ts";
import type { Block, BlockRealize, Stmt } from "../ir/stmt.ts";
import { substitute } from "../ir/substitute.ts";
import { analyzerFor, bindingsOf, isRegionCovered, loopDomain, relaxedLoops } from "./block-relations.ts";
import { blockKey, childBlocks, replaceStmts, stmtChildren, type BlockKey, type FuncTree } from "./func-tree.ts";
import { refuse } from "./schedule-error.ts";

const SCOPES = ["global", "shared", "warp", "local", "texture", "amx.tmm"];
const EXACT_SCOPES = new Set([
  "wmma.matrix_a", "wmma.matrix_b", "wmma.accumulator", "m16n8k8.matrixA", "m16n8k8.matrixB", "m16n8k8.matrixC", "metal.simdgroup",
]);

/** Refuses a storage scope that does not exist. */
export function requireStorageScope(scope: string): void {
  if (scope === "" || EXACT_SCOPES.has(scope) || SCOPES.some((s) => scope === s || scope.startsWith(`${s}.`))) return;
  refuse(`there is no storage scope \`${scope}\``, undefined, `Scopes are ${[...SCOPES, ...EXACT_SCOPES].join(", ")}.`);
}

/** A buffer like another one, in another scope and named after it. */
export function withScope(buffer: Buffer, scope: string): Buffer {
  const type = buffer.data.typeAnnotation;
  const element = type?.kind === "ir.PointerType" ? type.elementType : makePrimType(buffer.dtype);
  const name = `${buffer.name}_${scope}`;
  return { ...buffer, name, data: makeVar(name, "handle", makePointerType(element, scope)) };
}

/** The region of a buffer among several; undefined if it is not there. */
export function regionOf(regions: readonly BufferRegion[], buffer: Buffer): BufferRegion | undefined {
  return regions.find((r) => r.buffer === buffer);
}

/** The block of a scope that writes a buffer; undefined if none does. Refuses if several do. */
export function onlyWriter(scope: BlockRealize, buffer: Buffer): BlockRealize | undefined {
  const writers = childBlocks(scope).filter((b) => b.block.writes.some((w) => w.buffer === buffer));
  if (writers.length > 1) {
    refuse(`\`${buffer.name}\` is written by ${writers.length} blocks`, writers.map((b) => b.block), "Only a buffer with one writer in the scope can be cached.");
  }
  return writers[0];
}

/** Refuses if a block of the scope reads parts of a buffer that may not be written by then. */
export function requireRegionCover(tree: FuncTree, scope: BlockRealize, buffer: Buffer): void {
  const bad = childBlocks(scope).find((b) => b.block.reads.some((r) => r.buffer === buffer) && !isRegionCovered(tree, scope, b));
  if (bad !== undefined) refuse(`block \`${bad.block.name}\` reads parts of buffers that are not known to be written`, bad.block);
}

/** Where a copy goes: into the body of a loop or block, before item `pos`. */
export interface StagePlace {
  readonly at: Stmt;
  readonly pos: number;
}

/** A region that a block touches, in terms of what is around `place`: loops between are ranged over. */
export function relaxUnder(tree: FuncTree, realize: BlockRealize, region: BufferRegion, place: Stmt): BufferRegion {
  const analyzer = analyzerFor(tree);
  const { region: ranges } = substitute(region, bindingsOf(realize));
  const sets = estimateRegionUpperBound(ranges, relaxedLoops(tree, realize, place, scopeOf(region.buffer)), { predicate: realize.predicate, analyzer });
  const dims = region.buffer.shape.map((extent, i) => {
    const set = sets[i];
    const whole = makeRange(constant(0, "int32"), extent);
    return set === undefined ? whole : coverRange(set, whole, analyzer);
  });
  return makeBufferRegion(region.buffer, dims);
}

/** The part of a block's condition that is over what is around `place`: where it does not hold, there is nothing to copy. */
export function conditionAt(tree: FuncTree, realize: BlockRealize, place: Stmt): PrimExpr {
  const between = loopDomain(tree, realize, place);
  return allOf(conjuncts(realize.predicate).filter((c) => !usesVar(c, (v) => between.has(v))));
}

/**
 * That the elements which loops of a copy go over are within the buffer, along the axes of constant size where they may
 * not be although `condition` holds: a region that was relaxed may be more than what blocks under conditions touch.
 */
function withinBuffer(region: BufferRegion, loopVars: readonly AnyVar[], condition: PrimExpr, domains: Iterable<readonly [AnyVar, Range]>): readonly PrimExpr[] {
  const analyzer = new Analyzer();
  for (const [v, r] of domains) analyzer.bind(v, r);
  return region.region.flatMap((r, i) => {
    const [extent, own] = [region.buffer.shape[i], loopVars[i]];
    if (extent?.kind !== "ir.IntImm" || own === undefined) return [];
    analyzer.bind(own, makeRange(constant(0, own.dtype), r.extent));
    const index = add(r.min, own);
    const needed = [ge(index, 0), lt(index, extent)];
    return analyzer.withConstraint(condition, () => needed.filter((c) => !analyzer.canProve(c)));
  });
}

/**
 * The place of a copy of what `writer` writes: after it, in the innermost statement that holds both it and one of
 * `related`; at the end of the scope if there are none.
 */
export function placeAfterWriter(scope: BlockRealize, writer: BlockRealize, related: ReadonlySet<BlockRealize>): StagePlace {
  if (related.size === 0) return { at: scope.block, pos: bodyItems(scope.block.body).length };
  let writerSeen = false;
  let relatedSeen = false;
  let at: Stmt | undefined;
  let pos = -1;
  const visit = (s: Stmt): void => {
    if (s.kind === "tir.BlockRealize") {
      if (s === writer) writerSeen = true;
      else if (related.has(s)) relatedSeen = true;
      return;
    }
    if (s.kind === "tir.SeqStmt") {
      const before = writerSeen;
      writerSeen = false;
      for (const [i, item] of s.seq.entries()) {
        if (pos !== -1) break;
        visit(item);
        if (writerSeen && relatedSeen && pos === -1) pos = i;
        if (relatedSeen) break;
      }
      writerSeen ||= before;
      return;
    }
    stmtChildren(s).forEach(visit);
    if (s.kind === "tir.For" && writerSeen && relatedSeen && at === undefined && pos !== -1) at = s;
  };
  visit(scope.block.body);
  // `pos` is the item with the reader; the copy goes before it.
  if (!writerSeen && pos === -1) pos = 0;
  return { at: at ?? scope.block, pos };
}

/** The statements of a body in order, below constants and declarations. */
function bodyItems(body: Stmt): readonly Stmt[] {
  if (body.kind === "tir.AllocateConst" || body.kind === "tir.DeclBuffer") return bodyItems(body.body);
  return body.kind === "tir.SeqStmt" ? body.seq : [body];
}

/** A body with a statement added before item `pos`, below constants and declarations. */
export function insertItem(body: Stmt, pos: number, stage: Stmt): Stmt {
  if (body.kind === "tir.AllocateConst" || body.kind === "tir.DeclBuffer") return { ...body, body: insertItem(body.body, pos, stage) };
  const items = bodyItems(body);
  return makeSeq([...items.slice(0, pos), stage, ...items.slice(pos)]);
}

/** A nest of loops around a block. */
export interface Stage {
  readonly nest: Stmt;
  readonly key: BlockKey;
}

/**
 * A copy of a region between two buffers. With `compact` unset both have the same indices; else `to` ("read") or `from`
 * ("write") starts at 0 where the region does. Nothing is copied where `condition` does not hold, nor, given the
 * `domains` of the variables around, beyond the buffer.
 */
export function makeCopyStage(region: BufferRegion, from: Buffer, to: Buffer, scope: string, opts: { readonly compact: boolean; readonly condition: PrimExpr; readonly domains?: Iterable<readonly [AnyVar, Range]> }): Stage {
  const { compact, condition, domains } = opts;
  const loopVars = region.region.map((r, i) => makeVar(`ax${i}`, r.extent.dtype));
  const vars = region.region.map((r, i) => makeVar(`v${i}`, r.extent.dtype));
  const iterVars = region.region.map((r, i) => {
    const extent = compact ? r.extent : (region.buffer.shape[i] ?? r.extent);
    return makeIterVar(makeRange(constant(0, extent.dtype), extent), vars[i] ?? makeVar("v"), "kDataPar");
  });
  const shifted = region.region.map((r, i): PrimExpr => add(r.min, vars[i] ?? r.min));
  const reads = compact && region.buffer === from ? shifted : vars;
  const writes = compact && region.buffer === to ? shifted : vars;
  const block = makeBlock(
    `${region.buffer.name}_${scope}`,
    iterVars,
    [pointsOf(from, reads)],
    [pointsOf(to, writes)],
    makeBufferStore(to, makeBufferLoad(from, reads), writes),
  );
  const values = region.region.map((r, i): PrimExpr => (compact ? (loopVars[i] ?? r.min) : add(r.min, loopVars[i] ?? r.min)));
  const nest = region.region.reduceRight<Stmt>(
    (body, r, i) => makeFor(loopVars[i] ?? makeVar("ax"), constant(0, "int32"), r.extent, body),
    makeBlockRealize(values, domains === undefined ? condition : allOf([condition, ...withinBuffer(region, loopVars, condition, domains)]), block),
  );
  return { nest, key: blockKey(block) };
}

/** The region of one element, extents in the type of the indices. */
export function pointsOf(buffer: Buffer, indices: readonly PrimExpr[]): BufferRegion {
  return makeBufferRegion(buffer, indices.map((i) => makeRange(i, constant(1, i.dtype))));
}

/** How a block's accesses to one buffer become accesses to another. */
export interface AccessChange {
  readonly from: Buffer;
  readonly to: Buffer;
  readonly indices: (indices: readonly PrimExpr[]) => readonly PrimExpr[];
  readonly region: (region: readonly Range[]) => readonly Range[];
}

/** Same indices in another buffer. */
export function renamed(from: Buffer, to: Buffer): AccessChange {
  return { from, to, indices: (x) => x, region: (x) => x };
}

/** Indices counted from where a region starts. */
export function shiftedTo(tree: FuncTree, from: Buffer, to: Buffer, start: readonly Range[]): AccessChange {
  const analyzer = analyzerFor(tree);
  const shift = (e: PrimExpr, i: number): PrimExpr => {
    const r = start[i];
    return r === undefined || isConstInt(r.min, 0) ? e : analyzer.simplify(sub(e, r.min));
  };
  return {
    from,
    to,
    indices: (x) => x.map(shift),
    region: (x) => x.map((r, i) => makeRange(shift(r.min, i), r.extent)),
  };
}

/** The statement with accesses to a buffer changed: reads, and writes if told; nested blocks, their regions and matched buffers included. */
export function changeAccess<S extends Stmt>(s: S, change: AccessChange, opts: { readonly writes: boolean; readonly enter?: (b: BlockRealize) => boolean }): S {
  const { from, to } = change;
  // The regions of other buffers may read the buffer in their ends.
  const range = (d: Range): Range => {
    const [min, extent] = [mapper.expr(d.min), mapper.expr(d.extent)];
    return min === d.min && extent === d.extent ? d : makeRange(min, extent);
  };
  const region = (r: BufferRegion): BufferRegion => {
    const dims = mapItems(r.region, range);
    if (r.buffer === from) return makeBufferRegion(to, change.region(dims));
    return dims === r.region ? r : { ...r, region: dims };
  };
  const matched = (m: MatchBufferRegion): MatchBufferRegion => (m.source.buffer === from ? { ...m, source: region(m.source) } : m);
  const mapper: ChildMapper = {
    expr(e) {
      if (e === from.data) return to.data;
      const x = mapExprChildren(e, mapper);
      return x.kind === "tir.BufferLoad" && x.buffer === from ? makeBufferLoad(to, change.indices(x.indices), x.predicate, x.span) : x;
    },
    stmt(x): Stmt {
      if (x.kind === "tir.BlockRealize" && opts.enter?.(x) === false) return x;
      if (x.kind === "tir.Block") return block(x);
      const t = mapStmtChildren(x, mapper);
      if (!opts.writes || t.kind !== "tir.BufferStore" || t.buffer !== from) return t;
      return { ...t, buffer: to, indices: change.indices(t.indices) };
    },
  };
  const block = (b: Block): Block => {
    const t = mapStmtChildren({ ...b, reads: [], writes: [], matchBuffers: [] }, mapper);
    if (t.kind !== "tir.Block") return b;
    return {
      ...t,
      reads: b.reads.map(region),
      writes: opts.writes ? b.writes.map(region) : b.writes,
      matchBuffers: b.matchBuffers.map(matched),
    };
  };
  return mapper.stmt(s) as S;
}

/**
 * The function with blocks replaced, a stage put at a place and a buffer allocated in the scope. The place may be among
 * what is around the replaced blocks.
 */
export function withStage(
  tree: FuncTree,
  scope: BlockRealize,
  replaced: ReadonlyMap<Stmt, Stmt>,
  place: StagePlace,
  stage: Stmt,
  allocated: Buffer | undefined,
): FuncTree["func"] {
  const visit = (s: Stmt): Stmt => {
    const other = replaced.get(s);
    if (other !== undefined) return other;
    const t = mapSubStmts(s, visit);
    const inserted = s === place.at && (t.kind === "tir.For" || t.kind === "tir.Block") ? { ...t, body: insertItem(t.body, place.pos, stage) } : t;
    if (s !== scope.block || inserted.kind !== "tir.Block" || allocated === undefined) return inserted;
    return { ...inserted, allocBuffers: [...inserted.allocBuffers, allocated] };
  };
  return replaceStmts(tree.func, new Map([[scope, visit(scope)]]));
}
