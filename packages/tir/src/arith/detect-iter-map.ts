import type { AnyVar, PrimExpr, Range } from "../ir/expr.ts";
import { usesVar } from "../ir/free-vars.ts";
import { constant } from "../ir/ops.ts";
import { Analyzer } from "./analyzer.ts";
import { matchIterConstraints } from "./iter-constraint.ts";
import { IterMapRewriter } from "./iter-map-rewriter.ts";
import { equalsInt, type IterMapLevel, type IterSum } from "./iter-map.ts";

/** How to look for an iterator map. */
export interface IterMapOptions {
  /** Holds of the iterators; `true` if not given. */
  readonly predicate?: PrimExpr;
  /** `surjective` if not given. */
  readonly level?: IterMapLevel;
  /** What is known of other variables. */
  readonly analyzer?: Analyzer;
  /** Iterators with one value are replaced by it. True if not given. */
  readonly simplifyTrivial?: boolean;
}

/** What was found. If there are errors, `indices` is empty. */
export interface IterMapResult {
  /** For each index a scaled iterator and a base, or a base alone. */
  readonly indices: readonly IterSum[];
  readonly errors: readonly string[];
  /** True of values of the new iterators that the old ones never give; `false` if they fit exactly. */
  readonly paddingPredicate: PrimExpr;
}

/**
 * Finds out whether indices are an affine map of iterators: splits and fusions that do not overlap
 * (upstream's `DetectIterMap`). A map that cannot be recognized is an ordinary result with `errors`, never an exception.
 */
export function detectIterMap(indices: readonly PrimExpr[], iters: ReadonlyMap<AnyVar, Range>, opts: IterMapOptions = {}): IterMapResult {
  const { predicate = constant(true, "bool"), level = "surjective", analyzer = new Analyzer(), simplifyTrivial = true } = opts;
  const failed = (...errors: readonly string[]): IterMapResult => ({ indices: [], errors, paddingPredicate: constant(false, "bool") });
  if (!rangesAreFree(iters)) return failed("The range of an iterator depends on another iterator.");
  const matched = equalsInt(predicate, 1) ? { iters, constraints: [], others: [] } : matchIterConstraints(predicate, iters);
  if (matched === undefined) return failed("The predicate is not a conjunction of bounds.");
  const rewriter = new IterMapRewriter(analyzer, matched.iters, { level, simplifyTrivial });
  for (const constraint of matched.constraints) {
    rewriter.constrain(constraint);
    if (rewriter.errors.length > 0) return failed(...rewriter.errors);
  }
  if (!rewriter.constraintsNest()) return failed("Two conditions bound iterators that overlap.");

  const rewriteAll = (): readonly IterSum[] | undefined => {
    const out: IterSum[] = [];
    for (const e of indices) {
      out.push(rewriter.rewrite(e));
      if (rewriter.errors.length > 0) return undefined;
    }
    return out;
  };
  const { padding } = rewriter;
  padding.collecting = level !== "bijective";
  let found = rewriteAll();
  if (padding.collecting && padding.needed && found !== undefined) {
    padding.collecting = false;
    found = rewriteAll();
  }
  if (found === undefined) return failed(...rewriter.errors);
  if (!rewriter.isIndependent(found)) {
    return failed(...rewriter.errors, level === "bijective" ? "The map is not bijective." : "The indices are not independent of each other.");
  }
  return { indices: found, errors: [], paddingPredicate: padding.predicate };
}

/**
 * An index as a sum of splits by descending scale; what depends on iterators in another way stays in the base. Does not ask
 * that the splits add up (upstream's `NormalizeToIterSum`).
 * @throws RangeError if the range of an iterator depends on another one.
 */
export function normalizeToIterSum(index: PrimExpr, iters: ReadonlyMap<AnyVar, Range>, analyzer: Analyzer = new Analyzer()): IterSum {
  if (!rangesAreFree(iters)) throw new RangeError("The range of an iterator depends on another iterator.");
  return new IterMapRewriter(analyzer, iters, { level: "noCheck", simplifyTrivial: true }).normalize(index);
}

/** True if no iterator's range mentions an iterator. */
function rangesAreFree(iters: ReadonlyMap<AnyVar, Range>): boolean {
  for (const { min, extent } of iters.values()) {
    if (usesVar(min, (v) => iters.has(v)) || usesVar(extent, (v) => iters.has(v))) return false;
  }
  return true;
}
