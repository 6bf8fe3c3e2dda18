import type { Pass } from "@verticil/ir-core";
import { Analyzer } from "../arith/analyzer.ts";
import { emptySet, intersectSets, intervalSet, pointOf, type IntervalSet, type IntSet } from "../arith/int-set.ts";
import type { AnyVar, IterVar, PrimExpr } from "../ir/expr.ts";
import { makeRange } from "../ir/make-expr.ts";
import { makeAttrStmt, makeFor, makeIfThenElse, makeSeq } from "../ir/make-stmt.ts";
import { mapExprChildren, mapStmtChildren, type ChildMapper } from "../ir/map-children.ts";
import { add, and, constant, eq, ge, gt, le, lt, max, min, sub } from "../ir/ops.ts";
import type { AttrStmt, For, Stmt } from "../ir/stmt.ts";
import { substitute } from "../ir/substitute.ts";
import { convertToSSA } from "./convert-ssa.ts";
import { findConditions, type Condition } from "./loop-conditions.ts";
import { partitionCandidates, type Candidates } from "./partition-candidates.ts";
import { bodyPass } from "./prim-func-pass.ts";

/** What is partitioned, and into what (upstream's `tir.LoopPartition`). */
export interface LoopPartitionOptions {
  /** Loops of constant extent, too. */
  readonly constLoops?: boolean;
  /** Keep a loop around a part of one iteration. */
  readonly keepUnitLoops?: boolean;
  /** Unroll a loop that is marked for partition where no part of it decides its conditions. */
  readonly unrollUnpartitioned?: boolean;
}

/**
 * Splits the domain of a loop into parts in which conditions marked `T.likely` hold, so that the bulk of the iterations
 * runs without them; the marks are gone afterwards (upstream's `LoopPartition`). For a loop with the attribute
 * `pragma_loop_partition_hint` all comparisons count. A workgroup axis is not split: its condition goes around the body.
 */
export function loopPartition(options: LoopPartitionOptions = {}): Pass {
  return bodyPass("LoopPartition", (body) => withoutMarks(new Partitioner(options).run(body)));
}

/** A part of a domain in which conditions have one value. */
interface Middle {
  readonly set: IntervalSet;
  readonly conditions: ReadonlySet<PrimExpr>;
  readonly holds: boolean;
}

class Partitioner implements ChildMapper {
  readonly #options: LoopPartitionOptions;
  readonly #analyzer = new Analyzer();
  /** The domains of the variables around, and of those that differ among threads that run together. */
  readonly #hint = new Map<AnyVar, IntSet>();
  readonly #relax = new Map<AnyVar, IntSet>();
  readonly #hinted = new Set<AnyVar>();
  readonly #candidates = new Set<Stmt>();

  readonly expr = (e: PrimExpr): PrimExpr => e;

  constructor(options: LoopPartitionOptions) {
    this.#options = options;
  }

  run(s: Stmt): Stmt {
    const found: Candidates = partitionCandidates(s, this.#options.constLoops === true, this.#hinted);
    for (const v of found.hinted) this.#hinted.add(v);
    for (const c of found.statements) this.#candidates.add(c);
    return this.stmt(s);
  }

  readonly stmt = (s: Stmt): Stmt => {
    if (s.kind === "tir.For") return this.#loop(s);
    if (s.kind === "tir.AttrStmt" && s.attrKey === "thread_extent" && s.node?.kind === "tir.IterVar") return this.#thread(s, s.node as IterVar);
    return mapStmtChildren(s, this);
  };

  #loop(s: For): Stmt {
    this.#analyzer.bind(s.loopVar, makeRange(s.min, s.extent), { override: true });
    const last = sub(add(s.min, s.extent), 1);
    if (this.#candidates.has(s)) {
      const parts = this.#partition(s, s.loopVar, s.min, last);
      if (parts !== undefined) return parts;
    }
    return this.#within(this.#hint, s.loopVar, intervalSet(s.min, last), s);
  }

