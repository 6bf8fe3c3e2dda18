import type { AnyVar, PrimExpr, Range } from "../ir/expr.ts";
import { add, constant, eq, ge, lt, mul, sub } from "../ir/ops.ts";
import { Analyzer } from "./analyzer.ts";
import { detectIterMap } from "./detect-iter-map.ts";
import { evalRangeSet } from "./eval-set.ts";
import { emptySet, intSetOfExtent, intSetsOfRanges, type IntSet } from "./int-set.ts";
import type { IterSum } from "./iter-map.ts";

/** What iterators do: their domains, a predicate that holds of them (true if not given), what is known of other variables. */
export interface RegionOptions {
  readonly predicate?: PrimExpr;
  readonly analyzer?: Analyzer;
}

/**
 * The exact union of a region while iterators range, where its starts are an iterator map and its extents constants that
 * leave no gap; undefined of anything else (upstream's `EstimateRegionStrictBound`, which is its lower bound too).
 */
export function estimateRegionStrictBound(
  region: readonly Range[],
  iters: ReadonlyMap<AnyVar, Range>,
  opts: RegionOptions = {},
): readonly IntSet[] | undefined {
  const analyzer = opts.analyzer ?? new Analyzer();
  if (region.some((r) => r.extent.kind !== "ir.IntImm")) return undefined;
  const found = detectIterMap(
    region.map((r) => r.min),
    iters,
    { ...opts, level: "surjective", analyzer },
  );
  if (found.indices.length !== region.length || region.length === 0) return region.length === 0 ? [] : undefined;
  const out: IntSet[] = [];
  for (const [i, index] of found.indices.entries()) {
    const set = touchedBy(index, region[i]?.extent ?? constant(1, index.base.dtype), analyzer);
    if (set === undefined) return undefined;
    out.push(set);
  }
  return out;
}

/**
 * An interval for each dimension that holds the union of a region while iterators range: exact where that is found out,
 * each dimension by itself if not, interval arithmetic as a last resort (upstream's `EstimateRegionUpperBound`).
 */
export function estimateRegionUpperBound(
  region: readonly Range[],
  iters: ReadonlyMap<AnyVar, Range>,
  opts: RegionOptions = {},
): readonly IntSet[] {
  const analyzer = opts.analyzer ?? new Analyzer();
  const exact = estimateRegionStrictBound(region, iters, { ...opts, analyzer });
  if (exact !== undefined) return exact;
  const sets = intSetsOfRanges(iters);
  return region.map((r) => {
    const [index] = detectIterMap([r.min], iters, { ...opts, level: "surjective", analyzer }).indices;
    const set = index === undefined || r.extent.kind !== "ir.IntImm" ? undefined : touchedBy(index, r.extent, analyzer);
    return set ?? evalRangeSet(r, sets);
  });
}

/** The values `index .. index + extent - 1` for all iterations; undefined if they leave gaps. */
function touchedBy(index: IterSum, extent: PrimExpr, analyzer: Analyzer): IntSet | undefined {
  if (analyzer.canProve(eq(extent, 0))) return emptySet;
  const [split] = index.args;
  if (split === undefined) return intSetOfExtent(index.base, extent);
  if (analyzer.canProve(eq(split.extent, 0))) return emptySet;
  if (!analyzer.canProve(ge(extent, split.scale)) || !analyzer.canProve(ge(extent, sub(0, split.scale)))) return undefined;
  const last = mul(sub(split.extent, 1), split.scale);
  if (analyzer.canProve(lt(split.scale, 0))) return intSetOfExtent(add(index.base, last), sub(extent, last));
  return intSetOfExtent(index.base, add(extent, last));
}
