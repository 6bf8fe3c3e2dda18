import { irDialect, structuralEqual, type Pass } from "@verticil/ir-core";
import { tirNodes } from "@verticil/tir";
import { isCall, or, wildcard } from "../dpl/pattern.ts";
import { PatternMatchingRewriter } from "../dpl/pattern-matching-rewriter.ts";
import { relaxNodes } from "../ir/node-table.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";
import { rewritePass } from "./rewrite-functions.ts";

/** Upstream's `RemoveRedundantReshape`: of two reshapes in a row the second is enough, and one to the shape that is there is none. */
export function removeRedundantReshape(): Pass {
  return rewritePass("RemoveRedundantReshape", () => {
    const x = wildcard();
    const single = isCall("relax.reshape", [x, wildcard()]);
    const repeated = isCall("relax.reshape", [single, wildcard()]);
    return PatternMatchingRewriter.fromPattern(or(repeated, single), (_, matches, ctx) => {
      const input = matches.get(x);
      const call = matches.get(repeated) ?? matches.get(single);
      const shape = call?.kind === "relax.Call" ? call.args[1] : undefined;
      if (input === undefined || shape === undefined) return undefined;
      if (matches.has(repeated)) return ctx.call("relax.reshape", [input, shape]);
      const info = structInfoOf(input);
      const same = info?.kind === "relax.TensorStructInfo" && info.shape !== undefined && structuralEqual(info.shape, shape, { dialects: [irDialect, tirNodes, relaxNodes] });
      return same ? input : undefined;
    });
  });
}
