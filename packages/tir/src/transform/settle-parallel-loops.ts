import { makeVar } from "../ir/make-expr.ts";
import { makeLetStmt } from "../ir/make-stmt.ts";
import { mapStmtChildren } from "../ir/map-children.ts";
import { add, asInt, constant, div, min as least, mul, sub } from "../ir/ops.ts";
import type { PrimExpr, Var } from "../ir/expr.ts";
import type { For, Stmt } from "../ir/stmt.ts";
import { substitute } from "../ir/substitute.ts";
import { estimateWork } from "./loop-work.ts";

/** When a loop is worth being shared among threads. */
export interface ParallelOptions {
  /** Nanoseconds of a whole loop that are worth to begin with; 10 000 unless told. */
  readonly minWork?: number;
  /** Iterations of fewer nanoseconds are joined to some of so many; 200 unless told. */
  readonly minChunk?: number;
  /** Iterations of a nested parallel loop that take so many nanoseconds are worth to be shared on their own; 500 unless told. */
  readonly minNested?: number;
}

/** A loop of this many iterations keeps a few threads busy to the end. */
const ENOUGH = 8;

/** Iterations that are joined at all become so much longer than they have to be: what they share is computed once. */
const JOINED = 16;

/**
 * A flat program whose parallel loops are those that are worth it, outermost ones only, from 0; the others become
 * serial. An outer loop of few iterations takes those of the parallel loop that is all of its body, so that there is one
 * loop to share, and enough of it: of `for i, j in T.grid(6, 40)`, say, 240 iterations. Iterations that take little time
 * are joined: of `for i in T.parallel(4000)`, say, 50 parallel iterations of 80.
 */
export function settleParallelLoops(stmt: Stmt, opts: ParallelOptions = {}): Stmt {
  const { minWork = 10_000, minChunk = 200, minNested = 500 } = opts;
  const visit = (s: Stmt, inside: boolean): Stmt => {
    if (s.kind !== "tir.For" || s.forKind !== "parallel") return mapStmtChildren(s, { expr: (e) => e, stmt: (c) => visit(c, inside) });
    const worth = !inside && asInt(s.min) !== undefined && (asInt(s.extent) ?? 1) > 1 && estimateWork(s) >= minWork;
    if (!worth) return { ...s, forKind: "serial", body: visit(s.body, inside) };
    const loop = flattened(s, minNested);
    const [extent, min] = [asInt(loop.extent) ?? 1, asInt(loop.min) ?? 0];
    const work = estimateWork(loop.body);
    const body = visit(loop.body, true);
    return chunked({ ...loop, body }, extent, min, work >= minChunk ? 1 : chunkOf(extent, Math.min(Math.ceil(extent / 2), Math.ceil((JOINED * minChunk) / work))));
  };
  return visit(stmt, false);
}

/** A parallel loop of few iterations as one loop with those directly inside it, as long as their iterations take `least` nanoseconds. */
function flattened(loop: For, least: number): For {
  const nest = [loop];
  let count = asInt(loop.extent) ?? ENOUGH;
  for (let inner = loop.body; count < ENOUGH && isNestable(inner) && estimateWork(inner.body) >= least; inner = inner.body) {
    count *= asInt(inner.extent) ?? 1;
    nest.push(inner);
  }
  const innermost = nest.at(-1);
  if (innermost === undefined || innermost === loop) return loop;
  const { dtype } = loop.loopVar;
  const all = makeVar(nest.map((l) => l.loopVar.name).join("_"), dtype);
  const values = new Map<Var, PrimExpr>();
  const quotients: { readonly bind: Var; readonly value: PrimExpr }[] = [];
  const digits = nest.slice(1).reduceRight((rest, l) => {
    const bind = makeVar(`${all.name}_outer`, dtype);
    quotients.unshift({ bind, value: div(rest, l.extent) });
    values.set(l.loopVar, add(sub(rest, mul(bind, l.extent)), l.min));
    return bind;
  }, all);
  values.set(loop.loopVar, add(digits, loop.min));
  const body = quotients.reduce((inner, { bind, value }) => makeLetStmt(bind, value, inner), substitute(innermost.body, values));
  return { ...loop, loopVar: all, min: constant(0, dtype), extent: constant(count, dtype), body };
}

function isNestable(s: Stmt): s is For {
  return s.kind === "tir.For" && s.forKind === "parallel" && asInt(s.extent) !== undefined && asInt(s.min) !== undefined;
}

/** `atLeast` iterations or some more of `extent`: a divisor where there is one that is not much larger. */
function chunkOf(extent: number, atLeast: number): number {
  for (let n = atLeast; n <= 2 * atLeast && n <= extent; n++) if (extent % n === 0 && extent > n) return n;
  return atLeast;
}

/** `loop` as parallel chunks of `size` iterations. */
function chunked(loop: For, extent: number, min: number, size: number): For {
  if (size === 1 && min === 0) return loop;
  const { dtype, name } = loop.loopVar;
  const chunk = makeVar(`${name}_chunk`, dtype);
  const first = mul(chunk, size);
  const at = (i: ReturnType<typeof add>): Stmt => substitute(loop.body, new Map([[loop.loopVar, add(i, min)]]));
  const chunks = Math.ceil(extent / size);
  const parallel = { ...loop, loopVar: chunk, min: constant(0, dtype), extent: constant(chunks, dtype) };
  if (size === 1) return { ...parallel, body: at(chunk) };
  const inner = makeVar(name, dtype);
  const count = extent % size === 0 ? constant(size, dtype) : least(constant(size, dtype), sub(extent, first));
  return { ...parallel, body: { ...loop, loopVar: inner, min: constant(0, dtype), extent: count, forKind: "serial", body: at(add(first, inner)) } };
}
