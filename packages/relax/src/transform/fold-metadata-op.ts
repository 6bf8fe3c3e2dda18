import { makeIndexMap, makeVar as makeTirVar } from "@verticil/tir";
import { at } from "@verticil/ir-core";
import type { Call, Constant, Expr } from "../ir/expr.ts";
import { opNameOf } from "../ir/call-target.ts";
import { makeConstant, staticShapeOf } from "../ir/make.ts";
import { optIntsAttr } from "../op/attrs-of.ts";
import { packTensor } from "./pack-tensor.ts";

const VIEWS: ReadonlySet<string> = new Set(["relax.reshape", "relax.flatten", "relax.squeeze", "relax.expand_dims"]);

/**
 * Folds an operator that computes nothing: one that only gives a constant another shape, whose elements are shared, not
 * copied, or another order of its axes. Weights change their layout this way, and need no program for it.
 */
export function foldMetadataOp(call: Call, args: readonly Constant[]): Expr | undefined {
  const name = opNameOf(call);
  const shape = staticShapeOf(call.structInfo);
  const [data] = args;
  if (name === undefined || shape === undefined || data === undefined) return undefined;
  if (name === "relax.permute_dims") return permuted(data, optIntsAttr(call, "axes"), call);
  return VIEWS.has(name) ? makeConstant({ ...data.data, shape }, call.span) : undefined;
}

/** Axis `k` of the result is axis `axes[k]` of the constant; without `axes`, the last comes first. */
function permuted({ data }: Constant, axes: readonly number[] | undefined, { span }: Call): Expr | undefined {
  const rank = data.shape.length;
  if (rank === 0 || data.shape.includes(0)) return undefined;
  const vars = data.shape.map((_, d) => makeTirVar(`i${d}`, "int64"));
  const order = axes?.map((a) => (a < 0 ? a + rank : a)) ?? vars.map((_, d) => rank - 1 - d);
  return makeConstant(packTensor(data, makeIndexMap(vars, order.map((a) => at(vars, a)))), span);
}
