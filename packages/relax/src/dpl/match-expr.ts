import { irDialect, makeOp, structuralEqual, type AttrValue, type Dialect } from "@verticil/ir-core";
import { Analyzer, tirNodes, type AnyVar as TirVar, type PrimExpr } from "@verticil/tir";
import { structInfoBaseCheck } from "../analysis/struct-info-base-check.ts";
import { isVar } from "../analysis/variables.ts";
import type { AnyVar, Call, Expr } from "../ir/expr.ts";
import { bindSymbolic, substituteStructInfo } from "../ir/infer-call.ts";
import { makeCall, shapeOf } from "../ir/make.ts";
import { relaxNodes } from "../ir/node-table.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";
import { isCall, type AttrPattern, type CallPattern, type DFPattern, type StructInfoPattern, type TuplePattern } from "./pattern.ts";

const dialects: readonly Dialect[] = [irDialect, tirNodes, relaxNodes];

/** What variables are bound to; a pattern looks through a variable that is in it. */
export type Bindings = ReadonlyMap<AnyVar, Expr>;

/** What each pattern that took part in a match stands for. */
export type Matches = ReadonlyMap<DFPattern, Expr>;

/** True if the pattern matches the expression (upstream's `match_expr`). */
export function matchExpr(pattern: DFPattern, expr: Expr, bindings: Bindings = new Map()): boolean {
  return extractMatchedExpr(pattern, expr, bindings) !== undefined;
}

/** What the parts of a pattern stand for in an expression that it matches, else undefined (upstream's `extract_matched_expr`). */
export function extractMatchedExpr(pattern: DFPattern, expr: Expr, bindings: Bindings = new Map()): Matches | undefined {
  const matcher = new Matcher(bindings);
  return matcher.match(pattern, expr) ? matcher.matches : undefined;
}

/** The value behind variables that are bound and sequences that bind nothing. */
export function unwrapBindings(expr: Expr, bindings: Bindings): Expr {
  let e = expr;
  for (;;) {
    const value: Expr | undefined = isVar(e) ? bindings.get(e) : e.kind === "relax.SeqExpr" && e.blocks.length === 0 ? e.body : undefined;
    if (value === undefined) return e;
    e = value;
  }
}

class Matcher {
  readonly #bindings: Bindings;
  readonly #analyzer = new Analyzer();
  readonly #memo = new Map<DFPattern, Expr>();
  #trail: DFPattern[] = [];
  /** What symbolic variables of the patterns stand for. */
  #sizes: ReadonlyMap<TirVar, PrimExpr> = new Map();

  constructor(bindings: Bindings) {
    this.#bindings = bindings;
  }

  get matches(): Matches {
    return this.#memo;
  }

