import { definePass, type Pass } from "@verticil/ir-core";
import { numInput } from "../analysis/computable-at-compile-time.ts";
import type { AnyVar, Binding, Expr, Function } from "../ir/expr.ts";
import { makeBindingBlock, makeSeqExpr, makeTupleGetItem, makeTupleStructInfo, makeVar, makeVarBinding, makeObjectStructInfo } from "../ir/make.ts";
import { makeFunction } from "../ir/make-function.ts";
import { mapRelaxFunctions } from "../ir/mutate.ts";
import { forEachUse } from "../analysis/variables.ts";

/**
 * Upstream's `BundleModelParams`: the weights of a model (the parameters after the first `num_input`) come as one tuple,
 * called `param_tuple_name` or `model_params`. Functions without `num_input` stay.
 */
export function bundleModelParams(paramTupleName = "model_params"): Pass {
  return definePass("BundleModelParams", (module) => mapRelaxFunctions(module, (func) => bundleWeights(func, paramTupleName)));
}

/** `BundleModelParams` on one function. */
export function bundleWeights(func: Function, name = "model_params"): Function {
  const inputs = numInput(func);
  if (inputs === undefined || inputs > func.params.length) return func;
  const weights = func.params.slice(inputs);
  const tuple = makeVar(name, makeTupleStructInfo(weights.map((p) => p.structInfo ?? makeObjectStructInfo())));
  const index = new Map<AnyVar, number>(weights.map((p, i) => [p, i]));
  const body = withItems(func.body, index, tuple);
  return makeFunction([...func.params.slice(0, inputs), tuple], body, func.retStructInfo, { isPure: func.isPure, attrs: func.attrs, span: func.span });
}

/** Each weight is taken out of the tuple right before its first use, outside branches. */
function withItems(expr: Expr, index: ReadonlyMap<AnyVar, number>, tuple: AnyVar): Expr {
  const pending = new Map(index);
  const before = (e: Expr): readonly Binding[] => {
    const out: Binding[] = [];
    forEachUse(e, (v) => {
      const i = pending.get(v);
      if (i === undefined) return;
      pending.delete(v);
      out.push(makeVarBinding(v, makeTupleGetItem(tuple, i)));
    });
    return out;
  };
  if (expr.kind !== "relax.SeqExpr") {
    const bindings = before(expr);
    return bindings.length === 0 ? expr : makeSeqExpr([makeBindingBlock(bindings)], expr);
  }
  const blocks = expr.blocks.map((block) => ({ ...block, bindings: block.bindings.flatMap((b) => [...before(b.value), b]) }));
  const last = before(expr.body);
  return makeSeqExpr(last.length === 0 ? blocks : [...blocks, makeBindingBlock(last)], expr.body, expr.span);
}
