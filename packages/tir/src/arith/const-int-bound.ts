import { parseDType } from "@verticil/runtime-ffi";
import type { AnyVar, Call, PrimExpr } from "../ir/expr.ts";
import type { ArithContext } from "./context.ts";
import { exprDeepEqual } from "./expr-deep-equal.ts";
import { productSumBound } from "./product-sum-bound.ts";
import { ScopedMemo } from "./scoped-memo.ts";
import {
  addBound,
  boundOfDType,
  divBound,
  floorModBound,
  intersectBound,
  makeBound,
  mulBound,
  subBound,
  truncModBound,
  unionBound,
  type IntBound,
} from "./int-bound.ts";

/** A range that a condition in force gives to an expression. */
export interface BoundFact {
  readonly expr: PrimExpr;
  readonly bound: IntBound;
}

/** Constant ranges of integer expressions (upstream's `ConstIntBoundAnalyzer`). Index arithmetic is taken not to overflow. */
export class ConstIntBoundAnalyzer {
  readonly #ctx: ArithContext;
  readonly #vars = new Map<AnyVar, IntBound>();
  #facts: readonly BoundFact[] = [];
  readonly #memo = new ScopedMemo<PrimExpr, IntBound>();

  constructor(ctx: ArithContext) {
    this.#ctx = ctx;
  }

  bind(v: AnyVar, bound: IntBound): void {
    this.#vars.set(v, bound);
  }

  /** What is bound for a variable, without looking further. */
  boundOfVar(v: AnyVar): IntBound | undefined {
    return this.#vars.get(v);
  }

  /** Puts facts in force; the result takes them out again. */
  enter(facts: readonly BoundFact[]): () => void {
    const before = this.#facts;
    if (facts.length > 0) this.#facts = [...before, ...facts];
    return () => {
      this.#facts = before;
    };
  }

  /** Between questions: lets go of most that is remembered. */
  trim(opts: { readonly canGoBack: boolean }): void {
    this.#memo.trim(opts);
  }

  evaluate(e: PrimExpr): IntBound {
    if (e.kind === "ir.IntImm") return boundOfConstant(e.value);
    if (e.kind === "tir.Var" && this.#facts.length === 0) return this.#vars.get(e) ?? boundOfDType(e.dtype);
    const memo = this.#memo.at(this.#ctx.generation);
    const known = memo.get(e);
    if (known !== undefined) return known;
    let bound = this.#visit(e);
    for (const fact of this.#facts) {
      if (exprDeepEqual(fact.expr, e)) bound = intersectBound(bound, fact.bound);
    }
    // Contradicting facts: unreachable code. Anything may be claimed, but keep the ends in order.
    if (bound.min > bound.max) bound = { min: bound.min, max: bound.min };
    memo.set(e, bound);
    return bound;
  }

  #visit(e: PrimExpr): IntBound {
    switch (e.kind) {
      case "tir.Var":
        return this.#vars.get(e) ?? boundOfDType(e.dtype);
      case "tir.SizeVar":
        return this.#vars.get(e) ?? intersectBound(boundOfDType(e.dtype), { min: 0, max: Infinity });
      case "tir.Add":
        return addBound(this.evaluate(e.a), this.evaluate(e.b));
      case "tir.Sub": {
        const bound = subBound(this.evaluate(e.a), this.evaluate(e.b));
        const tighter = e.a.kind === "tir.Mul" && e.b.kind === "tir.Mul" ? productSumBound(e.a, e.b, (x) => this.evaluate(x)) : undefined;
        return tighter === undefined ? bound : intersectBound(bound, tighter);
      }
      case "tir.Mul":
        return mulBound(this.evaluate(e.a), this.evaluate(e.b));
      case "tir.Div":
        return divBound(this.evaluate(e.a), this.evaluate(e.b), "trunc");
      case "tir.FloorDiv":
        return divBound(this.evaluate(e.a), this.evaluate(e.b), "floor");
      case "tir.Mod":
        return this.#narrowByModulus(e.a, e.b, truncModBound(this.evaluate(e.a), this.evaluate(e.b)));
      case "tir.FloorMod":
        return this.#narrowByModulus(e.a, e.b, floorModBound(this.evaluate(e.a), this.evaluate(e.b)));
      case "tir.Min": {
        const [a, b] = [this.evaluate(e.a), this.evaluate(e.b)];
        return { min: Math.min(a.min, b.min), max: Math.min(a.max, b.max) };
      }
      case "tir.Max": {
        const [a, b] = [this.evaluate(e.a), this.evaluate(e.b)];
        return { min: Math.max(a.min, b.min), max: Math.max(a.max, b.max) };
      }
      case "tir.Select":
        return unionBound(this.evaluate(e.trueValue), this.evaluate(e.falseValue));
      case "tir.Broadcast":
        return this.evaluate(e.value);
      case "tir.Ramp":
        if (e.lanes < 1) return boundOfDType(e.dtype);
        return unionBound(
          this.evaluate(e.base),
          addBound(this.evaluate(e.base), mulBound(this.evaluate(e.stride), makeBound(e.lanes - 1, e.lanes - 1))),
        );
      case "tir.Cast": {
        if (parseDType(e.value.dtype).code === "float") return boundOfDType(e.dtype);
        const inner = this.evaluate(e.value);
        const type = boundOfDType(e.dtype);
        return type.min <= inner.min && inner.max <= type.max ? inner : wrapped(inner, type);
      }
      case "tir.Let":
        return this.#vars.has(e.bind) ? boundOfDType(e.dtype) : this.#let(e.bind, e.value, e.body);
      case "tir.Call":
        return this.#call(e);
      default:
        return boundOfDType(e.dtype);
    }
  }

