import type { Buffer } from "../ir/buffer.ts";
import type { PrimExpr, Range } from "../ir/expr.ts";
import { makeRange } from "../ir/make-expr.ts";
import type { Stmt } from "../ir/stmt.ts";
import { visitExpr, visitStmt, type Visitor } from "../ir/visit.ts";
import { Analyzer } from "./analyzer.ts";
import { coverRange, unionSets, type IntSet } from "./int-set.ts";

/** Which accesses count. */
export interface TouchOptions {
  readonly loads: boolean;
  readonly stores: boolean;
}

/**
 * The ranges of indices with which a statement reads or writes a buffer, dimension by dimension, with its loops relaxed and
 * its conditions in force (upstream's `DomainTouched`). Undefined for a dimension of which nothing is known; no ranges if the
 * buffer is not accessed so.
 */
export function domainTouched(stmt: Stmt, buffer: Buffer, opts: TouchOptions): readonly (Range | undefined)[] {
  const analyzer = new Analyzer();
  const touched: IntSet[][] = [];
  const touch = (indices: readonly PrimExpr[]): void => {
    for (const [i, e] of indices.entries()) (touched[i] ??= []).push(analyzer.intSet(e));
  };
  const visitor: Visitor = {
    expr(e) {
      if (e.kind === "tir.BufferLoad" && e.buffer === buffer && opts.loads) touch(e.indices);
      return undefined;
    },
    stmt(s) {
      if (s.kind === "tir.BufferStore" && s.buffer === buffer && opts.stores) touch(s.indices);
      else if (s.kind === "tir.For") analyzer.bind(s.loopVar, makeRange(s.min, s.extent), { override: true });
      else if (s.kind === "tir.IfThenElse") {
        const { condition, thenCase } = s;
        visitExpr(condition, visitor);
        analyzer.withConstraint(condition, () => visitStmt(thenCase, visitor));
        if (s.elseCase !== undefined) visitStmt(s.elseCase, visitor);
        return "skip";
      }
      return undefined;
    },
  };
  visitStmt(stmt, visitor);
  return touched.map((sets) => {
    const union = unionSets(sets, analyzer);
    if (union.tag === "empty" || union.min === undefined || union.max === undefined) return undefined;
    return coverRange(union, makeRange(union.min, union.max), analyzer);
  });
}
