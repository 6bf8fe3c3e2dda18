import { definePass, runPass, type GlobalVar, type IRModule, type Pass } from "@verticil/ir-core";
import { forEachUse, isVar, varToValue } from "../analysis/variables.ts";
import type { Call, Expr, Function } from "../ir/expr.ts";
import { makeBindingBlock, makeCall, makePrimValue, makeSeqExpr, makeTuple, makeTupleGetItem, makeTupleStructInfo, makeVar, makeVarBinding } from "../ir/make.ts";
import { makeFunction } from "../ir/make-function.ts";
import { isRelaxFunction } from "../ir/mutate.ts";
import { opRegistryKey } from "../ir/op-def.ts";
import { canonicalizeBindings } from "./canonicalize-bindings.ts";
import { deadCodeElimination } from "./dead-code-elimination.ts";
import { replaceCallees } from "./replace-callees.ts";

/** Upstream's `RemoveUnusedOutputs`: private functions that give a tuple do not compute the fields that no caller takes. */
export function removeUnusedOutputs(): Pass {
  return definePass("RemoveUnusedOutputs", (module, ctx) => {
    const used = usedOutputs(module);
    const next = replaceCallees(module, ctx.get(opRegistryKey), (func, gv) => {
      const mask = used.get(gv);
      if (mask === undefined || mask.every((u) => u) || func.retStructInfo.kind !== "relax.TupleStructInfo") return undefined;
      return { func: withOutputs(func, mask), call: (call, callee) => oldTuple(makeCall(callee, call.args, { span: call.span }), mask) };
    });
    return next === module ? module : runPass(deadCodeElimination(), runPass(canonicalizeBindings(), next, ctx), ctx);
  });
}

function usedOutputs(module: IRModule): ReadonlyMap<GlobalVar, boolean[]> {
  const masks = new Map<GlobalVar, boolean[]>();
  for (const [gv, func] of module.functions) {
    if (isRelaxFunction(func) && func.attrs["global_symbol"] === undefined && func.retStructInfo.kind === "relax.TupleStructInfo") masks.set(gv, func.retStructInfo.fields.map(() => false));
  }
  for (const func of module.functions.values()) if (isRelaxFunction(func)) markUses(func, masks);
  return masks;
}

function markUses(func: Function, masks: ReadonlyMap<GlobalVar, boolean[]>): void {
  const values = varToValue(func);
  const maskOf = (e: Expr): boolean[] | undefined => {
    let value: Expr | undefined = e;
    while (value !== undefined && isVar(value)) value = values.get(value);
    return value?.kind === "relax.Call" && value.op.kind === "ir.GlobalVar" ? masks.get(value.op) : undefined;
  };
  const all = (e: Expr): void => forEachUse(e, (v) => maskOf(v)?.fill(true));
  const visit = (e: Expr): void => {
    if (e.kind === "relax.TupleGetItem") {
      const mask = maskOf(e.tuple);
      if (mask !== undefined) mask[e.index] = true;
      else all(e);
    } else if (e.kind === "relax.SeqExpr") {
      for (const block of e.blocks) {
        for (const b of block.bindings) {
          // Another name of the tuple is no use of it.
          if (b.kind === "relax.MatchCast" || !isVar(b.value)) visit(b.value);
        }
      }
      all(e.body);
      maskOf(e.body)?.fill(true);
    } else if (e.kind === "relax.If") [e.cond, e.trueBranch, e.falseBranch].forEach(visit);
    else if (e.kind === "relax.Function") visit(e.body);
    else all(e);
  };
  visit(func.body);
}

function withOutputs(func: Function, mask: readonly boolean[]): Function {
  const all = makeVar("previous_outputs", func.retStructInfo);
  const kept = mask.flatMap((used, i) => (used ? [makeTupleGetItem(all, i)] : []));
  const vars = kept.map((e, i) => makeVar(`output_${i}`, e.structInfo));
  const blocks = func.body.kind === "relax.SeqExpr" ? func.body.blocks : [];
  const result = func.body.kind === "relax.SeqExpr" ? func.body.body : func.body;
  const bindings = [makeVarBinding(all, result), ...vars.map((v, i) => makeVarBinding(v, kept[i] ?? v))];
  const [only] = vars;
  const out: Expr = vars.length === 1 && only !== undefined ? only : makeTuple(vars);
  const info = vars.length === 1 && only?.structInfo !== undefined ? only.structInfo : makeTupleStructInfo(vars.flatMap((v) => v.structInfo ?? []));
  return makeFunction(func.params, makeSeqExpr([...blocks, makeBindingBlock(bindings)], out), info, { isPure: func.isPure, attrs: func.attrs, span: func.span });
}

/** The tuple that the call gave before; in the place of what it does not give any more stands a number that nobody takes. */
function oldTuple(call: Call, mask: readonly boolean[]): Expr {
  const single = mask.filter((u) => u).length === 1;
  let next = 0;
  return makeTuple(mask.map((used) => (!used ? makePrimValue(0) : single ? call : makeTupleGetItem(call, next++))));
}
