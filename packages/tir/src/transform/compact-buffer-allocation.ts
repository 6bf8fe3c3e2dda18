import { at, type Pass } from "@verticil/ir-core";
import { evalInterval, hull, type Interval } from "../analysis/symbolic-interval.ts";
import { Analyzer } from "../arith/analyzer.ts";
import type { Buffer, BufferRegion } from "../ir/buffer.ts";
import type { AnyVar, IterVar, PrimExpr, Range } from "../ir/expr.ts";
import { makeRange } from "../ir/make-expr.ts";
import { scopeOf } from "../ir/make-stmt.ts";
import { mapExprChildren, mapItems, mapStmtChildren, type ChildMapper } from "../ir/map-children.ts";
import { add, asInt, constant, floorMod, isConstInt, max, min, mul, not, sub } from "../ir/ops.ts";
import type { Block, PrimFunc, Stmt } from "../ir/stmt.ts";
import { visitExpr, visitStmt, type Visitor } from "../ir/visit.ts";
import { isSharedAmong } from "../schedule/block-relations.ts";
import { primFuncPass, withBody } from "./prim-func-pass.ts";
import { storageAlignments, type StorageAlignment, type StorageAlignments } from "./storage-alignments.ts";

/**
 * Shrinks what blocks allocate to the part that is touched at a time, and shifts the accesses (upstream's
 * `CompactBufferAllocation`). Expects blocks without iteration variables. Buffers that are reached through their pointer,
 * or have strides, keep their size.
 */
export function compactBufferAllocation(options: CompactOptions = {}): Pass {
  return primFuncPass("CompactBufferAllocation", (func) => compactFunc(func, options));
}

/** How tight the regions are. */
export interface CompactOptions {
  /** Off: what is touched beyond the buffer's bounds counts, too (upstream's `is_strict`). */
  readonly strict?: boolean;
  /**
   * Off: conditions around accesses are not looked at. Code that reads before it decides, as vectors do, needs what a
   * condition would have ruled out.
   */
  readonly conditions?: boolean;
}

/** A variable that is ranged over inside of the place of an allocation, innermost last. */
interface Loop {
  readonly v: AnyVar;
  readonly range: Interval;
  /** The thread axis that it is; empty for a plain loop. */
  readonly thread: string;
}

interface Usage {
  readonly buffer: Buffer;
  /** How many loops enclose the allocation. */
  readonly depth: number;
  region: (Interval | undefined)[] | undefined;
  /** Not to be touched. */
  opaque: boolean;
}

interface Compact {
  readonly buffer: Buffer;
  readonly mins: readonly PrimExpr[];
}

function compactFunc(func: PrimFunc, options: CompactOptions): PrimFunc {
  const analyzer = new Analyzer();
  const usages = collectUsages(func, analyzer, options.conditions !== false);
  const plans = usages.length === 0 ? new Map<Buffer, Compact>() : planCompaction(usages, analyzer, storageAlignments(func.body), options.strict !== false);
  return plans.size === 0 ? func : withBody(func, shiftAccesses(func.body, plans));
}

