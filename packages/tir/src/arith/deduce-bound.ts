import { isInteger } from "@verticil/runtime-ffi";
import type { AnyVar, PrimExpr } from "../ir/expr.ts";
import { visitExpr } from "../ir/visit.ts";
import { add, eq, floorDiv, floorMod, mul, neg, sub } from "../ir/ops.ts";
import { Analyzer } from "./analyzer.ts";
import { evalSet, type IntSetMap } from "./eval-set.ts";
import { emptySet, intervalSet, isEverything, signOf, type IntSet } from "./int-set.ts";

/** `expr >= limit`, `expr <= limit` or `expr == limit`, where the target stands in `expr`. */
interface Relation {
  readonly expr: PrimExpr;
  readonly limit: PrimExpr;
  readonly is: "atLeast" | "atMost" | "equal";
}

/**
 * The values of a variable or other sub-expression `target` for which a comparison holds whatever the variables of `relax`
 * are within their sets: an interval open at one end, in terms of the others. The sets of `hint` decide signs. Empty if
 * the comparison cannot be solved for `target` (upstream's `DeduceBound`).
 */
export function deduceBound(target: PrimExpr, cond: PrimExpr, hint: IntSetMap, relax: IntSetMap): IntSet {
  if (occurrences(cond, target) !== 1) return emptySet;
  const analyzer = new Analyzer();
  const relation = relationOf(cond, target);
  const relaxed = relation && relaxRelation(relation, relax, analyzer);
  const solved = relaxed && solve(relaxed, target, hint, analyzer);
  if (solved === undefined) return emptySet;
  const limit = analyzer.simplify(solved.limit);
  if (solved.is === "equal") return intervalSet(limit, limit);
  return solved.is === "atLeast" ? intervalSet(limit, undefined) : intervalSet(undefined, limit);
}

function occurrences(e: PrimExpr, target: PrimExpr): number {
  let n = 0;
  visitExpr(e, (x) => {
    if (x === target) n++;
  });
  return n;
}

function relationOf(cond: PrimExpr, target: PrimExpr): Relation | undefined {
  if (!("b" in cond) || !isInteger(cond.a.dtype)) return undefined;
  const left = occurrences(cond.a, target) > 0;
  const [expr, other] = left ? [cond.a, cond.b] : [cond.b, cond.a];
  switch (cond.kind) {
    case "tir.LT":
      return left ? { expr, limit: sub(other, 1), is: "atMost" } : { expr, limit: add(other, 1), is: "atLeast" };
    case "tir.LE":
      return { expr, limit: other, is: left ? "atMost" : "atLeast" };
    case "tir.GT":
      return left ? { expr, limit: add(other, 1), is: "atLeast" } : { expr, limit: sub(other, 1), is: "atMost" };
    case "tir.GE":
      return { expr, limit: other, is: left ? "atLeast" : "atMost" };
    case "tir.EQ":
      return { expr, limit: other, is: "equal" };
    default:
      return undefined;
  }
}

/** The hardest case of the relation: the least left side against the greatest right one, or the other way round. */
function relaxRelation({ expr, limit, is }: Relation, relax: IntSetMap, analyzer: Analyzer): Relation | undefined {
  const [a, b] = [evalSet(expr, relax), evalSet(limit, relax)];
  if (a.tag === "empty" || b.tag === "empty" || isEverything(a) || isEverything(b)) return undefined;
  if (is === "equal") {
    const isPoint = (s: typeof a): boolean => s.min !== undefined && s.max !== undefined && analyzer.canProve(eq(s.min, s.max));
    if (!isPoint(a) || !isPoint(b)) return undefined;
  }
  const [worst, bound] = is === "atMost" ? [a.max, b.min] : is === "atLeast" ? [a.min, b.max] : [a.max, b.min];
  return worst === undefined || bound === undefined ? undefined : { expr: worst, limit: bound, is };
}

function reversed(is: Relation["is"]): Relation["is"] {
  return is === "equal" ? "equal" : is === "atLeast" ? "atMost" : "atLeast";
}

/** Undoes the operations around the target, from the outermost in. */
function solve(r: Relation, target: PrimExpr, hint: IntSetMap, analyzer: Analyzer): Relation | undefined {
  let { expr, limit, is } = r;
  for (;;) {
    if (expr === target) return { expr, limit, is };
    if (occurrences(expr, target) !== 1 || !("b" in expr)) return undefined;
    const left = occurrences(expr.a, target) > 0;
    const [inner, other] = left ? [expr.a, expr.b] : [expr.b, expr.a];
    switch (expr.kind) {
      case "tir.Add":
        limit = sub(limit, other);
        break;
      case "tir.Sub":
        if (left) limit = add(limit, other);
        else {
          limit = sub(other, limit);
          is = reversed(is);
        }
        break;
      case "tir.Mul": {
        const sign = signOfValue(other, hint, analyzer);
        if (sign === undefined) return undefined;
        if (sign === "negative") is = reversed(is);
        const exact = analyzer.canProve(eq(floorMod(limit, other), 0));
        if (!exact && is === "equal") return undefined;
        // Rounded down, which for a lower bound is one too few.
        limit = floorDiv(limit, other);
        if (!exact && is === "atLeast") limit = add(limit, 1);
        break;
      }
      case "tir.FloorDiv": {
        const sign = left ? signOfValue(other, hint, analyzer) : undefined;
        if (sign === undefined || is === "equal") return undefined;
        // x // -d is -x // d.
        const divisor = sign === "negative" ? neg(other) : other;
        limit = is === "atLeast" ? mul(limit, divisor) : sub(add(mul(limit, divisor), divisor), 1);
        if (sign === "negative") {
          limit = neg(limit);
          is = reversed(is);
        }
        break;
      }
      default:
        return undefined;
    }
    expr = inner;
  }
}

function signOfValue(e: PrimExpr, hint: IntSetMap, analyzer: Analyzer): "positive" | "negative" | undefined {
  if (e.dtype.startsWith("uint")) return "positive";
  const sign = signOf(evalSet(e, hint as ReadonlyMap<AnyVar, IntSet>), analyzer);
  return sign === "positive" || sign === "negative" ? sign : undefined;
}
