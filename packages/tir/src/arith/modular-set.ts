import type { AnyVar, Call, PrimExpr } from "../ir/expr.ts";
import type { ArithContext, ModularSet } from "./context.ts";
import { exprDeepEqual } from "./expr-deep-equal.ts";
import { ScopedMemo } from "./scoped-memo.ts";
import { extendedGcd, floorDivInt, floorModInt, gcd, truncDivInt } from "./int-math.ts";

const anything: ModularSet = { coeff: 1, base: 0 };

/** A set in normal form; given up if a number is not a safe integer. */
export function makeModularSet(coeff: number, base: number): ModularSet {
  const c = Math.abs(coeff);
  if (!Number.isSafeInteger(c) || !Number.isSafeInteger(base)) return anything;
  return c === 0 ? { coeff: 0, base } : { coeff: c, base: floorModInt(base, c) };
}

/** A residue that a condition in force gives to an expression. */
export interface ModularFact {
  readonly expr: PrimExpr;
  readonly set: ModularSet;
}

/** Residue classes of integer expressions (upstream's `ModularSetAnalyzer`). */
export class ModularSetAnalyzer {
  readonly #ctx: ArithContext;
  readonly #vars = new Map<AnyVar, ModularSet>();
  #facts: readonly ModularFact[] = [];
  readonly #memo = new ScopedMemo<PrimExpr, ModularSet>();

  constructor(ctx: ArithContext) {
    this.#ctx = ctx;
  }

  bind(v: AnyVar, set: ModularSet): void {
    this.#vars.set(v, set);
  }

  /** Puts facts in force; the result takes them out again. */
  enter(facts: readonly ModularFact[]): () => void {
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

  evaluate(e: PrimExpr): ModularSet {
    if (e.kind === "ir.IntImm") return typeof e.value === "number" ? { coeff: 0, base: e.value } : anything;
    if (e.kind === "tir.Var" && this.#facts.length === 0) return this.#vars.get(e) ?? anything;
    const memo = this.#memo.at(this.#ctx.generation);
    const known = memo.get(e);
    if (known !== undefined) return known;
    let set = this.#visit(e);
    for (const fact of this.#facts) {
      if (exprDeepEqual(fact.expr, e)) set = intersectModular(set, fact.set);
    }
    memo.set(e, set);
    return set;
  }

  #visit(e: PrimExpr): ModularSet {
    switch (e.kind) {
      case "tir.Var":
      case "tir.SizeVar":
        return this.#vars.get(e) ?? anything;
      case "tir.Add": {
        const [a, b] = [this.evaluate(e.a), this.evaluate(e.b)];
        return makeModularSet(gcd(a.coeff, b.coeff), a.base + b.base);
      }
      case "tir.Sub": {
        const [a, b] = [this.evaluate(e.a), this.evaluate(e.b)];
        return makeModularSet(gcd(a.coeff, b.coeff), a.base - b.base);
      }
      case "tir.Mul": {
        // (p*x + n) * (q*y + m) = pq*xy + pm*x + qn*y + nm
        const [a, b] = [this.evaluate(e.a), this.evaluate(e.b)];
        const [pq, pm, qn] = [a.coeff * b.coeff, a.coeff * b.base, b.coeff * a.base];
        if (!Number.isSafeInteger(pq) || !Number.isSafeInteger(pm) || !Number.isSafeInteger(qn)) return anything;
        return makeModularSet(gcd(gcd(pq, pm), qn), a.base * b.base);
      }
      case "tir.Div":
        return this.#divide(e.a, e.b, "trunc");
      case "tir.FloorDiv":
        return this.#divide(e.a, e.b, "floor");
      case "tir.Mod":
        return this.#modulo(e.a, e.b, this.#ctx.constIntBound(e.a).min >= 0);
      case "tir.FloorMod":
        return this.#modulo(e.a, e.b, true);
      case "tir.Min":
      case "tir.Max":
        return unionModular(this.evaluate(e.a), this.evaluate(e.b));
      case "tir.Select":
        return unionModular(this.evaluate(e.trueValue), this.evaluate(e.falseValue));
      case "tir.Broadcast":
        return this.evaluate(e.value);
      case "tir.Ramp": {
        const [a, s] = [this.evaluate(e.base), this.evaluate(e.stride)];
        return makeModularSet(gcd(gcd(a.coeff, s.coeff), s.base), a.base);
      }
      case "tir.Cast": {
        // Only where the value cannot wrap around.
        const inner = this.#ctx.constIntBound(e.value);
        const outer = this.#ctx.constIntBound(e);
        const kept = /^u?int|^bool/.test(e.value.dtype) && (e.dtype === "int64" || (outer.min === inner.min && outer.max === inner.max));
        return kept ? this.evaluate(e.value) : anything;
      }
      case "tir.Let": {
        if (this.#vars.has(e.bind)) return anything;
        this.#vars.set(e.bind, this.evaluate(e.value));
        return this.evaluate(e.body);
      }
      case "tir.Call":
        return this.#call(e);
      default:
        return anything;
    }
  }

  /** `(p*x + n) / v` is `(p/v)*x + n/v` if v divides p, and the division is exact or rounds down. */
  #divide(a: PrimExpr, b: PrimExpr, mode: "trunc" | "floor"): ModularSet {
    const divisor = this.evaluate(b);
    const v = divisor.base;
    if (divisor.coeff !== 0 || v === 0) return anything;
    const set = this.evaluate(a);
    if (set.coeff === 0) return makeModularSet(0, mode === "floor" ? floorDivInt(set.base, v) : truncDivInt(set.base, v));
    if (set.coeff % v !== 0) return anything;
    if (set.base === 0) return makeModularSet(set.coeff / v, 0);
    const roundsDown = mode === "floor" || this.#ctx.constIntBound(a).min >= 0;
    return v > 0 && roundsDown ? makeModularSet(set.coeff / v, Math.floor(set.base / v)) : anything;
  }

  #modulo(a: PrimExpr, b: PrimExpr, signOfDivisor: boolean): ModularSet {
    const divisor = this.evaluate(b);
    if (divisor.coeff !== 0 || divisor.base === 0) return anything;
    const set = this.evaluate(a);
    const v = Math.abs(divisor.base);
    const common = gcd(set.coeff, v);
    // x % v = x - v * k: the residue modulo gcd(p, v) is kept whatever the rounding.
    if (set.coeff !== 0 && common > 0 && set.coeff % v === 0 && signOfDivisor && divisor.base > 0) return makeModularSet(0, floorModInt(set.base, v));
    return makeModularSet(common, set.base);
  }

