import { definePass, type Pass } from "@verticil/ir-core";
import type { AnyVar as TirVar, PrimExpr } from "@verticil/tir";
import { freeSymbolicVars } from "../analysis/free-symbolic-vars.ts";
import { freeVars } from "../analysis/variables.ts";
import type { Call, Function } from "../ir/expr.ts";
import { bindSymbolic } from "../ir/infer-call.ts";
import { makeCall, makePrimStructInfo, makePrimValue, makeVar } from "../ir/make.ts";
import { makeFunction } from "../ir/make-function.ts";
import { isRelaxFunction, mapRelaxFunctions } from "../ir/mutate.ts";
import { opRegistryKey } from "../ir/op-def.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";
import { removeAllUnused } from "./dead-code-elimination.ts";
import { replaceCallees, type ChangedCallee } from "./replace-callees.ts";

/**
 * Upstream's `RemoveUnusedParameters`: private functions do not take what they do not use. Sizes that only an unused
 * parameter had are handed over as scalars.
 */
export function removeUnusedParameters(): Pass {
  return definePass("RemoveUnusedParameters", (module, ctx) => {
    const ops = ctx.get(opRegistryKey);
    const next = replaceCallees(module, ops, trimmed);
    if (next === module) return module;
    return mapRelaxFunctions(next, (func, gv) => (func === module.functions.get(gv) || !isRelaxFunction(func) ? func : removeAllUnused(func, ops)));
  });
}

function trimmed(func: Function): ChangedCallee | undefined {
  const used = new Set(freeVars(func.body));
  const params = func.params.filter((p) => used.has(p));
  if (params.length === func.params.length) return undefined;
  const known = new Map<TirVar, PrimExpr>();
  for (const p of params) if (p.structInfo !== undefined) bindSymbolic(p.structInfo, p.structInfo, known);
  const sizes = freeSymbolicVars(func).filter((v) => !known.has(v));
  const scalars = sizes.map((v) => makeVar(`param_${v.name}`, makePrimStructInfo("int64", v)));
  const next = makeFunction([...params, ...scalars], func.body, func.retStructInfo, { isPure: func.isPure, attrs: func.attrs, span: func.span });
  const args = (call: Call): Call["args"] => {
    const values = new Map<TirVar, PrimExpr>();
    func.params.forEach((p, i) => {
      const arg = call.args[i];
      if (p.structInfo !== undefined && arg !== undefined) bindSymbolic(p.structInfo, structInfoOf(arg), values);
    });
    return [...call.args.filter((_, i) => used.has(func.params[i] ?? makeVar(""))), ...sizes.map((v) => makePrimValue(values.get(v) ?? v))];
  };
  return { func: next, call: (call, callee) => makeCall(callee, args(call), { span: call.span }) };
}

