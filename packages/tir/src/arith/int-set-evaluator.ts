import { isInteger, lanesOf } from "@verticil/runtime-ffi";
import type { AnyVar, ArithKind, BinaryExpr, PrimExpr } from "../ir/expr.ts";
import { usesVar } from "../ir/free-vars.ts";
import { add, cast, constant, eq, floorDiv, ge, max, min, mul, neg, select, sub } from "../ir/ops.ts";
import type { Prover } from "./context.ts";
import { boundOfDType } from "./int-bound.ts";
import { anyTruth, emptySet, everySet, hull, intersectSets, intervalSet, pointOf, singlePoint, type IntSet, type IntervalSet } from "./int-set.ts";
import { equalsInt } from "./iter-map.ts";
import { combine } from "./rules/compile-rule.ts";

/** A range that holds of a variable where a condition does. */
export interface SetFact {
  readonly v: AnyVar;
  readonly set: IntSet;
}

/**
 * Relaxes expressions over the domains of variables: the smallest interval that it finds to hold all values, by interval
 * arithmetic (upstream's `IntervalSetEvaluator`). A variable without a domain stands for itself. A vector counts as the
 * set of its lanes.
 */
export class IntSetEvaluator {
  readonly #analyzer: Prover;
  readonly #dom: ReadonlyMap<AnyVar, IntSet>;
  readonly #facts: readonly SetFact[];
  /** Sets of expressions by depth of relaxation. */
  readonly #memo: Map<PrimExpr, IntSet>[] = [];
  #depth = 0;

  constructor(analyzer: Prover, dom: ReadonlyMap<AnyVar, IntSet>, facts: readonly SetFact[] = []) {
    this.#analyzer = analyzer;
    this.#dom = dom;
    this.#facts = facts;
  }

  /** The set of an expression's values. */
  evaluate(e: PrimExpr): IntSet {
    if (e.kind === "ir.IntImm") return singlePoint(e);
    const memo = (this.#memo[this.#depth] ??= new Map());
    const known = memo.get(e);
    if (known !== undefined) return known;
    const set = this.#compute(e);
    memo.set(e, set);
    return set;
  }

  #compute(e: PrimExpr): IntSet {
    switch (e.kind) {
      case "tir.Var":
      case "tir.SizeVar":
        return this.#variable(e);
      case "tir.Ramp": {
        const base = this.evaluate(e.base);
        if (e.stride.kind !== "ir.IntImm" || typeof e.stride.value !== "number" || e.lanes < 1) return everySet;
        const last = e.stride.value * (e.lanes - 1);
        const [low, high] = [constant(Math.min(0, last), e.base.dtype), constant(Math.max(0, last), e.base.dtype)];
        return this.#combine("tir.Add", base, intervalSet(low, high));
      }
      case "tir.Broadcast":
        return this.evaluate(e.value);
      case "tir.Select": {
        const [t, f] = [this.evaluate(e.trueValue), this.evaluate(e.falseValue)];
        return f.tag === "empty" ? t : t.tag === "empty" ? f : hull(f, t);
      }
      case "tir.Cast":
        return this.#cast(e.dtype, e.value);
      default:
        if ("a" in e && "b" in e) return this.#binary(e);
        // A value that ranges over nothing is itself.
        return isInteger(e.dtype) && !this.#ranges(e) ? singlePoint(e) : everySet;
    }
  }

  /** The set of values of all members of a set whose ends are expressions. */
  relax(s: IntSet): IntSet {
    // Domains may be in terms of each other; each needs to be opened once.
    if (s.tag === "empty" || this.#depth >= this.#dom.size) return s;
    this.#depth++;
    const low = s.min && this.evaluate(s.min);
    const high = s.max === s.min ? low : s.max && this.evaluate(s.max);
    this.#depth--;
    if (low?.tag === "empty" || high?.tag === "empty") return emptySet;
    return intervalSet(low?.min, high?.max);
  }

  #ranges(e: PrimExpr): boolean {
    return usesVar(e, (v) => this.#dom.has(v) || this.#facts.some((f) => f.v === v));
  }

  #variable(v: AnyVar): IntSet {
    const sets = this.#facts.filter((f) => f.v === v).map((f) => f.set);
    const domain = this.#dom.get(v);
    if (domain !== undefined) sets.push(domain);
    if (sets.length === 0) return singlePoint(v);
    const set = intersectSets(sets, this.#analyzer);
    return pointOf(set) === v ? set : this.relax(set);
  }

  /** A conversion keeps order where no value wraps around. */
  #cast(dtype: PrimExpr["dtype"], value: PrimExpr): IntSet {
    const set = this.evaluate(value);
    if (set.tag === "empty" || !isInteger(value.dtype) || !isInteger(dtype)) return set.tag === "empty" ? set : everySet;
    const point = pointOf(set);
    if (point !== undefined) return singlePoint(cast(dtype, point));
    const [type, from] = [boundOfDType(dtype), boundOfDType(value.dtype)];
    const fits = (e: PrimExpr | undefined): boolean => {
      const { min, max } = e === undefined ? from : this.#analyzer.constIntBound(e);
      return min >= type.min && max <= type.max;
    };
    if (!fits(set.min) || !fits(set.max)) return everySet;
    return intervalSet(set.min && cast(dtype, set.min), set.max && cast(dtype, set.max));
  }

