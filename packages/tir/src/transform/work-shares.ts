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
  for (const { gv, calls } of callersFirst(module)) {
    const times = (runs.get(gv) ?? 0) + Number(module.functions.get(gv)?.attrs["global_symbol"] !== undefined);
    runs.set(gv, times);
    for (const [callee, count] of calls) runs.set(callee, (runs.get(callee) ?? 0) + times * count);
  }
  return runs;
}

interface Caller {
  readonly gv: GlobalVar;
  readonly calls: readonly (readonly [GlobalVar, number])[];
}

/** The programs of a module, each once and after all that call it; recursive calls are left out. */
function callersFirst(module: IRModule): readonly Caller[] {
  const done: Caller[] = [];
  const known = new Map<GlobalVar, "open" | "done">();
  const visit = (gv: GlobalVar): void => {
    const func = module.functions.get(gv);
    if (func?.kind !== "tir.PrimFunc" || known.has(gv)) return;
    known.set(gv, "open");
    const calls = callsIn((func as PrimFunc).body).filter(([callee]) => {
      visit(callee);
      return known.get(callee) === "done";
    });
    known.set(gv, "done");
    done.push({ gv, calls });
  };
  for (const gv of module.functions.keys()) visit(gv);
  return done.reverse();
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
