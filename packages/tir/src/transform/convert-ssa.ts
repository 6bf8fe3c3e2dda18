import type { Pass } from "@verticil/ir-core";
import type { Buffer } from "../ir/buffer.ts";
import type { AnyVar, IterVar, PrimExpr, Var } from "../ir/expr.ts";
import { mapBuffer, mapExprChildren, mapStmtChildren, type ChildMapper } from "../ir/map-children.ts";
import type { Block, PrimFunc, Stmt } from "../ir/stmt.ts";
import { primFuncPass, withBody } from "./prim-func-pass.ts";

/** Gives each place that binds a variable a variable of its own (upstream's `ConvertSSA`). */
export function convertSSA(): Pass {
  return primFuncPass("ConvertSSA", convertFunc);
}

function convertFunc(func: PrimFunc): PrimFunc {
  return withBody(func, convertToSSA(func.body, [...func.params, ...[...func.bufferMap.values()].map((b) => b.data)]));
}

/** The statement with a variable of its own at each place that binds one; `outer` are bound outside. */
export function convertToSSA(body: Stmt, outer: Iterable<AnyVar> = []): Stmt {
  const defined = new Set<AnyVar>(outer);
  const names = new Map<AnyVar, Var>();
  let scope = new Map<Buffer, Buffer>();
  const mapper: ChildMapper & { buffer(b: Buffer): Buffer } = {
    expr(e) {
      if (e.kind === "tir.Var" || e.kind === "tir.SizeVar") return names.get(e) ?? e;
      if (e.kind !== "tir.Let") return mapExprChildren(e, mapper);
      const value = mapper.expr(e.value);
      return within(e.bind, (bind): PrimExpr => {
        const body = mapper.expr(e.body);
        return value === e.value && bind === e.bind && body === e.body ? e : { ...e, value, bind, body };
      });
    },
    buffer(b) {
      let mapped = scope.get(b);
      if (mapped === undefined) scope.set(b, (mapped = mapBuffer(b, mapper.expr)));
      return mapped;
    },
    stmt(s): Stmt {
      if (s.kind === "tir.Block") {
        const vars = [...s.iterVars.map((iv) => iv.var), ...s.allocBuffers.map((b) => b.data), ...s.matchBuffers.map((m) => m.buffer.data)];
        return block(s, vars, 0, new Map());
      }
      const v = boundBy(s);
      if (v === undefined) return mapStmtChildren(s, mapper);
      return within(v, (fresh) => mapStmtChildren(s, { ...mapper, bind: (x) => (x === v ? fresh : x) }));
    },
  };
  /** A block binds several variables at once. */
  const block = (s: Block, vars: readonly Var[], i: number, renamed: Map<Var, Var>): Stmt => {
    const v = vars[i];
    if (v === undefined) return mapStmtChildren(s, { ...mapper, bind: (x) => renamed.get(x) ?? x });
    return within(v, (fresh) => block(s, vars, i + 1, renamed.set(v, fresh)));
  };
  /** Runs `f` with `v` renamed if it was bound before. */
  const within = <T>(v: Var, f: (fresh: Var) => T): T => {
    if (!defined.has(v)) {
      defined.add(v);
      return f(v);
    }
    const fresh: Var = { ...v };
    defined.add(fresh);
    const before = names.get(v);
    const outer = scope;
    names.set(v, fresh);
    scope = new Map();
    const result = f(fresh);
    scope = outer;
    if (before === undefined) names.delete(v);
    else names.set(v, before);
    return result;
  };
  return mapper.stmt(body);
}

function boundBy(s: Stmt): Var | undefined {
  switch (s.kind) {
    case "tir.For":
      return s.loopVar;
    case "tir.LetStmt":
      return s.bind;
    case "tir.Allocate":
    case "tir.AllocateConst":
      return s.bufferVar;
    case "tir.AttrStmt":
      // The same thread variable may be declared again.
      return s.attrKey === "thread_extent" ? undefined : s.node?.kind === "tir.IterVar" ? (s.node as IterVar).var : undefined;
    default:
      return undefined;
  }
}
