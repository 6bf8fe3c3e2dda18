import type { Buffer, BufferRegion } from "../../ir/buffer.ts";
import type { AnyVar, IterVarType, PrimExpr, Var } from "../../ir/expr.ts";
import { makeIterVar, makeRange, makeVar } from "../../ir/make-expr.ts";
import { makeBlockRealize, makeBuffer, makeBufferRegion, makeFor, scopeOf } from "../../ir/make-stmt.ts";
import { add, asInt, constant, floorDiv, floorMod, isConstInt, mul } from "../../ir/ops.ts";
import { mapExprChildren, mapStmtChildren, type ChildMapper } from "../../ir/map-children.ts";
import type { Block, BlockRealize, For, IndexMap, PrimFunc, Stmt } from "../../ir/stmt.ts";
import { substitute } from "../../ir/substitute.ts";
import { toLinear } from "../../analysis/linear-form.ts";
import { evalInterval, intervalOfRange, rangeOfInterval, type Interval } from "../../analysis/symbolic-interval.ts";
import { blockKey, replaceStmts, type BlockKey, type FuncTree } from "../func-tree.ts";
import { simplifyIndex, type Bounds } from "../index-simplify.ts";
import { refuse } from "../schedule-error.ts";

/** The shape of a buffer after a map of its indices. */
export function mapShape(map: IndexMap, shape: readonly PrimExpr[]): readonly PrimExpr[] {
  const dom = new Map<AnyVar, Interval>();
  map.initialIndices.forEach((v, i) => {
    const extent = shape[i];
    if (extent === undefined) refuse(`the index map takes ${map.initialIndices.length} indices, the buffer has ${shape.length}`, map);
    else dom.set(v, intervalOfRange(makeRange(constant(0, extent.dtype), extent)));
  });
  return map.finalIndices.map((e) => {
    const range = evalInterval(e, dom);
    return range === undefined ? refuse("the extent of a new index cannot be found", e) : rangeOfInterval(range).extent;
  });
}

/** The indices after a map. */
export function mapIndices(map: IndexMap, indices: readonly PrimExpr[], bounds: Bounds): readonly PrimExpr[] {
  const values = new Map<AnyVar, PrimExpr>();
  map.initialIndices.forEach((v, i) => {
    const index = indices[i];
    if (index !== undefined) values.set(v, index);
  });
  return map.finalIndices.map((e) => simplifyIndex(substitute(e, values), bounds));
}

/**
 * The layout of a buffer changed everywhere: element `i` is kept at `indexMap(i)`. Where the new shape has elements
 * that no old index maps to, `padValue` fills them after the block that writes the buffer.
 */
export function transformLayout(
  tree: FuncTree,
  realize: BlockRealize,
  bufferIndex: number,
  side: "read" | "write",
  map: IndexMap,
  padValue: PrimExpr | undefined,
): PrimFunc {
  const region = (side === "read" ? realize.block.reads : realize.block.writes)[bufferIndex];
  if (region === undefined) return refuse(`block \`${realize.block.name}\` has no ${side} number ${bufferIndex}`, realize.block);
  const before = region.buffer;
  if (map.initialIndices.length !== before.shape.length) {
    return refuse(`the index map takes ${map.initialIndices.length} indices, \`${before.name}\` has ${before.shape.length}`, realize.block);
  }
  const after = makeBuffer(before.name, mapShape(map, before.shape), before.dtype, {
    data: before.data,
    scope: scopeOf(before),
    dataAlignment: before.dataAlignment,
  });
  const func = { ...tree.func, body: relayout(tree.func.body, before, after, map) };
  const bufferMap = new Map([...func.bufferMap].map(([p, b]) => [p, b === before ? after : b]));
  const mapped: PrimFunc = { ...func, bufferMap };
  const volume = (b: Buffer): number | undefined => b.shape.reduce<number | undefined>((n, d) => {
    const e = asInt(d);
    return n === undefined || e === undefined ? undefined : n * e;
  }, 1);
  if (volume(before) === volume(after) || padValue === undefined) return mapped;
  return refuse(`the new layout of \`${before.name}\` has padding, which is not filled yet`, realize.block, "Choose factors that divide the shape, or pad first with `padEinsum`.");
}

