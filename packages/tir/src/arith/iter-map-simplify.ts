import type { AnyVar, PrimExpr, Range } from "../ir/expr.ts";
import { constant } from "../ir/ops.ts";
import { Analyzer } from "./analyzer.ts";
import { detectIterMap, type IterMapOptions } from "./detect-iter-map.ts";
import { normalizeIterMapToExpr } from "./iter-map-to-expr.ts";

/**
 * Indices in the form in which they are recognized as an iterator map, which is mostly simpler; as they were if they are
 * none (upstream's `IterMapSimplify`).
 */
export function iterMapSimplify(indices: readonly PrimExpr[], iters: ReadonlyMap<AnyVar, Range>, opts: IterMapOptions = {}): readonly PrimExpr[] {
  const analyzer = opts.analyzer ?? new Analyzer();
  let found = detectIterMap(indices, iters, { ...opts, analyzer }).indices;
  if (found.length === 0 && opts.predicate !== undefined && opts.level !== "bijective") {
    // What holds of all values holds of those that satisfy the predicate.
    found = detectIterMap(indices, iters, { ...opts, analyzer, predicate: constant(true, "bool") }).indices;
  }
  return found.length === 0 ? indices : found.map((e) => normalizeIterMapToExpr(e, analyzer));
}
