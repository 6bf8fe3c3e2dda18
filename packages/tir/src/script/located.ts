import type { Site } from "@verticil/tvmscript";
import type { PrimExpr } from "../ir/expr.ts";

/** The result of an operation of a script, at its place; an operand that came back from it keeps its own. */
export function located(e: PrimExpr, x: PrimExpr, y: PrimExpr, site: Site): PrimExpr {
  return e === x || e === y || e.span !== undefined || site.span === undefined ? e : { ...e, span: site.span };
}
