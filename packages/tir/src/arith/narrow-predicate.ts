import type { AnyVar, PrimExpr, Range } from "../ir/expr.ts";
import { usesVar } from "../ir/free-vars.ts";
import { makeBinary } from "../ir/make-expr.ts";
import { add, constant, isConstInt, not, sub } from "../ir/ops.ts";
import { visitExpr } from "../ir/visit.ts";
import { Analyzer } from "./analyzer.ts";

/**
 * A condition without the variables of `ranges` that holds only where the given one holds for every value of them: each is
 * replaced by the end of its range that makes the comparison hardest (upstream's `NarrowPredicateExpression`). What depends
 * on a buffer or is not monotonic in a variable becomes `false`.
 */
export function narrowPredicate(cond: PrimExpr, ranges: ReadonlyMap<AnyVar, Range>): PrimExpr {
  return narrow(cond, ranges, true, new Analyzer());
}

/** `wanted` is the truth value that must be certain. */
function narrow(e: PrimExpr, ranges: ReadonlyMap<AnyVar, Range>, wanted: boolean, analyzer: Analyzer): PrimExpr {
  switch (e.kind) {
    case "tir.And":
    case "tir.Or": {
      const [a, b] = [narrow(e.a, ranges, wanted, analyzer), narrow(e.b, ranges, wanted, analyzer)];
      return a === e.a && b === e.b ? e : makeBinary(e.kind, a, b);
    }
    case "tir.Not": {
      const a = narrow(e.a, ranges, !wanted, analyzer);
      return a === e.a ? e : not(a);
    }
    case "tir.EQ":
    case "tir.NE": {
      if (!isAffected(e, ranges)) return e;
      const half = e.kind === "tir.EQ" ? "tir.LE" : "tir.LT";
      const below = narrow(makeBinary(half, e.a, e.b), ranges, wanted, analyzer);
      const above = narrow(makeBinary(half, e.b, e.a), ranges, wanted, analyzer);
      if (e.kind === "tir.NE") return makeBinary("tir.Or", below, above);
      return isConstInt(below, 0) || isConstInt(above, 0) ? constant(false, "bool") : makeBinary("tir.And", below, above);
    }
    case "tir.LT":
    case "tir.LE":
    case "tir.GT":
    case "tir.GE": {
      if (!isAffected(e, ranges)) return e;
      // `a < b` is hardest with the greatest a and the least b.
      const up = (e.kind === "tir.LT" || e.kind === "tir.LE") === wanted;
      const [a, b] = [extreme(e.a, ranges, up, analyzer), extreme(e.b, ranges, !up, analyzer)];
      return a === undefined || b === undefined ? constant(!wanted, "bool") : makeBinary(e.kind, a, b);
    }
    default:
      return isAffected(e, ranges) ? constant(!wanted, "bool") : e;
  }
}

function isAffected(e: PrimExpr, ranges: ReadonlyMap<AnyVar, Range>): boolean {
  let found = usesVar(e, (v) => ranges.has(v));
  visitExpr(e, (x) => {
    if (x.kind === "tir.BufferLoad") found = true;
  });
  return found;
}

/** The greatest (or least) value of an expression that is monotonic in each variable; undefined if it is not. */
function extreme(e: PrimExpr, ranges: ReadonlyMap<AnyVar, Range>, greatest: boolean, analyzer: Analyzer): PrimExpr | undefined {
  if (e.kind === "tir.Var" || e.kind === "tir.SizeVar") {
    const range = ranges.get(e);
    if (range === undefined) return e;
    return greatest ? analyzer.simplify(sub(add(range.min, range.extent), 1)) : range.min;
  }
  // Upstream gives up on remainders even of other variables.
  if (e.kind === "tir.FloorMod" || e.kind === "tir.Mod") return undefined;
  if (!isAffected(e, ranges)) return e;
  const monotonic = (a: boolean, b: boolean): PrimExpr | undefined => {
    if (!("b" in e)) return undefined;
    const [x, y] = [extreme(e.a, ranges, a, analyzer), extreme(e.b, ranges, b, analyzer)];
    return x === undefined || y === undefined ? undefined : makeBinary(e.kind, x, y);
  };
  switch (e.kind) {
    case "tir.Add":
    case "tir.Min":
    case "tir.Max":
      return monotonic(greatest, greatest);
    case "tir.Sub":
      return monotonic(greatest, !greatest);
    case "tir.Mul":
    case "tir.FloorDiv": {
      if (e.kind === "tir.Mul" && e.a.kind === "ir.IntImm") return monotonic(greatest, e.a.value > 0 === greatest);
      if (e.b.kind !== "ir.IntImm" || e.b.value === 0) return undefined;
      return monotonic(e.b.value > 0 === greatest, greatest);
    }
    default:
      return undefined;
  }
}
