import type { AnyVar, PrimExpr } from "../ir/expr.ts";
import { mapStmtChildren, type ChildMapper } from "../ir/map-children.ts";
import type { For, Stmt } from "../ir/stmt.ts";
import { visitExpr } from "../ir/visit.ts";

/** The condition of a branch, or of an `if_then_else`. */
export interface Guard {
  readonly condition: PrimExpr;
  /** The variables in it. */
  readonly vars: ReadonlySet<AnyVar>;
  /** The loops between the statement that was asked for and the guard, outermost first. */
  readonly loops: readonly For[];
}

/** What a statement holds, that inside of it included. */
interface Found {
  /** Outermost first. */
  readonly guards: readonly Guard[];
  /** The variables of loops and values. */
  readonly bound: readonly AnyVar[];
  /** The number of statements and expressions. */
  readonly size: number;
}

/** The conditions in statements, the variables bound there, and their sizes; each statement is looked at once. */
export class BranchConditions {
  readonly #known = new WeakMap<Stmt, Found>();

  /** The conditions in `s`, outermost first. */
  of(s: Stmt): readonly Guard[] {
    return this.#find(s).guards;
  }

  /** The variables that `s` binds: of loops, `LetStmt` and `Let`. */
  boundIn(s: Stmt): readonly AnyVar[] {
    return this.#find(s).bound;
  }

  /** `stmtSize(s)`. */
  sizeOf(s: Stmt): number {
    return this.#find(s).size;
  }

  #find(s: Stmt): Found {
    let found = this.#known.get(s);
    if (found === undefined) {
      const search = new Search((x) => this.#find(x));
      this.#known.set(s, (found = search.of(s)));
    }
    return found;
  }
}

/** Looks at one statement; `inside` answers for those in it. */
class Search implements ChildMapper {
  readonly #inside: (s: Stmt) => Found;
  #guards: readonly Guard[] = [];
  #bound: readonly AnyVar[] = [];
  #size = 1;

  constructor(inside: (s: Stmt) => Found) {
    this.#inside = inside;
  }

  of(s: Stmt): Found {
    if (s.kind === "tir.IfThenElse") this.#guards = [guardOf(s.condition)];
    if (s.kind === "tir.For") this.#bound = [s.loopVar];
    if (s.kind === "tir.LetStmt") this.#bound = [s.bind];
    mapStmtChildren(s, this);
    const guards = s.kind === "tir.For" ? this.#guards.map((g) => ({ ...g, loops: [s, ...g.loops] })) : this.#guards;
    return { guards, bound: this.#bound, size: this.#size };
  }

  readonly expr = (e: PrimExpr): PrimExpr => {
    visitExpr(e, this.#part);
    return e;
  };

  readonly #part = (x: PrimExpr): undefined => {
    this.#size++;
    if (x.kind === "tir.Call") {
      const condition = x.op.kind === "ir.Op" && x.op.name === "tir.if_then_else" ? x.args[0] : undefined;
      if (condition !== undefined) this.#guards = [...this.#guards, guardOf(condition)];
    } else if (x.kind === "tir.Let") this.#bound = [...this.#bound, x.bind];
  };

  readonly stmt = (x: Stmt): Stmt => {
    const { guards, bound, size } = this.#inside(x);
    this.#guards = joined(this.#guards, guards);
    this.#bound = joined(this.#bound, bound);
    this.#size += size;
    return x;
  };
}

function guardOf(condition: PrimExpr): Guard {
  const vars = new Set<AnyVar>();
  visitExpr(condition, (e) => void ((e.kind === "tir.Var" || e.kind === "tir.SizeVar") && vars.add(e)));
  return { condition, vars, loops: [] };
}

function joined<T>(a: readonly T[], b: readonly T[]): readonly T[] {
  if (b.length === 0) return a;
  return a.length === 0 ? b : [...a, ...b];
}
