import { Analyzer } from "../arith/analyzer.ts";
import type { AnyVar, IterVar, PrimExpr } from "../ir/expr.ts";
import { mapStmtChildren } from "../ir/map-children.ts";
import { isConstInt } from "../ir/ops.ts";
import type { Stmt } from "../ir/stmt.ts";
import { forEachExprChild } from "../ir/visit.ts";

/** Loops and workgroup axes that may be partitioned, and the variables that are marked for it. */
export interface Candidates {
  readonly statements: ReadonlySet<Stmt>;
  readonly hinted: ReadonlySet<AnyVar>;
}

/**
 * What to partition in a statement: loops and workgroup axes of variable extent (of any with `constLoops`) whose variable
 * a condition marked `T.likely` uses, unless threads reduce together inside; those that are marked in any case.
 */
export function partitionCandidates(body: Stmt, constLoops: boolean, marked: Iterable<AnyVar> = []): Candidates {
  const statements = new Set<Stmt>();
  const hinted = new Set<AnyVar>(marked);
  /** The variables of the open candidates, with whether a marked condition uses them. */
  const used = new Map<AnyVar, boolean>();
  const analyzer = new Analyzer();
  let likely = false;
  let noSplit = false;

  const expr = (e: PrimExpr): void => {
    const name = e.kind === "tir.Call" && e.op.kind === "ir.Op" ? e.op.name : "";
    if (name === "tir.tvm_thread_allreduce") {
      noSplit = true;
      return;
    }
    const outer = likely;
    if (name === "tir.likely") likely = true;
    if (likely && (e.kind === "tir.Var" || e.kind === "tir.SizeVar") && used.has(e)) used.set(e, true);
    forEachExprChild(e, expr);
    likely = outer;
  };
  const candidate = (s: Stmt, v: AnyVar): void => {
    used.set(v, false);
    inside(s);
    if (used.get(v) === true && !noSplit) statements.add(s);
    used.delete(v);
  };
  const parts = {
    expr: (e: PrimExpr): PrimExpr => (expr(e), e),
    stmt: (s: Stmt): Stmt => (visit(s), s),
  };
  const inside = (s: Stmt): void => void mapStmtChildren(s, parts);
  const visit = (s: Stmt): void => {
    if (s.kind === "tir.SeqStmt") {
      const outer = noSplit;
      let any = outer;
      for (const x of s.seq) {
        noSplit = outer;
        visit(x);
        any ||= noSplit;
      }
      noSplit = any;
      return;
    }
    if (s.kind === "tir.For") {
      if (hinted.has(s.loopVar)) {
        statements.add(s);
        return inside(s);
      }
      return constLoops || !isConstInt(s.min) || !isConstInt(s.extent) ? candidate(s, s.loopVar) : inside(s);
    }
    if (s.kind === "tir.AttrStmt" && s.attrKey === "thread_extent" && s.node?.kind === "tir.IterVar") {
      const iv = s.node as IterVar;
      if (hinted.has(iv.var)) {
        statements.add(s);
        return inside(s);
      }
      if (iv.threadTag.startsWith("blockIdx") && (constLoops || !isConstInt(s.value))) return candidate(s, iv.var);
    }
    if (s.kind === "tir.AttrStmt" && s.attrKey === "pragma_loop_partition_hint" && analyzer.canProve(s.value)) {
      const v = s.node?.kind === "tir.IterVar" ? (s.node as IterVar).var : s.node?.kind === "tir.Var" || s.node?.kind === "tir.SizeVar" ? (s.node as AnyVar) : undefined;
      if (v !== undefined) hinted.add(v);
    }
    inside(s);
  };
  visit(body);
  return { statements, hinted };
}