  #let(bind: AnyVar, value: PrimExpr, body: PrimExpr): IntBound {
    this.#vars.set(bind, this.evaluate(value));
    return this.evaluate(body);
  }

  /** The steps that a value takes: `(4*i) % 12` is at most 8. */
  #narrowByModulus(a: PrimExpr, b: PrimExpr, bound: IntBound): IntBound {
    if (b.kind !== "ir.IntImm" || typeof b.value !== "number" || b.value <= 1 || bound.min < 0) return bound;
    const { coeff, base } = this.#ctx.modularSet(a);
    if (coeff <= 1) return bound;
    const step = stepWithin(coeff, b.value);
    if (step <= 1) return bound;
    const low = base % step;
    const max = Number.isFinite(bound.max) ? bound.max - ((((bound.max - low) % step) + step) % step) : bound.max;
    const min = bound.min + ((((low - bound.min) % step) + step) % step);
    return min > max ? bound : { min, max };
  }

  #call(e: Call): IntBound {
    const name = e.op.kind === "ir.Op" ? e.op.name : "";
    const [x, y, z] = e.args;
    if (x === undefined) return boundOfDType(e.dtype);
    if (name === "tir.likely") return this.evaluate(x);
    if (y === undefined) return boundOfDType(e.dtype);
    if (name === "tir.if_then_else" && z !== undefined) return unionBound(this.evaluate(y), this.evaluate(z));
    const a = this.evaluate(x);
    const b = this.evaluate(y);
    if (name === "tir.shift_right" && b.min >= 0 && b.max <= 52) {
      return divBound(a, makeBound(2 ** b.min, 2 ** b.max), "floor");
    }
    if (name === "tir.shift_left" && a.min >= 0 && b.min >= 0 && b.max <= 52) {
      return intersectBound(mulBound(a, makeBound(2 ** b.min, 2 ** b.max)), boundOfDType(e.dtype));
    }
    if (name === "tir.bitwise_and") {
      if (a.min >= 0 && b.min >= 0) return { min: 0, max: Math.min(a.max, b.max) };
      if (b.min >= 0) return { min: 0, max: b.max };
      if (a.min >= 0) return { min: 0, max: a.max };
    }
    return boundOfDType(e.dtype);
  }
}

