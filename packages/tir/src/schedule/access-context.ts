import { Analyzer } from "../arith/analyzer.ts";
import { iterMapSimplify } from "../arith/iter-map-simplify.ts";
import type { BufferRegion } from "../ir/buffer.ts";
import type { AnyVar, PrimExpr, Range } from "../ir/expr.ts";
import { makeRange } from "../ir/make-expr.ts";
import { mapExprChildren, mapItems, mapStmtChildren, type ChildMapper } from "../ir/map-children.ts";
import { allOf } from "../ir/ops.ts";
import type { Block, Stmt } from "../ir/stmt.ts";

/** What is known at a place in a program: the domains of loops and block variables around it, and the conditions of branches. */
export class AccessContext {
  readonly analyzer: Analyzer;
  readonly #iters = new Map<AnyVar, Range>();
  readonly #predicates: PrimExpr[] = [];

  constructor(analyzer: Analyzer = new Analyzer()) {
    this.analyzer = analyzer;
  }

  /** A variable that ranges from here on. */
  bind(v: AnyVar, range: Range): void {
    this.analyzer.bind(v, range, { override: true });
    this.#iters.set(v, range);
  }

  /** Runs with a condition that holds meanwhile. */
  under<T>(condition: PrimExpr, run: () => T): T {
    this.#predicates.push(condition);
    try {
      return this.analyzer.withConstraint(condition, run);
    } finally {
      this.#predicates.pop();
    }
  }

  /** Indices in the short form of iterator maps; a variable does not become a constant. */
  simplify(indices: readonly PrimExpr[]): readonly PrimExpr[] {
    const simple = iterMapSimplify(indices, this.#iters, { predicate: allOf(this.#predicates), level: "surjective", analyzer: this.analyzer });
    return mapItems(indices, (e) => {
      const s = simple[indices.indexOf(e)] ?? e;
      return s.kind === "ir.IntImm" && e.kind === "tir.Var" ? e : s;
    });
  }
}

/** Rules of a walk that knows its context; each sees a node after its parts. */
export interface ContextRules {
  expr?(e: PrimExpr, at: AccessContext): PrimExpr;
  stmt?(s: Stmt, at: AccessContext): Stmt;
  /** Replaces a statement before it is walked; the replacement is walked instead. */
  before?(s: Stmt): Stmt;
}

/** Rewrites a statement from the leaves up, with what is known at each place. Declared regions of blocks are left to `rules.stmt`. */
export function mapInContext(root: Stmt, rules: ContextRules, context: AccessContext): Stmt {
  const mapper: ChildMapper = {
    expr(e) {
      if (e.kind === "tir.Call" && e.op.kind === "ir.Op" && e.op.name === "tir.if_then_else") return branch(e);
      const x = mapExprChildren(e, mapper);
      return rules.expr?.(x, context) ?? x;
    },
    stmt(original) {
      const s = rules.before?.(original) ?? original;
      if (s.kind === "tir.For") context.bind(s.loopVar, makeRange(s.min, s.extent));
      if (s.kind === "tir.IfThenElse") {
        const condition = mapper.expr(s.condition);
        const thenCase = context.under(condition, () => mapper.stmt(s.thenCase));
        const elseCase = s.elseCase && mapper.stmt(s.elseCase);
        const same = condition === s.condition && thenCase === s.thenCase && elseCase === s.elseCase;
        return finish(same ? s : { ...s, condition, thenCase, elseCase });
      }
      if (s.kind !== "tir.Block") return finish(mapStmtChildren(s, mapper));
      for (const iv of s.iterVars) if (iv.dom !== undefined) context.bind(iv.var, iv.dom);
      const t = mapStmtChildren({ ...s, reads: [], writes: [] }, mapper);
      return finish(t.kind === "tir.Block" ? { ...t, reads: s.reads, writes: s.writes } : t);
    },
  };
  const finish = (s: Stmt): Stmt => rules.stmt?.(s, context) ?? s;
  const branch = (e: Extract<PrimExpr, { kind: "tir.Call" }>): PrimExpr => {
    const [c, t, f] = e.args;
    if (c === undefined || t === undefined || f === undefined) return e;
    const condition = mapper.expr(c);
    const args = [condition, context.under(condition, () => mapper.expr(t)), mapper.expr(f)];
    const x = args.every((a, i) => a === e.args[i]) ? e : { ...e, args };
    return rules.expr?.(x, context) ?? x;
  };
  return mapper.stmt(root);
}

/** A block with the indices of all its accesses, and its declared regions, in short form (upstream's `BlockBufferAccessSimplifier`). */
export function simplifyAccesses(block: Block, analyzer: Analyzer): Block {
  const context = new AccessContext(analyzer);
  const region = (r: BufferRegion): BufferRegion => {
    const mins = context.simplify(r.region.map((d) => d.min));
    return { ...r, region: r.region.map((d, i) => makeRange(mins[i] ?? d.min, d.extent)) };
  };
  const out = mapInContext(
    block,
    {
      expr: (e, at) => (e.kind === "tir.BufferLoad" ? { ...e, indices: at.simplify(e.indices) } : e),
      stmt(s, at) {
        if (s.kind === "tir.BufferStore") return { ...s, indices: at.simplify(s.indices) };
        return s.kind === "tir.Block" ? { ...s, reads: s.reads.map(region), writes: s.writes.map(region) } : s;
      },
    },
    context,
  );
  if (out.kind !== "tir.Block") throw new Error("internal: a block was mapped to another statement");
  return out;
}
