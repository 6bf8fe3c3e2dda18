import { isFloat } from "@verticil/runtime-ffi";
import type { PrimExpr } from "../ir/expr.ts";
import { isBinary } from "../ir/make-expr.ts";
import { scopeOf } from "../ir/make-stmt.ts";
import { asInt } from "../ir/ops.ts";
import type { Stmt } from "../ir/stmt.ts";
import { forEachExprChild } from "../ir/visit.ts";

/**
 * Nanoseconds of what a flat program does with vectors of 128 bits, within a factor of about three on a current core:
 * one vector or scalar counts alike. Reads are cheaper than they look, since neighbouring iterations share most.
 */
const cost = { operation: 0.07, load: 0.05, store: 0.4, call: 1 } as const;

/**
 * Nanoseconds that a statement of a flat program takes, roughly: good for the question whether it is worth to be told
 * to another thread. A loop of unknown extent counts as one iteration.
 */
export function estimateWork(stmt: Stmt): number {
  switch (stmt.kind) {
    case "tir.For":
      return estimateWork(stmt.body) * (asInt(stmt.extent) ?? 1);
    case "tir.While":
      return estimateWork(stmt.body);
    case "tir.IfThenElse":
      return valueWork(stmt.condition) + Math.max(estimateWork(stmt.thenCase), stmt.elseCase === undefined ? 0 : estimateWork(stmt.elseCase));
    case "tir.BufferStore":
      return valueWork(stmt.value) + (scopeOf(stmt.buffer) === "local" ? 0 : cost.store);
    case "tir.LetStmt":
      return valueWork(stmt.value) + estimateWork(stmt.body);
    case "tir.Evaluate":
      return valueWork(stmt.value);
    case "tir.Prefetch":
      return 0;
    case "tir.SeqStmt":
      return stmt.seq.reduce((sum, s) => sum + estimateWork(s), 0);
    case "tir.BlockRealize":
      return estimateWork(stmt.block.body);
    case "tir.Block":
    case "tir.AttrStmt":
    case "tir.Allocate":
    case "tir.AllocateConst":
    case "tir.DeclBuffer":
    case "tir.BufferRealize":
    case "tir.AssertStmt":
      return estimateWork(stmt.body);
  }
}

/** What a value takes, without the arithmetic of indices. */
function valueWork(e: PrimExpr): number {
  if (e.kind === "tir.BufferLoad") return scopeOf(e.buffer) === "local" ? 0 : cost.load;
  let work = 0;
  forEachExprChild(e, (c) => void (work += valueWork(c)));
  if (e.kind === "tir.Call") return work + (e.op.kind === "ir.GlobalVar" ? cost.call : cost.operation);
  return isBinary(e) || e.kind === "tir.Select" || (e.kind === "tir.Cast" && isFloat(e.dtype)) ? work + cost.operation : work;
}
