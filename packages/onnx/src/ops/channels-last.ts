import type { Expr } from "@verticil/relax";
import type { NodeContext } from "../node-context.ts";

/** What `f` makes of an image whose channels, which are last, are moved behind its batch; its result with channels last again. */
export function channelsFirst(ctx: NodeContext, x: Expr, f: (x: Expr) => Expr): Expr {
  const rank = ctx.rank(x);
  const spatial = Array.from({ length: rank - 2 }, (_, i) => i + 1);
  return ctx.transpose(f(ctx.transpose(x, [0, rank - 1, ...spatial])), [0, ...spatial.map((i) => i + 1), 1]);
}
