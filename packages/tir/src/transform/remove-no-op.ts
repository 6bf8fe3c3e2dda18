import type { Pass } from "@verticil/ir-core";
import { sideEffect } from "../analysis/side-effect.ts";
import { Analyzer } from "../arith/analyzer.ts";
import type { AnyVar, PrimExpr, Range } from "../ir/expr.ts";
import { mentionsBuffer, usesVar } from "../ir/free-vars.ts";
import { makeRange } from "../ir/make-expr.ts";
import { makeEvaluate, makeIfThenElse, makeSeq } from "../ir/make-stmt.ts";
import { mapSubStmts } from "../ir/map-children.ts";
import { asInt, eq, not } from "../ir/ops.ts";
import type { BufferStore, For, IfThenElse, Stmt } from "../ir/stmt.ts";
import { propagateKnownValues } from "./known-values.ts";
import { effectsOf, hasEffect, removeOverwrittenStores } from "./overwritten-stores.ts";
import { bodyPass } from "./prim-func-pass.ts";
import { isNoOp, noOp } from "./simplify.ts";

/** What counts as doing nothing. */
export interface RemoveNoOpOptions {
  /** Allocations that nothing uses go, too; upstream leaves them to `StorageRewrite`. */
  readonly unusedAllocations?: boolean;
  /** Stores that are overwritten before they are read, and of what is there already, go (upstream's option of this name). */
  readonly useDataflowAnalysis?: boolean;
}

/**
 * Removes statements that do nothing: empty loops and branches, values that nobody uses, stores of what is there
 * already; effects of what is removed stay (upstream's `RemoveNoOp`).
 */
export function removeNoOp(options: RemoveNoOpOptions = {}): Pass {
  return bodyPass("RemoveNoOp", (body) => {
    const needed = options.useDataflowAnalysis === true ? propagateKnownValues(removeOverwrittenStores(body), { stores: true }) : body;
    return new NoOpRemover(options).stmt(needed);
  });
}

/** What is known where a statement stands, outermost first. */
type Fact = { readonly v: AnyVar; readonly value: Range | PrimExpr } | { readonly condition: PrimExpr };

class NoOpRemover {
  readonly #unusedAllocations: boolean;
  readonly #facts: Fact[] = [];

  constructor(options: RemoveNoOpOptions) {
    this.#unusedAllocations = options.unusedAllocations === true;
  }

  readonly stmt = (s: Stmt): Stmt => {
    switch (s.kind) {
      case "tir.For":
        return this.#for(s);
      case "tir.IfThenElse":
        return this.#if(s);
      case "tir.LetStmt": {
        const isIndex = /^int\d+$/.test(s.bind.dtype) && sideEffect(s.value) === "pure";
        const body = isIndex ? this.#under({ v: s.bind, value: s.value }, s.body) : this.stmt(s.body);
        return this.#top(body === s.body ? s : { ...s, body });
      }
      case "tir.AttrStmt":
        return s.attrKey === "pragma_debug_skip_region" ? noOp() : this.#top(this.#children(s));
      case "tir.BufferStore":
        return this.#storesItself(s) ? effectsOf([s.value, ...s.indices]) : s;
      default:
        return this.#top(this.#children(s));
    }
  };

  #children(s: Stmt): Stmt {
    return mapSubStmts(s, this.stmt);
  }

  #under(fact: Fact, s: Stmt): Stmt {
    this.#facts.push(fact);
    const result = this.stmt(s);
    this.#facts.pop();
    return result;
  }

  /** Runs `f` with an analyzer that knows what holds here. */
  #ask<T>(f: (analyzer: Analyzer) => T): T {
    const analyzer = new Analyzer();
    for (const fact of this.#facts) {
      if ("v" in fact) analyzer.bind(fact.v, fact.value, { override: true });
      else analyzer.enterConstraint(fact.condition);
    }
    return f(analyzer);
  }

  #for(s: For): Stmt {
    const extent = asInt(s.extent) ?? this.#ask((a) => a.constIntBound(s.extent)).max;
    if (extent <= 0) return noOp();
    const body = this.#under({ v: s.loopVar, value: makeRange(s.min, s.extent) }, s.body);
    if (isNoOp(body)) return effectsOf([s.min, s.extent]);
    return body === s.body ? s : { ...s, body };
  }

  #if(s: IfThenElse): Stmt {
    const decided = asInt(s.condition);
    if (decided !== undefined) {
      const taken = decided !== 0 ? s.thenCase : s.elseCase;
      return taken === undefined ? noOp() : this.stmt(taken);
    }
    const thenCase = this.#under({ condition: s.condition }, s.thenCase);
    const otherwise = s.elseCase && this.#under({ condition: not(s.condition) }, s.elseCase);
    const elseCase = otherwise && isNoOp(otherwise) ? undefined : otherwise;
    if (isNoOp(thenCase)) {
      return elseCase === undefined ? effectsOf([s.condition]) : makeIfThenElse(not(s.condition), elseCase, undefined, s.span);
    }
    return thenCase === s.thenCase && elseCase === s.elseCase ? s : { ...s, thenCase, elseCase };
  }

  #storesItself(s: BufferStore): boolean {
    const { value } = s;
    if (value.kind !== "tir.BufferLoad" || value.buffer.data !== s.buffer.data || value.predicate !== s.predicate) return false;
    const sameShape = value.buffer === s.buffer || value.buffer.shape.length === s.buffer.shape.length;
    if (!sameShape || value.indices.length !== s.indices.length) return false;
    const { buffer, indices } = value;
    return this.#ask((a) => {
      const equal = (x: readonly PrimExpr[], y: readonly PrimExpr[]): boolean =>
        x.length === y.length && x.every((e, i) => {
          const other = y[i] ?? e;
          return a.canProveEqual(e, other) || a.canProve(eq(e, other));
        });
      const offset = (b: typeof buffer): readonly PrimExpr[] => (b.elemOffset === undefined ? [] : [b.elemOffset]);
      return (
        equal(indices, s.indices) &&
        (buffer === s.buffer ||
          (equal(buffer.shape, s.buffer.shape) && equal(buffer.strides, s.buffer.strides) && equal(offset(buffer), offset(s.buffer))))
      );
    });
  }

  /** A statement whose parts are done. */
  #top(s: Stmt): Stmt {
    switch (s.kind) {
      case "tir.Evaluate":
        return isNoOp(s) || hasEffect(s.value) ? s : noOp();
      case "tir.SeqStmt": {
        const kept = s.seq.filter((x) => !isNoOp(x));
        return kept.length === s.seq.length ? s : makeSeq(kept, s.span);
      }
      case "tir.LetStmt":
        if (isNoOp(s.body)) return effectsOf([s.value]);
        if (usesVar(s.body, s.bind)) return s;
        return hasEffect(s.value) ? makeSeq([makeEvaluate(s.value, s.span), s.body]) : s.body;
      case "tir.Allocate":
        if (isNoOp(s.body)) return effectsOf(s.extents);
        return this.#unusedAllocations && !usesVar(s.body, s.bufferVar) ? s.body : s;
      case "tir.AllocateConst":
        if (isNoOp(s.body)) return noOp();
        return this.#unusedAllocations && !usesVar(s.body, s.bufferVar) ? s.body : s;
      case "tir.DeclBuffer":
        return isNoOp(s.body) || !mentionsBuffer(s.body, s.buffer) ? s.body : s;
      case "tir.AttrStmt":
        return isNoOp(s.body) ? effectsOf([s.value]) : s;
      default:
        return s;
    }
  }
}
