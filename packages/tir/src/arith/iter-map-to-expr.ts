import type { PrimExpr } from "../ir/expr.ts";
import { add, constant, eq, floorDiv, floorMod, mul } from "../ir/ops.ts";
import { Analyzer } from "./analyzer.ts";
import { equalsInt, dtypeOfMapped, isIterMap, type IterSplit, type IterSum, type Mapped } from "./iter-map.ts";

/**
 * A recognized iterator expression as a plain one: sums of `x`, `x // f`, `x % (f*e) // f`, each times its scale
 * (upstream's `NormalizeIterMapToExpr`). `analyzer` decides which of these a split needs.
 */
export function normalizeIterMapToExpr(e: Mapped, analyzer: Analyzer = new Analyzer()): PrimExpr {
  if (!isIterMap(e)) return e;
  return e.tag === "sum" ? sumToExpr(e, analyzer) : splitToExpr(e, analyzer);
}

function sumToExpr(sum: IterSum, analyzer: Analyzer): PrimExpr {
  let out: PrimExpr = constant(0, dtypeOfMapped(sum));
  for (const split of sum.args) out = add(out, splitToExpr(split, analyzer));
  return add(out, sum.base);
}

function splitToExpr(split: IterSplit, analyzer: Analyzer): PrimExpr {
  const { source, lowerFactor, extent, scale } = split;
  const e = normalizeIterMapToExpr(source.source, analyzer);
  if (equalsInt(lowerFactor, 1) && analyzer.canProve(eq(extent, source.extent))) return mul(e, scale);
  const upper = mul(lowerFactor, extent);
  if (!analyzer.canProve(eq(source.extent, upper))) return mul(floorDiv(floorMod(e, upper), lowerFactor), scale);
  // The outermost part of one value is always 0. A whole iterator of extent 1 is kept: analyses look for it.
  if (equalsInt(extent, 1) && !equalsInt(source.extent, 1)) return constant(0, extent.dtype);
  return mul(floorDiv(e, lowerFactor), scale);
}
