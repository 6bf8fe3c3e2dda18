import type { AnyVar, PrimExpr } from "../ir/expr.ts";
import { mapStmtChildren } from "../ir/map-children.ts";
import type { Stmt } from "../ir/stmt.ts";
import { visitExpr } from "../ir/visit.ts";

/** What a statement holds, that inside of it included. */
interface Found {
  /** The conditions of branches and of `if_then_else`, outermost first. */
  readonly conditions: readonly PrimExpr[];
  /** The variables of loops and values. */
  readonly bound: readonly AnyVar[];
}

/** The conditions in statements, and the variables bound there; each statement is looked at once. */
export class BranchConditions {
  readonly #known = new WeakMap<Stmt, Found>();

  /** The conditions in `s`, outermost first. */
  of(s: Stmt): readonly PrimExpr[] {
    return this.#find(s).conditions;
  }

  /** The variables that `s` binds: of loops, `LetStmt` and `Let`. */
  boundIn(s: Stmt): readonly AnyVar[] {
    return this.#find(s).bound;
  }

  #find(s: Stmt): Found {
    const known = this.#known.get(s);
    if (known !== undefined) return known;
    let conditions: readonly PrimExpr[] = s.kind === "tir.IfThenElse" ? [s.condition] : [];
    let bound: readonly AnyVar[] = s.kind === "tir.For" ? [s.loopVar] : s.kind === "tir.LetStmt" ? [s.bind] : [];
    mapStmtChildren(s, {
      expr: (e) => {
        visitExpr(e, (x) => {
          if (x.kind === "tir.Call" && x.op.kind === "ir.Op" && x.op.name === "tir.if_then_else" && x.args[0]) conditions = [...conditions, x.args[0]];
          if (x.kind === "tir.Let") bound = [...bound, x.bind];
          return undefined;
        });
        return e;
      },
      stmt: (x) => {
        const inside = this.#find(x);
        conditions = joined(conditions, inside.conditions);
        bound = joined(bound, inside.bound);
        return x;
      },
    });
    const found: Found = { conditions, bound };
    this.#known.set(s, found);
    return found;
  }
}

function joined<T>(a: readonly T[], b: readonly T[]): readonly T[] {
  if (b.length === 0) return a;
  return a.length === 0 ? b : [...a, ...b];
}
