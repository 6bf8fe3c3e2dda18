import { at } from "@verticil/ir-core";
import { add as addTensors, tensorExprOp, tensorExprOps, type Tensor } from "@verticil/relax/nn";
import { compute, max, reduceAxis, sum, type Reduction, type Tensor as TeTensor } from "@verticil/te";
import { add, cast, constant, div, floorDiv, floorMod, intrin, le, mul, select, sub, type PrimExpr } from "@verticil/tir";
import { PAGE_TOKENS } from "../cache/kv-cache.ts";

// Tokens that are seen come in pages of as many as a vector has lanes, so that every step but the masking is vectors
// whatever their number is. The last page may be filled in part: the mask hides what is behind the newest token.

/**
 * What hides tokens from queries: `[queries, pages, PAGE_TOKENS]`, 0 where a query at a position may see the token, and
 * what no sum brings back where it may not. The same in every layer.
 */
export function causalMask(positions: Tensor, pages: PrimExpr): Tensor {
  return tensorExprOp(
    (...t) => {
      const p = at(t, 0);
      return compute([at(p.shape, 0), pages, PAGE_TOKENS], (...i) => {
        const token = add(mul(at(i, 1), constant(PAGE_TOKENS, "int64")), at(i, 2));
        return select(le(token, cast("int64", p.at(at(i, 0)))), constant(0, "float32"), constant(HIDDEN, "float32"));
      }, "causal_mask", { tag: "injective" });
    },
    "causal_mask",
    [positions],
  );
}

/** Added to a score, its exponential is 0; far from where float32 ends. */
const HIDDEN = -1e30;

/**
 * Attention of queries `[tokens, heads, headDim]` over keys `[pages, keyHeads, headDim, PAGE_TOKENS]` and values
 * `[pages, PAGE_TOKENS, keyHeads, headDim]`. Several heads of queries share a head of keys.
 * @returns `[tokens, heads · headDim]`.
 */
export function attention(queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor): Tensor {
  const scores = addTensors(products(queries, keys), mask);
  const [weights, totals] = tensorExprOps((...t) => exponentials(at(t, 0)), "attention_weights", [scores]);
  if (weights === undefined || totals === undefined) throw new Error("internal: weights and their sums");
  return tensorExprOp((...t) => mixed(at(t, 0), at(t, 1), at(t, 2)), "attention", [weights, values, totals]);
}

/** The key head that a query head reads, where `heads` of those share `keyHeads`. */
function shared(head: PrimExpr, heads: PrimExpr, keyHeads: PrimExpr): PrimExpr {
  return floorDiv(head, floorDiv(heads, keyHeads));
}

/** `[heads, tokens, pages, PAGE_TOKENS]`. */
function products(queries: Tensor, keys: Tensor): Tensor {
  return tensorExprOp(
    (...t) => {
      const [q, k] = [at(t, 0), at(t, 1)];
      const [tokens, heads, width] = [at(q.shape, 0), at(q.shape, 1), at(q.shape, 2)];
      const d = reduceAxis(width, "d");
      const scale = constant(1 / Math.sqrt(Number(width.kind === "ir.IntImm" ? width.value : NaN)), "float32");
      const raw = compute(
        [heads, tokens, at(k.shape, 0), PAGE_TOKENS],
        (...i) => sum(mul(q.at(at(i, 1), at(i, 0), d.var), k.at(at(i, 2), shared(at(i, 0), heads, at(k.shape, 1)), d.var, at(i, 3))), d),
        "attention_products",
      );
      return compute(raw.shape, (...i) => mul(raw.at(...i), scale), "attention_scores", { tag: "elemwise" });
    },
    "attention_scores",
    [queries, keys],
  );
}

/**
 * The exponentials of scores, less the largest of each head and query so that none is too large, and their sums. Over
 * pages lane by lane, then over the lanes.
 */
function exponentials(scores: TeTensor): readonly TeTensor[] {
  const rows = scores.shape.slice(0, 2);
  const over = (f: Reduction, x: TeTensor, name: string): TeTensor => {
    const [p, l] = [reduceAxis(at(x.shape, 2), "p"), reduceAxis(PAGE_TOKENS, "l")];
    const lanes = compute([...rows, PAGE_TOKENS], (...i) => f(x.at(at(i, 0), at(i, 1), p.var, at(i, 2)), p), `${name}_lanes`);
    return compute(rows, (...i) => f(lanes.at(...i, l.var), l), name);
  };
  const top = over(max, scores, "attention_top");
  const weights = compute(scores.shape, (...i) => intrin("exp", "float32", [sub(scores.at(...i), top.at(at(i, 0), at(i, 1)))]), "attention_weights");
  return [weights, over(sum, weights, "attention_total")];
}

/** The values, weighted. */
function mixed(weights: TeTensor, values: TeTensor, totals: TeTensor): TeTensor {
  const [heads, tokens] = [at(weights.shape, 0), at(weights.shape, 1)];
  const width = at(values.shape, 3);
  const [p, l] = [reduceAxis(at(weights.shape, 2), "p"), reduceAxis(PAGE_TOKENS, "l")];
  const sums = compute(
    [tokens, mul(heads, width)],
    (...i) => {
      const head = floorDiv(at(i, 1), width);
      return sum(mul(weights.at(head, at(i, 0), p.var, l.var), values.at(p.var, l.var, shared(head, heads, at(values.shape, 2)), floorMod(at(i, 1), width))), [p, l]);
    },
    "attention_sums",
  );
  return compute(sums.shape, (...i) => div(sums.at(...i), totals.at(floorDiv(at(i, 1), width), at(i, 0))), "attention");
}
