import type { Pass } from "@verticil/ir-core";
import { sideEffect } from "../analysis/side-effect.ts";
import { Analyzer } from "../arith/analyzer.ts";
import type { ArithExtensions } from "../arith/context.ts";
import { exprDeepEqual } from "../arith/expr-deep-equal.ts";
import type { Buffer } from "../ir/buffer.ts";
import type { AnyVar, IterVar, PrimExpr } from "../ir/expr.ts";
import { makeRange } from "../ir/make-expr.ts";
import { makeEvaluate } from "../ir/make-stmt.ts";
import { mapExprChildren, mapItems, mapRegion, mapStmtChildren, type ChildMapper } from "../ir/map-children.ts";
import { add, asInt, constant, ge, isConst, isConstInt, lt, not } from "../ir/ops.ts";
import type { BufferStore, For, IfThenElse, LetStmt, PrimFunc, Stmt } from "../ir/stmt.ts";
import { substitute } from "../ir/substitute.ts";
import { visitExpr, visitStmt } from "../ir/visit.ts";
import { propagateKnownValues } from "./known-values.ts";
import { primFuncPass, withBody } from "./prim-func-pass.ts";

/** Rewriting that is off unless asked for (upstream's `tir.Simplify` options of the same names). */
export type SimplifyOptions = Pick<
  ArithExtensions,
  "transitivelyProveInequalities" | "convertBooleanToAndOfOrs" | "applyConstraintsToBooleanBranches"
> & {
  /** Decide conditions by what buffers are known to hold. */
  readonly propagateKnownsToProveConditional?: boolean;
  /** Put what buffers are known to hold in place of loads. */
  readonly propagateKnownsToSimplifyExpressions?: boolean;
};

/**
 * Simplifies every expression with what the loops and conditions around it say, decides conditions that are constant
 * then, replaces integer variables by their values, and drops stores of what is stored already (upstream's `Simplify`).
 */
export function simplify(options: SimplifyOptions = {}): Pass {
  return primFuncPass("Simplify", (func) => simplifyFunc(func, options));
}

/** `simplify` for one function. */
export function simplifyFunc(func: PrimFunc, options: SimplifyOptions = {}): PrimFunc {
  const analyzer = new Analyzer({ extensions: options });
  // Dimensions are not negative.
  const known = options.propagateKnownsToProveConditional === true || options.propagateKnownsToSimplifyExpressions === true;
  const start = known ? propagateKnownValues(func.body, { conditions: true, loads: options.propagateKnownsToSimplifyExpressions === true }) : func.body;
  const enter = dimensions(func).map((d) => analyzer.enterConstraint(ge(d, 0)));
  const body = simplifyStmt(start, analyzer);
  for (const leave of enter.reverse()) leave();
  return withBody(func, body);
}

function dimensions(func: PrimFunc): readonly PrimExpr[] {
  const out = new Set<PrimExpr>();
  for (const b of func.bufferMap.values()) for (const d of b.shape) if (d.kind === "tir.Var") out.add(d);
  return [...out];
}

/** A statement that does nothing. */
export function noOp(): Stmt {
  return makeEvaluate(constant(0, "int32"));
}

/** True for a statement that does nothing. */
export function isNoOp(s: Stmt): boolean {
  return s.kind === "tir.Evaluate" && isConst(s.value);
}

/** Simplifies a statement with what `analyzer` knows. */
export function simplifyStmt(root: Stmt, analyzer: Analyzer): Stmt {
  return new StmtSimplifier(analyzer, root).stmt(root);
}

class StmtSimplifier implements ChildMapper {
  readonly #analyzer: Analyzer;
  readonly #root: Stmt;
  /** Variables that buffers are declared with: their bindings stay. Collected when there is a binding to ask for. */
  #inBuffers: ReadonlySet<AnyVar> | undefined;
  /** Pure values that are not put in place of their variables, but help to decide conditions. */
  readonly #values = new Map<AnyVar, PrimExpr>();

