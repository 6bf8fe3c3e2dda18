import type { GlobalVar } from "@verticil/ir-core";
import type { Call, Expr, Tuple } from "./expr.ts";

/** The name of the operator that a call calls; undefined if it calls something else. */
export function opNameOf(expr: Expr): string | undefined {
  return expr.kind === "relax.Call" && expr.op.kind === "ir.Op" ? expr.op.name : undefined;
}

/** True for a call of the operator `name`. */
export function isCallTo(expr: Expr, name: string): expr is Call {
  return opNameOf(expr) === name;
}

/** A `call_tir` taken apart: the tensor program and its tensor arguments, and the symbolic values passed beside them. */
export interface CallTirParts {
  readonly call: Call;
  readonly callee: GlobalVar;
  readonly args: Tuple;
  readonly tirVars: Expr | undefined;
}

/** The parts of a `relax.call_tir` (or in-place) call of a global function; undefined for anything else. */
export function callTirParts(expr: Expr): CallTirParts | undefined {
  const name = opNameOf(expr);
  if (name !== "relax.call_tir" && name !== "relax.call_tir_inplace") return undefined;
  const call = expr as Call;
  const [callee, args, tirVars] = call.args;
  if (callee?.kind !== "ir.GlobalVar" || args?.kind !== "relax.Tuple") return undefined;
  return { call, callee, args, tirVars };
}
