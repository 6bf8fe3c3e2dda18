import { at } from "@verticil/ir-core";
import { add, and, cast, constant, floorDiv, gt, intrin, isConstInt, le, mul, select, sub, type PrimExpr } from "@verticil/tir";
import { compute } from "../compute.ts";
import { minReduceIdentity, reduceAxis, sum } from "../reduce.ts";
import type { Tensor } from "../tensor.ts";
import { broadcastAt } from "./broadcast.ts";
import { softmax } from "./nn-norm.ts";

/** What an attention is told. */
export interface AttentionOptions {
  readonly scale: number | undefined;
  /** Which keys a query may see: all, those up to its own position, or aligned at the last one. */
  readonly causalMask: "TopLeft" | "BottomRight" | undefined;
  /** How far back a query sees, itself included. */
  readonly windowSize: number | undefined;
}

/**
 * Scaled dot-product attention of `[batch, sequence, head, feature]` tensors; several query heads may share a key head.
 * The bias broadcasts over `[batch, head, query, key]`.
 */
export function attention(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | undefined, o: AttentionOptions): Tensor {
  const [batch, queries, heads, width] = [at(q.shape, 0), at(q.shape, 1), at(q.shape, 2), at(q.shape, 3)];
  const keys = at(k.shape, 1);
  const shared = (h: PrimExpr): PrimExpr => (isConstInt(at(k.shape, 2)) && at(k.shape, 2) === heads ? h : floorDiv(h, floorDiv(heads, at(k.shape, 2))));
  const d = reduceAxis(width, "d");
  const zero = constant(0, "int64");
  const products = compute(
    [batch, heads, queries, keys],
    (b = zero, h = zero, i = zero, j = zero) => sum(mul(q.at(b, i, h, d.var), k.at(b, j, shared(h), d.var)), d),
    "T_attention_qk",
  );
  const scale = o.scale === undefined ? intrin("rsqrt", q.dtype, [cast(q.dtype, width)]) : constant(o.scale, q.dtype);
  const scores = compute(
    products.shape,
    (b = zero, h = zero, i = zero, j = zero) => {
      const scaled = mul(products.at(b, h, i, j), scale);
      const biased = bias === undefined ? scaled : add(scaled, broadcastAt(bias, [b, h, i, j], products.shape));
      const seen = visible(i, j, queries, keys, o);
      return seen === undefined ? biased : select(seen, biased, minReduceIdentity(q.dtype));
    },
    "T_attention_score",
  );
  const weights = softmax(scores, -1);
  const j = reduceAxis(keys, "j");
  return compute(
    [batch, queries, heads, at(v.shape, 3)],
    (b = zero, i = zero, h = zero, f = zero) => sum(mul(weights.at(b, h, i, j.var), v.at(b, j.var, shared(h), f)), j),
    "T_attention_out",
  );
}

function visible(i: PrimExpr, j: PrimExpr, queries: PrimExpr, keys: PrimExpr, o: AttentionOptions): PrimExpr | undefined {
  const position = o.causalMask === "BottomRight" ? add(i, sub(keys, queries)) : i;
  const causal = o.causalMask === undefined ? undefined : le(j, position);
  if (o.windowSize === undefined) return causal;
  const near = gt(j, sub(position, o.windowSize));
  return causal === undefined ? near : and(causal, near);
}

