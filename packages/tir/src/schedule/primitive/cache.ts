import type { Buffer, BufferRegion } from "../../ir/buffer.ts";
import type { AnyVar, PrimExpr } from "../../ir/expr.ts";
import { makeBufferLoad, makeIterVar, makeRange, makeVar } from "../../ir/make-expr.ts";
import { makeBlock, makeBlockRealize, makeBuffer, makeBufferRegion, makeBufferStore, makeFor, makeSeq } from "../../ir/make-stmt.ts";
import { constant } from "../../ir/ops.ts";
import { mapBuffer, mapStmtChildren } from "../../ir/map-children.ts";
import { mapExpr } from "../../ir/mutate.ts";
import type { Block, BlockRealize, PrimFunc, Stmt } from "../../ir/stmt.ts";
import { substitute } from "../../ir/substitute.ts";
import { mergeRegions, pointRegion, relaxRegion } from "../../analysis/block-access-region.ts";
import { intervalOfRange, type Interval } from "../../analysis/symbolic-interval.ts";
import { rootRealize, scopeBlocks, topInScope, writtenBuffers } from "../block-relations.ts";
import { blockKey, FuncTree, replaceStmts, withAllocated, type BlockKey } from "../func-tree.ts";
import { refuse } from "../schedule-error.ts";
import { bindingsOf } from "./compute-at.ts";

/** What a primitive makes that adds a block. */
export interface BlockResult {
  readonly func: PrimFunc;
  readonly block: BlockKey;
}

/** A copy of a buffer that the block reads, in another scope, made before the block and read by `consumers`. */
export function cacheRead(
  tree: FuncTree,
  realize: BlockRealize,
  readIndex: number,
  scope: string,
  consumers: readonly BlockRealize[],
): BlockResult {
  const region = realize.block.reads[readIndex];
  if (region === undefined) return refuse(`block \`${realize.block.name}\` has no read number ${readIndex}`, realize.block);
  const { buffer } = region;
  const cache = makeCacheBuffer(buffer, scope);
  const users = consumers.length > 0 ? consumers : scopeBlocks(tree, realize).filter((b) => b.block.reads.some((r) => r.buffer === buffer));
  const copied = mergeRegions(users.map((u) => wholeRegion(tree, u, u.block.reads.find((r) => r.buffer === buffer) ?? region)))[0] ?? region;
  const copy = makeCopy(buffer, cache, copied, tree);
  const writer = scopeBlocks(tree, realize).find((b) => writtenBuffers(b.block).includes(buffer));
  const place = writer === undefined ? topInScope(tree, users[0] ?? realize) : topInScope(tree, writer);
  const changed = new Map<Stmt, Stmt | undefined>();
  for (const u of users) changed.set(u, replaceInBlock(u, buffer, cache, "read"));
  return insert(tree, realize, changed, place, writer === undefined ? "before" : "after", copy, cache);
}

/** The block made to write a buffer in another scope, which a new block then copies to where the block wrote. */
export function cacheWrite(
  tree: FuncTree,
  realize: BlockRealize,
  writeIndex: number,
  scope: string,
  consumers: readonly BlockRealize[],
): BlockResult {
  const region = realize.block.writes[writeIndex];
  if (region === undefined) return refuse(`block \`${realize.block.name}\` has no write number ${writeIndex}`, realize.block);
  const { buffer } = region;
  const others = scopeBlocks(tree, realize).filter((b) => b !== realize && writtenBuffers(b.block).includes(buffer));
  const [other] = others;
  if (other !== undefined) refuse(`block \`${other.block.name}\` writes \`${buffer.name}\` too`, other.block);
  const cache = makeCacheBuffer(buffer, scope);
  const copy = makeCopy(cache, buffer, wholeRegion(tree, realize, region), tree);
  const changed = new Map<Stmt, Stmt | undefined>([[realize, replaceInBlock(realize, buffer, cache, "both")]]);
  for (const c of consumers) changed.set(c, replaceInBlock(c, buffer, cache, "read"));
  return insert(tree, realize, changed, topInScope(tree, realize), "after", copy, cache);
}

/** A buffer like another one in another scope. */
export function makeCacheBuffer(buffer: Buffer, scope: string): Buffer {
  return makeBuffer(`${buffer.name}_${scope}`, buffer.shape, buffer.dtype, {
    scope,
    axisSeparators: buffer.axisSeparators,
    dataAlignment: buffer.dataAlignment,
  });
}

/** A region of a block in terms of what is around its scope: bindings put in, loops ranged over. */
export function wholeRegion(tree: FuncTree, realize: BlockRealize, region: BufferRegion): BufferRegion {
  const dom = new Map<AnyVar, Interval>();
  for (const l of tree.loopsOf(realize)) dom.set(l.loopVar, intervalOfRange(makeRange(l.min, l.extent)));
  return clipToBuffer(relaxRegion(substitute(region, bindingsOf(realize)), dom));
}

/** Regions reach outside a buffer where a predicate keeps the block from running: cut to the buffer. */
function clipToBuffer(region: BufferRegion): BufferRegion {
  const dims = region.region.map((r, i) => {
    const extent = region.buffer.shape[i];
    const start = r.min.kind === "ir.IntImm" ? Number(r.min.value) : undefined;
    const n = r.extent.kind === "ir.IntImm" ? Number(r.extent.value) : undefined;
    const size = extent?.kind === "ir.IntImm" ? Number(extent.value) : undefined;
    if (extent === undefined || size === undefined || start === undefined || n === undefined) return r;
    const low = Math.max(0, start);
    const high = Math.min(size, start + n);
    return makeRange(constant(low, r.min.dtype), constant(high - low, r.extent.dtype));
  });
  return makeBufferRegion(region.buffer, dims);
}

