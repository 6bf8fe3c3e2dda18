import { undefinedVars, type AnyVar as TirVar, type PrimExpr } from "@verticil/tir";
import type { AnyVar, Binding, DataflowBlock, Function } from "../ir/expr.ts";
import { bindSymbolic, tirVarsInStructInfo } from "../ir/infer-call.ts";
import { isCallTo } from "../ir/call-target.ts";
import { freeVars } from "./variables.ts";

/** How many of a function's parameters are only known when it runs (`num_input`); undefined: it does not say. */
export function numInput(func: Function): number | undefined {
  const value = func.attrs["num_input"];
  if (typeof value === "number") return value;
  return typeof value === "object" && value !== null && "value" in value ? Number(value.value) : undefined;
}

/** What may be computed before a function runs: its weights, and the bindings that need nothing else. */
export interface CompileTimePart {
  readonly bindings: readonly Binding[];
  /** The weights and what needs one of them. */
  readonly ofWeights: ReadonlySet<AnyVar>;
}

/**
 * What of a function its weights alone decide: bindings of dataflow blocks at its top level, up to
 * `builtin.stop_lift_params`, whose sizes the weights know (upstream's rules of `LiftTransformParams`). What `accept` refuses
 * stays, with all that needs it.
 */
export function compileTimePart(func: Function, accept: (b: Binding) => boolean = () => true): CompileTimePart {
  const weights = func.params.slice(numInput(func) ?? func.params.length);
  const liftable = new Set<AnyVar>(weights);
  const ofWeights = new Set<AnyVar>(weights);
  const sizes = new Map<TirVar, PrimExpr>();
  for (const p of weights) if (p.structInfo !== undefined) bindSymbolic(p.structInfo, p.structInfo, sizes);
  const bindings: Binding[] = [];
  const blocks = func.body.kind === "relax.SeqExpr" ? func.body.blocks : [];
  for (const block of blocks) if (block.kind === "relax.DataflowBlock") visitBlock(block);
  return { bindings, ofWeights };

  function visitBlock(block: DataflowBlock): void {
    for (const b of block.bindings) {
      if (!mayLift(b) || !accept(b)) continue;
      bindings.push(b);
      liftable.add(b.var);
      if (freeVars(b.value).some((v) => ofWeights.has(v))) ofWeights.add(b.var);
    }
  }

  function mayLift(b: Binding): boolean {
    if (b.value.kind === "relax.ExternFunc" || isCallTo(b.value, "relax.builtin.stop_lift_params")) return false;
    if (!freeVars(b.value).every((v) => liftable.has(v))) return false;
    let known = true;
    if (b.var.structInfo !== undefined) tirVarsInStructInfo(b.var.structInfo, (d) => undefinedVars(d).forEach((v) => (known &&= sizes.has(v))));
    return known;
  }
}

/** The weights of a function and the variables that only they decide (upstream's `computable_at_compile_time`). */
export function computableAtCompileTime(func: Function): ReadonlySet<AnyVar> {
  const part = compileTimePart(func);
  return new Set([...func.params.slice(numInput(func) ?? func.params.length), ...part.bindings.map((b) => b.var)]);
}
