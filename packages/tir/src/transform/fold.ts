import type { AnyVar, PrimExpr } from "../ir/expr.ts";
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
import { renewDefs } from "../ir/substitute.ts";
import { forEachExprChild } from "../ir/visit.ts";
import { makeEvaluate, makeSeq } from "../ir/make-stmt.ts";
import { constant } from "../ir/ops.ts";

/** Folds the operation at the top of an expression whose parts are folded already. */
export function foldTop(e: PrimExpr): PrimExpr {
  if ("b" in e) {
    if (isFloat(e.a.dtype)) return e;
    const folded = operators[e.kind](e.a, e.b);
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

/**
 * `substituteAndFold` for each value of one variable, each copy but the first with definitions of its own. What does not
 * mention the variable, nor defines anything, is the same node in all.
 */
export function copiesWith(s: Stmt, v: AnyVar, values: readonly PrimExpr[]): readonly Stmt[] {
  const mentions = new Mentions(v);
  mentions.stmt(s);
  return values.map((value, i) => {
    const copy = foldingMapper((e) => (e === v ? value : undefined), mentions.found).stmt(s);
    return i === 0 || !mentions.defines ? copy : renewDefs(copy);
  });
}

/** Finds the statements and expressions that mention a variable, and whether any defines one. */
class Mentions implements ChildMapper {
  readonly found = new Set<Stmt | PrimExpr>();
  defines = false;
  readonly #v: AnyVar;
  #mentioned = false;

  constructor(v: AnyVar) {
    this.#v = v;
  }

  readonly expr = (e: PrimExpr): PrimExpr => {
    if (e.kind === "tir.Let" || e.kind === "tir.Reduce") this.defines = true;
    const before = this.#mentioned;
    this.#mentioned = e === this.#v;
    forEachExprChild(e, this.expr);
    if (this.#mentioned) this.found.add(e);
    this.#mentioned ||= before;
    return e;
  };

  readonly stmt = (s: Stmt): Stmt => {
    if (!definesNothing.has(s.kind)) this.defines = true;
    const before = this.#mentioned;
    this.#mentioned = false;
    mapStmtChildren(s, this);
    if (this.#mentioned) this.found.add(s);
    this.#mentioned ||= before;
    return s;
  };
}

/** Statements that declare no variable and no buffer. */
const definesNothing: ReadonlySet<Stmt["kind"]> = new Set<Stmt["kind"]>(["tir.BufferStore", "tir.Evaluate", "tir.SeqStmt", "tir.IfThenElse", "tir.While", "tir.AssertStmt"]);

/** Replaces the expressions that `replace` answers, outermost first, and folds what becomes constant. */
export function foldWith(s: Stmt, replace: (e: PrimExpr) => PrimExpr | undefined): Stmt {
  return foldingMapper(replace).stmt(s);
}

/** Only nodes in `concerned` are looked at, if that is given. */
function foldingMapper(replace: (e: PrimExpr) => PrimExpr | undefined, concerned?: ReadonlySet<Stmt | PrimExpr>): ChildMapper {
  const mapper: ChildMapper = {
    expr(e) {
      if (concerned?.has(e) === false) return e;
      const found = replace(e);
      if (found !== undefined) return found;
      const mapped = mapExprChildren(e, mapper);
      return mapped === e ? e : foldTop(mapped);
    },
    stmt(x) {
      if (concerned?.has(x) === false) return x;
      const mapped = mapStmtChildren(x, mapper);
      if (mapped.kind === "tir.IfThenElse" && isConstInt(mapped.condition)) {
        if (mapped.condition.value !== 0) return mapped.thenCase;
        return mapped.elseCase ?? makeEvaluate(constant(0, "int32"));
      }
      if (mapped.kind === "tir.SeqStmt" && mapped !== x) return dropEmpty(mapped.seq);
      return mapped;
    },
  };
  return mapper;
}

function dropEmpty(seq: readonly Stmt[]): Stmt {
  const kept = seq.filter((s) => !(s.kind === "tir.Evaluate" && s.value.kind === "ir.IntImm"));
  return kept.length === 0 ? makeEvaluate(constant(0, "int32")) : makeSeq(kept);
}

