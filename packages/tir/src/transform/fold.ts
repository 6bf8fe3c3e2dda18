import { isFloat } from "@verticil/runtime-ffi";
import { foldBinary } from "../arith/rules/compile-rule.ts";
import type { AnyVar, PrimExpr } from "../ir/expr.ts";
import { isBinary } from "../ir/make-expr.ts";
import { makeEvaluate, makeSeq } from "../ir/make-stmt.ts";
import { mapExprChildren, mapStmtChildren, type ChildMapper } from "../ir/map-children.ts";
import { cast, constant, isConstInt, not } from "../ir/ops.ts";
import type { Stmt } from "../ir/stmt.ts";

/** Folds the operation at the top of an expression whose parts are folded already. */
export function foldTop(e: PrimExpr): PrimExpr {
  if (isBinary(e)) return isFloat(e.a.dtype) ? e : (foldBinary(e.kind, e.a, e.b) ?? e);
  if (e.kind === "tir.Not") return isConstInt(e.a) ? not(e.a) : e;
  if (e.kind === "tir.Cast") return isConstInt(e.value) ? cast(e.dtype, e.value) : e;
  if (e.kind === "tir.Select" && isConstInt(e.condition)) return e.condition.value === 0 ? e.falseValue : e.trueValue;
  if (e.kind === "tir.Call" && e.op.kind === "ir.Op") {
    const [c, t, f] = e.args;
    if (e.op.name === "tir.if_then_else" && c && t && f && isConstInt(c)) return c.value === 0 ? f : t;
    if (e.op.name === "tir.likely" && c && isConstInt(c)) return c;
  }
  return e;
}

/**
 * Substitutes variables and folds what becomes constant, conditions included: what unrolling needs, without the cost of
 * a simplifier. Buffers are kept.
 */
export function substituteAndFold(s: Stmt, values: ReadonlyMap<AnyVar, PrimExpr>): Stmt {
  return foldWith(s, (e) => (e.kind === "tir.Var" || e.kind === "tir.SizeVar" ? values.get(e) : undefined));
}

/** Replaces the expressions that `replace` answers, outermost first, and folds what becomes constant. */
export function foldWith(s: Stmt, replace: (e: PrimExpr) => PrimExpr | undefined): Stmt {
  const mapper: ChildMapper = {
    expr(e) {
      const found = replace(e);
      if (found !== undefined) return found;
      const mapped = mapExprChildren(e, mapper);
      return mapped === e ? e : foldTop(mapped);
    },
    stmt: (x) => finishFold(x, mapStmtChildren(x, mapper)),
  };
  return mapper.stmt(s);
}

/** What a statement becomes whose parts are folded: one branch if the condition is known, no empty statements in a row. */
export function finishFold(before: Stmt, folded: Stmt): Stmt {
  if (folded.kind === "tir.IfThenElse" && isConstInt(folded.condition)) {
    if (folded.condition.value !== 0) return folded.thenCase;
    return folded.elseCase ?? makeEvaluate(constant(0, "int32"));
  }
  return folded.kind === "tir.SeqStmt" && folded !== before ? dropEmpty(folded.seq) : folded;
}

function dropEmpty(seq: readonly Stmt[]): Stmt {
  const kept = seq.filter((s) => !(s.kind === "tir.Evaluate" && s.value.kind === "ir.IntImm"));
  return kept.length === 0 ? makeEvaluate(constant(0, "int32")) : makeSeq(kept);
}
