import type { Analyzer } from "../arith/analyzer.ts";
import { detectIterMap } from "../arith/detect-iter-map.ts";
import { evalSet } from "../arith/eval-set.ts";
import { canProveSinglePoint, emptySet, intersectSets, intervalSet, intSetOfRange, singlePoint, unionRegions, unionSets, type IntSet } from "../arith/int-set.ts";
import { inverseAffineIterMap } from "../arith/inverse-affine-iter-map.ts";
import type { IterSum } from "../arith/iter-map.ts";
import type { Buffer } from "../ir/buffer.ts";
import type { AnyVar, IterVar, PrimExpr, Range } from "../ir/expr.ts";
import { makeVar } from "../ir/make-expr.ts";
import { add, constant, floorDiv, isConst, isConstInt, le, max, min, mul, sub } from "../ir/ops.ts";
import { visitExpr } from "../ir/visit.ts";
import { refuse } from "./schedule-error.ts";

/** Regions of one buffer, as a set for each dimension. */
export type Regions = readonly (readonly IntSet[])[];

/** What a block variable must run over: `dom`, and where that reaches outside `bound`, a predicate keeps it in. */
export interface DomainInfo {
  readonly dom: IntSet;
  readonly bound: IntSet;
}

/**
 * For each block variable what it must run over so that the regions that one iteration provides cover what is required
 * of each buffer (upstream's `CalculateBlockVarDomain`).
 */
export function blockVarDomains(
  iterVars: readonly IterVar[],
  provided: ReadonlyMap<Buffer, Regions>,
  required: ReadonlyMap<Buffer, Regions>,
  analyzer: Analyzer,
): readonly DomainInfo[] {
  const found = new Map<AnyVar, DomainInfo>(iterVars.map((iv) => [iv.var, { dom: emptySet, bound: emptySet }]));
  const join = (v: AnyVar, info: DomainInfo): void => {
    const before = found.get(v) ?? { dom: emptySet, bound: emptySet };
    found.set(v, { dom: unionSets([before.dom, info.dom], analyzer), bound: unionSets([before.bound, info.bound], analyzer) });
  };
  for (const [buffer, regions] of provided) {
    const wanted = required.get(buffer) ?? [];
    if (wanted.length === 0) continue;
    const want = unionRegions(wanted, analyzer);
    const have = unionRegions(regions, analyzer);
    const affine = solveAffine(buffer, iterVars, have, want, analyzer);
    if (affine !== undefined) for (const [v, info] of affine) join(v, info);
    else {
      for (const [i, extent] of buffer.shape.entries()) {
        const solved = solveDim(have[i] ?? emptySet, want[i] ?? emptySet, max(sub(extent, 1), 0), analyzer);
        if (solved === undefined) continue;
        if (found.has(solved.v)) join(solved.v, solved.info);
        else requireSame(have[i], want[i], analyzer);
      }
    }
  }
  return iterVars.map((iv) => {
    const info = found.get(iv.var) ?? { dom: emptySet, bound: emptySet };
    const whole: IntSet = iv.dom === undefined ? emptySet : intSetOfRange(iv.dom);
    const bound = info.bound.tag === "empty" ? whole : intersectSets([info.bound, whole], analyzer);
    const simple = simplifyInfo({ dom: info.dom, bound }, analyzer);
    if (simple.dom.tag === "empty") return refuse(`the domain of block variable \`${iv.var.name}\` cannot be found`);
    return simple;
  });
}

function requireSame(have: IntSet | undefined, want: IntSet | undefined, analyzer: Analyzer): void {
  if (have?.tag === "interval" && want?.tag === "interval" && have.min && have.max && want.min && want.max) {
    if (analyzer.canProveEqual(have.min, want.min) && analyzer.canProveEqual(have.max, want.max)) return;
  }
  refuse("a region that does not depend on the block's variables is not the one required");
}

