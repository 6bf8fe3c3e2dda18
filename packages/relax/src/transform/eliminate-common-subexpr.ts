import { definePass, type Pass } from "@verticil/ir-core";
import { containsImpureCall } from "../analysis/purity.ts";
import type { AnyBindingBlock, AnyVar, Binding, Expr, Function } from "../ir/expr.ts";
import { makeSeqExpr } from "../ir/make.ts";
import { mapRelaxFunctions } from "../ir/mutate.ts";
import { opRegistryKey, type OpRegistry } from "../ir/op-def.ts";
import { renameExpr } from "../ir/rename.ts";
import { exprKeys } from "../ir/expr-keys.ts";

/**
 * Upstream's `EliminateCommonSubexpr`: of equal pure values in one scope only the first is computed. With `callOnly`
 * only calls are looked at.
 */
export function eliminateCommonSubexpr(opts: { readonly callOnly?: boolean } = {}): Pass {
  return definePass("EliminateCommonSubexpr", (module, ctx) => {
    const ops = ctx.get(opRegistryKey);
    return mapRelaxFunctions(module, (f) => eliminate(f, ops, opts.callOnly ?? false));
  });
}

function eliminate(func: Function, ops: OpRegistry, callOnly: boolean): Function {
  if (func.body.kind !== "relax.SeqExpr") return func;
  const keyOf = exprKeys();
  const renamed = new Map<AnyVar, Expr>();
  const outer = new Map<string, AnyVar>();
  const blocks: AnyBindingBlock[] = [];
  for (const block of func.body.blocks) {
    // A dataflow variable must not be used outside its block.
    const local = new Map<string, AnyVar>();
    const bindings: Binding[] = [];
    for (const binding of block.bindings) {
      const value = renameExpr(binding.value, renamed);
      const candidate =
        binding.kind === "relax.VarBinding" && (!callOnly || value.kind === "relax.Call") && !containsImpureCall(value, ops);
      const key = candidate ? keyOf(value) : undefined;
      const same = key === undefined ? undefined : (local.get(key) ?? outer.get(key));
      if (same !== undefined && !(same.kind === "relax.DataflowVar" && binding.var.kind === "relax.Var")) {
        renamed.set(binding.var, same);
        continue;
      }
      if (key !== undefined) (binding.var.kind === "relax.Var" ? outer : local).set(key, binding.var);
      bindings.push(value === binding.value ? binding : { ...binding, value });
    }
    if (bindings.length > 0) blocks.push({ ...block, bindings });
  }
  if (renamed.size === 0) return func;
  return { ...func, body: makeSeqExpr(blocks, renameExpr(func.body.body, renamed), func.body.span) };
}
