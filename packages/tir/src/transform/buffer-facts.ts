import { at } from "@verticil/ir-core";
import { lanesOf } from "@verticil/runtime-ffi";
import { sideEffect } from "../analysis/side-effect.ts";
import { conjuncts, type Analyzer } from "../arith/analyzer.ts";
import { detectIterMap } from "../arith/detect-iter-map.ts";
import { inverseAffineIterMap } from "../arith/inverse-affine-iter-map.ts";
import type { Buffer } from "../ir/buffer.ts";
import type { AnyVar, PrimExpr, Range, Var } from "../ir/expr.ts";
import { usesVar } from "../ir/free-vars.ts";
import { makeRange, makeVar } from "../ir/make-expr.ts";
import { add, allOf, constant, eq, ge, gt, isConstInt, lt, not, sub } from "../ir/ops.ts";
import type { BufferStore, Stmt } from "../ir/stmt.ts";
import { substitute } from "../ir/substitute.ts";

/** Elements of a buffer: those at `axes` for which `predicate` holds, and what they hold if that is known. */
export interface BufferFact {
  readonly buffer: Buffer;
  readonly axes: readonly Var[];
  readonly predicate: PrimExpr;
  /** In terms of the axes. */
  readonly value: PrimExpr | undefined;
}

/** True if a condition is known to hold. */
export function isKnownToHold(condition: PrimExpr, analyzer: Analyzer): boolean {
  // A constant has no parts that could fail.
  if (isConstInt(condition)) return condition.value !== 0;
  return conjuncts(condition).every((c) => analyzer.canProve(c));
}

/** A store, or an assumption, with the loops and conditions between it and a statement around. */
export interface StoreSite {
  readonly store: BufferStore | undefined;
  readonly buffer: Buffer;
  readonly indices: readonly PrimExpr[];
  readonly value: PrimExpr;
  readonly loops: readonly { readonly v: AnyVar; readonly range: Range }[];
  readonly conditions: readonly PrimExpr[];
  /** Whether it runs may depend on more than the conditions. */
  readonly uncertain: boolean;
}

/** The stores in a statement, and the assumptions of the form `A[…] == value`, possibly under a condition. */
export function storeSites(root: Stmt): readonly StoreSite[] {
  const out: StoreSite[] = [];
  const visit = (s: Stmt, loops: StoreSite["loops"], conditions: readonly PrimExpr[], uncertain: boolean): void => {
    switch (s.kind) {
      case "tir.BufferStore":
        out.push({ store: s, buffer: s.buffer, indices: s.indices, value: s.value, loops, conditions, uncertain: uncertain || s.predicate !== undefined });
        return;
      case "tir.Evaluate": {
        const assumed = assumption(s.value);
        if (assumed !== undefined) out.push({ ...assumed, store: undefined, loops, conditions: [...conditions, ...assumed.conditions], uncertain });
        return;
      }
      case "tir.For":
        return visit(s.body, [...loops, { v: s.loopVar, range: makeRange(s.min, s.extent) }], conditions, uncertain);
      case "tir.IfThenElse": {
        const pure = sideEffect(s.condition) === "pure";
        const [yes, no] = pure ? [[...conditions, s.condition], [...conditions, not(s.condition)]] : [conditions, conditions];
        visit(s.thenCase, loops, yes, uncertain || !pure);
        if (s.elseCase) visit(s.elseCase, loops, no, uncertain || !pure);
        return;
      }
      case "tir.Prefetch":
        return;
      case "tir.SeqStmt":
        for (const x of s.seq) visit(x, loops, conditions, uncertain);
        return;
      case "tir.BlockRealize":
      case "tir.Block":
      case "tir.While":
        return visit(s.kind === "tir.BlockRealize" ? s.block.body : s.body, loops, conditions, true);
      default:
        // A binding's variable is unknown outside of it, and so are indices that use it.
        return visit(s.body, loops, conditions, uncertain);
    }
  };
  visit(root, [], [], false);
  return out;
}

function assumption(e: PrimExpr): Pick<StoreSite, "buffer" | "indices" | "value" | "conditions"> | undefined {
  const said = e.kind === "tir.Call" && e.op.kind === "ir.Op" && e.op.name === "tir.assume" ? e.args[0] : undefined;
  if (said === undefined) return undefined;
  const [condition, claim] = said.kind === "tir.Or" ? [not(said.a), said.b] : [undefined, said];
  if (claim.kind !== "tir.EQ" || claim.a.kind !== "tir.BufferLoad") return undefined;
  return { buffer: claim.a.buffer, indices: claim.a.indices, value: claim.b, conditions: condition === undefined ? [] : conjuncts(condition) };
}

/** Gives each buffer variables for its indices, and finds out which elements stores touch. */
export class BufferFacts {
  readonly #axes = new Map<Buffer, readonly Var[]>();
  readonly #analyzer: Analyzer;

  constructor(analyzer: Analyzer) {
    this.#analyzer = analyzer;
  }

