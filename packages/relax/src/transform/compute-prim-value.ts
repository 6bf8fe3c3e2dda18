import { definePass, makeGlobalVar, makePrimType, withFunctions, type BaseFunc, type GlobalVar, type Pass } from "@verticil/ir-core";
import { intrinOp, isConst, makeCall as makeTirCall, makeEvaluate, makePrimFunc, substitute, undefinedVars, type AnyVar as TirVar, type PrimExpr, type Var as TirParam } from "@verticil/tir";
import { exprKeys } from "../ir/expr-keys.ts";
import { isVar } from "../analysis/variables.ts";
import type { AnyVar, Binding, Expr, SeqExpr } from "../ir/expr.ts";
import { makeBindingBlock, makeCall, makePrimStructInfo, makePrimValue, makeSeqExpr, makeVar, makeVarBinding } from "../ir/make.ts";
import { isRelaxFunction } from "../ir/mutate.ts";
import { mapSequences } from "../ir/map-sequences.ts";
import { renameExpr } from "../ir/rename.ts";
import { UniqueNames } from "../ir/unique-names.ts";

/**
 * Upstream's `ComputePrimValue`: a scalar that is computed from symbolic variables becomes the result of a tensor
 * program that computes it.
 */
export function computePrimValue(): Pass {
  return definePass("ComputePrimValue", (module) => {
    const programs = new Map<string, GlobalVar>();
    const added = new Map<GlobalVar, BaseFunc>();
    const names = new UniqueNames();
    for (const gv of module.functions.keys()) names.reserve(gv.name);
    const keys = exprKeys();
    const programFor = (value: PrimExpr, vars: readonly TirVar[]): GlobalVar => {
      const key = keys.ofExpr(makePrimValue(value)) ?? "";
      let gv = programs.get(key);
      if (gv === undefined) {
        gv = makeGlobalVar(names.fresh("compute_symbolic_expr"));
        programs.set(key, gv);
        added.set(gv, program(value, vars));
      }
      return gv;
    };
    const lower = (seq: SeqExpr): SeqExpr => lowerSequence(seq, programFor);
    const functions = new Map<GlobalVar, BaseFunc>();
    for (const [gv, func] of module.functions) functions.set(gv, isRelaxFunction(func) ? mapSequences(func, lower) : func);
    if (added.size === 0) return module;
    return withFunctions(module, new Map([...functions, ...added]));
  });
}

/** `value` of its variables, as a program of its own. */
function program(value: PrimExpr, vars: readonly TirVar[]): BaseFunc {
  const params = vars.map((v): TirParam => ({ kind: "tir.Var", name: v.name, dtype: v.dtype, typeAnnotation: undefined, span: undefined }));
  const own = substitute(value, new Map(vars.map((v, i) => [v, params[i] ?? v])));
  const body = makeEvaluate(makeTirCall(own.dtype, intrinOp("ret"), [own]));
  return makePrimFunc(params, body, { retType: makePrimType(own.dtype), attrs: { "tir.is_host_func": true } });
}

function lowerSequence(seq: SeqExpr, programFor: (value: PrimExpr, vars: readonly TirVar[]) => GlobalVar): SeqExpr {
  let changed = false;
  // Variables that were bound to what is now a variable itself.
  const renamed = new Map<AnyVar, Expr>();
  const blocks = seq.blocks.map((block) => {
    const out: Binding[] = [];
    let hint = "computed";
    const operand = (e: Expr): Expr => {
      if (e.kind === "relax.PrimValue") {
        if (isConst(e.value) || e.value.kind === "tir.Var" || e.value.kind === "tir.SizeVar") return e;
        const vars = undefinedVars(e.value);
        const call = makeCall(programFor(e.value, vars), vars.map((v) => makePrimValue(v)), { structInfo: makePrimStructInfo(e.value.dtype as never) });
        const v = makeVar(hint, call.structInfo);
        out.push(makeVarBinding(v, call));
        changed = true;
        return v;
      }
      if (e.kind === "relax.Call") {
        const args = e.args.map(operand);
        return args.every((a, i) => a === e.args[i]) ? e : { ...e, args };
      }
      if (e.kind === "relax.Tuple") {
        const fields = e.fields.map(operand);
        return fields.every((f, i) => f === e.fields[i]) ? e : { ...e, fields };
      }
      if (e.kind === "relax.If") {
        const cond = operand(e.cond);
        return cond === e.cond ? e : { ...e, cond };
      }
      return e;
    };
    for (const b of block.bindings) {
      hint = b.kind === "relax.VarBinding" && b.value.kind === "relax.PrimValue" ? b.var.name : "computed";
      const value = operand(b.value);
      if (isVar(value) && value !== b.value && b.kind === "relax.VarBinding" && b.var.kind === "relax.Var") renamed.set(b.var, value);
      else out.push(value === b.value ? b : { ...b, value });
    }
    return block.kind === "relax.BindingBlock" ? makeBindingBlock(out, block.span) : { ...block, bindings: out };
  });
  return changed ? renameExpr(makeSeqExpr(blocks, seq.body, seq.span), renamed) as SeqExpr : seq;
}
