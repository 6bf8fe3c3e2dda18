import { at, definePass, withFunctions, type BaseFunc, type GlobalVar, type IRModule, type Pass } from "@verticil/ir-core";
import { collectBuffers } from "../ir/free-vars.ts";
import { makeLetStmt } from "../ir/make-stmt.ts";
import type { AnyVar, Call, PrimExpr, Var } from "../ir/expr.ts";
import { mapStmtChildren } from "../ir/map-children.ts";
import type { DeclBuffer, PrimFunc, Stmt } from "../ir/stmt.ts";
import { substitute } from "../ir/substitute.ts";
import { visitExpr, visitStmt } from "../ir/visit.ts";
import { convertToSSA } from "./convert-ssa.ts";
import { targetKind, targetOf } from "./target-attr.ts";
import { withBody } from "./prim-func-pass.ts";

/**
 * Puts the bodies of private functions in place of their calls, and drops those that nothing calls any more (upstream's
 * `InlinePrivateFunctions`). A function stays that is recursive, takes buffers, has blocks, runs on another target, or is
 * called for its value.
 */
export function inlinePrivateFunctions(): Pass {
  return definePass("InlinePrivateFunctions", inlineModule);
}

function inlineModule(module: IRModule): IRModule {
  const funcs = new Map<GlobalVar, PrimFunc>();
  for (const [gv, f] of module.functions) if (f.kind === "tir.PrimFunc") funcs.set(gv, f as PrimFunc);
  const recursive = recursiveFunctions(funcs);
  const inlinable = new Map([...funcs].filter(([gv, f]) => !recursive.has(gv) && isInlinable(f)));
  if (inlinable.size === 0) return module;
  const stillCalled = new Set<GlobalVar>();
  const updates = new Map<GlobalVar, PrimFunc>();
  for (const [gv, f] of funcs) {
    const body = inlineCalls(f, inlinable, stillCalled);
    if (body !== f.body) updates.set(gv, withBody(f, convertToSSA(body, f.params)));
  }
  if (updates.size === 0) return module;
  const out = new Map<GlobalVar, BaseFunc>();
  for (const [gv, f] of module.functions) if (!inlinable.has(gv) || stillCalled.has(gv)) out.set(gv, updates.get(gv) ?? f);
  return withFunctions(module, out);
}

function isInlinable(f: PrimFunc): boolean {
  return f.attrs["global_symbol"] === undefined && f.bufferMap.size === 0 && f.body.kind !== "tir.BlockRealize";
}

/** The functions that can reach themselves by calls. */
function recursiveFunctions(funcs: ReadonlyMap<GlobalVar, PrimFunc>): ReadonlySet<GlobalVar> {
  const calls = new Map<GlobalVar, ReadonlySet<GlobalVar>>();
  for (const [gv, f] of funcs) {
    const callees = new Set<GlobalVar>();
    visitStmt(f.body, { expr: (e) => void (e.kind === "tir.Call" && e.op.kind === "ir.GlobalVar" && callees.add(e.op)) });
    calls.set(gv, callees);
  }
  const reaches = (from: GlobalVar, to: GlobalVar): boolean => {
    const seen = new Set<GlobalVar>();
    const stack = [...(calls.get(from) ?? [])];
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      if (next === to) return true;
      if (seen.has(next)) continue;
      seen.add(next);
      stack.push(...(calls.get(next) ?? []));
    }
    return false;
  };
  return new Set([...funcs.keys()].filter((gv) => reaches(gv, gv)));
}

function inlineCalls(func: PrimFunc, inlinable: ReadonlyMap<GlobalVar, PrimFunc>, stillCalled: Set<GlobalVar>): Stmt {
  const target = targetOf(func);
  const calleeOf = (call: Call): PrimFunc | undefined => {
    const callee = call.op.kind === "ir.GlobalVar" ? inlinable.get(call.op) : undefined;
    const own = callee && targetOf(callee);
    const sameTarget = target === undefined || own === undefined || targetKind(own) === targetKind(target);
    return sameTarget ? callee : undefined;
  };
  const keep = (e: PrimExpr): void => visitExpr(e, (x) => void (x.kind === "tir.Call" && x.op.kind === "ir.GlobalVar" && stillCalled.add(x.op)));
  const visit = (s: Stmt): Stmt => {
    if (s.kind === "tir.Evaluate" && s.value.kind === "tir.Call") {
      const callee = calleeOf(s.value);
      if (callee !== undefined) return visit(bodyFor(callee, s.value));
    }
    return mapStmtChildren(s, {
      expr: (e) => {
        keep(e);
        return e;
      },
      stmt: visit,
    });
  };
  return visit(func.body);
}

/** @throws TypeError if the number of arguments is not that of the parameters. */
function bodyFor(callee: PrimFunc, call: Call): Stmt {
  if (callee.params.length !== call.args.length) {
    throw new TypeError(`\`${call.op.name}\` takes ${callee.params.length} arguments, but is called with ${call.args.length}.`);
  }
  const values = new Map<AnyVar, PrimExpr>();
  let body = callee.body;
  callee.params.forEach((p, i) => {
    const arg = at(call.args, i);
    // A buffer's memory is a variable: an address needs one.
    if (p.dtype === "handle" && arg.kind !== "tir.Var") body = bindPointer(body, p, arg);
    else values.set(p, arg);
  });
  return substitute(body, values);
}

/** `pointer` as a variable with the value `address`: at the declaration of the one buffer behind it, else around all. */
function bindPointer(body: Stmt, pointer: Var, address: PrimExpr): Stmt {
  const fresh: Var = { ...pointer };
  const declared: DeclBuffer[] = [];
  let others = 0;
  visitStmt(body, {
    expr: (e) => void (e === pointer && others++),
    stmt: (s) => void (s.kind === "tir.DeclBuffer" && s.buffer.data === pointer && declared.push(s)),
  });
  const buffers = new Set(collectBuffers(body).filter((b) => b.data === pointer));
  const [only] = declared;
  if (others > 0 || declared.length !== 1 || buffers.size !== 1 || only === undefined) {
    return makeLetStmt(fresh, address, substitute(body, new Map([[pointer, fresh]])));
  }
  const place = (s: Stmt): Stmt => {
    if (s !== only) return mapStmtChildren(s, { expr: (e) => e, stmt: place });
    return makeLetStmt(fresh, address, substitute(s, new Map([[pointer, fresh]])));
  };
  return place(body);
}
