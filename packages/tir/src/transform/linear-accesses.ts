import type { AnyVar, PrimExpr } from "../ir/expr.ts";
import { mapStmtChildren } from "../ir/map-children.ts";
import type { Stmt } from "../ir/stmt.ts";
import { visitExpr } from "../ir/visit.ts";

/**
 * A step of a program laid out in a line: a statement that touches allocations, or one end of a scope (a loop, a
 * branch, a kernel). Touches inside of a scope count at the level of the allocation: at the end of the outermost scope
 * inside of it.
 */
export interface LinearEntry {
  readonly stmt: Stmt;
  /** From the beginning of a scope to its end, or back; 0 for a plain statement. */
  readonly offset: number;
  readonly touched: readonly AnyVar[];
}

/** The accesses of the allocations that `counts` selects, in order (upstream's linear access pattern). */
export function linearAccesses(body: Stmt, counts: (v: AnyVar) => boolean): readonly LinearEntry[] {
  const seq: { stmt: Stmt; offset: number; touched: readonly AnyVar[] }[] = [];
  const levels = new Map<AnyVar, number>();
  const scopes: AnyVar[][] = [];
  let inKernel = false;
  const touch = (v: AnyVar): void => {
    const level = levels.get(v);
    if (level !== undefined && counts(v)) scopes[level]?.push(v);
  };
  const expr = (e: PrimExpr): void => {
    visitExpr(e, (x) => {
      if (x.kind === "tir.Var") touch(x);
      if (x.kind === "tir.BufferLoad") touch(x.buffer.data);
    });
  };
  const leaf = (s: Stmt, visit: () => void): void => {
    scopes.push([]);
    visit();
    const touched = scopes.pop() ?? [];
    if (touched.length > 0) seq.push({ stmt: s, offset: 0, touched });
  };
  const scope = (s: Stmt, visit: () => void): void => {
    scopes.push([]);
    const begin = seq.length;
    seq.push({ stmt: s, offset: 0, touched: [] });
    visit();
    const touched = scopes.pop() ?? [];
    const end = seq.length;
    seq.push({ stmt: s, offset: begin - end, touched });
    const opening = seq[begin];
    if (opening !== undefined) opening.offset = end - begin;
  };
  const children = (s: Stmt): void => {
    mapStmtChildren(s, {
      expr: (e) => {
        expr(e);
        return e;
      },
      stmt: (x) => {
        visitOne(x);
        return x;
      },
    });
  };
  const visitOne = (s: Stmt): void => {
    switch (s.kind) {
      case "tir.Allocate":
        levels.set(s.bufferVar, scopes.length);
        return children(s);
      case "tir.BufferStore":
        return leaf(s, () => {
          [s.value, ...s.indices].forEach(expr);
          touch(s.buffer.data);
        });
      case "tir.Evaluate":
        return leaf(s, () => expr(s.value));
      case "tir.AttrStmt": {
        const kernel = s.attrKey === "thread_extent" && !inKernel;
        if (!kernel && s.attrKey !== "extern_scope" && s.attrKey !== "virtual_thread") return children(s);
        if (kernel) inKernel = true;
        scope(s, () => children(s));
        if (kernel) inKernel = false;
        return undefined;
      }
      case "tir.IfThenElse":
      case "tir.For":
      case "tir.While":
      case "tir.AssertStmt":
      // What a binding points at is in use as long as the binding.
      case "tir.LetStmt":
        return scope(s, () => children(s));
      default:
        return children(s);
    }
  };
  visitOne(body);
  return seq;
}
