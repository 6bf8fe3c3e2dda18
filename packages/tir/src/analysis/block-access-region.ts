import type { Buffer, BufferRegion } from "../ir/buffer.ts";
import type { AnyVar, PrimExpr, Range, Var } from "../ir/expr.ts";
import { makeRange } from "../ir/make-expr.ts";
import { makeBufferRegion } from "../ir/make-stmt.ts";
import { constant, asInt } from "../ir/ops.ts";
import type { Block, BlockRealize, Stmt } from "../ir/stmt.ts";
import { substitute } from "../ir/substitute.ts";
import { visitExpr, visitStmt, type Visitor } from "../ir/visit.ts";
import { evalInterval, hull, intervalOfRange, rangeOfInterval, type Interval } from "./symbolic-interval.ts";

/** What a block touches, in terms of its iteration variables. `opaque`: through a pointer, so that it may be either. */
export interface AccessRegions {
  readonly reads: readonly BufferRegion[];
  readonly writes: readonly BufferRegion[];
  readonly opaque: readonly BufferRegion[];
}

/** Regions by buffer, in order of first access; undefined stands for a dimension of which nothing is known. */
type RegionMap = Map<Buffer, (Interval | undefined)[]>;

/**
 * The regions of buffers that `block` reads and writes, found from its body and init; loops inside are ranged over and
 * nested blocks count with their declared regions. With an `init`, reading what the block itself writes is no read.
 * `pointers` lists the buffers that may be reached through a variable (upstream's `GetBlockAccessRegion`).
 */
export function getBlockAccessRegion(block: Block, pointers: ReadonlyMap<Var, Buffer> = new Map()): AccessRegions {
  const detector = new RegionDetector(block, pointers);
  detector.visit(block);
  const writes = toRegions(detector.writes);
  const excluded = new Set(block.init === undefined ? [] : detector.writes.keys());
  const inside = new Set(block.allocBuffers);
  const outside = (regions: readonly BufferRegion[]): readonly BufferRegion[] =>
    inside.size === 0 ? regions : regions.filter((r) => !inside.has(r.buffer)).map((r) => withoutLoads(r, inside));
  return {
    reads: outside(toRegions(detector.reads)).filter((r) => !excluded.has(r.buffer)),
    writes: outside(writes),
    opaque: outside(toRegions(detector.opaque)),
  };
}

/** A region that says all of a dimension where its place is read from one of `buffers`: outside they are not known. */
function withoutLoads(r: BufferRegion, buffers: ReadonlySet<Buffer>): BufferRegion {
  const isKnown = (e: PrimExpr): boolean => {
    let known = true;
    visitExpr(e, (x) => void (x.kind === "tir.BufferLoad" && buffers.has(x.buffer) && (known = false)));
    return known;
  };
  if (r.region.every((d) => isKnown(d.min) && isKnown(d.extent))) return r;
  return makeBufferRegion(r.buffer, r.region.map((d, i) => (isKnown(d.min) && isKnown(d.extent) ? d : toRange(undefined, r.buffer, i))));
}

/** As `getBlockAccessRegion`, with opaque accesses counted as both reads and writes. */
export function getBlockReadWriteRegion(
  block: Block,
  pointers: ReadonlyMap<Var, Buffer> = new Map(),
): Pick<AccessRegions, "reads" | "writes"> {
  const { reads, writes, opaque } = getBlockAccessRegion(block, pointers);
  return { reads: mergeRegions([...reads, ...opaque]), writes: mergeRegions([...writes, ...opaque]) };
}

/** Regions of the same buffer joined into the smallest region that holds them, in order of first mention. */
export function mergeRegions(regions: readonly BufferRegion[]): readonly BufferRegion[] {
  const map: RegionMap = new Map();
  for (const r of regions) addRegion(map, r.buffer, r.region.map(intervalOfRange));
  return toRegions(map);
}

function relaxRange(r: Range, dom: ReadonlyMap<AnyVar, Interval>): Interval | undefined {
  if (asInt(r.extent) === 1) return evalInterval(r.min, dom);
  const { min, max } = intervalOfRange(r);
  const low = evalInterval(min, dom);
  const high = evalInterval(max, dom);
  return low && high && { min: low.min, max: high.max };
}

/** All of a buffer. */
export function fullRegion(buffer: Buffer): BufferRegion {
  return makeBufferRegion(buffer, buffer.shape.map((d) => makeRange(constant(0, d.dtype), d)));
}

function addRegion(map: RegionMap, buffer: Buffer, dims: readonly (Interval | undefined)[]): void {
  const known = map.get(buffer);
  if (known === undefined) {
    map.set(buffer, [...dims]);
    return;
  }
  dims.forEach((d, i) => {
    const old = known[i];
    known[i] = d === undefined || old === undefined ? undefined : hull(old, d);
  });
}

function toRegions(map: RegionMap): readonly BufferRegion[] {
  return [...map].map(([buffer, dims]) => makeBufferRegion(buffer, dims.map((d, i) => toRange(d, buffer, i))));
}

function toRange(d: Interval | undefined, buffer: Buffer, i: number): Range {
  if (d !== undefined) return rangeOfInterval(d);
  const extent = buffer.shape[i] ?? constant(1, "int32");
  return makeRange(constant(0, extent.dtype), extent);
}