  readonly expr = (e: PrimExpr): PrimExpr => simplifyExpr(e, this.#analyzer);
  readonly stmt = (s: Stmt): Stmt => this.#stmt(s);

  constructor(analyzer: Analyzer, root: Stmt) {
    this.#analyzer = analyzer;
    this.#root = root;
  }

  #stmt(s: Stmt): Stmt {
    const analyzer = this.#analyzer;
    switch (s.kind) {
      case "tir.For":
        return this.#for(s);
      case "tir.IfThenElse":
        return this.#if(s);
      case "tir.LetStmt":
        return this.#let(s);
      case "tir.AssertStmt": {
        const condition = this.expr(s.condition);
        if (isConstInt(condition, 1)) return this.#stmt(s.body);
        const body = analyzer.withConstraint(condition, () => this.#stmt(s.body));
        return condition === s.condition && body === s.body ? s : { ...s, condition, body };
      }
      case "tir.AttrStmt": {
        if ((s.attrKey === "thread_extent" || s.attrKey === "virtual_thread") && s.node?.kind === "tir.IterVar") {
          const v = (s.node as IterVar).var;
          analyzer.bind(v, makeRange(constant(0, s.value.dtype), s.value), { override: true });
        }
        return mapStmtChildren(s, this);
      }
      case "tir.Block": {
        for (const iv of s.iterVars) if (iv.dom) analyzer.bind(iv.var, iv.dom, { override: true });
        const reads = mapItems(s.reads, (r) => mapRegion(r, this));
        const writes = mapItems(s.writes, (r) => mapRegion(r, this));
        const init = s.init && this.#stmt(s.init);
        const body = this.#stmt(s.body);
        const same = reads === s.reads && writes === s.writes && init === s.init && body === s.body;
        return same ? s : { ...s, reads, writes, init, body };
      }
      case "tir.BlockRealize": {
        const predicate = this.expr(s.predicate);
        const iterValues = mapItems(s.iterValues, this.expr);
        const block = analyzer.withConstraint(predicate, () => this.#stmt(s.block));
        if (block.kind !== "tir.Block") return s;
        const same = predicate === s.predicate && iterValues === s.iterValues && block === s.block;
        return same ? s : { ...s, predicate, iterValues, block };
      }
      case "tir.BufferStore": {
        const mapped = mapStmtChildren(s, this);
        return mapped.kind === "tir.BufferStore" && storesItself(mapped) ? noOp() : mapped;
      }
      default:
        return mapStmtChildren(s, this);
    }
  }

  #for(s: For): Stmt {
    const min = this.expr(s.min);
    const extent = this.expr(s.extent);
    this.#analyzer.bind(s.loopVar, makeRange(min, extent), { override: true });
    const visit = (): Stmt => this.#stmt(s.body);
    // Constant bounds are known from the range.
    const symbolic = asInt(min) === undefined || asInt(extent) === undefined;
    const inRange = symbolic && s.loopVar.dtype === min.dtype && min.dtype === extent.dtype;
    const body = inRange
      ? this.#analyzer.withConstraint(ge(s.loopVar, min), () => this.#analyzer.withConstraint(lt(s.loopVar, add(min, extent)), visit))
      : visit();
    const { loopVar, forKind, threadBinding, annotations, span } = s;
    const same = min === s.min && extent === s.extent && body === s.body;
    return same ? s : { kind: "tir.For", loopVar, min, extent, forKind, threadBinding, annotations, body, span };
  }

  #if(s: IfThenElse): Stmt {
    const proven = this.#prove(s.condition);
    if (proven === true) return this.#stmt(s.thenCase);
    if (proven === false) return s.elseCase === undefined ? noOp() : this.#stmt(s.elseCase);
    const condition = this.expr(s.condition);
    const thenCase = this.#analyzer.withConstraint(condition, () => this.#stmt(s.thenCase));
    const { elseCase } = s;
    const otherwise = elseCase && this.#analyzer.withConstraint(not(withoutHint(condition)), () => this.#stmt(elseCase));
    const same = condition === s.condition && thenCase === s.thenCase && otherwise === elseCase;
    return same ? s : { ...s, condition, thenCase, elseCase: otherwise };
  }

  #prove(condition: PrimExpr): boolean | undefined {
    const simple = this.#analyzer.simplify(substitute(condition, this.#values));
    return isConstInt(simple) ? simple.value !== 0 : undefined;
  }

  #isOfBuffer(v: AnyVar): boolean {
    return (this.#inBuffers ??= varsOfBuffers(this.#root)).has(v);
  }

  #let(s: LetStmt): Stmt {
    const value = this.expr(s.value);
    const pure = sideEffect(value) === "pure";
    const isIndex = /^int\d+$/.test(value.dtype);
    const inline = isConst(value) || value.kind === "tir.Var" || value.kind === "tir.SizeVar" || (isIndex && pure);
    if (inline && !this.#isOfBuffer(s.bind) && !isIndex) return this.#stmt(substitute(s.body, new Map([[s.bind, value]])));
    if (inline && isIndex) this.#analyzer.bind(s.bind, value, { override: true });
    else if (pure) this.#values.set(s.bind, value);
    const body = this.#stmt(s.body);
    if (inline && !this.#isOfBuffer(s.bind)) return substitute(body, new Map([[s.bind, value]]));
    return value === s.value && body === s.body ? s : { ...s, value, body };
  }
}

/** The condition that a `T.likely` marks; other conditions themselves. */
export function withoutHint(condition: PrimExpr): PrimExpr {
  const isHint = condition.kind === "tir.Call" && condition.op.kind === "ir.Op" && condition.op.name === "tir.likely";
  return isHint ? (condition.args[0] ?? condition) : condition;
}

function varsOfBuffers(root: Stmt): ReadonlySet<AnyVar> {
  const found = new Set<AnyVar>();
  const seen = new Set<Buffer>();
  visitStmt(root, {
    buffer(b) {
      if (seen.has(b)) return;
      seen.add(b);
      for (const e of [b.data, ...b.shape, ...b.strides, ...(b.elemOffset ? [b.elemOffset] : [])]) {
        visitExpr(e, (x) => void ((x.kind === "tir.Var" || x.kind === "tir.SizeVar") && found.add(x)));
      }
    },
  });
  return found;
}

/** True for a store of what is there already, by its form. */
export function storesItself(s: BufferStore): boolean {
  const { value } = s;
  return (
    value.kind === "tir.BufferLoad" &&
    value.buffer === s.buffer &&
    value.predicate === s.predicate &&
    value.indices.length === s.indices.length &&
    value.indices.every((e, i) => exprDeepEqual(e, s.indices[i] ?? e))
  );
}

/** An expression simplified with what `analyzer` knows; itself if that changes nothing. */
export function simplifyExpr(e: PrimExpr, analyzer: Analyzer): PrimExpr {
  if (isConst(e)) return e;
  if (e.dtype === "handle") return mapExprChildren(e, { expr: (x) => simplifyExpr(x, analyzer) });
  const simple = analyzer.simplify(e);
  return simple !== e && exprDeepEqual(simple, e) ? e : simple;
}
