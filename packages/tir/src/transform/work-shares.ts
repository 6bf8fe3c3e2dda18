import type { GlobalVar, IRModule } from "@verticil/ir-core";
import { asInt } from "../ir/ops.ts";
import type { PrimFunc, Stmt } from "../ir/stmt.ts";
import { visitStmt } from "../ir/visit.ts";
import { estimateWork } from "./loop-work.ts";

/**
 * Which part of all work each function of a module of flat programs does itself, by `estimateWork`, in one run of the functions
 * that can be called from outside. From 0 to 1.
 */
export function workShares(module: IRModule): ReadonlyMap<GlobalVar, number> {
  const runs = countRuns(module);
  const work = new Map<GlobalVar, number>();
  for (const [gv, func] of module.functions) {
    if (func.kind === "tir.PrimFunc") work.set(gv, estimateWork((func as PrimFunc).body) * (runs.get(gv) ?? 0));
  }
  const total = [...work.values()].reduce((sum, x) => sum + x, 0);
  return new Map([...work].map(([gv, x]) => [gv, total === 0 ? 0 : x / total]));
}

/** How often each function runs; a loop of unknown extent counts as one iteration, a recursive call as none. */
function countRuns(module: IRModule): ReadonlyMap<GlobalVar, number> {
  const runs = new Map<GlobalVar, number>();
  const open = new Set<GlobalVar>();
  const run = (gv: GlobalVar, times: number): void => {
    const func = module.functions.get(gv);
    if (func?.kind !== "tir.PrimFunc" || open.has(gv)) return;
    runs.set(gv, (runs.get(gv) ?? 0) + times);
    open.add(gv);
    for (const [callee, count] of callsIn((func as PrimFunc).body)) run(callee, times * count);
    open.delete(gv);
  };
  for (const [gv, func] of module.functions) if (func.attrs["global_symbol"] !== undefined) run(gv, 1);
  return runs;
}

/** The calls of a statement's functions, and how often one run of the statement makes each. */
function callsIn(stmt: Stmt): readonly (readonly [GlobalVar, number])[] {
  const calls: (readonly [GlobalVar, number])[] = [];
  visitStmt(stmt, {
    expr: (e) => {
      if (e.kind === "tir.Call" && e.op.kind === "ir.GlobalVar") calls.push([e.op, 1]);
      return undefined;
    },
    stmt: (s) => {
      if (s.kind !== "tir.For") return undefined;
      for (const [callee, count] of callsIn(s.body)) calls.push([callee, count * (asInt(s.extent) ?? 1)]);
      return "skip";
    },
  });
  return calls;
}
