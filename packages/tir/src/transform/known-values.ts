import { at } from "@verticil/ir-core";
import { Analyzer } from "../arith/analyzer.ts";
import type { AnyVar, BufferLoad, PrimExpr } from "../ir/expr.ts";
import { usesVar } from "../ir/free-vars.ts";
import { makeRange } from "../ir/make-expr.ts";
import { makeSeq } from "../ir/make-stmt.ts";
import { mapExprChildren, mapStmtChildren, type ChildMapper } from "../ir/map-children.ts";
import { isConstInt, not } from "../ir/ops.ts";
import type { BufferStore, For, IfThenElse, Stmt } from "../ir/stmt.ts";
import { substitute } from "../ir/substitute.ts";
import { visitStmt } from "../ir/visit.ts";
import { BufferFacts, isKnownToHold, storeSites, type BufferFact } from "./buffer-facts.ts";
import { effectsOf, isOpaqueStmt } from "./overwritten-stores.ts";

/** What is done with values that buffers are known to hold. */
export interface KnownValueOptions {
  /** Put them in place of loads, everywhere. */
  readonly loads?: boolean;
  /** Decide conditions with them, where they do. */
  readonly conditions?: boolean;
  /** Drop stores of what is there already. */
  readonly stores?: boolean;
}

/**
 * Follows what is stored in buffers through a program, in order: what a store or a loop of stores leaves behind, and what
 * `T.assume` says (the part of upstream's control flow graph that `Simplify` and `RemoveNoOp` ask). A loop begins with
 * what is known of buffers that it does not write.
 */
export function propagateKnownValues(body: Stmt, options: KnownValueOptions): Stmt {
  return new Propagation(options).stmt(body);
}

class Propagation implements ChildMapper {
  readonly #options: KnownValueOptions;
  readonly #analyzer = new Analyzer();
  readonly #buffers = new BufferFacts(this.#analyzer);
  #facts: readonly BufferFact[] = [];

  constructor(options: KnownValueOptions) {
    this.#options = options;
  }

  readonly expr = (e: PrimExpr): PrimExpr => (this.#options.loads === true ? this.#resolve(e) : e);

  readonly stmt = (s: Stmt): Stmt => {
    switch (s.kind) {
      case "tir.BufferStore":
        return this.#store(s);
      case "tir.For":
        return this.#loop(s);
      case "tir.While":
        return this.#repeated(s, () => mapStmtChildren(s, this));
      case "tir.IfThenElse":
        return this.#branch(s);
      case "tir.SeqStmt": {
        const seq = s.seq.map(this.stmt);
        return seq.every((x, i) => x === s.seq[i]) ? s : makeSeq(seq, s.span);
      }
      case "tir.Evaluate": {
        // What is assumed of a buffer is kept as it was said.
        const [site] = storeSites(s);
        const fact = site && this.#buffers.factOf(site, true);
        if (site !== undefined) {
          if (fact?.value !== undefined) this.#facts = [...this.#facts, fact];
          return s;
        }
        const mapped = mapStmtChildren(s, this);
        if (isOpaqueStmt(s)) this.#facts = [];
        return mapped;
      }
      case "tir.BlockRealize":
      case "tir.Block":
        this.#facts = [];
        return this.#repeated(s, () => mapStmtChildren(s, this));
      default:
        return mapStmtChildren(s, this);
    }
  };

  #store(s: BufferStore): Stmt {
    const mapped = mapStmtChildren(s, this);
    if (mapped.kind !== "tir.BufferStore") return mapped;
    if (isOpaqueStmt(s)) this.#facts = [];
    if (this.#options.stores === true && mapped.predicate === undefined) {
      const held = this.#valueAt(mapped.buffer, mapped.indices);
      if (held !== undefined && held.dtype === mapped.value.dtype && this.#analyzer.canProveEqual(held, mapped.value)) return effectsOf([mapped.value, ...mapped.indices]);
    }
    this.#forget(s);
    this.#learn(mapped);
    return mapped;
  }

  #loop(s: For): Stmt {
    this.#analyzer.bind(s.loopVar, makeRange(s.min, s.extent), { override: true });
    const mapped = this.#repeated(s, () => mapStmtChildren(s, this));
    this.#learn(mapped);
    return mapped;
  }

