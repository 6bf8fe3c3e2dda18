import { definePass, withAttrs, type Pass } from "@verticil/ir-core";
import { numInput } from "../analysis/computable-at-compile-time.ts";
import { symbolicVarsOf } from "../analysis/free-symbolic-vars.ts";
import { forEachUse } from "../analysis/variables.ts";
import { eraseStructInfo } from "../ir/erase-struct-info.ts";
import type { AnyVar, Binding, Expr, Function } from "../ir/expr.ts";
import { bindSymbolic, tirVarsInStructInfo } from "../ir/infer-call.ts";
import { makeBindingBlock, makeCall, makeDataflowVar, makeFuncStructInfo, makeMatchCast, makeObjectStructInfo, makePrimStructInfo, makePrimValue, makeSeqExpr, makeStringImm, makeVar, makeVarBinding } from "../ir/make.ts";
import { makeFunction } from "../ir/make-function.ts";
import { mapRelaxFunctions } from "../ir/mutate.ts";
import type { StructInfo } from "../ir/struct-info.ts";
import { undefinedVars, type AnyVar as TirVar, type PrimExpr } from "@verticil/tir";

/**
 * Upstream's `LazyGetInput`: public functions ask for each weight (or, without `num_input`, each parameter) where they first
 * need it, from a function `fget_param(index, name)` that they are given.
 */
export function lazyGetInput(): Pass {
  return definePass("LazyGetInput", (module) => mapRelaxFunctions(module, (func) => (func.attrs["global_symbol"] === undefined ? func : withLazyInputs(func))));
}

function withLazyInputs(func: Function): Function {
  const count = numInput(func) ?? 0;
  const index = new Map<AnyVar, number>(func.params.slice(count).map((p, i) => [p, i]));
  const get = makeVar("fget_param", makeFuncStructInfo([makePrimStructInfo("int64"), makeObjectStructInfo()], makeObjectStructInfo()));
  const params = [...func.params.slice(0, count), get];
  const pending = new Map(index);
  const known = new Set(boundBy(params));
  // A weight keeps its variable: it is bound where it is first needed, outside branches.
  const ask = (v: AnyVar, isDataflow: boolean): readonly Binding[] => {
    const i = pending.get(v);
    if (i === undefined) return [];
    pending.delete(v);
    boundBy([v]).forEach((s) => known.add(s));
    const before = sizesIn(v.structInfo).flatMap((s) => askSize(s, isDataflow));
    const call = makeCall(get, [makePrimValue(i), makeStringImm(v.name)], { structInfo: makeObjectStructInfo() });
    const name = `${v.name}_untyped`;
    const untyped = isDataflow ? makeDataflowVar(name, makeObjectStructInfo()) : makeVar(name, makeObjectStructInfo());
    return [...before, makeVarBinding(untyped, call), makeMatchCast(v, untyped, v.structInfo ?? makeObjectStructInfo())];
  };
  // A size is known once a weight that has it is there.
  const askSize = (s: TirVar, isDataflow: boolean): readonly Binding[] => {
    const holder = known.has(s) ? undefined : [...pending.keys()].find((v) => boundBy([v]).includes(s));
    return holder === undefined ? [] : ask(holder, isDataflow);
  };
  const needs = (e: Expr, isDataflow: boolean, info?: StructInfo): readonly Binding[] => {
    const out: Binding[] = [];
    forEachUse(e, (v) => out.push(...ask(v, isDataflow)));
    for (const s of symbolicVarsOf(e, info)) out.push(...askSize(s, isDataflow));
    return out;
  };
  const { body } = func;
  const blocks = body.kind === "relax.SeqExpr" ? body.blocks.map((block) => ({ ...block, bindings: block.bindings.flatMap((b) => [...needs(b.value, block.kind === "relax.DataflowBlock", b.kind === "relax.MatchCast" ? b.structInfo : b.var.structInfo), b]) })) : [];
  const result = body.kind === "relax.SeqExpr" ? body.body : body;
  const last = needs(result, false);
  const told = new Set(boundBy(params));
  const ret = eraseStructInfo(func.retStructInfo, (d) => undefinedVars(d).every((v) => told.has(v)));
  const seq = makeSeqExpr(last.length === 0 ? blocks : [...blocks, makeBindingBlock(last)], result);
  return withAttrs(makeFunction(params, seq, ret, { isPure: func.isPure, attrs: func.attrs, span: func.span }), { num_input: count + 1 });
}

/** The symbolic variables that values of these variables bind. */
function boundBy(vars: readonly AnyVar[]): readonly TirVar[] {
  const known = new Map<TirVar, PrimExpr>();
  for (const v of vars) if (v.structInfo !== undefined) bindSymbolic(v.structInfo, v.structInfo, known);
  return [...known.keys()];
}

function sizesIn(info: StructInfo | undefined): readonly TirVar[] {
  const out = new Set<TirVar>();
  if (info !== undefined) tirVarsInStructInfo(info, (d) => undefinedVars(d).forEach((v) => out.add(v)));
  return [...out];
}
