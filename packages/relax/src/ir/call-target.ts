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

/** The parts of a `relax.call_tir` of a global function; undefined for anything else. */
export function callTirParts(expr: Expr): CallTirParts | undefined {
  return isCallTo(expr, "relax.call_tir") ? partsOf(expr) : undefined;
}

/**
 * The parts of a `relax.call_tir`, of one in place, which writes over its operands, or of one that names its gradient; undefined
 * for anything else.
 */
export function anyCallTirParts(expr: Expr): CallTirParts | undefined {
  return isCallTo(expr, "relax.call_tir_inplace") || isCallTo(expr, "relax.call_tir_with_grad") ? partsOf(expr) : callTirParts(expr);
}

/** Which of its operands each result of a call in place is written to; -1 for memory of its own, as for all of a `call_tir`. */
export function inplaceIndices(call: Call, results: number): readonly number[] {
  const given = isCallTo(call, "relax.call_tir_inplace") ? call.attrs["inplace_indices"] : undefined;
  return Array.from({ length: results }, (_, i) => (Array.isArray(given) ? Number(given[i] ?? -1) : -1));
}

function partsOf(call: Call): CallTirParts | undefined {
  const [callee, args, tirVars] = call.args;
  if (callee?.kind !== "ir.GlobalVar" || args?.kind !== "relax.Tuple") return undefined;
  return { call, callee, args, tirVars };
}