function simplifyInfo({ dom, bound }: DomainInfo, analyzer: Analyzer): DomainInfo {
  const simple = (s: IntSet): IntSet => (s.tag === "empty" ? s : intervalSet(s.min && analyzer.simplify(s.min), s.max && analyzer.simplify(s.max)));
  if (dom.tag === "empty") {
    return bound.tag === "interval" && bound.min !== undefined && bound.max !== undefined ? { dom: simple(bound), bound: emptySet } : { dom, bound };
  }
  const d = simple(dom);
  const b = simple(bound);
  const both = simple(intersectSets([d, b], analyzer));
  const same = (x: IntSet): boolean => {
    if (x.tag === "empty" || both.tag === "empty") return false;
    if (x.min === undefined || x.max === undefined || both.min === undefined || both.max === undefined) return false;
    return analyzer.canProveEqual(x.min, both.min) && analyzer.canProveEqual(x.max, both.max);
  };
  if (same(d)) return { dom: d, bound: emptySet };
  if (same(b)) return { dom: b, bound: emptySet };
  const fixed = both.tag === "interval" && both.min !== undefined && both.max !== undefined && isConst(both.min) && isConst(both.max);
  return fixed ? { dom: both, bound: emptySet } : { dom: d, bound: b };
}

/** All variables at once, if the provided points are a one-to-one affine map of them. */
function solveAffine(
  buffer: Buffer,
  iterVars: readonly IterVar[],
  have: readonly IntSet[],
  want: readonly IntSet[],
  analyzer: Analyzer,
): ReadonlyMap<AnyVar, DomainInfo> | undefined {
  // Maps of iterators that start elsewhere have no inverse.
  if (iterVars.some((iv) => iv.dom !== undefined && !isConstInt(iv.dom.min, 0))) return undefined;
  const points: PrimExpr[] = [];
  for (const s of have) {
    if (s.tag === "empty" || s.min === undefined || !canProveSinglePoint(s, analyzer)) return undefined;
    points.push(s.min);
  }
  const doms = new Map<AnyVar, Range>();
  for (const iv of iterVars) if (iv.dom !== undefined) doms.set(iv.var, iv.dom);
  const { indices } = detectIterMap(points, doms, { level: "bijective", analyzer, simplifyTrivial: false });
  if (indices.length === 0) return undefined;
  const whole = buffer.shape.map((d) => intervalSet(constant(0, d.dtype), max(sub(d, 1), 0)));
  const dom = invertSets(indices, want, analyzer);
  const bound = invertSets(indices, whole, analyzer);
  return new Map([...dom].map(([v, s]) => [v, { dom: s, bound: bound.get(v) ?? emptySet }]));
}

function invertSets(indices: readonly IterSum[], sets: readonly IntSet[], analyzer: Analyzer): ReadonlyMap<AnyVar, IntSet> {
  const end = (side: "min" | "max"): PrimExpr[] =>
    sets.map((s) => (s.tag === "interval" ? s[side] : undefined) ?? refuse("a required region has no bound"));
  const low = inverseAffineIterMap(indices, end("min"));
  const high = inverseAffineIterMap(indices, end("max"));
  const outputs = indices.map((sum, i) => makeVar(`o${i}`, sum.base.dtype));
  const inverse = inverseAffineIterMap(indices, outputs);
  const within = new Map<AnyVar, IntSet>(outputs.map((v, i) => [v, sets[i] ?? emptySet]));
  return new Map(
    [...low].map(([v, a]) => {
      const b = high.get(v) ?? a;
      const found = intervalSet(analyzer.simplify(min(a, b)), analyzer.simplify(max(a, b)));
      requireMonotone(v, inverse.get(v) ?? a, found, within, analyzer);
      return [v, found] as const;
    }),
  );
}