function collectUsages(func: PrimFunc, analyzer: Analyzer, useConditions: boolean): readonly Usage[] {
  const usages = new Map<Buffer, Usage>();
  const byPointer = new Map<AnyVar, Usage>();
  const loops: Loop[] = [];
  const opaqueVars = new Set<AnyVar>();
  let conditions = 0;
  const under = (condition: PrimExpr, visit: () => void): void => {
    if (!useConditions || isConstInt(condition) || condition.dtype !== "bool") return visit();
    conditions++;
    analyzer.withConstraint(condition, visit);
    conditions--;
  };

  const touch = (buffer: Buffer, dims: readonly Interval[]): void => {
    const usage = usages.get(buffer);
    if (usage === undefined) {
      const alias = byPointer.get(buffer.data);
      if (alias !== undefined) alias.opaque = true;
      return;
    }
    // Threads around the allocation share the memory, unless each has its own.
    const inner = loops.filter((l, i) => i >= usage.depth || (l.thread !== "" && isSharedAmong(scopeOf(buffer), l.thread)));
    const relaxed = dims.map((d) => {
      const region = relax(d, inner, opaqueVars);
      return conditions === 0 || region === undefined ? region : bounded(region, d, analyzer);
    });
    const known = usage.region;
    usage.region = known === undefined ? relaxed : known.map((old, i) => join(old, relaxed[i]));
  };
  const point = (e: PrimExpr): Interval => ({ min: e, max: e });
  const span = (r: Range): Interval => ({ min: r.min, max: sub(add(r.min, r.extent), 1) });

  const visitor: Visitor = {
    expr(e) {
      if (e.kind === "tir.BufferLoad") touch(e.buffer, e.indices.map(point));
      if (e.kind === "tir.Var") {
        const usage = byPointer.get(e);
        if (usage !== undefined) usage.opaque = true;
      }
      if (e.kind === "tir.Let") opaqueVars.add(e.bind);
      const [condition, yes, no] = e.kind === "tir.Call" && e.op.kind === "ir.Op" && e.op.name === "tir.if_then_else" ? e.args : [];
      if (condition === undefined || yes === undefined || no === undefined) return undefined;
      visitExpr(condition, visitor);
      under(condition, () => visitExpr(yes, visitor));
      under(not(condition), () => visitExpr(no, visitor));
      return "skip";
    },
    stmt(s) {
      switch (s.kind) {
        case "tir.BufferStore":
          touch(s.buffer, s.indices.map(point));
          return undefined;
        case "tir.LetStmt":
          opaqueVars.add(s.bind);
          return undefined;
        case "tir.IfThenElse": {
          const { elseCase } = s;
          visitExpr(s.condition, visitor);
          under(s.condition, () => visitStmt(s.thenCase, visitor));
          if (elseCase !== undefined) under(not(s.condition), () => visitStmt(elseCase, visitor));
          return "skip";
        }
        case "tir.BlockRealize":
          visitExpr(s.predicate, visitor);
          under(s.predicate, () => visitStmt(s.block, visitor));
          return "skip";
        case "tir.For": {
          visitExpr(s.min, visitor);
          visitExpr(s.extent, visitor);
          analyzer.bind(s.loopVar, makeRange(s.min, s.extent), { override: true });
          loops.push({ v: s.loopVar, range: span(makeRange(s.min, s.extent)), thread: s.threadBinding?.threadTag ?? "" });
          visitStmt(s.body, visitor);
          loops.pop();
          return "skip";
        }
        case "tir.AttrStmt": {
          if (s.attrKey !== "thread_extent" || s.node?.kind !== "tir.IterVar") return undefined;
          const { var: v, threadTag } = s.node as IterVar;
          const range = makeRange(constant(0, s.value.dtype), s.value);
          analyzer.bind(v, range, { override: true });
          loops.push({ v, range: span(range), thread: threadTag });
          visitStmt(s.body, visitor);
          loops.pop();
          return "skip";
        }
        case "tir.Block": {
          for (const b of s.allocBuffers) {
            const usage: Usage = { buffer: b, depth: loops.length, region: undefined, opaque: b.strides.length > 0 };
            usages.set(b, usage);
            byPointer.set(b.data, usage);
          }
          for (const m of s.matchBuffers) touch(m.source.buffer, m.source.region.map(span));
          // The declared regions are not accesses: what the body does counts.
          if (s.init) visitStmt(s.init, visitor);
          visitStmt(s.body, visitor);
          return "skip";
        }
        default:
          return undefined;
      }
    },
  };
  visitStmt(func.body, visitor);
  return [...usages.values()];
}

/** The region without what the conditions around rule out for the place itself. */
function bounded(region: Interval, at: Interval, analyzer: Analyzer): Interval {
  const [low, high] = [analyzer.constIntBound(at.min).min, analyzer.constIntBound(at.max).max];
  const [first, last] = [asInt(region.min), asInt(region.max)];
  return {
    min: first !== undefined && Number.isFinite(low) && low > first ? constant(low, region.min.dtype) : region.min,
    max: last !== undefined && Number.isFinite(high) && high < last ? constant(high, region.max.dtype) : region.max,
  };
}

function join(a: Interval | undefined, b: Interval | undefined): Interval | undefined {
  return a && b && hull(a, b);
}

/** The interval while the inner loops run, from the innermost outwards. */
function relax(interval: Interval, inner: readonly Loop[], opaque: ReadonlySet<AnyVar>): Interval | undefined {
  let current: Interval | undefined = interval;
  for (let i = inner.length - 1; i >= 0 && current !== undefined; i--) {
    const { v, range } = at(inner, i);
    const dom = new Map([[v, range]]);
    const low: Interval | undefined = evalInterval(current.min, dom);
    const high: Interval | undefined = current.max === current.min ? low : evalInterval(current.max, dom);
    current = low && high && { min: low.min, max: high.max };
  }
  if (current === undefined) return undefined;
  const fixed = (e: PrimExpr): boolean => {
    let ok = true;
    visitExpr(e, (x) => {
      if (x.kind === "tir.BufferLoad" || (x.kind === "tir.Var" && opaque.has(x))) ok = false;
    });
    return ok;
  };
  return fixed(current.min) && fixed(current.max) ? current : undefined;
}

