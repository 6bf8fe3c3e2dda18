import type { AnyVar, PrimExpr } from "../ir/expr.ts";
import { isBinary, makeBinary } from "../ir/make-expr.ts";
import { mapExprChildren, mapStmtChildren } from "../ir/map-children.ts";
import type { Stmt } from "../ir/stmt.ts";
import { renewDefs } from "../ir/substitute.ts";
import { forEachExprChild } from "../ir/visit.ts";
import { finishFold, foldTop } from "./fold.ts";

/**
 * `substituteAndFold` for each value of one variable, each copy but the first with definitions of its own. What does not
 * mention the variable, nor defines anything, is the same node in all; parts that a statement shares, its copies share.
 */
export function copiesWith(s: Stmt, v: AnyVar, values: readonly PrimExpr[]): readonly Stmt[] {
  const copier = new Copier(v, values);
  const copies = copier.stmt(s) ?? values.map(() => s);
  return copier.defines ? copies.map((copy, i) => (i === 0 ? copy : renewDefs(copy))) : copies;
}

/** Statements that declare no variable and no buffer. */
const definesNothing: ReadonlySet<Stmt["kind"]> = new Set<Stmt["kind"]>(["tir.BufferStore", "tir.Evaluate", "tir.SeqStmt", "tir.IfThenElse", "tir.While", "tir.AssertStmt"]);

/** The copies of a node; undefined if it does not mention the variable. */
type Copies<T> = readonly T[] | undefined;

/** Makes all copies in one walk: a node is looked at once, however many there are. */
class Copier {
  /** Whether anything defines a variable or a buffer. */
  defines = false;
  readonly #v: AnyVar;
  readonly #values: readonly PrimExpr[];
  /** Of loads and what has several parts: those that are shared are copied once. */
  readonly #known = new Map<PrimExpr, Copies<PrimExpr>>();

  constructor(v: AnyVar, values: readonly PrimExpr[]) {
    this.#v = v;
    this.#values = values;
  }

  expr(e: PrimExpr): Copies<PrimExpr> {
    switch (e.kind) {
      case "tir.Var":
      case "tir.SizeVar":
        return e === this.#v ? this.#values : undefined;
      case "ir.IntImm":
      case "ir.FloatImm":
      case "tir.StringImm":
        return undefined;
      default:
        break;
    }
    if (isBinary(e)) {
      const a = this.expr(e.a);
      const b = this.expr(e.b);
      if (a === undefined && b === undefined) return undefined;
      return this.#values.map((_, i) => foldTop(makeBinary(e.kind, a?.[i] ?? e.a, b?.[i] ?? e.b, e.span)));
    }
    if (this.#known.has(e)) return this.#known.get(e);
    const copies = this.#parts(e);
    this.#known.set(e, copies);
    return copies;
  }

  #parts(e: PrimExpr): Copies<PrimExpr> {
    if (e.kind === "tir.Let" || e.kind === "tir.Reduce") this.defines = true;
    const parts: Copies<PrimExpr>[] = [];
    forEachExprChild(e, (x) => void parts.push(this.expr(x)));
    if (parts.every((p) => p === undefined)) return undefined;
    return this.#values.map((_, i) => {
      let next = 0;
      return foldTop(mapExprChildren(e, { expr: (x) => parts[next++]?.[i] ?? x }));
    });
  }

  stmt(s: Stmt): Copies<Stmt> {
    if (!definesNothing.has(s.kind)) this.defines = true;
    const exprs: Copies<PrimExpr>[] = [];
    const stmts: Copies<Stmt>[] = [];
    mapStmtChildren(s, {
      expr: (e) => (exprs.push(this.expr(e)), e),
      stmt: (x) => (stmts.push(this.stmt(x)), x),
    });
    if (exprs.every((e) => e === undefined) && stmts.every((x) => x === undefined)) return undefined;
    return this.#values.map((_, i) => {
      let [nextExpr, nextStmt] = [0, 0];
      const mapped = mapStmtChildren(s, {
        expr: (e) => exprs[nextExpr++]?.[i] ?? e,
        stmt: (x) => stmts[nextStmt++]?.[i] ?? x,
      });
      return finishFold(s, mapped);
    });
  }
}