  match(pattern: DFPattern, given: Expr): boolean {
    const expr = unwrapBindings(given, this.#bindings);
    const known = this.#memo.get(pattern);
    if (known !== undefined) return known === expr || (isLiteral(expr) && structuralEqual(known, expr, { dialects }));
    const mark = this.#trail.length;
    const sizes = this.#sizes;
    if (this.#visit(pattern, expr, given)) {
      this.#memo.set(pattern, expr);
      this.#trail.push(pattern);
      return true;
    }
    this.#rollback(mark);
    this.#sizes = sizes;
    return false;
  }

  #rollback(mark: number): void {
    for (const p of this.#trail.splice(mark)) this.#memo.delete(p);
  }

  #visit(pattern: DFPattern, expr: Expr, given: Expr): boolean {
    switch (pattern.kind) {
      case "dpl.Wildcard":
        return true;
      case "dpl.Expr":
        return structuralEqual(pattern.expr, expr, { dialects });
      case "dpl.Var":
        return isVar(given) && (pattern.name === undefined || pattern.name === given.name);
      case "dpl.DataflowVar":
        return given.kind === "relax.DataflowVar" && (pattern.name === undefined || pattern.name === given.name);
      case "dpl.GlobalVar":
        return expr.kind === "ir.GlobalVar" && expr.name.includes(pattern.name);
      case "dpl.ExternFunc":
        return expr.kind === "relax.ExternFunc" && (pattern.name === undefined || pattern.name === expr.globalSymbol);
      case "dpl.Constant":
        return expr.kind === "relax.Constant";
      case "dpl.Call":
        return expr.kind === "relax.Call" && this.#call(pattern, expr);
      case "dpl.Function":
        return expr.kind === "relax.Function" && this.#all(pattern.params, expr.params) && this.match(pattern.body, expr.body);
      case "dpl.Tuple":
        return expr.kind === "relax.Tuple" && (pattern.unordered ? this.#anyOrder(pattern, expr.fields, 0, new Set()) : this.#all(pattern.fields, expr.fields));
      case "dpl.TupleGetItem":
        return expr.kind === "relax.TupleGetItem" && (pattern.index === undefined || pattern.index === expr.index) && this.match(pattern.tuple, expr.tuple);
      case "dpl.And":
        return this.match(pattern.left, given) && this.match(pattern.right, given);
      case "dpl.Or":
        return this.match(pattern.left, given) || this.match(pattern.right, given);
      case "dpl.Not":
        return !this.#matchesAlone(pattern.reject, given);
      case "dpl.DataType": {
        const info = structInfoOf(given);
        return info?.kind === "relax.TensorStructInfo" && info.dtype === pattern.dtype && this.match(pattern.pattern, given);
      }
      case "dpl.Shape": {
        const info = structInfoOf(given);
        return info?.kind === "relax.TensorStructInfo" && this.#sameShape(pattern.shape, shapeOf(info)) && this.match(pattern.pattern, given);
      }
      case "dpl.PrimArr":
        return expr.kind === "relax.ShapeExpr" && this.#sameShape(pattern.values, expr.values);
      case "dpl.Attr":
        return this.match(pattern.pattern, given) && hasAttrs(pattern, expr);
      case "dpl.StructInfo":
        return this.match(pattern.pattern, given) && this.#structInfo(pattern, structInfoOf(expr) ?? structInfoOf(given));
    }
  }

  /** Matches without leaving a trace: what must not be there stands for nothing. */
  #matchesAlone(pattern: DFPattern, expr: Expr): boolean {
    const mark = this.#trail.length;
    const sizes = this.#sizes;
    const matched = this.match(pattern, expr);
    this.#rollback(mark);
    this.#sizes = sizes;
    return matched;
  }