function relayout(body: Stmt, before: Buffer, after: Buffer, map: IndexMap): Stmt {
  const bounds = new Map<AnyVar, readonly [number, number]>();
  const addBound = (v: Var, min: PrimExpr, extent: PrimExpr): void => {
    const low = asInt(min);
    const n = asInt(extent);
    if (low !== undefined && n !== undefined) bounds.set(v, [low, low + n - 1]);
  };
  const region = (r: BufferRegion): BufferRegion => (r.buffer === before ? mapRegionThrough(r, after, map, bounds) : r);
  const mapper: ChildMapper = {
    expr(e) {
      const x = mapExprChildren(e, mapper);
      return x.kind === "tir.BufferLoad" && x.buffer === before ? { ...x, buffer: after, indices: mapIndices(map, x.indices, bounds) } : x;
    },
    stmt(s): Stmt {
      if (s.kind === "tir.For") addBound(s.loopVar, s.min, s.extent);
      if (s.kind === "tir.Block") {
        for (const iv of s.iterVars) if (iv.dom) addBound(iv.var, iv.dom.min, iv.dom.extent);
        const t = mapStmtChildren({ ...s, reads: [], writes: [], allocBuffers: [] }, mapper);
        if (t.kind !== "tir.Block") return t;
        return { ...t, reads: s.reads.map(region), writes: s.writes.map(region), allocBuffers: s.allocBuffers.map((b) => (b === before ? after : b)) };
      }
      const t = mapStmtChildren(s, mapper);
      return t.kind === "tir.BufferStore" && t.buffer === before ? { ...t, buffer: after, indices: mapIndices(map, t.indices, bounds) } : t;
    },
  };
  return mapper.stmt(body);
}

function mapRegionThrough(r: BufferRegion, after: Buffer, map: IndexMap, bounds: Bounds): BufferRegion {
  if (r.region.every((d) => isConstInt(d.extent, 1))) {
    const indices = mapIndices(map, r.region.map((d) => d.min), bounds);
    return makeBufferRegion(after, indices.map((i) => makeRange(i, constant(1, i.dtype))));
  }
  const dom = new Map<AnyVar, Interval>();
  map.initialIndices.forEach((v, i) => {
    const d = r.region[i];
    if (d !== undefined) dom.set(v, intervalOfRange(d));
  });
  return makeBufferRegion(
    after,
    map.finalIndices.map((e, i) => {
      const range = evalInterval(e, dom);
      const whole = after.shape[i] ?? constant(1, e.dtype);
      return range === undefined ? makeRange(constant(0, whole.dtype), whole) : rangeOfInterval(range);
    }),
  );
}

/** What `transformBlockLayout` makes: the block has new variables, hence a new key. */
export interface RekeyedResult {
  readonly func: PrimFunc;
  readonly from: BlockKey;
  readonly to: BlockKey;
}

/**
 * The iteration space of a block changed by a map of its variables; its loops, which must bind them one to one, become
 * one loop for each new variable.
 */
export function transformBlockLayout(tree: FuncTree, realize: BlockRealize, map: IndexMap): RekeyedResult {
  const { block } = realize;
  if (map.initialIndices.length !== block.iterVars.length) {
    return refuse(`the index map takes ${map.initialIndices.length} indices, block \`${block.name}\` has ${block.iterVars.length} variables`, block);
  }
  const loops = tree.loopsOf(realize);
  const top = trivialNest(tree, realize, loops);
  const dom = new Map<AnyVar, Interval>();
  const extents = block.iterVars.map((iv, i) => {
    const extent = iv.dom && isConstInt(iv.dom.min, 0) ? asInt(iv.dom.extent) : undefined;
    const v = map.initialIndices[i];
    if (extent === undefined || iv.dom === undefined || v === undefined) return refuse(`the domain of \`${iv.var.name}\` is not constant from 0`, block);
    dom.set(v, intervalOfRange(iv.dom));
    return extent;
  });
  const fresh = map.finalIndices.map((e, i) => makeVar(`v${i}`, e.dtype));
  const values = invertIndexMap(map, extents, fresh);
  const iterVars = map.finalIndices.map((e, i) => {
    const range = evalInterval(e, dom);
    const v = fresh[i];
    if (range === undefined || v === undefined) return refuse("the extent of a new variable cannot be found", e);
    return makeIterVar(rangeOfInterval(range), v, typeOf(e, map, block));
  });
  const bounds = new Map<AnyVar, readonly [number, number]>();
  for (const iv of iterVars) bounds.set(iv.var, [0, (asInt(iv.dom?.extent ?? constant(1, "int32")) ?? 1) - 1]);
  const replaced = new Map<AnyVar, PrimExpr>();
  block.iterVars.forEach((iv, i) => {
    const v = map.initialIndices[i];
    const value = v && values.get(v);
    if (value !== undefined) replaced.set(iv.var, simplifyIndex(value, bounds));
  });
  const renewed: Block = { ...simplifyIndices(substitute({ ...block, iterVars: [] }, replaced), bounds), iterVars };
  const loopVars = iterVars.map((iv, i) => makeVar(`ax${i}`, iv.var.dtype));
  const nest = iterVars.reduceRight<Stmt>((body, iv, i) => {
    const v = loopVars[i];
    return v === undefined || iv.dom === undefined ? body : makeFor(v, constant(0, v.dtype), iv.dom.extent, body);
  }, makeBlockRealize(loopVars, constant(1, "bool"), renewed));
  return { func: replaceStmts(tree.func, new Map([[top, nest]])), from: blockKey(block), to: blockKey(renewed) };
}

