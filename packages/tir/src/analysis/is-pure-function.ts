import { Diagnostics, throwIfErrors } from "@verticil/ir-core";
import type { AnyVar } from "../ir/expr.ts";
import type { PrimFunc } from "../ir/stmt.ts";
import { visitStmt } from "../ir/visit.ts";
import { analysisDiagnostics } from "./diagnostics.ts";
import { callEffect } from "./side-effect.ts";

/** True if a function has no effect but its result: it writes to memory of its own only (upstream's `is_pure_function`). */
export function isPureFunction(func: PrimFunc): boolean {
  return impurities(func).all.length === 0;
}

/** @throws DiagnosticError that names every effect (upstream's `assert_pure_function`). */
export function assertPureFunction(func: PrimFunc): void {
  throwIfErrors(impurities(func));
}

function impurities(func: PrimFunc): Diagnostics {
  const diagnostics = new Diagnostics();
  const report = diagnostics.reporter("tir", analysisDiagnostics);
  const own = new Set<AnyVar>();
  visitStmt(func.body, {
    stmt(s) {
      if (s.kind === "tir.Allocate") own.add(s.bufferVar);
      if (s.kind === "tir.Block") for (const b of s.allocBuffers) own.add(b.data);
      if (s.kind === "tir.BufferStore" && !own.has(s.buffer.data)) report("impure-store", { buffer: s.buffer.name }, s.span);
    },
    expr(e) {
      if (e.kind === "tir.Call" && callEffect(e) === "update") report("impure-call", { op: e.op.name }, e.span);
    },
  });
  return diagnostics;
}
