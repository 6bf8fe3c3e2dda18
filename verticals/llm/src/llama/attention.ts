import { at } from "@verticil/ir-core";
import { softmax, tensorExprOp, type Tensor } from "@verticil/relax/nn";
import { compute, minReduceIdentity, reduceAxis, sum } from "@verticil/te";
import { add, constant, floorDiv, le, mul, select, sub, type PrimExpr } from "@verticil/tir";

/**
 * Causal attention of queries `[tokens, heads, headDim]` over keys and values `[total, keyHeads, headDim]`. The queries
 * are the last of `total` tokens; several of their heads share a head of keys.
 * @returns `[tokens, heads, headDim]`.
 */
export function causalAttention(queries: Tensor, keys: Tensor, values: Tensor): Tensor {
  return weighted(softmax(scores(queries, keys), -1), values);
}

/** The key head that a query head reads, where `heads` of those share `keyHeads`. */
function shared(head: PrimExpr, heads: PrimExpr, keyHeads: PrimExpr): PrimExpr {
  return floorDiv(head, floorDiv(heads, keyHeads));
}

function scores(queries: Tensor, keys: Tensor): Tensor {
  return tensorExprOp(
    (...t) => {
      const [q, k] = [at(t, 0), at(t, 1)];
      const [tokens, heads, width] = [at(q.shape, 0), at(q.shape, 1), at(q.shape, 2)];
      const [total, keyHeads] = [at(k.shape, 0), at(k.shape, 1)];
      const d = reduceAxis(width, "d");
      const products = compute(
        [heads, tokens, total],
        (...i) => sum(mul(q.at(at(i, 1), at(i, 0), d.var), k.at(at(i, 2), shared(at(i, 0), heads, keyHeads), d.var)), d),
        "attention_products",
      );
      const scale = constant(1 / Math.sqrt(Number(width.kind === "ir.IntImm" ? width.value : NaN)), "float32");
      return compute(
        products.shape,
        (...i) => {
          const seen = le(at(i, 2), add(at(i, 1), sub(total, tokens)));
          return select(seen, mul(products.at(...i), scale), minReduceIdentity("float32"));
        },
        "attention_scores",
      );
    },
    "attention_scores",
    [queries, keys],
  );
}

function weighted(weights: Tensor, values: Tensor): Tensor {
  return tensorExprOp(
    (...t) => {
      const [w, v] = [at(t, 0), at(t, 1)];
      const [heads, tokens, total] = [at(w.shape, 0), at(w.shape, 1), at(w.shape, 2)];
      const j = reduceAxis(total, "j");
      return compute(
        [tokens, heads, at(v.shape, 2)],
        (...i) => sum(mul(w.at(at(i, 1), at(i, 0), j.var), v.at(j.var, shared(at(i, 1), heads, at(v.shape, 1)), at(i, 2))), j),
        "attention_output",
      );
    },
    "attention_output",
    [weights, values],
  );
}