  #all(patterns: readonly DFPattern[], exprs: readonly Expr[]): boolean {
    return patterns.length === exprs.length && this.#prefix(patterns, exprs);
  }

  #prefix(patterns: readonly DFPattern[], exprs: readonly Expr[]): boolean {
    const mark = this.#trail.length;
    const sizes = this.#sizes;
    for (const [i, p] of patterns.entries()) {
      const e = exprs[i];
      if (e !== undefined && this.match(p, e)) continue;
      this.#rollback(mark);
      this.#sizes = sizes;
      return false;
    }
    return true;
  }

  #anyOrder(pattern: TuplePattern, fields: readonly Expr[], next: number, taken: Set<number>): boolean {
    const p = pattern.fields[next];
    if (p === undefined) return fields.length === pattern.fields.length;
    for (const [i, field] of fields.entries()) {
      if (taken.has(i)) continue;
      const mark = this.#trail.length;
      if (this.match(p, field)) {
        taken.add(i);
        if (this.#anyOrder(pattern, fields, next + 1, taken)) return true;
        taken.delete(i);
        this.#rollback(mark);
      }
    }
    return false;
  }

  #call(pattern: CallPattern, call: Call): boolean {
    const mark = this.#trail.length;
    if (this.match(pattern.op, call.op)) {
      const fits = pattern.varArgs ? call.args.length >= pattern.args.length : call.args.length === pattern.args.length;
      if (!fits) return false;
      if (this.#prefix(pattern.args, call.args)) return true;
      const commutes = call.op.kind === "ir.Op" && (call.op.name === "relax.add" || call.op.name === "relax.multiply");
      return commutes && this.#prefix(pattern.args, [...call.args].reverse());
    }
    this.#rollback(mark);
    return this.#reassociated(pattern, call);
  }

  /** `(a * b) / c` is `a * (b / c)`, whichever way around it is written. */
  #reassociated(pattern: CallPattern, call: Call): boolean {
    const callee = opOfPattern(pattern);
    const holds = (op: string): boolean => call.args.some((a) => calls(unwrapBindings(a, this.#bindings), op));
    const [first, second] = pattern.args;
    if (first === undefined || second === undefined) return false;
    if (callee === "relax.divide" && first.kind === "dpl.Call" && opOfPattern(first) === "relax.multiply" && calls(call, "relax.multiply") && holds("relax.divide")) {
      const [x, y] = first.args;
      if (x === undefined || y === undefined) return false;
      return [[x, y] as const, [y, x] as const].some(([a, b]) => this.match(isCall(first.op, [b, isCall(pattern.op, [a, second])]), call));
    }
    if (callee !== "relax.multiply" || !calls(call, "relax.divide") || !holds("relax.multiply")) return false;
    return [[first, second] as const, [second, first] as const].some(([quotient, other]) => {
      if (quotient.kind !== "dpl.Call" || opOfPattern(quotient) !== "relax.divide") return false;
      const [a, b] = quotient.args;
      return a !== undefined && b !== undefined && this.match(isCall(quotient.op, [isCall(pattern.op, [a, other]), b]), call);
    });
  }

  #sameShape(a: readonly PrimExpr[], b: readonly PrimExpr[] | undefined): boolean {
    return b !== undefined && a.length === b.length && a.every((d, i) => this.#analyzer.canProveEqual(d, b[i] ?? d));
  }

  #structInfo(pattern: StructInfoPattern, info: ReturnType<typeof structInfoOf>): boolean {
    if (info === undefined) return false;
    const found = new Map(this.#sizes);
    bindSymbolic(pattern.structInfo, info, found);
    const base = substituteStructInfo(pattern.structInfo, found);
    const check = structInfoBaseCheck(base, info, { proveEqual: (a, b) => this.#analyzer.canProveEqual(a, b), simplify: (e) => this.#analyzer.simplify(e) });
    if (check !== "always") return false;
    this.#sizes = found;
    return true;
  }
}

/** True for what equal occurrences of are the same value. */
function isLiteral(e: Expr): boolean {
  return e.kind === "relax.ShapeExpr" || e.kind === "relax.PrimValue" || e.kind === "relax.StringImm" || e.kind === "relax.DataTypeImm";
}

function opOfPattern(pattern: CallPattern): string | undefined {
  const { op } = pattern;
  return op.kind === "dpl.Expr" && op.expr.kind === "ir.Op" ? op.expr.name : undefined;
}

function calls(expr: Expr, op: string): boolean {
  return expr.kind === "relax.Call" && expr.op.kind === "ir.Op" && expr.op.name === op;
}

function hasAttrs(pattern: AttrPattern, expr: Expr): boolean {
  if (expr.kind !== "relax.Call" && expr.kind !== "relax.Function") return false;
  const { attrs } = expr;
  return Object.entries(pattern.attrs).every(([name, value]) => value === undefined || sameAttr(attrs[name], value));
}

function sameAttr(a: AttrValue | undefined, b: AttrValue): boolean {
  // Attributes of calls compare as data: numbers, lists and nodes alike.
  const holder = (v: AttrValue): Expr => makeCall(makeOp("attr"), [], { attrs: { v } });
  return a !== undefined && structuralEqual(holder(a), holder(b), { dialects });
}
