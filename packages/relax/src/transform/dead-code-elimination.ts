import { definePass, forEachChild, withFunctions, type BaseFunc, type GlobalVar, type IRModule, type Node, type Pass } from "@verticil/ir-core";
import { visitStmt, type PrimFunc } from "@verticil/tir";
import { containsImpureCall } from "../analysis/purity.ts";
import { forEachUse } from "../analysis/variables.ts";
import type { AnyBindingBlock, AnyVar, Binding, Expr, Function } from "../ir/expr.ts";
import { makeSeqExpr } from "../ir/make.ts";
import { mapRelaxFunctions } from "../ir/mutate.ts";
import { relaxTable } from "../ir/node-table.ts";
import { opRegistryKey, type OpRegistry } from "../ir/op-def.ts";

/**
 * Upstream's `DeadCodeElimination`: drops bindings whose value nobody uses and which have no effect, and functions that
 * no entry function reaches. Entry functions are `entryFunctions` and all with a `global_symbol`.
 */
export function deadCodeElimination(opts: { readonly entryFunctions?: readonly string[] } = {}): Pass {
  return definePass("DeadCodeElimination", (module, ctx) => {
    const ops = ctx.get(opRegistryKey);
    const trimmed = mapRelaxFunctions(module, (f) => removeAllUnused(f, ops));
    return removeUnreachable(trimmed, new Set(opts.entryFunctions ?? []));
  });
}

/** A function without unused pure bindings (upstream's analysis `remove_all_unused`). */
export function removeAllUnused(func: Function, ops: OpRegistry): Function {
  const live = new Set<AnyVar>();
  const body = trim(func.body, live, ops);
  return body === func.body ? func : { ...func, body };
}

function trim(expr: Expr, live: Set<AnyVar>, ops: OpRegistry): Expr {
  if (expr.kind !== "relax.SeqExpr") {
    forEachUse(expr, (v) => live.add(v));
    return expr;
  }
  forEachUse(expr.body, (v) => live.add(v));
  let changed = false;
  const blocks: AnyBindingBlock[] = [];
  for (const block of [...expr.blocks].reverse()) {
    const kept: Binding[] = [];
    for (const binding of [...block.bindings].reverse()) {
      const next = trimBinding(binding, live, ops);
      if (next !== binding) changed = true;
      if (next !== undefined) kept.push(next);
    }
    if (kept.length > 0) blocks.push(kept.length === block.bindings.length && !changed ? block : { ...block, bindings: kept.reverse() });
  }
  return changed ? makeSeqExpr(blocks.reverse(), expr.body, expr.span) : expr;
}

function trimBinding(binding: Binding, live: Set<AnyVar>, ops: OpRegistry): Binding | undefined {
  // A match-cast binds symbolic variables and checks at run time: it stays.
  const needed = live.has(binding.var) || binding.kind === "relax.MatchCast" || containsImpureCall(binding.value, ops);
  if (!needed) return undefined;
  const { value } = binding;
  if (value.kind === "relax.If") {
    const trueBranch = trim(value.trueBranch, live, ops);
    const falseBranch = trim(value.falseBranch, live, ops);
    forEachUse(value.cond, (v) => live.add(v));
    if (trueBranch === value.trueBranch && falseBranch === value.falseBranch) return binding;
    return { ...binding, value: { ...value, trueBranch, falseBranch } };
  }
  forEachUse(value, (v) => live.add(v));
  return binding;
}

function isPrimFunc(func: BaseFunc): func is PrimFunc {
  return func.kind === "tir.PrimFunc";
}

/** The functions that a tensor program calls. */
function visitCallees(body: PrimFunc["body"], reach: (gv: GlobalVar) => void): void {
  visitStmt(body, {
    expr(e) {
      if (e.kind === "tir.Call" && e.op.kind === "ir.GlobalVar") reach(e.op);
    },
  });
}

function removeUnreachable(module: IRModule, entries: ReadonlySet<string>): IRModule {
  const reached = new Set<GlobalVar>();
  const visit = (node: Node): void => {
    if (node.kind === "ir.GlobalVar") {
      reach(node as GlobalVar);
      return;
    }
    forEachChild(relaxTable, node, visit);
  };
  const reach = (gv: GlobalVar): void => {
    const func = module.functions.get(gv);
    if (func === undefined || reached.has(gv)) return;
    reached.add(gv);
    if (func.kind === "relax.Function") visit((func as Function).body);
    else if (isPrimFunc(func)) {
      visitCallees(func.body, reach);
      forEachChild(relaxTable, func, (part) => (part === func.body ? undefined : visit(part)));
    } else forEachChild(relaxTable, func, visit);
  };
  for (const [gv, func] of module.functions) {
    if (entries.has(gv.name) || func.attrs["global_symbol"] !== undefined || gv.name === "main") reach(gv);
  }
  if (reached.size === module.functions.size) return module;
  return withFunctions(module, new Map([...module.functions].filter(([gv]) => reached.has(gv))));
}
