import type { Call, PrimExpr } from "../ir/expr.ts";
import { intrinDef, type CallEffect } from "../ir/intrin.ts";
import { visitExpr } from "../ir/visit.ts";

const ORDER: readonly CallEffect[] = ["annotation", "pure", "read", "update", "special-arg", "embed", "control"];

/** What a call does; an operator that is not a builtin, or another function, is taken to update state. */
export function callEffect(call: Call): CallEffect {
  return (call.op.kind === "ir.Op" ? intrinDef(call.op.name)?.effect : undefined) ?? "update";
}

/** The strongest effect in an expression; a buffer load reads (upstream's `SideEffect`). */
export function sideEffect(e: PrimExpr): CallEffect {
  let strongest: CallEffect = "pure";
  visitExpr(e, (x) => {
    const effect = x.kind === "tir.Call" ? callEffect(x) : x.kind === "tir.BufferLoad" ? "read" : "pure";
    const kept = effect === "special-arg" || effect === "annotation" ? "pure" : effect;
    if (ORDER.indexOf(kept) > ORDER.indexOf(strongest)) strongest = kept;
  });
  return strongest;
}
