import { parseDType } from "@verticil/runtime-ffi";
import { Analyzer } from "../arith/analyzer.ts";
import { detectIterMap } from "../arith/detect-iter-map.ts";
import { evalSet } from "../arith/eval-set.ts";
import { intSetOfRange, type IntSet } from "../arith/int-set.ts";
import { inverseAffineIterMap } from "../arith/inverse-affine-iter-map.ts";
import type { IterMapLevel } from "../arith/iter-map.ts";
import type { AnyVar, PrimExpr, Range, Var } from "../ir/expr.ts";
import { isBinary, makeBinary, makeRange, makeVar } from "../ir/make-expr.ts";
import { makeIndexMap } from "../ir/make-stmt.ts";
import { mapExprChildren } from "../ir/map-children.ts";
import { add, asInt, cast, constant, isConstInt, matchTypes, max, mul, not, sub } from "../ir/ops.ts";
import type { IndexMap } from "../ir/stmt.ts";
import { substitute } from "../ir/substitute.ts";
import { refuse } from "./schedule-error.ts";

/** An expression with variables replaced by ones of another width: what meets takes the wider type. */
export function substituteWiden(e: PrimExpr, values: ReadonlyMap<AnyVar, PrimExpr>): PrimExpr {
  const mapper = {
    expr(x: PrimExpr): PrimExpr {
      if (x.kind === "tir.Var" || x.kind === "tir.SizeVar") return values.get(x) ?? x;
      if (!isBinary(x)) return mapExprChildren(x, mapper);
      const [a, b] = [mapper.expr(x.a), mapper.expr(x.b)];
      if (a === x.a && b === x.b) return x;
      const [p, q] = matchTypes(a, b);
      return makeBinary(x.kind, p, q);
    },
  };
  return mapper.expr(e);
}

/** Where a map takes indices, simplified by what is known of them. */
export function mapIndices(map: IndexMap, indices: readonly PrimExpr[], analyzer: Analyzer = new Analyzer()): readonly PrimExpr[] {
  requireRank(map, indices.length);
  const values = new Map<AnyVar, PrimExpr>();
  map.initialIndices.forEach((v, i) => values.set(v, indices[i] ?? v));
  return map.finalIndices.map((e) => analyzer.simplify(substituteWiden(e, values)));
}

function requireRank(map: IndexMap, n: number): void {
  if (map.initialIndices.length !== n) refuse(`the index map takes ${map.initialIndices.length} indices where there are ${n}`);
}

/** The ranges of new indices while the old ones range. */
export function mapRanges(map: IndexMap, ranges: readonly Range[], analyzer: Analyzer = new Analyzer()): readonly Range[] {
  requireRank(map, ranges.length);
  const iters = itersOf(map, ranges);
  const found = detectIterMap(map.finalIndices, iters, { level: "noCheck", analyzer, simplifyTrivial: false }).indices;
  const out =
    found.length > 0
      ? found.map((index) => {
          const extents = index.args.map((term) => mul(term.extent, term.scale));
          const [first, ...rest] = extents;
          return makeRange(index.base, first === undefined ? constant(1, "int32") : rest.reduce<PrimExpr>((a, b) => max(a, b), first));
        })
      : map.finalIndices.map((e) => coverOf(e, map, ranges, analyzer));
  const bits = Math.max(...ranges.map((r) => parseDType(r.extent.dtype).bits));
  const dtype = bits > 32 ? "int64" : "int32";
  return out.map((r) => makeRange(cast(dtype, r.min), cast(dtype, r.extent)));
}

function coverOf(e: PrimExpr, map: IndexMap, ranges: readonly Range[], analyzer: Analyzer): Range {
  const dom = new Map<AnyVar, IntSet>();
  map.initialIndices.forEach((v, i) => {
    const r = ranges[i];
    if (r !== undefined) dom.set(v, intSetOfRange(r));
  });
  const set = evalSet(e, dom);
  if (set.tag === "empty" || set.min === undefined || set.max === undefined) return refuse("the extent of a new index cannot be found", e);
  return makeRange(analyzer.simplify(set.min), analyzer.simplify(add(sub(set.max, set.min), 1)));
}

function itersOf(map: IndexMap, ranges: readonly Range[]): Map<AnyVar, Range> {
  const iters = new Map<AnyVar, Range>();
  map.initialIndices.forEach((v, i) => {
    const r = ranges[i];
    if (r !== undefined) iters.set(v, r);
  });
  return iters;
}

/** The shape of a buffer after a map of its indices. */
export function mapShape(map: IndexMap, shape: readonly PrimExpr[], analyzer: Analyzer = new Analyzer()): readonly PrimExpr[] {
  const ranges = shape.map((d) => makeRange(constant(0, d.dtype), d));
  return mapRanges(map, ranges, analyzer).map((r) => (isConstInt(r.min, 0) ? r.extent : refuse("a new index does not start at 0", map)));
}

