import { makeGlobalVar, withFunctions, type BaseFunc, type GlobalVar, type IRModule } from "@verticil/ir-core";
import { BlockBuilder } from "../ir/block-builder.ts";
import type { Call, Expr, Function } from "../ir/expr.ts";
import { forEachExpr } from "../ir/for-each-expr.ts";
import { isRelaxFunction, rewriteBindings, type RuleContext } from "../ir/mutate.ts";
import type { OpRegistry } from "../ir/op-def.ts";

/** A private function with another signature, and how calls of it change. */
export interface ChangedCallee {
  readonly func: Function;
  /** The call of `callee` that does what `call` did. */
  readonly call: (call: Call, callee: GlobalVar, ctx: RuleContext) => Expr;
}

/**
 * Private functions whose signatures `change`, in all places where they are called. Those that are passed on as values stay
 * as they are.
 */
export function replaceCallees(module: IRModule, ops: OpRegistry, change: (func: Function, gv: GlobalVar) => ChangedCallee | undefined): IRModule {
  const values = passedOn(module);
  const changed = new Map<GlobalVar, { readonly gv: GlobalVar; readonly callee: ChangedCallee }>();
  for (const [gv, func] of module.functions) {
    if (!isRelaxFunction(func) || func.attrs["global_symbol"] !== undefined || values.has(gv)) continue;
    const callee = change(func, gv);
    if (callee !== undefined) changed.set(gv, { gv: makeGlobalVar(gv.name, gv.span), callee });
  }
  if (changed.size === 0) return module;
  const functions = new Map<GlobalVar, BaseFunc>();
  for (const [gv, func] of module.functions) {
    const own = changed.get(gv);
    functions.set(own?.gv ?? gv, own?.callee.func ?? func);
  }
  const next = withFunctions(module, functions);
  const bb = new BlockBuilder({ ops, module: next });
  for (const [gv, func] of next.functions) {
    if (!isRelaxFunction(func)) continue;
    const updated = rewriteBindings(func, bb, (value, ctx) => {
      const own = value.kind === "relax.Call" && value.op.kind === "ir.GlobalVar" ? changed.get(value.op) : undefined;
      return value.kind === "relax.Call" && own !== undefined ? own.callee.call(value, own.gv, ctx) : undefined;
    });
    if (updated !== func) bb.updateFunc(gv, updated);
  }
  return bb.finalize();
}

/** The functions that occur other than as the callee of a call. */
function passedOn(module: IRModule): ReadonlySet<GlobalVar> {
  const out = new Set<GlobalVar>();
  for (const func of module.functions.values()) {
    if (!isRelaxFunction(func)) continue;
    forEachExpr(func.body, (e) => {
      if (e.kind === "ir.GlobalVar") out.add(e);
    });
  }
  return out;
}
