import { makeVar } from "../ir/make-expr.ts";
import { mapStmtChildren } from "../ir/map-children.ts";
import { add, asInt, constant, min as least, mul, sub } from "../ir/ops.ts";
import type { For, Stmt } from "../ir/stmt.ts";
import { substitute } from "../ir/substitute.ts";
import { estimateWork } from "./loop-work.ts";

/** When a loop is worth being shared among threads. */
export interface ParallelOptions {
  /** Nanoseconds of a whole loop that are worth to begin with; 10 000 unless told. */
  readonly minWork?: number;
  /** Iterations of fewer nanoseconds are joined to some of so many; 200 unless told. */
  readonly minChunk?: number;
}

/** Iterations that are joined at all become so much longer than they have to be: what they share is computed once. */
const JOINED = 16;

/**
 * A flat program whose parallel loops are those that are worth it, outermost ones only, from 0; the others become
 * serial. Iterations that take little time are joined: of `for i in T.parallel(4000)`, say, 50 parallel iterations of 80.
 */
export function settleParallelLoops(stmt: Stmt, opts: ParallelOptions = {}): Stmt {
  const { minWork = 10_000, minChunk = 200 } = opts;
  const visit = (s: Stmt, inside: boolean): Stmt => {
    if (s.kind !== "tir.For" || s.forKind !== "parallel") return mapStmtChildren(s, { expr: (e) => e, stmt: (c) => visit(c, inside) });
    const [extent, min] = [asInt(s.extent), asInt(s.min)];
    const work = estimateWork(s.body);
    const worth = !inside && extent !== undefined && min !== undefined && extent > 1 && extent * work >= minWork;
    const body = visit(s.body, inside || worth);
    if (!worth) return { ...s, forKind: "serial", body };
    return chunked({ ...s, body }, extent, min, work >= minChunk ? 1 : chunkOf(extent, Math.min(Math.ceil(extent / 2), Math.ceil((JOINED * minChunk) / work))));
  };
  return visit(stmt, false);
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