  axesOf(b: Buffer): readonly Var[] {
    let axes = this.#axes.get(b);
    if (axes === undefined) this.#axes.set(b, (axes = b.shape.map((d, i) => makeVar(`axis_${i}`, d.dtype))));
    return axes;
  }

  /**
   * The elements that are stored to, each loop run to its end; undefined if they cannot be told. `exact` says that they
   * are written for certain; without it they may be fewer.
   */
  factOf(site: StoreSite, exact: boolean): BufferFact | undefined {
    const { buffer, loops } = site;
    if (exact && site.uncertain) return undefined;
    if (site.indices.some((e) => sideEffect(e) !== "pure")) return undefined;
    const axes = this.axesOf(buffer);
    const { indices, lane } = scalarIndices(site.indices);
    const counters = new Map<AnyVar, PrimExpr>();
    const domains = new Map<AnyVar, Range>();
    for (const { v, range } of lane === undefined ? loops : [...loops, lane]) {
      const counter = makeVar(v.name, v.dtype);
      counters.set(v, add(substitute(range.min, counters), counter));
      domains.set(counter, makeRange(constant(0, v.dtype), substitute(range.extent, counters)));
    }
    const places = indices.map((e) => this.#analyzer.simplify(substitute(e, counters)));
    const driving = new Map([...domains].filter(([v]) => places.some((e) => usesVar(e, v))));
    const inverse = this.#inverse(places, driving, axes);
    if (inverse === undefined) return undefined;
    const idle = [...domains].filter(([v]) => !driving.has(v));
    if (exact && idle.some(([, r]) => !this.#analyzer.canProve(gt(r.extent, 0)))) return undefined;
    const within = [...driving].flatMap(([v, r]) => {
      const value = at([inverse.get(v) ?? v], 0);
      return [ge(value, 0), lt(value, r.extent)];
    });
    const conditions = site.conditions.map((c) => substitute(substitute(c, counters), inverse));
    const known = conditions.filter((c) => !usesVar(c, (v) => domains.has(v)));
    if (exact && known.length < conditions.length) return undefined;
    const consistent = places.map((e, d) => eq(substitute(e, inverse), at(axes, d)));
    const predicate = this.#analyzer.simplify(allOf([...within, ...consistent, ...known].map((c) => this.#analyzer.simplify(c))));
    const value = lane === undefined ? substitute(substitute(site.value, counters), inverse) : undefined;
    const isKnown = value !== undefined && sideEffect(value) === "pure" && !usesVar(value, (v) => domains.has(v));
    return { buffer, axes, predicate, value: isKnown ? value : undefined };
  }

  #inverse(places: readonly PrimExpr[], iters: ReadonlyMap<AnyVar, Range>, axes: readonly Var[]): ReadonlyMap<AnyVar, PrimExpr> | undefined {
    const direct = solveDirectly(places, iters, axes);
    if (direct !== undefined) return direct;
    const { indices, errors } = detectIterMap(places, iters, { level: "bijective", analyzer: this.#analyzer });
    if (errors.length > 0 || indices.length !== axes.length) return undefined;
    try {
      const inverse = inverseAffineIterMap(indices, axes, this.#analyzer);
      return [...iters.keys()].every((v) => inverse.has(v)) ? inverse : undefined;
    } catch (error) {
      if (error instanceof RangeError) return undefined;
      throw error;
    }
  }
}

/** The loop variables, where each stands in an index of its own with nothing but an offset. */
function solveDirectly(places: readonly PrimExpr[], iters: ReadonlyMap<AnyVar, Range>, axes: readonly Var[]): ReadonlyMap<AnyVar, PrimExpr> | undefined {
  const out = new Map<AnyVar, PrimExpr>();
  for (const [d, e] of places.entries()) {
    const used = [...iters.keys()].filter((v) => usesVar(e, v));
    const [v] = used;
    if (v === undefined) continue;
    const [a, b] = e.kind === "tir.Add" ? [e.a, e.b] : e.kind === "tir.Sub" && e.a === v ? [e.a, sub(constant(0, e.dtype), e.b)] : [e, constant(0, e.dtype)];
    const [self, offset] = b === v ? [b, a] : [a, b];
    if (used.length > 1 || self !== v || usesVar(offset, v) || out.has(v)) return undefined;
    out.set(v, sub(at(axes, d), offset));
  }
  return out.size === iters.size ? out : undefined;
}

/** A vector's last index as that of one lane, with a loop over the lanes. */
function scalarIndices(indices: readonly PrimExpr[]): { readonly indices: readonly PrimExpr[]; readonly lane?: StoreSite["loops"][number] } {
  const last = indices.at(-1);
  if (last === undefined || lanesOf(last.dtype) === 1 || last.kind !== "tir.Ramp") return { indices };
  const v = makeVar("lane", last.base.dtype);
  const index = add(last.base, last.stride.kind === "ir.IntImm" && last.stride.value === 1 ? v : { kind: "tir.Mul", dtype: v.dtype, a: v, b: last.stride, span: undefined });
  return { indices: [...indices.slice(0, -1), index], lane: { v, range: makeRange(constant(0, v.dtype), constant(last.lanes, v.dtype)) } };
}
