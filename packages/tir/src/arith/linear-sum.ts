import type { DType } from "@verticil/runtime-ffi";
import type { AnyVar, PrimExpr } from "../ir/expr.ts";
import { constant } from "../ir/ops.ts";
import { fits } from "./canonical-form.ts";
import { combine, isIndexType } from "./rules/compile-rule.ts";

// Most indices that lowering meets are sums of scaled variables. Their canonical form takes neither bounds nor rules.

/** What stands for a variable: itself if nothing is known that would take its place; undefined if it must not be met. */
type ValueOf = (v: AnyVar) => PrimExpr | undefined;

/**
 * The canonical form of an expression of sums, differences and products by constants over variables that stand
 * for themselves or constants; `undefined` for any other, where a factor would leave the type, and where terms cancel. Gives back `e` itself if it is
 * that form.
 */
export function simplifyLinear(e: PrimExpr, valueOf: ValueOf): PrimExpr | undefined {
  if (isVar(e)) {
    const value = valueOf(e);
    return value === e || value?.kind === "ir.IntImm" ? value : undefined;
  }
  if ((e.kind !== "tir.Add" && e.kind !== "tir.Sub" && e.kind !== "tir.Mul") || !isIndexType(e.dtype)) return undefined;
  if (new SumReader(valueOf).reads(e)) return e;
  if (e.kind === "tir.Mul") return undefined;
  const sum = new LinearSum(e.dtype, valueOf);
  return sum.add(e, 1) ? sum.toExpr() : undefined;
}

function isVar(e: PrimExpr): e is AnyVar {
  return e.kind === "tir.Var" || e.kind === "tir.SizeVar";
}

/** Reads a sum in canonical form from its end: terms by ascending scale, those that are taken off before the others. */
class SumReader {
  readonly #valueOf: ValueOf;
  readonly #vars: AnyVar[] = [];
  /** The scale of the term to the right. */
  #scale = -Infinity;

  constructor(valueOf: ValueOf) {
    this.#valueOf = valueOf;
  }

  reads(e: PrimExpr): boolean {
    let rest = e;
    // A constant that is taken off comes last; one that is added, after what is added.
    const endsInConstant = rest.kind === "tir.Sub" && rest.b.kind === "ir.IntImm";
    if (rest.kind === "tir.Sub" && rest.b.kind === "ir.IntImm") {
      if (rest.b.value <= 0) return false;
      rest = rest.a;
    }
    while (rest.kind === "tir.Sub") {
      if (!this.#term(rest.b, -1)) return false;
      rest = rest.a;
    }
    if (rest.kind === "tir.Add" && rest.b.kind === "ir.IntImm") {
      if (endsInConstant || rest.b.value <= 0) return false;
      rest = rest.a;
    }
    while (rest.kind === "tir.Add") {
      if (!this.#term(rest.b, 1)) return false;
      rest = rest.a;
    }
    return this.#term(rest, 1);
  }

  /** A variable, or one times a constant above 1. */
  #term(e: PrimExpr, sign: 1 | -1): boolean {
    let scale = 1;
    let v = e;
    if (e.kind === "tir.Mul") {
      if (e.b.kind !== "ir.IntImm" || typeof e.b.value !== "number" || e.b.value < 2) return false;
      scale = e.b.value;
      v = e.a;
    }
    scale *= sign;
    if (!isVar(v) || scale < this.#scale || this.#vars.includes(v) || this.#valueOf(v) !== v) return false;
    this.#scale = scale;
    this.#vars.push(v);
    return true;
  }
}

interface Term {
  readonly v: AnyVar;
  readonly scale: number;
}

/** Terms in order of appearance, and a constant. */
class LinearSum {
  readonly #dtype: DType;
  readonly #valueOf: ValueOf;
  readonly #terms: Term[] = [];
  #base = 0;

  constructor(dtype: DType, valueOf: ValueOf) {
    this.#dtype = dtype;
    this.#valueOf = valueOf;
  }

  /** Adds `e * factor`; false if it is no such sum, a factor would leave the type, or terms cancel. */
  add(e: PrimExpr, factor: number): boolean {
    switch (e.kind) {
      case "ir.IntImm":
        if (typeof e.value !== "number") return false;
        this.#base += e.value * factor;
        return fits(this.#base, this.#dtype);
      case "tir.Var":
      case "tir.SizeVar":
        return this.#addVar(e, factor);
      case "tir.Add":
        return this.add(e.a, factor) && this.add(e.b, factor);
      case "tir.Sub":
        return this.add(e.a, factor) && this.add(e.b, -factor);
      case "tir.Mul": {
        const [a, b] = e.b.kind === "ir.IntImm" ? [e.a, e.b] : [e.b, e.a];
        if (b.kind !== "ir.IntImm" || typeof b.value !== "number" || b.value === 0) return false;
        const scale = b.value * factor;
        return fits(scale, this.#dtype) && this.add(a, scale);
      }
      default:
        return false;
    }
  }

  #addVar(v: AnyVar, factor: number): boolean {
    const value = this.#valueOf(v);
    if (value === v) return this.#addTerm(v, factor);
    return value?.kind === "ir.IntImm" && this.add(value, factor);
  }

  #addTerm(v: AnyVar, scale: number): boolean {
    const terms = this.#terms;
    for (let i = 0; i < terms.length; i++) {
      const term = terms[i];
      if (term?.v !== v) continue;
      const total = term.scale + scale;
      // What cancels may come back, in another place.
      if (total === 0 || !fits(total, this.#dtype)) return false;
      terms[i] = { v, scale: total };
      return true;
    }
    terms.push({ v, scale });
    return true;
  }

  /** Positive terms by descending scale, the constant, then what is taken off; terms of one scale in order of appearance. */
  toExpr(): PrimExpr | undefined {
    const dtype = this.#dtype;
    // The smallest value of a type has no opposite.
    if (!fits(-this.#base, dtype) || this.#terms.some((t) => !fits(-t.scale, dtype))) return undefined;
    const terms = this.#terms.toSorted((a, b) => b.scale - a.scale);
    // One variable keeps its sign: `x * -2`, which as a sum would be `0 - x * 2`.
    if (terms.length === 1 && this.#base === 0 && terms[0] !== undefined && terms[0].scale < 0) return undefined;
    const scaled = (v: AnyVar, scale: number): PrimExpr => (scale === 1 ? v : combine("tir.Mul", v, constant(scale, dtype)));
    let e: PrimExpr = constant(0, dtype);
    for (const { v, scale } of terms) if (scale > 0) e = combine("tir.Add", e, scaled(v, scale));
    if (this.#base > 0) e = combine("tir.Add", e, constant(this.#base, dtype));
    for (const { v, scale } of terms) if (scale < 0) e = combine("tir.Sub", e, scaled(v, -scale));
    return this.#base < 0 ? combine("tir.Sub", e, constant(-this.#base, dtype)) : e;
  }
}
