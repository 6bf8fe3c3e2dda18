import { at, type Pass } from "@verticil/ir-core";
import { evalInterval, hull, type Interval } from "../analysis/symbolic-interval.ts";
import { Analyzer } from "../arith/analyzer.ts";
import type { Buffer, BufferRegion } from "../ir/buffer.ts";
import type { AnyVar, PrimExpr, Range } from "../ir/expr.ts";
import { makeRange } from "../ir/make-expr.ts";
import { mapExprChildren, mapItems, mapStmtChildren, type ChildMapper } from "../ir/map-children.ts";
import { add, asInt, constant, max, min, sub } from "../ir/ops.ts";
import type { Block, PrimFunc, Stmt } from "../ir/stmt.ts";
import { visitExpr, visitStmt, type Visitor } from "../ir/visit.ts";
import { primFuncPass, withBody } from "./prim-func-pass.ts";

/**
 * Shrinks what blocks allocate to the part that is touched at a time, and shifts the accesses (upstream's
 * `CompactBufferAllocation`). Expects blocks without iteration variables. Buffers that are reached through their pointer,
 * or have strides, keep their size.
 */
export function compactBufferAllocation(): Pass {
  return primFuncPass("CompactBufferAllocation", compactFunc);
}

/** A variable that is ranged over inside of the place of an allocation, innermost last. */
interface Loop {
  readonly v: AnyVar;
  readonly range: Interval;
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

function compactFunc(func: PrimFunc): PrimFunc {
  const analyzer = new Analyzer();
  const plans = planCompaction(collectUsages(func, analyzer), analyzer);
  return plans.size === 0 ? func : withBody(func, shiftAccesses(func.body, plans));
}

function collectUsages(func: PrimFunc, analyzer: Analyzer): readonly Usage[] {
  const usages = new Map<Buffer, Usage>();
  const byPointer = new Map<AnyVar, Usage>();
  const loops: Loop[] = [];
  const opaqueVars = new Set<AnyVar>();

  const touch = (buffer: Buffer, dims: readonly Interval[]): void => {
    const usage = usages.get(buffer);
    if (usage === undefined) {
      const alias = byPointer.get(buffer.data);
      if (alias !== undefined) alias.opaque = true;
      return;
    }
    const inner = loops.slice(usage.depth);
    const relaxed = dims.map((d) => relax(d, inner, opaqueVars));
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
      return undefined;
    },
    stmt(s) {
      switch (s.kind) {
        case "tir.BufferStore":
          touch(s.buffer, s.indices.map(point));
          return undefined;
        case "tir.LetStmt":
          opaqueVars.add(s.bind);
          return undefined;
        case "tir.For": {
          visitExpr(s.min, visitor);
          visitExpr(s.extent, visitor);
          analyzer.bind(s.loopVar, makeRange(s.min, s.extent), { override: true });
          loops.push({ v: s.loopVar, range: span(makeRange(s.min, s.extent)) });
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

function planCompaction(usages: readonly Usage[], analyzer: Analyzer): ReadonlyMap<Buffer, Compact> {
  const plans = new Map<Buffer, Compact>();
  for (const { buffer, region, opaque } of usages) {
    if (opaque || region === undefined) continue;
    let smaller = false;
    const dims = buffer.shape.map((extent, i) => {
      const zero = constant(0, extent.dtype);
      const keep = { min: zero, extent };
      const interval = region[i];
      if (interval === undefined) return keep;
      const low = analyzer.simplify(max(interval.min, zero));
      const high = analyzer.simplify(min(interval.max, sub(extent, 1)));
      const length = asInt(extent);
      const needed = analyzer.constIntBound(analyzer.simplify(add(sub(high, low), 1))).max;
      if (!Number.isFinite(needed) || needed < 1 || (length !== undefined && needed >= length)) return keep;
      smaller = true;
      return { min: low, extent: constant(needed, extent.dtype) };
    });
    if (!smaller) continue;
    plans.set(buffer, { buffer: { ...buffer, shape: dims.map((d) => d.extent) }, mins: dims.map((d) => d.min) });
  }
  return plans;
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
