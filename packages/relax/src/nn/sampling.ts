import type { ScalarDType } from "@verticil/runtime-ffi";
import { compute } from "@verticil/te";
import { add, and, asInt, cast, lt } from "@verticil/tir";
import { astype, divide, multiply, reshape, sizeOf, take, tensorExprOp, tensorOp } from "./ops.ts";
import { greaterEqual, where } from "./elementwise.ts";
import { cumsum, max, min, sum } from "./reduction.ts";
import type { Tensor } from "./value.ts";

// Choosing tokens by their probabilities, by the names of upstream's `nn.op`.

/**
 * For each row of `uniformSample` `[n, 1]` the index `[n, 1]` that it falls on in a row of `prob` `[batch, vocabulary]`: the row that
 * `sampleIndices` `[n, 1]` says, or the one of its own number (upstream's `multinomial_from_uniform`).
 * @throws TypeError if the rows are unknown in number, or not as many as samples, and `sampleIndices` does not say which.
 */
export function multinomialFromUniform(prob: Tensor, uniformSample: Tensor, sampleIndices?: Tensor, dtype: ScalarDType = "int64"): Tensor {
  const rows = sampleIndices ?? ownRows(prob, uniformSample);
  return tensorOp("relax.multinomial_from_uniform", [prob, uniformSample, rows], { dtype }, "multinomial_from_uniform");
}

/**
 * Samples among the most probable: those before `topP` `[batch, 1]` of the whole are reached, `topK` `[batch, 1]` at most.
 * `sortedProb` and `sortedIndex` `[batch, vocabulary]` are in descending order; the rest is as for `multinomialFromUniform`, and so
 * is the result `[n, 1]`, of the type of `sortedIndex` (upstream's `sample_top_p_top_k_from_sorted_prob`).
 * @throws TypeError as `multinomialFromUniform` does.
 */
export function sampleTopPTopKFromSortedProb(sortedProb: Tensor, sortedIndex: Tensor, topP: Tensor, topK: Tensor, uniformSample: Tensor, sampleIndices?: Tensor): Tensor {
  const rows = reshape(sampleIndices ?? ownRows(sortedProb, uniformSample), [-1]);
  const sums = cumsum(sortedProb, 1);
  // Sums grow along a row: the first that is enough is the least of those that are, the last one if none is.
  const whole = min(where(isBelow(sums, topP, topK), max(sums, 1, true), sums), 1, true);
  const shares = divide(take(sums, rows, 0), take(whole, rows, 0));
  // A sample falls on the first share above it, on the last at the latest.
  const before = sum(astype(greaterEqual(uniformSample, shares), "int64"), 1, true);
  const place = tensorOp("relax.minimum", [before, lastPlace(sortedProb, before)]);
  return tensorOp("relax.gather_elements", [take(sortedIndex, rows, 0), place], { axis: 1 }, "sample");
}

/**
 * Probabilities `[batch, vocabulary]` without those that `topP` and `topK` leave out, their sum 1 again; `sortedProb` are the same in
 * descending order (upstream's `renormalize_top_p_top_k_prob`).
 */
export function renormalizeTopPTopKProb(prob: Tensor, sortedProb: Tensor, topP: Tensor, topK: Tensor): Tensor {
  const below = isBelow(cumsum(sortedProb, 1), topP, topK);
  // Probabilities fall along a row: the first that is enough is the largest of those that are, the last one if none is.
  const cutoff = max(where(below, min(sortedProb, 1, true), sortedProb), 1, true);
  const kept = multiply(prob, astype(greaterEqual(prob, cutoff), prob.dtype));
  return divide(kept, sum(kept, 1, true));
}

/** Where the sum is still below `topP`, and there are fewer than `topK` places so far. */
function isBelow(sums: Tensor, topP: Tensor, topK: Tensor): Tensor {
  return tensorExprOp(
    (s, p, k) => {
      if (s === undefined || p === undefined || k === undefined) throw new TypeError("A mask has three operands.");
      return compute(s.shape, (i, j) => and(lt(s.at(i, j), p.at(i, 0)), lt(cast(k.dtype, add(j, 1)), k.at(i, 0))), "is_below");
    },
    "is_below",
    [sums, topP, topK],
  );
}

/** The last place of the vocabulary, one for each sample. */
function lastPlace(sortedProb: Tensor, like: Tensor): Tensor {
  const size = sizeOf(sortedProb, 1);
  return tensorExprOp((t) => compute(t?.shape ?? [], () => cast("int64", add(size, -1)), "last_place"), "last_place", [like]);
}

function ownRows(prob: Tensor, uniformSample: Tensor): Tensor {
  const rows = asInt(sizeOf(prob, 0));
  if (rows === undefined || rows !== asInt(sizeOf(uniformSample, 0))) throw new TypeError("There are not as many samples as rows of probabilities: say which sample is of which row.");
  return prob.constant({ dtype: "int64", shape: [rows, 1], data: BigInt64Array.from({ length: rows }, (_, i) => BigInt(i)) });
}
