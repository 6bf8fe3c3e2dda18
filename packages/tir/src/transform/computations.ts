import type { PrimExpr } from "../ir/expr.ts";
import { mapStmtChildren } from "../ir/map-children.ts";
import type { Stmt } from "../ir/stmt.ts";
import { forEachExprChild, isStmt, visitExpr } from "../ir/visit.ts";
import { textOf } from "./expr-text.ts";
import type { ExprIds } from "./expr-ids.ts";

/** A computation and how often it is done. */
export interface Computation {
  readonly id: number;
  readonly expr: PrimExpr;
  readonly count: number;
}

/** Computations by their number. */
export type ComputationTable = ReadonlyMap<number, Computation>;

/**
 * True for what a variable may stand for: no constant, no variable, no vector of a scalar, and nothing that reads memory
 * or calls something, whose value may change or which may have an effect.
 */
export function isComputation(e: PrimExpr): boolean {
  switch (e.kind) {
    case "ir.IntImm":
    case "ir.FloatImm":
    case "tir.StringImm":
    case "tir.Var":
    case "tir.SizeVar":
    case "tir.Ramp":
    case "tir.Broadcast":
      return false;
    default: {
      let pure = true;
      visitExpr(e, (x) => {
        if (x.kind === "tir.Call" || x.kind === "tir.BufferLoad" || x.kind === "tir.ProducerLoad" || x.kind === "tir.Reduce") pure = false;
        return pure ? undefined : "skip";
      });
      return pure;
    }
  }
}

/** The largest computations that are parts of one. */
export function partsOf(e: PrimExpr): readonly PrimExpr[] {
  const out: PrimExpr[] = [];
  const visit = (c: PrimExpr): void => (isComputation(c) ? void out.push(c) : forEachExprChild(c, visit));
  forEachExprChild(e, visit);
  return out;
}

/** Which computations a program does for certain, the largest ones only. */
export class Computations {
  readonly #ids: ExprIds;
  readonly #known = new WeakMap<PrimExpr | Stmt, ComputationTable>();

  constructor(ids: ExprIds) {
    this.#ids = ids;
  }

  /** Those of a node. What stands in one branch or in a loop counts if it stands in another part of the statement, too. */
  of(node: PrimExpr | Stmt): ComputationTable {
    let table = this.#known.get(node);
    if (table === undefined) this.#known.set(node, (table = isStmt(node) ? this.#ofStmt(node) : this.#ofExpr(node)));
    return table;
  }

  #ofExpr(e: PrimExpr): ComputationTable {
    if (isComputation(e)) {
      const id = this.#ids.of(e);
      return new Map([[id, { id, expr: e, count: 1 }]]);
    }
    const parts: ComputationTable[] = [];
    forEachExprChild(e, (c) => void parts.push(this.of(c)));
    return union(parts);
  }

  #ofStmt(s: Stmt): ComputationTable {
    const parts: ComputationTable[] = [];
    mapStmtChildren(s, {
      expr: (e) => (parts.push(this.of(e)), e),
      stmt: (x) => (parts.push(this.of(x)), x),
    });
    return s.kind === "tir.IfThenElse" || s.kind === "tir.For" || s.kind === "tir.While" ? inTwo(parts) : union(parts);
  }
}

function union(tables: readonly ComputationTable[]): ComputationTable {
  const [first] = tables;
  if (first !== undefined && tables.length === 1) return first;
  const out = new Map<number, Computation>();
  for (const t of tables) {
    for (const c of t.values()) {
      const known = out.get(c.id);
      // One of several forms stands for all of them, whatever the order.
      const form = known === undefined || known.expr === c.expr || textOf(c.expr) < textOf(known.expr) ? c.expr : known.expr;
      out.set(c.id, known === undefined ? c : { ...known, expr: form, count: known.count + c.count });
    }
  }
  return out;
}

function inTwo(tables: readonly ComputationTable[]): ComputationTable {
  return new Map([...union(tables)].filter(([id]) => tables.filter((t) => t.has(id)).length >= 2));
}
