import type { AnyVar, BinaryExpr, BufferLoad, PrimExpr } from "../ir/expr.ts";
import { isIndexType } from "../arith/rules/compile-rule.ts";
import { usesVar } from "../ir/free-vars.ts";
import { accessDType, isBinary, makeBinary, makeBroadcast, makeRamp } from "../ir/make-expr.ts";
import { mapExprChildren, mapStmtChildren } from "../ir/map-children.ts";
import { asInt, constant } from "../ir/ops.ts";
import type { BufferStore, Stmt } from "../ir/stmt.ts";
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

/** Constants of sums stay within 32 bits. */
const MAX_CONSTANT = 2 ** 31 - 1;

/** The copies of a node; undefined if it does not mention the variable. */
type Copies<T> = readonly T[] | undefined;

/** Makes all copies in one walk: a node is looked at once, however many there are. */
class Copier {
  /** Whether anything defines a variable or a buffer. */
  defines = false;
  readonly #v: AnyVar;
  readonly #values: readonly PrimExpr[];
  /** The values, if all of them are constants. */
  readonly #offsets: readonly number[] | undefined;
  /** What was found in the sum that is looked at: how often the variable is in it, and its constant. */
  #step = 0;
  #offset = 0;
  #isSum = true;
  #found = false;
  /** Of loads and what has several parts: those that are shared are copied once. */
  readonly #known = new Map<PrimExpr, Copies<PrimExpr>>();

  constructor(v: AnyVar, values: readonly PrimExpr[]) {
    this.#v = v;
    this.#values = values;
    const offsets = values.flatMap((x) => asInt(x) ?? []);
    this.#offsets = offsets.length === values.length ? offsets : undefined;
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
    if (isBinary(e)) return isIndexType(e.dtype) ? this.#index(e) : this.#binary(e);
    let copies = this.#known.get(e);
    if (copies === undefined && !this.#known.has(e)) this.#known.set(e, (copies = this.#copy(e)));
    return copies;
  }

  #copy(e: PrimExpr): Copies<PrimExpr> {
    // Written out for what there is most of.
    switch (e.kind) {
      case "tir.BufferLoad":
        return e.indices.length === 1 && e.predicate === undefined ? this.#load(e) : this.#parts(e);
      case "tir.Ramp": {
        const base = this.expr(e.base);
        if (this.expr(e.stride) !== undefined) return this.#parts(e);
        return base?.map((x) => makeRamp(x, e.stride, e.lanes, e.span));
      }
      case "tir.Broadcast":
        return this.expr(e.value)?.map((x) => makeBroadcast(x, e.lanes, e.span));
      default:
        return this.#parts(e);
    }
  }

  /** Copies of a sum differ in a constant: they share the rest of it. */
  #index(e: BinaryExpr): Copies<PrimExpr> {
    const offsets = this.#offsets;
    if (offsets === undefined) return this.#binary(e);
    this.#step = this.#offset = 0;
    this.#isSum = true;
    this.#found = false;
    const rest = this.#withoutVar(e);
    const [step, offset] = [this.#step, this.#offset];
    if (!this.#isSum) return this.#binary(e);
    if (!this.#found) return undefined;
    const copies: PrimExpr[] = [];
    for (const x of offsets) {
      const constantPart = offset + step * x;
      if (Math.abs(constantPart) > MAX_CONSTANT) return this.#binary(e);
      copies.push(withOffset(rest, constantPart, e.dtype));
    }
    return copies;
  }

  /** The terms of a sum without the variable and constants, which are added up; undefined if there are no others. */
  #withoutVar(e: PrimExpr): PrimExpr | undefined {
    switch (e.kind) {
      case "ir.IntImm":
        if (typeof e.value === "number") this.#offset += e.value;
        else this.#isSum = false;
        return undefined;
      case "tir.Var":
      case "tir.SizeVar":
        if (e !== this.#v) return e;
        this.#found = true;
        this.#step++;
        return undefined;
      case "tir.Add": {
        const a = this.#withoutVar(e.a);
        const b = this.#withoutVar(e.b);
        if (a === undefined || b === undefined) return a ?? b;
        return a === e.a && b === e.b ? e : makeBinary("tir.Add", a, b, e.span);
      }
      case "tir.Sub":
        if (e.b.kind !== "ir.IntImm" || typeof e.b.value !== "number") break;
        this.#offset -= e.b.value;
        return this.#withoutVar(e.a);
      case "tir.Mul":
        if (e.b.kind !== "ir.IntImm" || typeof e.b.value !== "number" || e.a.kind !== "tir.Var") break;
        if (e.a !== this.#v) return e;
        this.#found = true;
        this.#step += e.b.value;
        return undefined;
      default:
        break;
    }
    if (usesVar(e, this.#v)) this.#isSum = false;
    return e;
  }

  #binary(e: BinaryExpr): Copies<PrimExpr> {
    const a = this.expr(e.a);
    const b = this.expr(e.b);
    if (a === undefined && b === undefined) return undefined;
    const copies: PrimExpr[] = [];
    for (let i = 0; i < this.#values.length; i++) copies.push(foldTop(makeBinary(e.kind, a?.[i] ?? e.a, b?.[i] ?? e.b, e.span)));
    return copies;
  }

  #load(e: BufferLoad): Copies<PrimExpr> {
    const [index] = e.indices;
    const { buffer, predicate, span } = e;
    const copies = index && this.expr(index);
    return copies?.map((x) => {
      const indices = [x];
      return { kind: "tir.BufferLoad", dtype: accessDType(buffer, indices), buffer, indices, predicate, span };
    });
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
    if (s.kind === "tir.BufferStore" && s.indices.length === 1 && s.predicate === undefined) return this.#store(s);
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

  #store(s: BufferStore): Copies<Stmt> {
    const [index] = s.indices;
    if (index === undefined) return undefined;
    const { buffer, predicate, span } = s;
    const values = this.expr(s.value);
    const places = this.expr(index);
    if (values === undefined && places === undefined) return undefined;
    return this.#values.map((_, i) => {
      const place = places?.[i];
      return { kind: "tir.BufferStore", buffer, value: values?.[i] ?? s.value, indices: place === undefined ? s.indices : [place], predicate, span };
    });
  }
}

function withOffset(terms: PrimExpr | undefined, offset: number, dtype: PrimExpr["dtype"]): PrimExpr {
  if (terms === undefined) return constant(offset, dtype);
  if (offset === 0) return terms;
  return offset < 0 ? makeBinary("tir.Sub", terms, constant(-offset, dtype)) : makeBinary("tir.Add", terms, constant(offset, dtype));
}