  #binary(e: BinaryExpr): IntSet {
    const [a, b] = [this.evaluate(e.a), this.evaluate(e.b)];
    if (pointOf(a) === e.a && pointOf(b) === e.b) return singlePoint(e);
    switch (e.kind) {
      case "tir.EQ":
      case "tir.NE":
      case "tir.LT":
      case "tir.LE":
      case "tir.GT":
      case "tir.GE":
      case "tir.And":
      case "tir.Or": {
        const [x, y] = [pointOf(a), pointOf(b)];
        return x !== undefined && y !== undefined ? singlePoint(combine(e.kind, x, y)) : anyTruth(e.dtype);
      }
      default:
        return isInteger(e.dtype) ? this.#combine(e.kind, a, b) : everySet;
    }
  }

  #combine(kind: ArithKind, a: IntSet, b: IntSet): IntSet {
    if (a.tag === "empty" || b.tag === "empty") return emptySet;
    const [x, y] = [pointOf(a), pointOf(b)];
    if (x !== undefined && y !== undefined) {
      const lanes = lanesOf(x.dtype) === lanesOf(y.dtype);
      return lanes ? singlePoint(combine(kind, x, y)) : everySet;
    }
    switch (kind) {
      case "tir.Add":
        return intervalSet(a.min && b.min && add(a.min, b.min), a.max && b.max && add(a.max, b.max));
      case "tir.Sub":
        return intervalSet(a.min && b.max && sub(a.min, b.max), a.max && b.min && sub(a.max, b.min));
      case "tir.Mul":
        return x === undefined ? (y === undefined ? everySet : this.#scale(a, y, mul)) : this.#scale(b, x, mul);
      case "tir.Div":
      case "tir.FloorDiv":
        return y === undefined ? everySet : this.#scale(a, y, (n, d) => combine(kind, n, d));
      case "tir.Mod":
      case "tir.FloorMod":
        return y === undefined ? everySet : this.#remainder(kind, a, y);
      case "tir.Min":
        return intervalSet(a.min && b.min && min(a.min, b.min), a.max === undefined ? b.max : b.max === undefined ? a.max : min(a.max, b.max));
      case "tir.Max":
        return intervalSet(a.min === undefined ? b.min : b.min === undefined ? a.min : max(a.min, b.min), a.max && b.max && max(a.max, b.max));
    }
  }

  /** `f(x, by)` for all x of a set: monotonic, by the sign of `by`. */
  #scale(a: IntervalSet, by: PrimExpr, f: (x: PrimExpr, by: PrimExpr) => PrimExpr): IntSet {
    if (equalsInt(by, 1)) return a;
    if (equalsInt(by, 0)) return f === mul ? singlePoint(by) : everySet;
    const [low, high] = [a.min && f(a.min, by), a.max && f(a.max, by)];
    if (this.#analyzer.canProveGreaterEqual(by, 0)) return intervalSet(low, high);
    if (this.#analyzer.canProveGreaterEqual(neg(by), 1)) return intervalSet(high, low);
    if (low === undefined || high === undefined) return everySet;
    const positive = ge(by, 0);
    return intervalSet(select(positive, low, high), select(positive, high, low));
  }

  #remainder(kind: "tir.Mod" | "tir.FloorMod", a: IntervalSet, divisor: PrimExpr): IntSet {
    const zero = constant(0, divisor.dtype);
    if (equalsInt(divisor, 0)) return everySet;
    if (!this.#analyzer.canProveGreaterEqual(divisor, 0)) {
      const size = sub(select(ge(divisor, zero), divisor, neg(divisor)), 1);
      return intervalSet(neg(size), size);
    }
    const largest = sub(divisor, 1);
    if (kind === "tir.Mod") {
      const positive = a.min !== undefined && this.#analyzer.canProveGreaterEqual(a.min, 0);
      return intervalSet(positive ? zero : neg(largest), largest);
    }
    if (divisor.kind === "ir.IntImm" && a.min !== undefined && a.max !== undefined) {
      const q = floorDiv(a.min, divisor);
      // One quotient for both ends: the remainder is the set moved.
      if (this.#analyzer.canProve(eq(floorDiv(a.max, divisor), q))) {
        const shift = mul(divisor, q);
        return intervalSet(sub(a.min, shift), sub(a.max, shift));
      }
    }
    return intervalSet(zero, largest);
  }
}
