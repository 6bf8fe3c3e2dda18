import type { Call, Constant, Expr } from "../ir/expr.ts";
import { opNameOf } from "../ir/call-target.ts";
import { makeConstant, staticShapeOf } from "../ir/make.ts";

const VIEWS: ReadonlySet<string> = new Set(["relax.reshape", "relax.flatten", "relax.squeeze", "relax.expand_dims"]);

/** Folds an operator that only gives a constant another shape: the elements are shared, not copied. */
export function foldMetadataOp(call: Call, args: readonly Constant[]): Expr | undefined {
  const name = opNameOf(call);
  const shape = staticShapeOf(call.structInfo);
  const [data] = args;
  if (name === undefined || !VIEWS.has(name) || shape === undefined || data === undefined) return undefined;
  return makeConstant({ ...data.data, shape }, call.span);
}
