import type { IRModule } from "@verticil/ir-core";
import { isFloat } from "@verticil/runtime-ffi";
import type { PrimExpr } from "../ir/expr.ts";
import { isBinary } from "../ir/make-expr.ts";
import { asInt } from "../ir/ops.ts";
import type { PrimFunc, Stmt } from "../ir/stmt.ts";
import { forEachExprChild, visitStmt } from "../ir/visit.ts";

/**
 * The arithmetic of a tensor program, each operation on a value counting as one, index arithmetic left out (upstream's
 * `estimate_tir_flops`, which counts integer operations too). A loop counts as often as it runs, one of unknown extent
 * once; of two branches the larger counts. A function annotated with `estimated_flops` says it itself.
 */
export function estimateTirFlops(node: IRModule | PrimFunc): number {
  if (node.kind === "tir.PrimFunc") {
    const known = node.attrs["estimated_flops"];
    return typeof known === "number" ? known : flopsOf(node.body);
  }
  let total = 0;
  for (const func of node.functions.values()) if (func.kind === "tir.PrimFunc") total += estimateTirFlops(func as PrimFunc);
  return total;
}

function flopsOf(root: Stmt): number {
  switch (root.kind) {
    case "tir.For":
      return flopsOf(root.body) * (asInt(root.extent) ?? 1);
    case "tir.IfThenElse":
      return exprFlops(root.condition) + Math.max(flopsOf(root.thenCase), root.elseCase ? flopsOf(root.elseCase) : 0);
    case "tir.BufferStore":
      return exprFlops(root.value);
    case "tir.LetStmt":
      return exprFlops(root.value) + flopsOf(root.body);
    case "tir.Evaluate":
      return exprFlops(root.value);
    case "tir.AttrStmt": {
      const thread = root.attrKey === "thread_extent" || root.attrKey === "virtual_thread";
      return flopsOf(root.body) * (thread ? (asInt(root.value) ?? 1) : 1);
    }
    case "tir.SeqStmt":
      return root.seq.reduce((n, s) => n + flopsOf(s), 0);
    case "tir.BlockRealize":
      return flopsOf(root.block.body);
    case "tir.Block":
      return flopsOf(root.body);
    case "tir.While": {
      let stores = 0;
      visitStmt(root.body, { stmt: (s) => void (s.kind === "tir.BufferStore" && (stores += exprFlops(s.value))) });
      return stores;
    }
    case "tir.Allocate":
    case "tir.AllocateConst":
    case "tir.DeclBuffer":
    case "tir.BufferRealize":
    case "tir.AssertStmt":
      return flopsOf(root.body);
    case "tir.Prefetch":
      return 0;
  }
}

const COMPARES = /^tir\.(EQ|NE|LT|LE|GT|GE|And|Or)$/;

/** Operations on values: those that are floating point, or compare values that are. */
function exprFlops(e: PrimExpr): number {
  let inner = 0;
  if (e.kind !== "tir.BufferLoad") forEachExprChild(e, (c) => void (inner += exprFlops(c)));
  if (isBinary(e)) return inner + (isFloat(e.dtype) || (COMPARES.test(e.kind) && isFloat(e.a.dtype)) ? 1 : 0);
  if (e.kind === "tir.Select") return inner + (isFloat(e.dtype) ? 1 : 0);
  if (e.kind === "tir.Call" && e.op.kind === "ir.Op" && isFloat(e.dtype)) return inner + (e.op.name === "tir.if_then_else" ? 0 : 1);
  return inner;
}