  #thread(s: AttrStmt, iv: IterVar): Stmt {
    const first = constant(0, s.value.dtype);
    const last = sub(s.value, 1);
    if (this.#candidates.has(s)) {
      const parts = this.#partition(s, iv.var, first, last);
      if (parts !== undefined) return parts;
    }
    // Threads of a group must not diverge: conditions have to hold for all of them.
    return this.#within(iv.threadTag.startsWith("threadIdx") ? this.#relax : this.#hint, iv.var, intervalSet(first, last), s);
  }

  #within(sets: Map<AnyVar, IntSet>, v: AnyVar, set: IntSet, s: Stmt): Stmt {
    const outer = sets.get(v);
    sets.set(v, set);
    const mapped = mapStmtChildren(s, this);
    if (outer === undefined) sets.delete(v);
    else sets.set(v, outer);
    return mapped;
  }

  /** The parts of a loop or a workgroup axis; undefined if there is nothing to gain. */
  #partition(s: For | AttrStmt, v: AnyVar, from: PrimExpr, to: PrimExpr): Stmt | undefined {
    const hinted = this.#hinted.has(v);
    this.#hint.set(v, intervalSet(from, to));
    const found = findConditions(s.body, { v, hint: this.#hint, relax: this.#relax, all: hinted });
    this.#hint.delete(v);
    if (found.length === 0) return undefined;
    const middle = this.#middle(found, intervalSet(from, to), hinted);
    if (middle === undefined) {
      const outside = found.every((c) => this.#isOutside(c.set, from, to));
      if (outside || !hinted || this.#options.unrollUnpartitioned !== true || s.kind !== "tir.For") return undefined;
      if (!this.#analyzer.canProve(gt(sub(to, from), 0))) return undefined;
      return makeFor(s.loopVar, from, add(sub(to, from), 1), this.run(s.body), { forKind: "unrolled" });
    }
    return convertToSSA(s.kind === "tir.For" ? this.#split(s, middle, from, to) : this.#guard(s, v, middle, from, to));
  }

  #isOutside(set: IntSet, from: PrimExpr, to: PrimExpr): boolean {
    const point = pointOf(set);
    return point !== undefined && !(this.#analyzer.canProve(ge(point, from)) && this.#analyzer.canProve(le(point, to)));
  }

  /** Where all conditions that hold somewhere hold, else where all that fail somewhere fail. */
  #middle(found: readonly Condition[], domain: IntervalSet, hinted: boolean): Middle | undefined {
    for (const holds of [true, false]) {
      const touching = found.filter((c) => c.holds === holds && intersectSets([c.set, domain], this.#analyzer).tag !== "empty");
      const all = touching.length === 0 ? emptySet : intersectSets(touching.map((c) => c.set), this.#analyzer);
      if (all.tag === "interval") return { set: all, conditions: new Set(touching.map((c) => c.condition)), holds };
      const some = hinted ? this.#longestPrefix(touching) : undefined;
      if (some !== undefined) return { ...some, holds };
    }
    return undefined;
  }

  /** The conditions up to the first one whose set does not meet those before. */
  #longestPrefix(found: readonly Condition[]): Omit<Middle, "holds"> | undefined {
    const conditions = new Set<PrimExpr>();
    let set: IntervalSet = intervalSet(undefined, undefined);
    for (const c of found) {
      const both = intersectSets([set, c.set], this.#analyzer);
      if (both.tag === "empty") break;
      set = intervalSet(both.min && this.#analyzer.simplify(both.min), both.max && this.#analyzer.simplify(both.max));
      conditions.add(c.condition);
    }
    return conditions.size === 0 ? undefined : { set, conditions };
  }

  /** The loop before, in and after the middle. */
  #split(s: For, { set, conditions, holds }: Middle, from: PrimExpr, to: PrimExpr): Stmt {
    const { start, end, before, after } = this.#borders(set, from, to);
    const shifted = (body: Stmt, by: PrimExpr): Stmt => substitute(body, new Map([[s.loopVar, add(s.loopVar, by)]]));
    let pre = before.exists ? this.#part(s, sub(start, from), shifted(s.body, from)) : undefined;
    let post = after.exists ? this.#part(s, after.extent, shifted(s.body, end)) : undefined;
    let mid: Stmt | undefined;
    if (!this.#analyzer.canProve(ge(start, end))) {
      mid = this.run(this.#part(s, sub(end, start), shifted(decided(s.body, conditions, holds), start)));
      if (pre !== undefined && before.certain) pre = this.run(pre);
      if (post !== undefined && after.certain) post = this.run(post);
    }
    return makeSeq([pre, mid, post].filter((x) => x !== undefined));
  }

  /** Where the middle begins and ends within the domain, and what is known of the parts before and after. */
  #borders(set: IntervalSet, from: PrimExpr, to: PrimExpr): Borders {
    const analyzer = this.#analyzer;
    const none: Side = { exists: false, certain: true, extent: constant(0, from.dtype) };
    let [start, end, before, after] = [from, add(to, 1), none, none];
    const side = (extent: PrimExpr): Side => ({ exists: !analyzer.canProve(le(extent, 0)), certain: analyzer.canProve(gt(extent, 0)), extent });
    if (set.min !== undefined) {
      start = analyzer.simplify(set.min);
      if (!analyzer.canProve(eq(start, from))) {
        before = side(analyzer.simplify(sub(start, from)));
        if (!before.certain) start = max(start, from);
      }
    }
    if (set.max !== undefined) {
      end = analyzer.simplify(add(set.max, 1));
      if (!analyzer.canProve(eq(set.max, to))) {
        after = side(analyzer.simplify(add(sub(to, end), 1)));
        if (!after.certain) end = min(end, add(to, 1));
      }
    }
    return { start, end, before, after };
  }

  /** `extent` iterations from zero; the body alone for one. */
  #part(s: For, extent: PrimExpr, body: Stmt): Stmt {
    const { dtype } = s.loopVar;
    const single = this.#options.keepUnitLoops !== true && Object.keys(s.annotations).length === 0;
    if (single && this.#analyzer.canProve(eq(extent, 1))) return substitute(body, new Map([[s.loopVar, constant(0, dtype)]]));
    return makeFor(s.loopVar, constant(0, dtype), extent, body, { forKind: s.forKind, threadBinding: s.threadBinding, annotations: s.annotations, span: s.span });
  }

  /** Both versions of the body of the innermost thread axis, by where the workgroup is. */
  #guard(s: AttrStmt, v: AnyVar, { set, conditions, holds }: Middle, from: PrimExpr, to: PrimExpr): Stmt {
    const { start, end } = this.#borders(set, from, to);
    let condition: PrimExpr = constant(1, "bool");
    if (!this.#analyzer.canProve(eq(start, from))) condition = and(condition, ge(v, start));
    if (!this.#analyzer.canProve(eq(end, add(to, 1)))) condition = and(condition, lt(v, end));
    const insert = (x: Stmt): { readonly stmt: Stmt; readonly done: boolean } => {
      let done = false;
      const stmt = mapStmtChildren(x, {
        expr: (e) => e,
        stmt(child) {
          const inner = insert(child);
          done ||= inner.done;
          return inner.stmt;
        },
      });
      if (x.kind !== "tir.AttrStmt" || x.attrKey !== "thread_extent" || done) return { stmt, done };
      return { stmt: makeAttrStmt(x.node, x.attrKey, x.value, makeIfThenElse(condition, decided(x.body, conditions, holds), x.body), x.span), done: true };
    };
    return insert(s).stmt;
  }
}

interface Side {
  readonly exists: boolean;
  /** Its extent is known to be positive. */
  readonly certain: boolean;
  readonly extent: PrimExpr;
}

interface Borders {
  readonly start: PrimExpr;
  readonly end: PrimExpr;
  readonly before: Side;
  readonly after: Side;
}

/** The statement with conditions replaced by what they are. */
function decided(s: Stmt, conditions: ReadonlySet<PrimExpr>, holds: boolean): Stmt {
  const value = constant(holds ? 1 : 0, "bool");
  const mapper: ChildMapper = {
    expr: (e) => (conditions.has(e) ? value : mapExprChildren(e, mapper)),
    stmt: (x) => mapStmtChildren(x, mapper),
  };
  return mapper.stmt(s);
}

function withoutMarks(body: Stmt): Stmt {
  const mapper: ChildMapper = {
    expr(e) {
      const marked = e.kind === "tir.Call" && e.op.kind === "ir.Op" && (e.op.name === "tir.likely" || e.op.name === "tir.ignore_loop_partition") ? e.args[0] : undefined;
      return marked === undefined ? mapExprChildren(e, mapper) : mapper.expr(marked);
    },
    stmt: (s) => (s.kind === "tir.AttrStmt" && s.attrKey === "pragma_loop_partition_hint" ? mapper.stmt(s.body) : mapStmtChildren(s, mapper)),
  };
  return mapper.stmt(body);
}
