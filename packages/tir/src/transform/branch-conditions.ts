import type { AnyVar, PrimExpr } from "../ir/expr.ts";
import { mapStmtChildren, type ChildMapper } from "../ir/map-children.ts";
import type { For, Stmt } from "../ir/stmt.ts";
import { forEachExprChild, visitExpr } from "../ir/visit.ts";

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
    this.#parts(s);
    const guards = s.kind === "tir.For" ? this.#guards.map(({ condition, vars, loops }) => ({ condition, vars, loops: [s, ...loops] })) : this.#guards;
    return { guards, bound: this.#bound, size: this.#size };
  }

  // Written out for what there is most of.
  #parts(s: Stmt): void {
    switch (s.kind) {
      case "tir.BufferStore":
        this.#walk(s.value);
        for (const e of s.indices) this.#walk(e);
        if (s.predicate !== undefined) this.#walk(s.predicate);
        return;
      case "tir.SeqStmt":
        for (const x of s.seq) this.stmt(x);
        return;
      default:
        mapStmtChildren(s, this);
    }
  }

  readonly expr = (e: PrimExpr): PrimExpr => {
    this.#walk(e);
    return e;
  };

  readonly #walk = (e: PrimExpr): void => {
    this.#size++;
    switch (e.kind) {
      case "tir.Var":
      case "tir.SizeVar":
      case "ir.IntImm":
      case "ir.FloatImm":
        return;
      case "tir.Add":
      case "tir.Sub":
      case "tir.Mul":
        this.#walk(e.a);
        this.#walk(e.b);
        return;
      case "tir.BufferLoad":
        for (const i of e.indices) this.#walk(i);
        if (e.predicate !== undefined) this.#walk(e.predicate);
        return;
      case "tir.Ramp":
        this.#walk(e.base);
        this.#walk(e.stride);
        return;
      case "tir.Call": {
        const condition = e.op.kind === "ir.Op" && e.op.name === "tir.if_then_else" ? e.args[0] : undefined;
        if (condition !== undefined) this.#guards = [...this.#guards, guardOf(condition)];
        break;
      }
      case "tir.Let":
        this.#bound = [...this.#bound, e.bind];
        break;
      default:
        break;
    }
    forEachExprChild(e, this.#walk);
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
