import type { IRModule } from "@verticil/ir-core";
import { isCallTo } from "../ir/call-target.ts";
import type { AnyVar, Expr, Function } from "../ir/expr.ts";
import { isRelaxFunction } from "../ir/mutate.ts";
import { forEachBinding, forEachUse, varToValue } from "./variables.ts";

/**
 * Which variables lie on the same device as a variable: what is computed of each other does, unless it is moved
 * (`R.to_vdevice`) or may be (`R.hint_on_device`).
 */
export function coLocatedVars(module: IRModule): ReadonlyMap<AnyVar, readonly AnyVar[]> {
  const out = new Map<AnyVar, AnyVar[]>();
  const join = (a: AnyVar, b: AnyVar): void => {
    out.set(a, [...(out.get(a) ?? []), b]);
    out.set(b, [...(out.get(b) ?? []), a]);
  };
  const value = (e: Expr, bound: AnyVar | undefined): void => {
    if (isCallTo(e, "relax.to_vdevice") || isCallTo(e, "relax.hint_on_device")) return;
    if (e.kind === "relax.If") [e.cond, e.trueBranch, e.falseBranch].forEach((x) => value(x, bound));
    else if (e.kind === "relax.Function") value(e.body, bound);
    else if (e.kind === "relax.SeqExpr") {
      forEachBinding(e, (b) => value(b.value, b.var));
      value(e.body, bound);
    } else if (bound !== undefined) forEachUse(e, (v) => join(bound, v));
  };
  for (const func of module.functions.values()) if (isRelaxFunction(func)) value(func.body, undefined);
  return out;
}

/** Calls `f` on each graph function of a module, local functions after what holds them. */
export function forEachFunction(module: IRModule, f: (func: Function) => void): void {
  const visit = (func: Function): void => {
    f(func);
    for (const value of varToValue(func).values()) if (value.kind === "relax.Function") visit(value);
  };
  for (const func of module.functions.values()) if (isRelaxFunction(func)) visit(func);
}
