import type { GlobalVar } from "@verticil/ir-core";
import { lanesOf, poolLayout } from "@verticil/runtime-ffi";
import { usesVar, type Call, type For } from "@verticil/tir";
import type { Callee, FuncContext } from "./context.ts";
import { single } from "./lanes.ts";
import type { Value } from "./value.ts";

/** A function that is one iteration of a parallel loop. */
export interface ParallelBody {
  readonly callee: Callee;
  /** Which of its parameters is the number of the iteration. */
  readonly position: number;
}

/** The parallel loops of a module. */
export interface ParallelSites {
  /** The address of the pool: see `poolLayout`. */
  readonly pool: number;
  /** The function `fork(body, extent)`, which returns when all iterations are done. */
  readonly fork: number;
  /** Whether a function has parallel loops itself, or calls one that has: it is nobody's iteration. */
  readonly isNested: (gv: GlobalVar) => boolean;
  /** The number by which a body is called. */
  readonly numberOf: (body: ParallelBody) => number;
}

/**
 * Writes a parallel loop: its arguments go into the pool, and `fork` gives pieces of it to all threads, of which there may be
 * one. False, and nothing is written, unless the loop's body is a call of a function with what does not change in the
 * loop, and the iteration's number once.
 */
export function codeParallel(cx: FuncContext & { readonly parallel: ParallelSites | undefined }, stmt: For, count: Value): boolean {
  const { graph, parallel } = cx;
  const call = parallel === undefined ? undefined : calledOnly(stmt);
  if (parallel === undefined || call?.op.kind !== "ir.GlobalVar" || parallel.isNested(call.op)) return false;
  const callee = cx.calleeOf(call.op);
  const position = call.args.findIndex((a) => a === stmt.loopVar);
  for (const [i, a] of call.args.entries()) {
    if (i === position) continue;
    const value = single(cx.expr(a));
    graph.emit({ kind: "store", op: `${value.type}.store`, addr: graph.i32(0), offset: argOffset(parallel.pool, i), value, lane: undefined });
  }
  const body = graph.i32(parallel.numberOf({ callee, position }));
  graph.emit({ kind: "call", func: parallel.fork, args: [body, count], result: undefined, drop: false });
  cx.epochs.allWritten((place) => !("region" in place));
  return true;
}

/** Where the pool keeps the `i`-th argument. */
export function argOffset(pool: number, i: number): number {
  return pool + poolLayout.args + 8 * i;
}

/** The call that is all that an iteration does, if it can be made by any thread. */
function calledOnly(loop: For): Call | undefined {
  if (loop.forKind !== "parallel" || loop.min.kind !== "ir.IntImm" || Number(loop.min.value) !== 0) return undefined;
  const { body } = loop;
  if (body.kind !== "tir.Evaluate" || body.value.kind !== "tir.Call" || body.value.dtype !== "void") return undefined;
  const { args } = body.value;
  const fits = args.length <= poolLayout.maxArgs && args.every((a) => lanesOf(a.dtype) === 1);
  const others = args.filter((a) => a !== loop.loopVar);
  return fits && others.length === args.length - 1 && !others.some((a) => usesVar(a, loop.loopVar)) ? body.value : undefined;
}
