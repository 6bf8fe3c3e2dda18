import { definePass, runPass, type Pass } from "@verticil/ir-core";
import type { Expr, Function, Var, VarBinding } from "../ir/expr.ts";
import { makeBindingBlock, makeCall, makeSeqExpr, makeTuple, makeTupleGetItem, makeVar, makeVarBinding } from "../ir/make.ts";
import { makeFunction } from "../ir/make-function.ts";
import type { RuleContext } from "../ir/mutate.ts";
import { opRegistryKey } from "../ir/op-def.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";
import { canonicalizeBindings } from "./canonicalize-bindings.ts";
import { deadCodeElimination } from "./dead-code-elimination.ts";
import { replaceCallees } from "./replace-callees.ts";

/** Upstream's `ExpandTupleArguments`: private functions take the fields of tuples in the place of tuples. */
export function expandTupleArguments(): Pass {
  return definePass("ExpandTupleArguments", (module, ctx) => {
    const next = replaceCallees(module, ctx.get(opRegistryKey), (func) => {
      if (func.params.every((p) => p.structInfo?.kind !== "relax.TupleStructInfo")) return undefined;
      return { func: expandParams(func), call: (call, callee, ruleCtx) => makeCall(callee, call.args.flatMap((a) => fieldsOf(a, ruleCtx)), { span: call.span }) };
    });
    return next === module ? module : runPass(deadCodeElimination(), runPass(canonicalizeBindings(), next, ctx), ctx);
  });
}

/** A function that takes the fields of tuples in the place of tuples. */
export function expandParams(func: Function): Function {
  const params: Var[] = [];
  const bindings: VarBinding[] = [];
  const expand = (p: Var): void => {
    if (p.structInfo?.kind !== "relax.TupleStructInfo") {
      params.push(p);
      return;
    }
    const fields = p.structInfo.fields.map((info, i) => makeVar(`${p.name}_${i}`, info));
    fields.forEach(expand);
    bindings.push(makeVarBinding(p, makeTuple(fields)));
  };
  func.params.forEach(expand);
  const blocks = func.body.kind === "relax.SeqExpr" ? func.body.blocks : [];
  const body = makeSeqExpr([makeBindingBlock(bindings), ...blocks], func.body.kind === "relax.SeqExpr" ? func.body.body : func.body);
  return makeFunction(params, body, func.retStructInfo, { isPure: func.isPure, attrs: func.attrs, span: func.span });
}

/** The fields of a tuple and of the tuples in it; anything else is itself. */
function fieldsOf(arg: Expr, ctx: RuleContext): readonly Expr[] {
  const info = structInfoOf(arg);
  if (info?.kind !== "relax.TupleStructInfo") return [arg];
  const bound = ctx.value(arg) ?? arg;
  return info.fields.flatMap((_, i) => fieldsOf(bound.kind === "relax.Tuple" ? (bound.fields[i] ?? arg) : makeTupleGetItem(arg, i), ctx));
}
