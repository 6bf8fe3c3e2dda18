import type { AnyVar, Call, Expr } from "./expr.ts";
import { makeTuple, makeTupleGetItem } from "./make.ts";
import { structInfoOf } from "./struct-info-of.ts";

/** True for operators whose second argument is the tuple of what they hand on, written out. */
export function takesWrittenTuple(op: string): boolean {
  return op === "relax.call_tir" || op === "relax.call_tir_inplace" || op === "relax.call_tir_with_grad";
}

/**
 * A destination-passing call with its tensors written out: the tuple that a variable is bound to, else its items one by
 * one (upstream's `FNormalize` of `call_tir`).
 */
export function inlineOperands(call: Call, valueOf: (v: AnyVar) => Expr | undefined): Call {
  const [func, given, ...rest] = call.args;
  if (call.op.kind !== "ir.Op" || !takesWrittenTuple(call.op.name) || func === undefined || given === undefined) return call;
  let tuple: Expr = given;
  while (tuple.kind === "relax.Var" || tuple.kind === "relax.DataflowVar") {
    const value = valueOf(tuple);
    if (value === undefined) break;
    tuple = value;
  }
  if (tuple === given && tuple.kind === "relax.Tuple") return call;
  const info = structInfoOf(given);
  if (tuple.kind === "relax.Tuple") return { ...call, args: [func, tuple, ...rest], structInfo: undefined };
  if (info?.kind !== "relax.TupleStructInfo") return call;
  const items = makeTuple(info.fields.map((_, i) => makeTupleGetItem(given, i)));
  return { ...call, args: [func, items, ...rest], structInfo: undefined };
}
