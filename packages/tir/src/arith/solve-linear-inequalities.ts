import type { AnyVar, PrimExpr, Range } from "../ir/expr.ts";
import { makeRange, renameVar } from "../ir/make-expr.ts";
import { usesVar } from "../ir/free-vars.ts";
import { add, asInt, constant, eq, floorDiv, ge, isConstInt, le, mul, sub } from "../ir/ops.ts";
import { substitute } from "../ir/substitute.ts";
import { Analyzer } from "./analyzer.ts";
import type { ArithExtensions } from "./context.ts";
import { eliminateVariables, type Elimination, type VariableBounds } from "./eliminate-variables.ts";
import { evalSet } from "./eval-set.ts";
import { contradiction, type IntConstraints, type IntConstraintsTransform } from "./int-constraints.ts";
import { intSetsOfRanges } from "./int-set.ts";

/**
 * The conditions that a system comes down to: bounds of each variable by those after it, and conditions of the parameters
 * (upstream's `SolveInequalitiesAsCondition`).
 */
export function inequalitiesAsConditions(system: IntConstraints): readonly PrimExpr[] {
  return conditionsOf(system.variables, eliminateVariables(system));
}

/**
 * The ranges that linear inequalities leave to variables, each in terms of those after it, and as relations what the ranges
 * do not say (upstream's `solve_linear_inequalities`).
 */
export function solveLinearInequalities(system: IntConstraints): IntConstraints {
  const found = eliminateVariables(system);
  if (found.contradicts) return contradiction;
  const ranges = new Map(system.ranges);
  for (const v of system.variables.toReversed()) {
    const range = bestRange(boundsOf(found, v), ranges);
    if (range === undefined) continue;
    if (isEmpty(range, ranges)) return contradiction;
    const simple = analyzerOf(ranges).simplify(range.min);
    ranges.set(v, makeRange(simple, range.extent));
  }
  // The ends of a range that mention other variables are known by chains of comparisons only.
  const analyzer = analyzerOf(ranges, { transitivelyProveInequalities: true });
  const relations = conditionsOf(system.variables, found).filter((c) => !analyzer.canProve(c));
  return { variables: system.variables, ranges, relations };
}

/**
 * The same with new variables whose ranges begin at zero; a variable that has one value is gone (upstream's
 * `solve_linear_inequalities` with `deskew_range`).
 */
export function deskewLinearInequalities(system: IntConstraints): IntConstraintsTransform {
  const none: IntConstraintsTransform = { src: system, dst: contradiction, srcToDst: new Map(), dstToSrc: new Map() };
  const found = eliminateVariables(system);
  if (found.contradicts) return none;
  const srcToDst = new Map<AnyVar, PrimExpr>();
  const dstToSrc = new Map<AnyVar, PrimExpr>();
  const variables: AnyVar[] = [];
  const known = new Map(system.ranges);
  const ranges = new Map([...system.ranges].filter(([v]) => !system.variables.includes(v)));
  for (const v of system.variables.toReversed()) {
    const range = bestRange(mapBounds(boundsOf(found, v), (e) => substitute(e, srcToDst)), known);
    if (range === undefined) {
      for (const map of [srcToDst, dstToSrc]) map.set(v, v);
      variables.push(v);
      continue;
    }
    if (isEmpty(range, known)) return none;
    if (isConstInt(range.extent, 1)) {
      srcToDst.set(v, analyzerOf(known).simplify(range.min));
      continue;
    }
    const shifted = renameVar(v, `${v.name}_shifted`);
    const own = makeRange(constant(0, v.dtype), range.extent);
    dstToSrc.set(shifted, analyzerOf(known).simplify(sub(v, substitute(range.min, dstToSrc))));
    srcToDst.set(v, add(shifted, range.min));
    variables.push(shifted);
    for (const map of [known, ranges]) map.set(shifted, own);
  }
  const analyzer = analyzerOf(known);
  const relations = conditionsOf(system.variables, found)
    .map((c) => analyzer.simplify(substitute(c, srcToDst)))
    .filter((c) => !isConstInt(c, 1));
  return { src: system, dst: { variables: variables.reverse(), ranges, relations }, srcToDst, dstToSrc };
}