class RegionDetector {
  readonly reads: RegionMap = new Map();
  readonly writes: RegionMap = new Map();
  readonly opaque: RegionMap = new Map();
  readonly #dom = new Map<AnyVar, Interval>();
  readonly #lets = new Map<AnyVar, PrimExpr>();
  readonly #pointers: Map<Var, Buffer>;
  readonly #matched = new Map<Buffer, BufferRegion>();

  constructor(block: Block, pointers: ReadonlyMap<Var, Buffer>) {
    this.#pointers = new Map(pointers);
    for (const m of block.matchBuffers) {
      this.#matched.set(m.buffer, m.source);
      this.#pointers.set(m.buffer.data, m.buffer);
    }
    for (const b of block.allocBuffers) this.#pointers.set(b.data, b);
  }

  visit(block: Block): void {
    if (block.init) visitStmt(block.init, this.#visitor);
    visitStmt(block.body, this.#visitor);
  }

  readonly #visitor: Visitor = {
    expr: (e) => this.#expr(e),
    stmt: (s) => this.#stmt(s),
  };

  #expr(e: PrimExpr): void | "skip" {
    if (e.kind === "tir.BufferLoad") this.#add(this.reads, e.buffer, e.indices.map((i) => this.#pointOrVector(i)));
    else if (e.kind === "tir.Let") this.#lets.set(e.bind, e.value);
    else if (e.kind === "tir.Call" && e.op.kind === "ir.Op" && e.op.name === "tir.address_of") {
      const load = e.args[0];
      if (load?.kind !== "tir.BufferLoad") return undefined;
      this.#add(this.opaque, load.buffer, load.buffer.shape.map(() => undefined));
      for (const i of load.indices) visitExpr(i, this.#visitor);
      return "skip";
    } else if (e.kind === "tir.Var") {
      const buffer = this.#pointers.get(e);
      if (buffer !== undefined) this.#add(this.opaque, buffer, buffer.shape.map(() => undefined));
    }
    return undefined;
  }

  #stmt(s: Stmt): void | "skip" {
    switch (s.kind) {
      case "tir.For":
        this.#dom.set(s.loopVar, this.#relax(intervalOfRange(makeRange(s.min, s.extent))));
        return undefined;
      case "tir.LetStmt":
        this.#lets.set(s.bind, s.value);
        return undefined;
      case "tir.BufferStore":
        this.#add(this.writes, s.buffer, s.indices.map((i) => this.#pointOrVector(i)));
        return undefined;
      case "tir.BlockRealize":
        this.#nested(s);
        return "skip";
      default:
        return undefined;
    }
  }

  #nested(realize: BlockRealize): void {
    for (const v of [...realize.iterValues, realize.predicate]) visitExpr(v, this.#visitor);
    const { block } = realize;
    const bindings = new Map<AnyVar, PrimExpr>();
    block.iterVars.forEach((iv, i) => {
      const value = realize.iterValues[i];
      if (value !== undefined) bindings.set(iv.var, value);
    });
    for (const r of block.reads) this.#add(this.reads, r.buffer, this.#region(substitute(r, bindings)));
    for (const r of block.writes) this.#add(this.writes, r.buffer, this.#region(substitute(r, bindings)));
  }

  #region(r: BufferRegion): (Interval | undefined)[] {
    return r.region.map((d) => relaxRange({ ...d, min: this.#open(d.min), extent: this.#open(d.extent) }, this.#dom));
  }

  #relax(i: Interval): Interval {
    const low = evalInterval(this.#open(i.min), this.#dom);
    const high = evalInterval(this.#open(i.max), this.#dom);
    return low && high ? { min: low.min, max: high.max } : i;
  }

  #pointOrVector(e: PrimExpr): Interval | undefined {
    if (e.kind === "tir.Ramp") {
      const base = evalInterval(this.#open(e.base), this.#dom);
      const stride = asInt(e.stride);
      if (base === undefined || stride === undefined || e.lanes < 1) return undefined;
      const reach = constant(stride * (e.lanes - 1), e.base.dtype);
      const end = evalInterval({ kind: "tir.Add", dtype: e.base.dtype, a: base.max, b: reach }, new Map());
      if (end === undefined) return undefined;
      return stride >= 0 ? { min: base.min, max: end.max } : { min: end.min, max: base.max };
    }
    if (e.kind === "tir.Broadcast") return this.#pointOrVector(e.value);
    return evalInterval(this.#open(e), this.#dom);
  }

  #open(e: PrimExpr): PrimExpr {
    return this.#lets.size === 0 ? e : substitute(e, this.#lets);
  }

  /** An access through a matched buffer is one of its source. */
  #add(map: RegionMap, buffer: Buffer, dims: readonly (Interval | undefined)[]): void {
    const source = this.#matched.get(buffer);
    if (source === undefined) return addRegion(map, buffer, dims);
    const lead = source.region.length - dims.length;
    const mapped = source.region.map((d, i) => {
      const inner = i < lead ? undefined : dims[i - lead];
      if (i >= lead && inner !== undefined) {
        const min = evalInterval({ kind: "tir.Add", dtype: d.min.dtype, a: d.min, b: inner.min }, new Map());
        const max = evalInterval({ kind: "tir.Add", dtype: d.min.dtype, a: d.min, b: inner.max }, new Map());
        if (min && max) return { min: min.min, max: max.max };
      }
      return intervalOfRange(d);
    });
    addRegion(map, source.buffer, mapped);
  }
}
