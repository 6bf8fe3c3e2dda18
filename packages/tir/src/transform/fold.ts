import type { AnyVar, PrimExpr } from "../ir/expr.ts";
import { isBinary } from "../ir/make-expr.ts";
import { mapExprChildren, mapStmtChildren, type ChildMapper } from "../ir/map-children.ts";
import {
  add,
  and,
  cast,
  div,
  eq,
  floorDiv,
  floorMod,
  ge,
  gt,
  isConstInt,
  le,
  lt,
  max,
  min,
  mul,
  ne,
  not,
  or,
  sub,
  truncMod,
} from "../ir/ops.ts";
import { isFloat } from "@verticil/runtime-ffi";
import type { Stmt } from "../ir/stmt.ts";
import { makeEvaluate, makeSeq } from "../ir/make-stmt.ts";
import { constant } from "../ir/ops.ts";

/** Folds the operation at the top of an expression whose parts are folded already. */
export function foldTop(e: PrimExpr): PrimExpr {
  if (isBinary(e)) {
    const f = operators[e.kind];
    if (isFloat(e.a.dtype)) return e;
    const folded = f(e.a, e.b);
    return folded.kind === e.kind && "a" in folded && folded.a === e.a && folded.b === e.b ? e : folded;
  }
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

const operators = {
  "tir.Add": add,
  "tir.Sub": sub,
  "tir.Mul": mul,
  "tir.Div": div,
  "tir.Mod": truncMod,
  "tir.FloorDiv": floorDiv,
  "tir.FloorMod": floorMod,
  "tir.Min": min,
  "tir.Max": max,
  "tir.EQ": eq,
  "tir.NE": ne,
  "tir.LT": lt,
  "tir.LE": le,
  "tir.GT": gt,
  "tir.GE": ge,
  "tir.And": and,
  "tir.Or": or,
} as const;

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
    stmt(x) {
      const mapped = mapStmtChildren(x, mapper);
      if (mapped.kind === "tir.IfThenElse" && isConstInt(mapped.condition)) {
        if (mapped.condition.value !== 0) return mapped.thenCase;
        return mapped.elseCase ?? makeEvaluate(constant(0, "int32"));
      }
      if (mapped.kind === "tir.SeqStmt" && mapped !== x) return dropEmpty(mapped.seq);
      return mapped;
    },
  };
  return mapper.stmt(s);
}

function dropEmpty(seq: readonly Stmt[]): Stmt {
  const kept = seq.filter((s) => !(s.kind === "tir.Evaluate" && s.value.kind === "ir.IntImm"));
  return kept.length === 0 ? makeEvaluate(constant(0, "int32")) : makeSeq(kept);
}

