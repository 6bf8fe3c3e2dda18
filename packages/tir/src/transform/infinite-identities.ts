import type { Pass } from "@verticil/ir-core";
import { isFloat } from "@verticil/runtime-ffi";
import type { Buffer } from "../ir/buffer.ts";
import type { PrimExpr } from "../ir/expr.ts";
import { mapStmtChildren } from "../ir/map-children.ts";
import { constant, maxValue, minValue } from "../ir/ops.ts";
import type { BufferStore, Stmt } from "../ir/stmt.ts";
import { visitStmt } from "../ir/visit.ts";
import { bodyPass } from "./prim-func-pass.ts";

/**
 * Lets maxima of floats start from minus infinity and minima from infinity, where they start from the last finite number:
 * of infinite elements the result is infinite then. Programs that keep upstream's text do without it.
 */
export function infiniteIdentities(): Pass {
  return bodyPass("InfiniteIdentities", (body) => {
    const starts = accumulators(body);
    return starts.size === 0 ? body : rewritten(body, starts);
  });
}

interface Start {
  readonly finite: number;
  readonly infinite: number;
}

/** Buffers whose elements are updated by a maximum or a minimum with themselves. */
function accumulators(body: Stmt): ReadonlyMap<Buffer, Start> {
  const out = new Map<Buffer, Start>();
  visitStmt(body, {
    stmt: (s) => {
      if (s.kind !== "tir.BufferStore" || !isFloat(s.value.dtype)) return;
      const { value } = s;
      if (value.kind !== "tir.Max" && value.kind !== "tir.Min") return;
      if (![value.a, value.b].some((e) => isOwn(e, s))) return;
      const first = value.kind === "tir.Max" ? minValue(value.dtype) : maxValue(value.dtype);
      if (first.kind === "ir.FloatImm") out.set(s.buffer, { finite: first.value, infinite: value.kind === "tir.Max" ? -Infinity : Infinity });
    },
  });
  return out;
}

function isOwn(e: PrimExpr, store: BufferStore): boolean {
  return e.kind === "tir.BufferLoad" && e.buffer === store.buffer;
}

function rewritten(s: Stmt, starts: ReadonlyMap<Buffer, Start>): Stmt {
  if (s.kind !== "tir.BufferStore") return mapStmtChildren(s, { expr: (e) => e, stmt: (c) => rewritten(c, starts) });
  const start = starts.get(s.buffer);
  const isStart = start !== undefined && s.value.kind === "ir.FloatImm" && s.value.value === start.finite;
  return isStart ? { ...s, value: constant(start.infinite, s.value.dtype) } : s;
}