function analyzerOf(ranges: ReadonlyMap<AnyVar, Range>, extensions: ArithExtensions = {}): Analyzer {
  const analyzer = new Analyzer({ extensions });
  for (const [v, range] of ranges) analyzer.bind(v, range, { override: true });
  return analyzer;
}

function boundsOf(found: Elimination, v: AnyVar): VariableBounds {
  return found.bounds.get(v) ?? { coefficient: 1, lower: [], equal: [], upper: [] };
}

function mapBounds(b: VariableBounds, f: (e: PrimExpr) => PrimExpr): VariableBounds {
  return { coefficient: b.coefficient, lower: b.lower.map(f), equal: b.equal.map(f), upper: b.upper.map(f) };
}

function conditionsOf(variables: readonly AnyVar[], found: Elimination): readonly PrimExpr[] {
  const conditions: PrimExpr[] = [];
  for (const v of variables) {
    const { coefficient, lower, equal, upper } = boundsOf(found, v);
    const scaled = mul(v, constant(coefficient, v.dtype));
    for (const e of equal) conditions.push(eq(scaled, e));
    for (const e of lower) conditions.push(ge(scaled, e));
    for (const e of upper) conditions.push(le(scaled, e));
  }
  return [...conditions, ...found.rest];
}

/**
 * The range with the least number of values that holds all between one bound from below and those from above, whatever the
 * other variables are; the one whose extent is a constant, if there are several. Undefined without bounds on both sides.
 */
function bestRange(bounds: VariableBounds, ranges: ReadonlyMap<AnyVar, Range>): Range | undefined {
  const analyzer = analyzerOf(ranges);
  const { coefficient } = bounds;
  const [single] = bounds.equal;
  if (single !== undefined && coefficient === 1) return makeRange(single, constant(1, single.dtype));
  const uppers = [...bounds.equal, ...bounds.upper];
  let best: Range | undefined;
  for (const lower of [...bounds.equal, ...bounds.lower]) {
    const divisor = constant(coefficient, lower.dtype);
    const min = coefficient === 1 ? lower : analyzer.simplify(floorDiv(add(lower, coefficient - 1), divisor));
    for (const upper of uppers) {
      const extent = greatest(floorDiv(sub(upper, lower), divisor), ranges, analyzer);
      if (extent === undefined) continue;
      const range = makeRange(min, analyzer.simplify(add(extent, 1)));
      if (best === undefined || isSmaller(range.extent, best.extent, analyzer)) best = range;
    }
  }
  return best;
}

function isSmaller(a: PrimExpr, b: PrimExpr, analyzer: Analyzer): boolean {
  const [x, y] = [asInt(a), asInt(b)];
  if (x !== undefined && y !== undefined) return x < y;
  return x !== undefined || (y === undefined && analyzer.canProve(le(add(a, 1), b)));
}

/** The largest value while the variables with ranges range; undefined if that is not known, or would still mention one. */
function greatest(e: PrimExpr, ranges: ReadonlyMap<AnyVar, Range>, analyzer: Analyzer): PrimExpr | undefined {
  const simple = analyzer.simplify(e);
  const set = evalSet(simple, intSetsOfRanges(ranges), analyzer);
  if (set.tag === "empty" || set.max === undefined) return undefined;
  const max = analyzer.simplify(set.max);
  return usesVar(max, (v) => ranges.has(v)) ? undefined : max;
}

function isEmpty(range: Range, ranges: ReadonlyMap<AnyVar, Range>): boolean {
  return analyzerOf(ranges).canProve(le(range.extent, 0));
}
