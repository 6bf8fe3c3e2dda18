import { at } from "@verticil/ir-core";
import { sideEffect } from "../analysis/side-effect.ts";
import { Analyzer, conjuncts } from "../arith/analyzer.ts";
import type { AnyVar, PrimExpr } from "../ir/expr.ts";
import { makeRange } from "../ir/make-expr.ts";
import { makeEvaluate, makeSeq } from "../ir/make-stmt.ts";
import { mapStmtChildren, type ChildMapper } from "../ir/map-children.ts";
import { constant, or } from "../ir/ops.ts";
import type { BufferStore, SeqStmt, Stmt } from "../ir/stmt.ts";
import { visitExpr, visitStmt } from "../ir/visit.ts";
import { BufferFacts, isKnownToHold, storeSites, type BufferFact } from "./buffer-facts.ts";

/** The program without stores whose elements are all overwritten before anything can read them; effects of their values stay. */
export function removeOverwrittenStores(body: Stmt): Stmt {
  return new Remover(body).stmt(body);
}

class Remover implements ChildMapper {
  readonly #analyzer = new Analyzer();
  readonly #facts = new BufferFacts(this.#analyzer);
  /** Memory whose address is taken somewhere: anything may read it. */
  readonly #escaped: ReadonlySet<AnyVar>;

  readonly expr = (e: PrimExpr): PrimExpr => e;

  constructor(body: Stmt) {
    this.#escaped = escapedPointers(body);
  }

  readonly stmt = (s: Stmt): Stmt => {
    if (s.kind === "tir.For") this.#analyzer.bind(s.loopVar, makeRange(s.min, s.extent), { override: true });
    const mapped = mapStmtChildren(s, this);
    return mapped.kind === "tir.SeqStmt" ? this.#sequence(mapped) : mapped;
  };

  /** From the last statement to the first, so that what is left decides. */
  #sequence(s: SeqStmt): Stmt {
    const seq = [...s.seq];
    for (let k = seq.length - 2; k >= 0; k--) {
      const first = at(seq, k);
      const dead = new Set(storeSites(first).flatMap((site) => (site.store !== undefined && this.#isDead(site.store, site, first, seq.slice(k + 1)) ? [site.store] : [])));
      if (dead.size > 0) seq[k] = withoutStores(first, dead);
    }
    return seq.every((x, i) => x === s.seq[i]) ? s : makeSeq(seq, s.span);
  }

  #isDead(store: BufferStore, site: ReturnType<typeof storeSites>[number], first: Stmt, later: readonly Stmt[]): boolean {
    const { buffer } = store;
    if (this.#escaped.has(buffer.data)) return false;
    // Inside of a loop a later iteration may read what this one stores.
    if (first !== store && (reads(first, buffer.data) || isOpaqueStmt(first))) return false;
    const touched = this.#facts.factOf(site, false);
    if (touched === undefined) return false;
    const over: BufferFact[] = [];
    for (const s of later) {
      if (isOpaqueStmt(s) || reads(s, buffer.data)) return false;
      const more = storeSites(s).flatMap((x) => (x.store !== undefined && x.buffer === buffer ? (this.#facts.factOf(x, true) ?? []) : []));
      over.push(...more);
      if (more.length > 0 && this.#covers(over, touched)) return true;
    }
    return false;
  }

  #covers(over: readonly BufferFact[], { predicate, axes, buffer }: BufferFact): boolean {
    axes.forEach((v, d) => this.#analyzer.bind(v, makeRange(constant(0, v.dtype), at(buffer.shape, d)), { override: true }));
    const leave = conjuncts(predicate).map((c) => this.#analyzer.enterConstraint(c));
    const single = over.some((f) => isKnownToHold(f.predicate, this.#analyzer));
    const covered = single || (over.length > 1 && this.#analyzer.canProve(over.map((f) => f.predicate).reduce(or)));
    for (const f of leave.reverse()) f();
    return covered;
  }
}

/** Pointers that are used for something else than loads and stores. */
function escapedPointers(body: Stmt): ReadonlySet<AnyVar> {
  const out = new Set<AnyVar>();
  visitStmt(body, {
    expr: (e) => {
      if (e.kind === "tir.Var" && e.dtype === "handle") out.add(e);
      if (e.kind === "tir.Call" && e.op.kind === "ir.Op" && e.op.name === "tir.address_of") visitExpr(e, (x) => void (x.kind === "tir.BufferLoad" && out.add(x.buffer.data)));
    },
  });
  return out;
}

function reads(s: Stmt, pointer: AnyVar): boolean {
  let found = false;
  visitStmt(s, { expr: (e) => void (e.kind === "tir.BufferLoad" && e.buffer.data === pointer && (found = true)) });
  return found;
}

/** True if a statement calls something that may read or write any memory, or wait for others who do. */
export function isOpaqueStmt(s: Stmt): boolean {
  let found = false;
  visitStmt(s, { expr: (e) => void (e.kind === "tir.Call" && isOpaque(e) && (found = true)) });
  return found;
}

function isOpaque(e: PrimExpr): boolean {
  const effect = e.kind === "tir.Call" ? sideEffect({ ...e, args: [] }) : "pure";
  return effect !== "pure" && effect !== "read" && !(e.kind === "tir.Call" && e.op.kind === "ir.Op" && e.op.name === "tir.assume");
}

function withoutStores(s: Stmt, dead: ReadonlySet<BufferStore>): Stmt {
  const mapper: ChildMapper = {
    expr: (e) => e,
    stmt: (x) => (x.kind === "tir.BufferStore" && dead.has(x) ? effectsOf([x.value, ...x.indices]) : mapStmtChildren(x, mapper)),
  };
  return mapper.stmt(s);
}

/** What is left of expressions that nobody needs the values of. */
export function effectsOf(values: readonly PrimExpr[]): Stmt {
  return makeSeq(values.filter(hasEffect).map((e) => makeEvaluate(e)));
}

/** True if evaluating does more than read. */
export function hasEffect(e: PrimExpr): boolean {
  const effect = sideEffect(e);
  return effect !== "pure" && effect !== "read";
}