  #call(e: Call): ModularSet {
    const name = e.op.kind === "ir.Op" ? e.op.name : "";
    const [x, y, z] = e.args;
    if (name === "tir.likely" && x !== undefined) return this.evaluate(x);
    if (name === "tir.if_then_else" && y !== undefined && z !== undefined) return unionModular(this.evaluate(y), this.evaluate(z));
    if (x === undefined || y === undefined) return anything;
    // The low bits of a number are its remainder by a power of two.
    if (name === "tir.bitwise_and" && y.kind === "ir.IntImm" && typeof y.value === "number" && y.value >= 0 && Number.isInteger(Math.log2(y.value + 1))) {
      const set = this.evaluate(x);
      return makeModularSet(gcd(set.coeff, y.value + 1), set.base);
    }
    if (name === "tir.shift_left" && y.kind === "ir.IntImm" && typeof y.value === "number" && y.value >= 0 && y.value < 31) {
      const set = this.evaluate(x);
      return makeModularSet(set.coeff * 2 ** y.value, set.base * 2 ** y.value);
    }
    if (name === "tir.shift_right" && y.kind === "ir.IntImm" && typeof y.value === "number" && y.value >= 0 && y.value < 31) {
      const set = this.evaluate(x);
      const v = 2 ** y.value;
      return set.coeff % v === 0 ? makeModularSet(set.coeff / v, Math.floor(set.base / v)) : anything;
    }
    return anything;
  }
}

/** The smallest class that holds both. */
export function unionModular(a: ModularSet, b: ModularSet): ModularSet {
  return makeModularSet(gcd(gcd(a.coeff, b.coeff), a.base - b.base), a.base);
}

/** The class of values in both, by the Chinese remainder theorem; `a` if they exclude each other. */
export function intersectModular(a: ModularSet, b: ModularSet): ModularSet {
  if (a.coeff === 0) return a;
  if (b.coeff === 0) return b;
  const [g, p] = extendedGcd(a.coeff, b.coeff);
  const gap = b.base - a.base;
  if (gap % g !== 0) return a;
  const step = b.coeff / g;
  if (!Number.isSafeInteger(step * step) || !Number.isSafeInteger(a.coeff * step)) return a;
  const k = floorModInt(floorModInt(p, step) * floorModInt(gap / g, step), step);
  return makeModularSet(a.coeff * step, a.base + a.coeff * k);
}

/** The residues that hold where `cond` does: `x % c == r`, joined by `&&`. */
export function modularFacts(cond: PrimExpr): ModularFact[] {
  if (cond.kind === "tir.And") return [...modularFacts(cond.a), ...modularFacts(cond.b)];
  if (cond.kind !== "tir.EQ") return [];
  const [lhs, rhs] = cond.a.kind === "ir.IntImm" ? [cond.b, cond.a] : [cond.a, cond.b];
  if (rhs.kind !== "ir.IntImm" || typeof rhs.value !== "number") return [];
  if (lhs.kind !== "tir.FloorMod" && lhs.kind !== "tir.Mod") return [{ expr: lhs, set: { coeff: 0, base: rhs.value } }];
  const { a, b } = lhs;
  if (b.kind !== "ir.IntImm" || typeof b.value !== "number" || b.value === 0) return [];
  return [{ expr: a, set: makeModularSet(b.value, rhs.value) }];
}