function planCompaction(usages: readonly Usage[], analyzer: Analyzer, alignments: StorageAlignments, strict: boolean): ReadonlyMap<Buffer, Compact> {
  const plans = new Map<Buffer, Compact>();
  for (const { buffer, region, opaque } of usages) {
    if (opaque || region === undefined) continue;
    let smaller = false;
    const dims = buffer.shape.map((extent, i) => {
      const zero = constant(0, extent.dtype);
      const keep = { min: zero, extent };
      const interval = region[i];
      if (interval === undefined) return keep;
      const low = analyzer.simplify(strict ? max(interval.min, zero) : interval.min);
      const high = analyzer.simplify(strict ? min(interval.max, sub(extent, 1)) : interval.max);
      const length = asInt(extent);
      // A tile that sticks out of the buffer is no longer than one that does not, which may be all that can be shown.
      const needed = Math.min(longest(low, high, analyzer), longest(interval.min, interval.max, analyzer));
      if (!Number.isFinite(needed) || needed < 1 || (strict && length !== undefined && needed >= length)) return keep;
      smaller = true;
      return { min: low, extent: constant(needed, extent.dtype) };
    });
    const alignment = alignments.get(buffer.data);
    if (!smaller && alignment === undefined) continue;
    const shape = dims.map((d) => d.extent);
    const strides = alignment === undefined ? buffer.strides : alignedStrides(shape, alignment, analyzer);
    plans.set(buffer, { buffer: { ...buffer, shape, strides }, mins: dims.map((d) => d.min) });
  }
  return plans;
}

/** The most elements that there are from `low` to `high`. */
function longest(low: PrimExpr, high: PrimExpr, analyzer: Analyzer): number {
  return analyzer.constIntBound(analyzer.simplify(add(sub(high, low), 1))).max;
}

/** Compact strides, those of aligned axes rounded up to `factor * n + offset`. */
function alignedStrides(shape: readonly PrimExpr[], alignment: StorageAlignment, analyzer: Analyzer): readonly PrimExpr[] {
  const strides: PrimExpr[] = [];
  let stride: PrimExpr = constant(1, shape[0]?.dtype ?? "int32");
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const wanted = alignment.find((entry) => entry[1] === axis);
    if (wanted !== undefined) {
      const [, , factor, offset] = wanted;
      stride = analyzer.simplify(add(stride, floorMod(sub(factor + offset, floorMod(stride, factor)), factor)));
    }
    strides[axis] = stride;
    stride = mul(stride, at(shape, axis));
  }
  return strides;
}

function shiftAccesses(body: Stmt, plans: ReadonlyMap<Buffer, Compact>): Stmt {
  const analyzer = new Analyzer();
  const shift = (e: PrimExpr, low: PrimExpr): PrimExpr => (asInt(low) === 0 ? e : analyzer.simplify(sub(e, low)));
  const shiftRegion = (r: BufferRegion): BufferRegion => {
    const plan = plans.get(r.buffer);
    if (plan === undefined) return r;
    const region = r.region.map((d, i) => ({ ...d, min: shift(d.min, at(plan.mins, i)) }));
    return { ...r, buffer: plan.buffer, region };
  };
  const mapper: ChildMapper = {
    expr(e) {
      const mapped = mapExprChildren(e, mapper);
      if (mapped.kind !== "tir.BufferLoad") return mapped;
      const plan = plans.get(mapped.buffer);
      if (plan === undefined) return mapped;
      return { ...mapped, buffer: plan.buffer, indices: mapped.indices.map((x, i) => shift(x, at(plan.mins, i))) };
    },
    stmt(s) {
      if (s.kind === "tir.For") analyzer.bind(s.loopVar, makeRange(s.min, s.extent), { override: true });
      const mapped = mapStmtChildren(s, mapper);
      if (mapped.kind === "tir.BufferStore") {
        const plan = plans.get(mapped.buffer);
        if (plan === undefined) return mapped;
        return { ...mapped, buffer: plan.buffer, indices: mapped.indices.map((x, i) => shift(x, at(plan.mins, i))) };
      }
      return mapped.kind === "tir.Block" ? shiftBlock(mapped) : mapped;
    },
  };
  const shiftBlock = (s: Block): Block => ({
    ...s,
    allocBuffers: mapItems(s.allocBuffers, (b) => plans.get(b)?.buffer ?? b),
    reads: mapItems(s.reads, shiftRegion),
    writes: mapItems(s.writes, shiftRegion),
    matchBuffers: mapItems(s.matchBuffers, (m) => ({ ...m, source: shiftRegion(m.source) })),
  });
  return mapper.stmt(body);
}
