import { isInteger } from "@verticil/runtime-ffi";
import type { AnyVar, PrimExpr, Range } from "../ir/expr.ts";
import { add, constant, sub } from "../ir/ops.ts";
import { Analyzer } from "./analyzer.ts";
import { IntSetEvaluator } from "./int-set-evaluator.ts";
import { intervalSet, type IntSet } from "./int-set.ts";

/** The sets that variables range over; a variable that is not listed stands for itself. */
export type IntSetMap = ReadonlyMap<AnyVar, IntSet>;

/**
 * The smallest interval that it finds to hold an expression's values while the variables of `dom` range
 * (upstream's `EvalSet`). Sound for index arithmetic that does not overflow.
 */
export function evalSet(e: PrimExpr, dom: IntSetMap, analyzer: Analyzer = new Analyzer()): IntSet {
  return new IntSetEvaluator(analyzer, dom).evaluate(e);
}

/** The union of a range while the variables of `dom` range. */
export function evalRangeSet(r: Range, dom: IntSetMap, analyzer: Analyzer = new Analyzer()): IntSet {
  const evaluator = new IntSetEvaluator(analyzer, dom);
  if (isInteger(r.min.dtype) && analyzer.canProveEqual(r.extent, constant(1, r.extent.dtype))) return evaluator.evaluate(r.min);
  // Simplified first, for ends that share variables.
  return evaluator.relax(intervalSet(r.min, analyzer.simplify(sub(add(r.min, r.extent), 1))));
}

/** The union of a region, dimension by dimension. */
export function evalRegionSets(region: readonly Range[], dom: IntSetMap, analyzer: Analyzer = new Analyzer()): readonly IntSet[] {
  return region.map((r) => evalRangeSet(r, dom, analyzer));
}

/** The union of a set whose ends are expressions. */
export function relaxSet(s: IntSet, dom: IntSetMap, analyzer: Analyzer = new Analyzer()): IntSet {
  return new IntSetEvaluator(analyzer, dom).relax(s);
}
