import { definePass, type Pass } from "@verticil/ir-core";
import { forEachUse, isVar, useCounts } from "../analysis/variables.ts";
import type { AnyBindingBlock, AnyVar, Binding, Expr, Function } from "../ir/expr.ts";
import { makeBindingBlock, makeDataflowBlock, makeDataflowVar, makeFunction, makeSeqExpr, makeVarBinding } from "../ir/make.ts";
import { mapRelaxFunctions } from "../ir/mutate.ts";
import { renameExpr } from "../ir/rename.ts";
import { sameStructInfo } from "../ir/same-struct-info.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";

/**
 * Upstream's `CanonicalizeBindings`: drops aliases of variables, match-casts that check nothing, and `(a, b)[0]`; turns
 * variables that do not leave their dataflow block into dataflow variables.
 */
export function canonicalizeBindings(): Pass {
  return definePass("CanonicalizeBindings", (module) => mapRelaxFunctions(module, (f) => localizeVars(dropAliases(f))));
}

function dropAliases(func: Function): Function {
  const renamed = new Map<AnyVar, Expr>();
  const values = new Map<AnyVar, Expr>();
  const body = rewriteSeq(func.body, renamed, values);
  return body === func.body ? func : { ...func, body };
}

function rewriteSeq(expr: Expr, renamed: Map<AnyVar, Expr>, values: Map<AnyVar, Expr>): Expr {
  if (expr.kind !== "relax.SeqExpr") return renameExpr(expr, renamed);
  let changed = false;
  const blocks: AnyBindingBlock[] = [];
  for (const block of expr.blocks) {
    const bindings: Binding[] = [];
    for (const binding of block.bindings) {
      const next = rewriteBinding(binding, renamed, values);
      if (next !== binding) changed = true;
      if (next !== undefined) bindings.push(next);
    }
    if (bindings.length > 0) blocks.push(bindings.length === block.bindings.length && !changed ? block : { ...block, bindings });
    else changed = true;
  }
  const body = renameExpr(expr.body, renamed);
  return changed || body !== expr.body ? makeSeqExpr(blocks, body, expr.span) : expr;
}

/** The binding with aliases resolved; undefined if it is one. */
function rewriteBinding(binding: Binding, renamed: Map<AnyVar, Expr>, values: Map<AnyVar, Expr>): Binding | undefined {
  if (binding.kind === "relax.MatchCast") {
    const value = renameExpr(binding.value, renamed);
    const info = structInfoOf(value);
    if (info !== undefined && sameStructInfo(info, binding.structInfo) && isVar(value) && mayStandFor(value, binding.var)) {
      renamed.set(binding.var, value);
      return undefined;
    }
    return value === binding.value ? binding : { ...binding, value };
  }
  const value = rewriteValue(binding.value, renamed, values);
  const alias = aliasOf(value, values);
  if (alias !== undefined && mayStandFor(alias, binding.var)) {
    renamed.set(binding.var, alias);
    return undefined;
  }
  values.set(binding.var, value);
  return value === binding.value ? binding : makeVarBinding(binding.var, value, binding.span);
}

function rewriteValue(value: Expr, renamed: Map<AnyVar, Expr>, values: Map<AnyVar, Expr>): Expr {
  if (value.kind === "relax.If") {
    const cond = renameExpr(value.cond, renamed);
    const trueBranch = rewriteSeq(value.trueBranch, renamed, values);
    const falseBranch = rewriteSeq(value.falseBranch, renamed, values);
    const same = cond === value.cond && trueBranch === value.trueBranch && falseBranch === value.falseBranch;
    return same ? value : { ...value, cond, trueBranch, falseBranch };
  }
  const next = renameExpr(value, renamed);
  const field = fieldOf(next, values);
  return field?.kind === "relax.Constant" ? field : next;
}

/** A dataflow variable must not stand for one that is seen outside its block. */
function mayStandFor(value: AnyVar, v: AnyVar): boolean {
  return !(value.kind === "relax.DataflowVar" && v.kind === "relax.Var");
}

/** The variable that a value is only another name of. */
function aliasOf(value: Expr, values: ReadonlyMap<AnyVar, Expr>): AnyVar | undefined {
  if (isVar(value)) return value;
  const field = fieldOf(value, values);
  return field !== undefined && isVar(field) ? field : undefined;
}

/** The field that a value takes out of a tuple that is known. */
function fieldOf(value: Expr, values: ReadonlyMap<AnyVar, Expr>): Expr | undefined {
  if (value.kind !== "relax.TupleGetItem") return undefined;
  const tuple = isVar(value.tuple) ? values.get(value.tuple) : value.tuple;
  return tuple?.kind === "relax.Tuple" ? tuple.fields[value.index] : undefined;
}

/** `Var`s bound in a dataflow block and used nowhere else become `DataflowVar`s. */
function localizeVars(func: Function): Function {
  if (func.body.kind !== "relax.SeqExpr") return func;
  const total = useCounts(func);
  const renamed = new Map<AnyVar, Expr>();
  for (const block of func.body.blocks) {
    if (block.kind !== "relax.DataflowBlock") continue;
    const inside = new Map<AnyVar, number>();
    for (const b of block.bindings) forEachUse(b.value, (v) => inside.set(v, (inside.get(v) ?? 0) + 1));
    for (const { var: v } of block.bindings) {
      if (v.kind === "relax.Var" && (inside.get(v) ?? 0) === (total.get(v) ?? 0)) {
        renamed.set(v, makeDataflowVar(v.name, v.structInfo, v.span));
      }
    }
  }
  if (renamed.size === 0) return func;
  const blocks = func.body.blocks.map((block) => {
    const bindings = block.bindings.map((b) => {
      const v = renamed.get(b.var);
      const value = renameExpr(b.value, renamed);
      return v !== undefined && isVar(v) ? { ...b, var: v, value } : value === b.value ? b : { ...b, value };
    });
    return block.kind === "relax.DataflowBlock" ? makeDataflowBlock(bindings, block.span) : makeBindingBlock(bindings, block.span);
  });
  const body = makeSeqExpr(blocks, renameExpr(func.body.body, renamed), func.body.span);
  return makeFunction(func.params, body, func.retStructInfo, { isPure: func.isPure, attrs: func.attrs, span: func.span });
}
