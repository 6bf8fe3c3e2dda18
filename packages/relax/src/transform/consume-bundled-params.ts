import { makeOp } from "@verticil/ir-core";
import { constant } from "@verticil/tir";
import { forEachUse } from "../analysis/variables.ts";
import type { AnyVar, Binding, Expr, Function, TupleGetItem } from "../ir/expr.ts";
import { makeCall, makeDataflowVar, makeExternFunc, makePrimValue, makeSeqExpr, makeTupleStructInfo, makeVar, makeVarBinding } from "../ir/make.ts";
import { makeFunction } from "../ir/make-function.ts";

/**
 * A function whose last parameter is a tuple of weights lets go of each weight right after it has taken it out of the tuple
 * (`vm.builtin.tuple_reset_item`), so that a weight's memory is free once it is transformed. A function that uses the tuple
 * as a whole, or takes fields in branches, stays as it is: what it takes there may be asked for again.
 */
export function consumeBundledParams(func: Function): Function {
  const params = func.params.at(-1);
  const { body } = func;
  if (params?.structInfo?.kind !== "relax.TupleStructInfo" || body.kind !== "relax.SeqExpr" || usedOtherwise(body, params)) return func;
  const taken = new Map<number, AnyVar>();
  const blocks = body.blocks.map((block) => {
    const bindings = block.bindings.flatMap((b): readonly Binding[] => {
      if (b.kind !== "relax.VarBinding" || !isField(b.value, params)) return [b];
      const before = taken.get(b.value.index);
      if (before !== undefined) return [makeVarBinding(b.var, before, b.span)];
      taken.set(b.value.index, b.var);
      const nothing = block.kind === "relax.DataflowBlock" ? makeDataflowVar("_", makeTupleStructInfo([])) : makeVar("_", makeTupleStructInfo([]));
      return [b, makeVarBinding(nothing, resetItem(params, b.value.index))];
    });
    return { ...block, bindings };
  });
  return makeFunction(func.params, makeSeqExpr(blocks, body.body, body.span), func.retStructInfo, { isPure: func.isPure, attrs: func.attrs, span: func.span });
}

function isField(value: Expr, tuple: AnyVar): value is TupleGetItem {
  return value.kind === "relax.TupleGetItem" && value.tuple === tuple;
}

function usedOtherwise(body: Extract<Expr, { readonly kind: "relax.SeqExpr" }>, tuple: AnyVar): boolean {
  const uses = (e: Expr): boolean => {
    let used = false;
    forEachUse(e, (v) => (used ||= v === tuple));
    return used;
  };
  return uses(body.body) || body.blocks.some((block) => block.bindings.some((b) => (b.kind !== "relax.VarBinding" || !isField(b.value, tuple)) && uses(b.value)));
}

function resetItem(tuple: AnyVar, index: number): Expr {
  const info = makeTupleStructInfo([]);
  return makeCall(makeOp("relax.call_pure_packed"), [makeExternFunc("vm.builtin.tuple_reset_item"), tuple, makePrimValue(constant(index, "int32"))], { sinfoArgs: [info], structInfo: info });
}
