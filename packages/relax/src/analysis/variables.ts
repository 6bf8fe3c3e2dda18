import { forEachChild } from "@verticil/ir-core";
import type { AnyBindingBlock, AnyVar, Binding, Constant, Expr, Function } from "../ir/expr.ts";
import { relaxTable } from "../ir/node-table.ts";

/** True for a graph variable of either sort. */
export function isVar(expr: { readonly kind: string }): expr is AnyVar {
  return expr.kind === "relax.Var" || expr.kind === "relax.DataflowVar";
}

/** Calls `f` on each variable that an operand expression (call, tuple, …) uses, in order, repeats included. */
export function forEachUse(expr: Expr, f: (v: AnyVar) => void): void {
  switch (expr.kind) {
    case "relax.Var":
    case "relax.DataflowVar":
      f(expr);
      return;
    case "relax.Call":
      if (expr.op.kind !== "ir.Op" && expr.op.kind !== "ir.GlobalVar") forEachUse(expr.op, f);
      for (const a of expr.args) forEachUse(a, f);
      return;
    case "relax.Tuple":
      for (const x of expr.fields) forEachUse(x, f);
      return;
    case "relax.TupleGetItem":
      forEachUse(expr.tuple, f);
      return;
    case "relax.If":
      forEachUse(expr.cond, f);
      forEachUse(expr.trueBranch, f);
      forEachUse(expr.falseBranch, f);
      return;
    case "relax.SeqExpr":
      forEachBinding(expr, (b) => forEachUse(b.value, f));
      forEachUse(expr.body, f);
      return;
    case "relax.Function":
      forEachUse(expr.body, f);
      return;
    default:
      return;
  }
}

/** Calls `f` on each binding of a sequence in order; inner sequences are not entered. */
export function forEachBinding(expr: Expr, f: (binding: Binding, block: AnyBindingBlock) => void): void {
  if (expr.kind !== "relax.SeqExpr") return;
  for (const block of expr.blocks) for (const binding of block.bindings) f(binding, block);
}

/** What each variable of a function is bound to, inner sequences included (upstream's `get_var2val`). */
export function varToValue(func: Function): ReadonlyMap<AnyVar, Expr> {
  const out = new Map<AnyVar, Expr>();
  const visit = (expr: Expr): void => {
    if (expr.kind === "relax.If") {
      visit(expr.trueBranch);
      visit(expr.falseBranch);
    } else if (expr.kind === "relax.Function") visit(expr.body);
    else
      forEachBinding(expr, (b) => {
        out.set(b.var, b.value);
        visit(b.value);
      });
  };
  visit(func.body);
  return out;
}

/** How often each variable is used, over a whole function. */
export function useCounts(func: Function): ReadonlyMap<AnyVar, number> {
  const out = new Map<AnyVar, number>();
  forEachUse(func.body, (v) => out.set(v, (out.get(v) ?? 0) + 1));
  return out;
}

/** The variables that are used in `expr` and bound outside it. */
export function freeVars(expr: Expr): readonly AnyVar[] {
  const bound = new Set<AnyVar>();
  const free = new Set<AnyVar>();
  const visit = (e: Expr): void => {
    if (e.kind === "relax.Function") for (const p of e.params) bound.add(p);
    if (e.kind === "relax.SeqExpr") {
      forEachBinding(e, (b) => {
        visit(b.value);
        bound.add(b.var);
      });
      visit(e.body);
    } else if (e.kind === "relax.Function") visit(e.body);
    else if (e.kind === "relax.If") {
      visit(e.cond);
      visit(e.trueBranch);
      visit(e.falseBranch);
    } else
      forEachUse(e, (v) => {
        if (!bound.has(v)) free.add(v);
      });
  };
  visit(expr);
  return [...free];
}

/** The names of the global functions that a function refers to. */
export function globalVarsOf(func: Function): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (node: { readonly kind: string }): void => {
    if (node.kind === "ir.GlobalVar" && "name" in node) names.add(String(node.name));
    forEachChild(relaxTable, node, visit);
  };
  visit(func.body);
  return names;
}

/** Calls `f` on each constant of a function, once each. */
export function forEachConstant(func: Function, f: (constant: Constant) => void): void {
  const seen = new Set<Constant>();
  const visit = (e: Expr): void => {
    if (e.kind === "relax.Constant") {
      if (!seen.has(e)) f(e);
      seen.add(e);
    } else if (e.kind === "relax.Call") e.args.forEach(visit);
    else if (e.kind === "relax.Tuple") e.fields.forEach(visit);
    else if (e.kind === "relax.TupleGetItem") visit(e.tuple);
    else if (e.kind === "relax.If") [e.cond, e.trueBranch, e.falseBranch].forEach(visit);
    else if (e.kind === "relax.Function") visit(e.body);
    else if (e.kind === "relax.SeqExpr") {
      forEachBinding(e, (b) => visit(b.value));
      visit(e.body);
    }
  };
  visit(func.body);
}