/** A conversion that may wrap around: the type's own range, without negatives if none can appear. */
function wrapped(inner: IntBound, type: IntBound): IntBound {
  return Number.isFinite(type.min) || Number.isFinite(type.max) || inner.min === -Infinity ? type : inner;
}

function stepWithin(coeff: number, modulus: number): number {
  let [a, b] = [coeff, modulus];
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}

function boundOfConstant(value: number | bigint): IntBound {
  if (typeof value === "number") return { min: value, max: value };
  return value > 0n ? { min: Number.MAX_SAFE_INTEGER, max: Infinity } : { min: -Infinity, max: Number.MIN_SAFE_INTEGER };
}

/** The ranges that hold where `cond` does: comparisons with a constant, joined by `&&`. */
export function boundFacts(cond: PrimExpr, bound: (e: PrimExpr) => IntBound): BoundFact[] {
  const facts: BoundFact[] = [];
  collect(cond, bound, facts);
  return facts;
}

function collect(cond: PrimExpr, bound: (e: PrimExpr) => IntBound, out: BoundFact[]): void {
  switch (cond.kind) {
    case "tir.And":
      collect(cond.a, bound, out);
      collect(cond.b, bound, out);
      return;
    case "tir.Call":
      if (cond.op.kind === "ir.Op" && cond.op.name === "tir.likely" && cond.args[0] !== undefined) collect(cond.args[0], bound, out);
      return;
    case "tir.LT":
      compareFact(cond.a, cond.b, 1, bound, out);
      return;
    case "tir.LE":
      compareFact(cond.a, cond.b, 0, bound, out);
      return;
    case "tir.GT":
      compareFact(cond.b, cond.a, 1, bound, out);
      return;
    case "tir.GE":
      compareFact(cond.b, cond.a, 0, bound, out);
      return;
    case "tir.EQ":
      compareFact(cond.a, cond.b, 0, bound, out);
      compareFact(cond.b, cond.a, 0, bound, out);
      return;
    case "tir.Not":
      if (cond.a.kind === "tir.LT") compareFact(cond.a.b, cond.a.a, 0, bound, out);
      else if (cond.a.kind === "tir.LE") compareFact(cond.a.b, cond.a.a, 1, bound, out);
      return;
    default:
      return;
  }
}

/** From `small + gap <= large`, what the bound of each says of the other. */
function compareFact(small: PrimExpr, large: PrimExpr, gap: number, bound: (e: PrimExpr) => IntBound, out: BoundFact[]): void {
  if (parseDType(small.dtype).lanes !== 1 || !/^(u?int)/.test(small.dtype)) return;
  const max = bound(large).max - gap;
  const min = bound(small).min + gap;
  if (Number.isFinite(max)) addFact(small, { min: -Infinity, max }, out);
  if (Number.isFinite(min)) addFact(large, { min, max: Infinity }, out);
}

/** Facts about `x + c` and `c - x` are also facts about `x`. */
function addFact(e: PrimExpr, bound: IntBound, out: BoundFact[]): void {
  if (e.kind === "ir.IntImm") return;
  out.push({ expr: e, bound });
  if (e.kind === "tir.Add" && e.b.kind === "ir.IntImm") addFact(e.a, subBound(bound, boundOfConstant(e.b.value)), out);
  else if (e.kind === "tir.Sub" && e.b.kind === "ir.IntImm") addFact(e.a, addBound(bound, boundOfConstant(e.b.value)), out);
  else if (e.kind === "tir.Sub" && e.a.kind === "ir.IntImm") addFact(e.b, subBound(boundOfConstant(e.a.value), bound), out);
  else if (e.kind === "tir.Mul" && e.b.kind === "ir.IntImm" && typeof e.b.value === "number" && e.b.value > 0) {
    // ceil and floor of the ends by the factor
    const c = e.b.value;
    addFact(e.a, makeBound(Number.isFinite(bound.min) ? Math.ceil(bound.min / c) : -Infinity, Number.isFinite(bound.max) ? Math.floor(bound.max / c) : Infinity), out);
  }
}
