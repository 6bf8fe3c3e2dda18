import type { Pass } from "@verticil/ir-core";
import { computableAtCompileTime } from "../analysis/computable-at-compile-time.ts";
import { isVar } from "../analysis/variables.ts";
import { isCall, or, wildcard } from "../dpl/pattern.ts";
import { PatternMatchingRewriter } from "../dpl/pattern-matching-rewriter.ts";
import type { Expr } from "../ir/expr.ts";
import { rewritePass } from "./rewrite-functions.ts";

/**
 * Upstream's `ExpandMatmulOfSum`: `x * (A + B)` is `x * A + x * B`, where the sum is not of weights alone, which could be added
 * beforehand. A transposed sum counts as the sum of the transposed.
 */
export function expandMatmulOfSum(): Pass {
  return rewritePass("ExpandMatmulOfSum", (func) => {
    const early = computableAtCompileTime(func);
    const isEarly = (e: Expr): boolean => isVar(e) && early.has(e);
    const [x, a, b] = [wildcard(), wildcard(), wildcard()];
    const sum = isCall("relax.add", [a, b]);
    const turned = isCall("relax.permute_dims", [sum]);
    return PatternMatchingRewriter.fromPattern(isCall("relax.matmul", [x, or(sum, turned)]), (_, matches, ctx) => {
      const [lhs, ea, eb] = [matches.get(x), matches.get(a), matches.get(b)];
      if (lhs === undefined || ea === undefined || eb === undefined || (isEarly(ea) && isEarly(eb))) return undefined;
      const permute = matches.get(turned);
      const rhs = (e: Expr): Expr => (permute?.kind === "relax.Call" ? ctx.call("relax.permute_dims", [e], permute.attrs) : e);
      return ctx.call("relax.add", [ctx.call("relax.matmul", [lhs, rhs(ea)]), ctx.call("relax.matmul", [lhs, rhs(eb)])]);
    });
  });
}
