import { deduceBound } from "../arith/deduce-bound.ts";
import { emptySet, intersectSets, intervalSet, type IntSet } from "../arith/int-set.ts";
import { Analyzer } from "../arith/analyzer.ts";
import type { AnyVar, BinaryExpr, IterVar, PrimExpr } from "../ir/expr.ts";
import { usesVar } from "../ir/free-vars.ts";
import { makeBinary } from "../ir/make-expr.ts";
import { add, constant, sub } from "../ir/ops.ts";
import type { Stmt } from "../ir/stmt.ts";
import { visitExpr, visitStmt, type Visitor } from "../ir/visit.ts";

/** Where a condition is known to hold, or to fail: the values of a loop's variable. */
export interface Condition {
  readonly condition: PrimExpr;
  readonly holds: boolean;
  readonly set: IntSet;
}

/** The variable whose conditions are looked for, and what is known of the others. */
export interface ConditionSearch {
  readonly v: AnyVar;
  readonly hint: ReadonlyMap<AnyVar, IntSet>;
  readonly relax: ReadonlyMap<AnyVar, IntSet>;
  /** All comparisons, not only those marked `T.likely`. */
  readonly all: boolean;
}

const INVERSE: Readonly<Partial<Record<BinaryExpr["kind"], "tir.LT" | "tir.GT" | "tir.LE" | "tir.GE" | "tir.EQ" | "tir.NE">>> = {
  "tir.LT": "tir.GE",
  "tir.GT": "tir.LE",
  "tir.LE": "tir.GT",
  "tir.GE": "tir.LT",
  "tir.EQ": "tir.NE",
  "tir.NE": "tir.EQ",
};

/**
 * The conditions in a body that a variable decides, for all values of the loops inside. Loops whose domain depends on
 * the variables around are left out.
 */
export function findConditions(body: Stmt, search: ConditionSearch): readonly Condition[] {
  const hint = new Map(search.hint);
  const relax = new Map(search.relax);
  const outside = new Set<AnyVar>([...hint.keys(), ...relax.keys()]);
  const out: Condition[] = [];
  const within = (v: AnyVar, set: IntSet, s: Stmt): "skip" => {
    const before = [hint.get(v), relax.get(v)] as const;
    hint.set(v, set);
    relax.set(v, set);
    visitStmt(s, visitor);
    for (const [map, old] of [[hint, before[0]], [relax, before[1]]] as const) {
      if (old === undefined) map.delete(v);
      else map.set(v, old);
    }
    return "skip";
  };
  const visitor: Visitor = {
    expr(e) {
      const name = e.kind === "tir.Call" && e.op.kind === "ir.Op" ? e.op.name : "";
      if (name === "tir.ignore_loop_partition") return "skip";
      const likely = name === "tir.likely" && e.kind === "tir.Call" ? e.args[0] : undefined;
      if (likely !== undefined) {
        out.push(...solve(likely, search, hint, relax));
        return "skip";
      }
      if (!search.all || INVERSE[e.kind as BinaryExpr["kind"]] === undefined) return undefined;
      out.push(...solve(e, search, hint, relax));
      return "skip";
    },
    stmt(s) {
      if (s.kind === "tir.For") {
        if (usesVar(s.min, (v) => outside.has(v)) || usesVar(s.extent, (v) => outside.has(v))) return "skip";
        return within(s.loopVar, intervalSet(s.min, sub(add(s.min, s.extent), 1)), s.body);
      }
      if (s.kind === "tir.AttrStmt" && s.attrKey === "thread_extent" && s.node?.kind === "tir.IterVar") {
        return within((s.node as IterVar).var, intervalSet(constant(0, s.value.dtype), sub(s.value, 1)), s.body);
      }
      return undefined;
    },
  };
  visitStmt(body, visitor);
  return out;
}

function solve(condition: PrimExpr, { v }: ConditionSearch, hint: ReadonlyMap<AnyVar, IntSet>, relax: ReadonlyMap<AnyVar, IntSet>): readonly Condition[] {
  let uses = false;
  visitExpr(condition, (e) => void (uses ||= e === v));
  if (!uses) return [];
  const out: Condition[] = [];
  let set: IntSet = deduceBound(v, condition, hint, relax);
  if (set.tag === "empty" && condition.kind === "tir.EQ") {
    const sides = (["tir.GE", "tir.LE"] as const).map((kind) => deduceBound(v, makeBinary(kind, condition.a, condition.b), hint, relax));
    set = sides.some((x) => x.tag === "empty") ? emptySet : intersectSets(sides, new Analyzer());
    if (set.tag === "interval") return [{ condition, holds: true, set }];
  }
  if (set.tag === "interval") out.push({ condition, holds: true, set });
  const inverse = INVERSE[condition.kind as BinaryExpr["kind"]];
  if (inverse === undefined || !("b" in condition)) return out;
  const fails = deduceBound(v, makeBinary(inverse, condition.a, condition.b), hint, relax);
  if (fails.tag === "interval") out.push({ condition, holds: false, set: fails });
  return out;
}