  /** What is written inside is not known at the beginning, nor what it was before at the end. */
  #repeated(s: Stmt, visit: () => Stmt): Stmt {
    this.#forget(s);
    const kept = this.#facts;
    const mapped = visit();
    this.#facts = isOpaqueStmt(s) ? [] : kept;
    return mapped;
  }

  #branch(s: IfThenElse): Stmt {
    const condition = this.#condition(s.condition);
    const before = this.#facts;
    const thenCase = this.#analyzer.withConstraint(condition, () => this.stmt(s.thenCase));
    this.#facts = before;
    const { elseCase } = s;
    const otherwise = elseCase && this.#analyzer.withConstraint(not(condition), () => this.stmt(elseCase));
    this.#facts = before;
    this.#forget(s);
    const mapped: IfThenElse = condition === s.condition && thenCase === s.thenCase && otherwise === elseCase ? s : { ...s, condition, thenCase, elseCase: otherwise };
    this.#learn(mapped);
    return mapped;
  }

  #condition(e: PrimExpr): PrimExpr {
    if (this.#options.loads === true) return this.#resolve(e);
    if (this.#options.conditions !== true) return e;
    const decided = this.#analyzer.simplify(this.#resolve(e));
    return isConstInt(decided) ? decided : e;
  }

  #forget(s: Stmt): void {
    const written = new Set<AnyVar>();
    visitStmt(s, { expr: () => "skip", stmt: (x) => void (x.kind === "tir.BufferStore" && written.add(x.buffer.data)) });
    if (written.size > 0) this.#facts = this.#facts.filter((f) => !written.has(f.buffer.data));
  }

  /** What a statement leaves in the buffers that it stores to once. */
  #learn(s: Stmt): void {
    if (isOpaqueStmt(s)) return;
    const sites = storeSites(s);
    for (const site of sites) {
      if (sites.filter((x) => x.buffer.data === site.buffer.data).length > 1) continue;
      const fact = this.#buffers.factOf(site, true);
      if (fact?.value !== undefined && !usesLoopVar(fact, s)) this.#facts = [...this.#facts, fact];
    }
  }

  #resolve(e: PrimExpr): PrimExpr {
    const mapped = mapExprChildren(e, { expr: (x) => this.#resolve(x) });
    if (mapped.kind !== "tir.BufferLoad" || mapped.predicate !== undefined) return mapped;
    const value = this.#valueAt(mapped.buffer, mapped.indices);
    return value !== undefined && value.dtype === mapped.dtype ? value : mapped;
  }

  #valueAt(buffer: BufferLoad["buffer"], indices: readonly PrimExpr[]): PrimExpr | undefined {
    for (const f of this.#facts) {
      if (f.buffer !== buffer || f.value === undefined) continue;
      const places = new Map<AnyVar, PrimExpr>(f.axes.map((v, d) => [v, at(indices, d)]));
      if (isKnownToHold(substitute(f.predicate, places), this.#analyzer)) return this.#analyzer.simplify(substitute(f.value, places));
    }
    return undefined;
  }
}

/** True if a fact speaks of a variable that is bound inside of the statement that it is about. */
function usesLoopVar(f: BufferFact, s: Stmt): boolean {
  const bound = new Set<AnyVar>();
  visitStmt(s, { expr: () => "skip", stmt: (x) => void (x.kind === "tir.For" ? bound.add(x.loopVar) : x.kind === "tir.LetStmt" && bound.add(x.bind)) });
  const uses = (e: PrimExpr): boolean => usesVar(e, (v) => bound.has(v));
  return uses(f.predicate) || (f.value !== undefined && uses(f.value));
}