/** A map back, and where the new indices come from no old ones (`false` if all do). */
export interface Inverse {
  readonly inverse: IndexMap;
  readonly padding: PrimExpr;
}

/** The old indices in terms of the new ones, which may take values that no old ones give. Refuses if there is no such map. */
export function nonSurjectiveInverse(map: IndexMap, ranges: readonly Range[], analyzer: Analyzer = new Analyzer()): Inverse {
  return invert(map, ranges, "noCheck", analyzer);
}

/** The old indices in terms of the new ones. Refuses if the map is not one to one. */
export function inverseOf(map: IndexMap, ranges: readonly Range[], analyzer: Analyzer = new Analyzer()): IndexMap {
  const { inverse, padding } = invert(map, ranges, "bijective", analyzer);
  if (!analyzer.canProve(not(padding))) refuse("the index map is not one to one", map);
  return inverse;
}

function invert(map: IndexMap, ranges: readonly Range[], level: IterMapLevel, analyzer: Analyzer): Inverse {
  if (map.inverse !== undefined) return { inverse: map.inverse, padding: constant(0, "bool") };
  requireRank(map, ranges.length);
  const axes = map.finalIndices.map((e, i) => makeVar(`axis${i}`, e.dtype));
  const found = detectIterMap(map.finalIndices, itersOf(map, ranges), { level, analyzer, simplifyTrivial: false });
  if (found.errors.length > 0) return refuse(`the index map cannot be inverted: ${found.errors[0] ?? ""}`, map);
  const values = tryInverse(() => inverseAffineIterMap(found.indices, axes, analyzer));
  const back = map.initialIndices.map((v, i) => {
    const range = ranges[i];
    const value = values.get(v) ?? (range !== undefined && isConstInt(range.extent, 1) ? range.min : undefined);
    return value === undefined ? refuse(`the index map cannot be inverted for \`${v.name}\``, map) : analyzer.simplify(value);
  });
  if (level === "noCheck") requireWayBack(map, ranges, axes, back);
  const inner = new Analyzer();
  mapRanges(map, ranges, analyzer).forEach((r, i) => {
    const v = axes[i];
    if (v !== undefined) inner.bind(v, r);
  });
  return { inverse: makeIndexMap(axes, back), padding: inner.simplify(substitute(found.paddingPredicate, values), 10) };
}

/** Refuses unless `back` undoes the map: where it does not, two indices go to one place. */
function requireWayBack(map: IndexMap, ranges: readonly Range[], axes: readonly Var[], back: readonly PrimExpr[]): void {
  const analyzer = new Analyzer();
  const isSymbolic = ranges.some((r) => r.extent.kind !== "ir.IntImm");
  for (const [v, r] of itersOf(map, ranges)) analyzer.bind(v, r);
  const there = new Map<AnyVar, PrimExpr>(axes.map((a, i) => [a, map.finalIndices[i] ?? a]));
  map.initialIndices.forEach((v, i) => {
    const value = back[i] && substituteWiden(back[i], there);
    // Of symbolic extents less can be proven: what cannot be disproven goes. Upstream does not look at all.
    if (value === undefined || (isSymbolic ? !missesSample(map, ranges, v, value) : analyzer.canProveEqual(value, v))) return;
    refuse(`the index map takes indices that differ in \`${v.name}\` to one place`, map, "Give all indices that are needed to tell the elements apart.");
  });
}

const SAMPLES: readonly number[] = [0, 1, 3];
const MOST_SAMPLES = 81;

/** True if `value`, which should be `v`, is another number for some small indices, of the extents that are known. */
function missesSample(map: IndexMap, ranges: readonly Range[], v: Var, value: PrimExpr): boolean {
  let points: readonly ReadonlyMap<AnyVar, PrimExpr>[] = [new Map()];
  map.initialIndices.forEach((w, i) => {
    const range = ranges[i];
    const extent = range && asInt(range.extent);
    const inside = range !== undefined && isConstInt(range.min, 0) ? SAMPLES.filter((n) => n < (extent ?? Infinity)) : [];
    points = points.flatMap((p) => inside.map((n) => new Map([...p, [w, constant(n, w.dtype)]])));
  });
  const analyzer = new Analyzer();
  return points.slice(0, MOST_SAMPLES).some((p) => {
    const [found, expected] = [value, v].map((e) => asInt(analyzer.simplify(substitute(e, p))));
    return found !== undefined && found !== expected;
  });
}

function tryInverse<T>(run: () => T): T {
  try {
    return run();
  } catch (e) {
    if (e instanceof RangeError) return refuse(`the index map cannot be inverted: ${e.message}`);
    throw e;
  }
}
