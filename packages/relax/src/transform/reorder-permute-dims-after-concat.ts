import type { Pass } from "@verticil/ir-core";
import { isCall, isTuple, or, wildcard, type DFPattern } from "../dpl/pattern.ts";
import { PatternMatchingRewriter } from "../dpl/pattern-matching-rewriter.ts";
import type { Expr } from "../ir/expr.ts";
import { makeTuple } from "../ir/make.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";
import { rewritePass } from "./rewrite-functions.ts";

/** As many as are put together in one go; upstream's number. */
const MOST = 11;

/** Upstream's `ReorderPermuteDimsAfterConcat`: tensors that are all transposed alike and then put together are put together first. */
export function reorderPermuteDimsAfterConcat(): Pass {
  return rewritePass("ReorderPermuteDimsAfterConcat", () => {
    const inputs = Array.from({ length: MOST }, () => wildcard());
    const turned = inputs.map((x) => isCall("relax.permute_dims", [x]));
    const concats = turned.map((_, n) => isCall("relax.concat", [isTuple(turned.slice(0, n + 1))])).slice(1);
    const [first, ...others] = concats;
    if (first === undefined) return undefined;
    const pattern: DFPattern = or(first, ...others);
    return PatternMatchingRewriter.fromPattern(pattern, (_, matches, ctx) => {
      const concat = matches.get(pattern);
      const permutes = turned.flatMap((p) => matches.get(p) ?? []);
      const values = inputs.flatMap((p) => matches.get(p) ?? []);
      const orders = permutes.map(axesOf);
      const [axes] = orders;
      if (concat?.kind !== "relax.Call" || axes === undefined || permutes[0]?.kind !== "relax.Call" || !orders.every((o) => o?.join() === axes.join())) return undefined;
      const axis = Number(concat.attrs["axis"] ?? 0);
      const inner = ctx.call("relax.concat", [makeTuple(values)], { axis: axes[axis < 0 ? axis + axes.length : axis] ?? 0 });
      return ctx.call("relax.permute_dims", [inner], permutes[0].attrs);
    });
  });
}

/** The order of axes of a `permute_dims`; reversed unless given. */
function axesOf(e: Expr): readonly number[] | undefined {
  if (e.kind !== "relax.Call") return undefined;
  const axes = e.attrs["axes"];
  const [data] = e.args;
  const info = data === undefined ? undefined : structInfoOf(data);
  if (info?.kind !== "relax.TensorStructInfo" || info.ndim < 0) return undefined;
  const { ndim } = info;
  if (!Array.isArray(axes)) return Array.from({ length: ndim }, (_, i) => ndim - 1 - i);
  return axes.map((a) => (Number(a) + ndim) % ndim);
}