interface Copy {
  readonly nest: Stmt;
  readonly key: BlockKey;
}

function makeCopy(from: Buffer, to: Buffer, region: BufferRegion, tree: FuncTree): Copy {
  const vars = region.region.map((r, i) => makeVar(`v${i}`, r.min.dtype));
  const loopVars = region.region.map((r, i) => makeVar(`ax${i}`, r.min.dtype));
  const iterVars = region.region.map((r, i) => makeIterVar(r, vars[i] ?? makeVar(`v${i}`), "kDataPar"));
  const name = uniqueBlockName(tree.func, from.name.length > to.name.length ? from.name : to.name);
  const store = makeBufferStore(to, makeBufferLoad(from, vars), vars);
  const block = makeBlock(name, iterVars, [pointRegion(from, vars)], [pointRegion(to, vars)], store);
  const values = region.region.map((r, i): PrimExpr => {
    const v = loopVars[i] ?? makeVar("ax");
    return r.min.kind === "ir.IntImm" && r.min.value === 0 ? v : { kind: "tir.Add", dtype: v.dtype, a: r.min, b: v };
  });
  const realize = makeBlockRealize(values, constant(1, "bool"), block);
  const nest = region.region.reduceRight<Stmt>((body, r, i) => makeFor(loopVars[i] ?? makeVar("ax"), constant(0, r.min.dtype), r.extent, body), realize);
  return { nest, key: blockKey(block) };
}

/** A block name that no block of the function has yet. */
export function uniqueBlockName(func: PrimFunc, name: string): string {
  const taken = new Set([...new FuncTree(func).blocks.values()].map((r) => r.block.name));
  if (!taken.has(name)) return name;
  for (let i = 1; ; i++) if (!taken.has(`${name}_${i}`)) return `${name}_${i}`;
}

function insert(
  tree: FuncTree,
  realize: BlockRealize,
  changed: ReadonlyMap<Stmt, Stmt | undefined>,
  place: Stmt,
  side: "before" | "after",
  copy: Copy,
  cache: Buffer,
): BlockResult {
  const scope = tree.scopeOf(realize) ?? rootRealize(tree.func);
  // The place may hold the changed blocks: change them first, then wrap what has become of the place.
  const visit = (s: Stmt): Stmt => {
    const done = changed.has(s) ? (changed.get(s) ?? s) : mapStmtChildren(s, { expr: (e) => e, stmt: visit });
    if (s === place) return makeSeq(side === "before" ? [copy.nest, done] : [done, copy.nest]);
    return s === scope.block && done.kind === "tir.Block" ? withAllocated(done, [cache]) : done;
  };
  return { func: { ...tree.func, body: visit(tree.func.body) }, block: copy.key };
}

/** The block with one buffer in place of another, at reads or everywhere, nested blocks included. */
export function replaceInBlock(realize: BlockRealize, from: Buffer, to: Buffer, where: "read" | "both"): BlockRealize {
  const expr = (e: PrimExpr): PrimExpr =>
    mapExpr(e, (x) => (x.kind === "tir.BufferLoad" && x.buffer === from ? { ...x, buffer: to } : x));
  const region = (r: BufferRegion): BufferRegion => (r.buffer === from ? makeBufferRegion(to, r.region) : r);
  const visit = (s: Stmt): Stmt => {
    const t = mapStmtChildren(s, { expr, stmt: visit });
    if (t.kind === "tir.BufferStore" && t.buffer === from && where === "both") return { ...t, buffer: to };
    if (t.kind !== "tir.Block") return t;
    const matchBuffers = t.matchBuffers.map((m) => (m.source.buffer === from ? { ...m, source: region(m.source) } : m));
    const block: Block = { ...t, matchBuffers, reads: t.reads.map(region), writes: where === "both" ? t.writes.map(region) : t.writes };
    return block;
  };
  const mapped = visit(realize);
  if (mapped.kind !== "tir.BlockRealize") throw new Error("internal: a block was mapped to another statement");
  return mapped;
}

/** The buffer that a block writes, moved to another scope; everywhere in the function. */
export function setScope(tree: FuncTree, realize: BlockRealize, index: number, scope: string): PrimFunc {
  const region = realize.block.writes[index];
  if (region === undefined) return refuse(`block \`${realize.block.name}\` has no write number ${index}`, realize.block);
  const { buffer } = region;
  const holder = [...tree.blocks.values()].find((r) => r.block.allocBuffers.includes(buffer));
  if (holder === undefined) return refuse(`\`${buffer.name}\` is not allocated in the function`, realize.block, "Use `cacheWrite` first.");
  const moved = makeBuffer(buffer.name, buffer.shape, buffer.dtype, {
    scope,
    strides: buffer.strides,
    axisSeparators: buffer.axisSeparators,
    dataAlignment: buffer.dataAlignment,
    offsetFactor: buffer.offsetFactor,
    bufferType: buffer.bufferType,
  });
  return swapBuffer(tree, buffer, moved);
}

/** The function with one allocated buffer in place of another at every mention; same number of dimensions. */
export function swapBuffer(tree: FuncTree, from: Buffer, to: Buffer): PrimFunc {
  const mapper = {
    expr(e: PrimExpr): PrimExpr {
      if (e === from.data) return to.data;
      return mapExpr(e, (x) => (x === from.data ? to.data : x.kind === "tir.BufferLoad" && x.buffer === from ? { ...x, buffer: to } : x));
    },
    stmt: (s: Stmt): Stmt => mapStmtChildren(s, mapper),
    buffer: (b: Buffer): Buffer => (b === from ? to : mapBuffer(b, (e) => (e === from.data ? to.data : e))),
  };
  return replaceStmts({ ...tree.func, body: mapper.stmt(tree.func.body) }, new Map());
}
