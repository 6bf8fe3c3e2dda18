import { definePass, withFunctions, type BaseFunc, type GlobalVar, type IRModule, type Pass } from "@verticil/ir-core";
import { globalVarsOf } from "../analysis/variables.ts";
import { BlockBuilder } from "../ir/block-builder.ts";
import { cloneFunction } from "../ir/clone-function.ts";
import type { AnyVar, Call, Expr, Function } from "../ir/expr.ts";
import { bindSymbolic } from "../ir/infer-call.ts";
import { makeBindingBlock, makeSeqExpr, makeVar, makeVarBinding } from "../ir/make.ts";
import { isRelaxFunction, rewriteBindings } from "../ir/mutate.ts";
import { opRegistryKey, type OpRegistry } from "../ir/op-def.ts";
import { renameExpr } from "../ir/rename.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";
import type { AnyVar as TirVar, PrimExpr } from "@verticil/tir";
import { canonicalizeFunction } from "./canonicalize-bindings.ts";
import { flattenDataflow } from "./dataflow-blocks.ts";
import { removeAllUnused } from "./dead-code-elimination.ts";

/**
 * Upstream's `InlinePrivateFunctions`: private graph functions take the place of their calls, and leave the module. Those
 * that call themselves stay, as do those that are passed on as values. Where a function with branches or effects goes into
 * a dataflow block, the blocks of its caller become plain.
 */
export function inlinePrivateFunctions(): Pass {
  return definePass("InlinePrivateFunctions", (module, ctx) => {
    const inlined = inlinable(module);
    if (inlined.size === 0) return module;
    const ops = ctx.get(opRegistryKey);
    const functions = new Map<GlobalVar, BaseFunc>();
    for (const [gv, func] of module.functions) if (!inlined.has(gv)) functions.set(gv, isRelaxFunction(func) ? inlineFunctions(func, inlined, module, ops) : func);
    const out = withFunctions(module, functions);
    // What is passed on as a value is still needed.
    const kept = [...inlined].filter(([gv]) => [...out.functions.values()].some((f) => isRelaxFunction(f) && globalVarsOf(f).has(gv.name)));
    return kept.length === 0 ? out : withFunctions(out, new Map([...out.functions, ...kept]));
  });
}

/** The function with calls of `inlined` replaced by what they compute. */
export function inlineFunctions(func: Function, inlined: ReadonlyMap<GlobalVar, Function>, module: IRModule, ops: OpRegistry): Function {
  let current = func;
  for (;;) {
    const called = [...inlined].filter(([gv]) => globalVarsOf(current).has(gv.name));
    if (called.length === 0) return current;
    const plain: Function = called.some(([, f]) => !isStraight(f.body)) ? { ...current, body: flattenDataflow(current.body) } : current;
    const next = rewriteBindings(plain, new BlockBuilder({ ops, module }), (value) => {
      const callee = value.kind === "relax.Call" && value.op.kind === "ir.GlobalVar" ? inlined.get(value.op) : undefined;
      return value.kind === "relax.Call" && callee !== undefined ? inlineCall(callee, value) : undefined;
    });
    if (next === plain) return current;
    current = removeAllUnused(canonicalizeFunction(next), ops);
  }
}

/** What a call computes, in terms of its arguments. */
export function inlineCall(func: Function, call: Call): Expr {
  const sizes = new Map<TirVar, PrimExpr>();
  func.params.forEach((p, i) => {
    const arg = call.args[i];
    if (p.structInfo !== undefined && arg !== undefined) bindSymbolic(p.structInfo, structInfoOf(arg), sizes);
  });
  const copy = cloneFunction(func, new Map(), sizes);
  const held = copy.params.map((p, i) => makeVar(p.name, structInfoOf(call.args[i] ?? p)));
  const bindings = held.map((v, i) => makeVarBinding(v, call.args[i] ?? v));
  const renamed = new Map<AnyVar, Expr>(copy.params.map((p, i) => [p, held[i] ?? p]));
  const body = renameExpr(copy.body, renamed);
  const blocks = body.kind === "relax.SeqExpr" ? body.blocks : [];
  return makeSeqExpr([makeBindingBlock(bindings), ...blocks], body.kind === "relax.SeqExpr" ? body.body : body);
}

function isStraight(body: Expr): boolean {
  return body.kind === "relax.SeqExpr" && body.blocks.every((b) => b.kind === "relax.DataflowBlock" || b.bindings.every((x) => x.value.kind !== "relax.If"));
}

/** Private functions that do not reach themselves. */
function inlinable(module: IRModule): ReadonlyMap<GlobalVar, Function> {
  const callees = new Map<string, ReadonlySet<string>>();
  for (const [gv, func] of module.functions) if (isRelaxFunction(func)) callees.set(gv.name, globalVarsOf(func));
  const reachesItself = (name: string): boolean => {
    const seen = new Set<string>();
    const visit = (n: string): boolean => [...(callees.get(n) ?? [])].some((c) => c === name || (!seen.has(c) && (seen.add(c), visit(c))));
    return visit(name);
  };
  const out = new Map<GlobalVar, Function>();
  for (const [gv, func] of module.functions) {
    if (isRelaxFunction(func) && func.attrs["global_symbol"] === undefined && func.isPure && !reachesItself(gv.name)) out.set(gv, func);
  }
  return out;
}