/** Refuses a variable that is a remainder of a region which wraps around in it: the ends of the region are not its ends. */
function requireMonotone(v: AnyVar, inverse: PrimExpr, found: IntSet, within: ReadonlyMap<AnyVar, IntSet>, analyzer: Analyzer): void {
  let remainder = false;
  visitExpr(inverse, (e) => void (remainder ||= e.kind === "tir.FloorMod"));
  if (!remainder) return;
  const all = evalSet(inverse, within, analyzer);
  if (all.tag === "interval" && found.tag === "interval" && all.min && all.max && found.min && found.max) {
    if (analyzer.canProve(le(found.min, all.min)) && analyzer.canProve(le(all.max, found.max))) return;
  }
  refuse(`the required region begins or ends between multiples of what \`${v.name}\` goes over`, undefined, "Choose a loop whose iterations need whole multiples of it.");
}

interface Solved {
  readonly v: AnyVar;
  readonly info: DomainInfo;
}

/** One dimension by itself. Undefined if it asks nothing of any variable. Refuses an index of another shape. */
function solveDim(have: IntSet, want: IntSet, dimMax: PrimExpr, analyzer: Analyzer): Solved | undefined {
  if (have.tag === "interval" && have.min !== undefined && canProveSinglePoint(have, analyzer) && isConst(have.min)) {
    if (want.tag === "interval" && want.min !== undefined && canProveSinglePoint(want, analyzer) && analyzer.canProveEqual(have.min, want.min)) return undefined;
    return refuse("a constant index is not the one required");
  }
  if (have.tag === "empty" || have.min === undefined || have.max === undefined || want.tag === "empty") return refuse("a region has no bound");
  const low = want.min && analyzer.simplify(want.min);
  const high = want.max && analyzer.simplify(want.max);
  return solveVar(analyzer.simplify(have.min), analyzer.simplify(have.max), low, high, dimMax, analyzer);
}

function solveVar(
  have: PrimExpr,
  haveMax: PrimExpr,
  low: PrimExpr | undefined,
  high: PrimExpr | undefined,
  dimMax: PrimExpr,
  analyzer: Analyzer,
): Solved {
  const zero = constant(0, dimMax.dtype);
  if (have.kind === "tir.Mul") {
    const [v, e] = isVar(have.a) ? [have.a, have.b] : [have.b, have.a];
    if (isVar(v)) {
      return { v, info: { dom: intervalSet(low && floorDiv(low, e), high && floorDiv(high, e)), bound: intervalSet(zero, floorDiv(dimMax, e)) } };
    }
  }
  if (analyzer.canProveEqual(have, haveMax)) {
    if (isVar(have)) return { v: have, info: { dom: intervalSet(low, high), bound: intervalSet(zero, dimMax) } };
    if (have.kind === "tir.FloorDiv" && analyzer.canProveGreaterEqual(have.b, 1)) {
      const { a, b } = have;
      const last = (e: PrimExpr): PrimExpr => analyzer.simplify(sub(add(mul(e, b), b), 1));
      const dom = intervalSet(low && mul(low, b), high && last(high));
      if (isVar(a)) return { v: a, info: { dom, bound: intervalSet(zero, last(dimMax)) } };
      const p = singlePoint(a);
      return solveVar(analyzer.simplify(a), analyzer.simplify(p.max ?? a), dom.min && analyzer.simplify(dom.min), dom.max, dimMax, analyzer);
    }
    if (have.kind === "tir.FloorMod") {
      const { a, b } = have;
      // The remainder of a variable says nothing of the variable.
      if (isVar(a)) return { v: a, info: { dom: emptySet, bound: emptySet } };
      if (analyzer.canProveGreaterEqual(a, 1) && analyzer.canProveGreaterEqual(b, 1) && low !== undefined && analyzer.canProveGreaterEqual(low, 0)) {
        return solveVar(analyzer.simplify(a), analyzer.simplify(a), low, undefined, dimMax, analyzer);
      }
    }
  }
  return refuse("an index of the block is not of a form whose domain can be found", have);
}

function isVar(e: PrimExpr): e is AnyVar {
  return e.kind === "tir.Var" || e.kind === "tir.SizeVar";
}