function simplifyIndices(block: Stmt, bounds: Bounds): Block {
  const mapper: ChildMapper = {
    expr(e) {
      const x = mapExprChildren(e, mapper);
      return x.kind === "tir.BufferLoad" ? { ...x, indices: x.indices.map((i) => simplifyIndex(i, bounds)) } : x;
    },
    stmt(s) {
      const t = mapStmtChildren(s, mapper);
      return t.kind === "tir.BufferStore" ? { ...t, indices: t.indices.map((i) => simplifyIndex(i, bounds)) } : t;
    },
  };
  const mapped = mapper.stmt(block);
  if (mapped.kind !== "tir.Block") throw new Error("internal: a block was mapped to another statement");
  const region = (r: BufferRegion): BufferRegion => ({
    ...r,
    region: r.region.map((d) => ({ ...d, min: simplifyIndex(d.min, bounds), extent: simplifyIndex(d.extent, bounds) })),
  });
  return { ...mapped, reads: mapped.reads.map(region), writes: mapped.writes.map(region) };
}

function trivialNest(tree: FuncTree, realize: BlockRealize, loops: readonly For[]): Stmt {
  const bound = new Set<PrimExpr>();
  realize.iterValues.forEach((v, i) => {
    const iv = realize.block.iterVars[i];
    const unit = iv?.dom !== undefined && isConstInt(iv.dom.extent, 1);
    if (v.kind === "tir.Var" && loops.some((l) => l.loopVar === v) && !bound.has(v)) bound.add(v);
    else if (!unit) refuse(`\`${iv?.var.name ?? "?"}\` of block \`${realize.block.name}\` is not bound to one loop`, realize.block);
  });
  if (!isConstInt(realize.predicate, 1)) refuse(`block \`${realize.block.name}\` has a predicate`, realize.block);
  let top: Stmt = realize;
  for (let p = tree.parent(realize); p?.kind === "tir.For"; p = tree.parent(p)) top = p;
  const [outermost] = loops;
  if (outermost !== undefined && top !== outermost) refuse(`block \`${realize.block.name}\` is not alone in its loops`, realize.block);
  return top;
}

function typeOf(e: PrimExpr, map: IndexMap, block: Block): IterVarType {
  let type: IterVarType | undefined;
  map.initialIndices.forEach((v, i) => {
    const iv = block.iterVars[i];
    if (iv === undefined || !mentions(e, v)) return;
    if (type !== undefined && type !== iv.iterType) refuse(`\`${v.name}\` is of another kind than what it is combined with`, block);
    type = iv.iterType;
  });
  return type ?? "kDataPar";
}

function mentions(e: PrimExpr, v: Var): boolean {
  return substitute(e, new Map<AnyVar, PrimExpr>([[v, constant(0, v.dtype)]])) !== e;
}

/**
 * The initial indices in terms of the final ones. Solved where a final index is a mixed-radix sum of variables, or where
 * a variable is split into its quotient and remainder.
 */
export function invertIndexMap(map: IndexMap, extents: readonly number[], finals: readonly PrimExpr[]): ReadonlyMap<Var, PrimExpr> {
  const out = new Map<Var, PrimExpr>();
  map.finalIndices.forEach((e, i) => {
    const final = finals[i];
    const form = toLinear(e);
    if (final === undefined || form.offset !== 0 || !form.terms.every((t) => t.atom.kind === "tir.Var")) return;
    let scale = 1;
    const terms = [...form.terms].sort((a, b) => a.coeff - b.coeff);
    terms.forEach((t, k) => {
      const at = map.initialIndices.findIndex((v) => v === t.atom);
      const extent = extents[at];
      const v = map.initialIndices[at];
      if (extent === undefined || v === undefined || t.coeff !== scale) {
        // A variable of extent 1 may have any coefficient.
        if (v !== undefined && extent === 1) out.set(v, constant(0, v.dtype));
        else refuse("the index map cannot be inverted", e);
        return;
      }
      const quotient = floorDiv(final, constant(scale, final.dtype));
      out.set(v, k === terms.length - 1 ? quotient : floorMod(quotient, constant(extent, final.dtype)));
      scale *= extent;
    });
  });
  map.initialIndices.forEach((v, i) => {
    if (out.has(v)) return;
    if (extents[i] === 1) out.set(v, constant(0, v.dtype));
    else out.set(v, joinParts(map, v, finals));
  });
  return out;
}

function joinParts(map: IndexMap, v: Var, finals: readonly PrimExpr[]): PrimExpr {
  const partAt = (kind: "tir.FloorDiv" | "tir.FloorMod"): { readonly value: PrimExpr; readonly divisor: number } | undefined => {
    const at = map.finalIndices.findIndex((e) => e.kind === kind && e.a === v);
    const e = map.finalIndices[at];
    const value = finals[at];
    const divisor = e?.kind === kind ? asInt(e.b) : undefined;
    return value === undefined || divisor === undefined ? undefined : { value, divisor };
  };
  const quotient = partAt("tir.FloorDiv");
  const remainder = partAt("tir.FloorMod");
  if (quotient === undefined || remainder === undefined || quotient.divisor !== remainder.divisor) {
    return refuse(`the index map cannot be inverted for \`${v.name}\``, map);
  }
  return add(mul(quotient.value, constant(quotient.divisor, v.dtype)), remainder.value);
}
