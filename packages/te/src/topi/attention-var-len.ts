import { at } from "@verticil/ir-core";
import { add, and, cast, constant, ge, gt, le, lt, min, select, sub, type PrimExpr } from "@verticil/tir";
import { compute } from "../compute.ts";
import { minReduceIdentity, reduceAxis, sum } from "../reduce.ts";
import type { Tensor } from "../tensor.ts";
import { attention, type AttentionOptions } from "./attention.ts";

/**
 * Attention over sequences of several lengths that lie one after the other along the second axis of `[1, total, head,
 * feature]` tensors: a query sees the keys of its own sequence alone. `startQ` and `startK` say where each sequence starts,
 * and last where all end. Causal masks and windows count positions from the start of each sequence.
 */
export function attentionVarLen(q: Tensor, k: Tensor, v: Tensor, startQ: Tensor, startK: Tensor, o: AttentionOptions): Tensor {
  const [queries, keys] = [at(q.shape, 1), at(k.shape, 1)];
  const count = sub(at(startQ.shape, 0), 1);
  const zero = constant(0, "int64");
  const s = reduceAxis(count, "s");
  // How many sequences end before a query; what comes after the last counts as the last's.
  const sequence = compute([queries], (i = zero) => sum(select(ge(i, cast("int64", startQ.at(add(s.var, 1)))), constant(1, "int64"), zero), s), "T_sequence");
  const mask = compute(
    [constant(1, "int64"), constant(1, "int64"), queries, keys],
    (_b = zero, _h = zero, i = zero, j = zero) => {
      const own = min(sequence.at(i), sub(count, 1));
      const edge = (starts: Tensor, n: PrimExpr): PrimExpr => cast("int64", starts.at(n));
      const [fromQ, toQ, fromK, toK] = [edge(startQ, own), edge(startQ, add(own, 1)), edge(startK, own), edge(startK, add(own, 1))];
      const [row, column] = [sub(i, fromQ), sub(j, fromK)];
      const position = o.causalMask === "BottomRight" ? add(row, sub(sub(toK, fromK), sub(toQ, fromQ))) : row;
      const seen = [and(ge(j, fromK), lt(j, toK))];
      if (o.causalMask !== undefined) seen.push(le(column, position));
      if (o.windowSize !== undefined) seen.push(gt(column, sub(position, o.windowSize)));
      return select(seen.reduce((a, b) => and(a, b)), constant(0, q.dtype), minReduceIdentity(q.dtype));
    },
    "T_attention_mask",
  );
  return attention(q, k, v, mask, { scale: o.scale, causalMask: undefined, windowSize: undefined });
}
