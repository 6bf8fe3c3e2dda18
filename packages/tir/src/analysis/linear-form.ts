import { exprDeepEqual } from "../arith/expr-deep-equal.ts";
import type { PrimExpr } from "../ir/expr.ts";
import { add, asInt, constant, mul, sub } from "../ir/ops.ts";

/** One summand of a linear form: `coeff * atom`. The atom is a variable or anything that is not a sum. */
export interface LinearTerm {
  readonly atom: PrimExpr;
  readonly coeff: number;
}

/** `sum(coeff * atom) + offset` over integers. No two atoms are the same tree, no coefficient is 0. */
export interface LinearForm {
  readonly terms: readonly LinearTerm[];
  readonly offset: number;
}

/**
 * An integer expression as a sum, atoms in order of appearance. Never fails: what is no sum is its own atom. Products
 * are opened if one side is constant.
 */
export function toLinear(e: PrimExpr): LinearForm {
  const terms: { atom: PrimExpr; coeff: number }[] = [];
  let offset = 0;
  const addAtom = (atom: PrimExpr, coeff: number): void => {
    const known = terms.find((t) => exprDeepEqual(t.atom, atom));
    if (known === undefined) terms.push({ atom, coeff });
    else known.coeff += coeff;
  };
  const visit = (x: PrimExpr, scale: number): void => {
    const value = asInt(x);
    if (value !== undefined) {
      offset += value * scale;
      return;
    }
    if (x.kind === "tir.Add") {
      visit(x.a, scale);
      visit(x.b, scale);
      return;
    }
    if (x.kind === "tir.Sub") {
      visit(x.a, scale);
      visit(x.b, -scale);
      return;
    }
    if (x.kind === "tir.Mul") {
      const a = asInt(x.a);
      const b = asInt(x.b);
      if (b !== undefined) return visit(x.a, scale * b);
      if (a !== undefined) return visit(x.b, scale * a);
    }
    addAtom(x, scale);
  };
  visit(e, 1);
  return { terms: terms.filter((t) => t.coeff !== 0), offset };
}

/** The expression of a linear form: positive terms first, then the others and the offset, in one type. */
export function fromLinear(form: LinearForm, dtype: PrimExpr["dtype"]): PrimExpr {
  let sum: PrimExpr | undefined;
  const ordered = [...form.terms.filter((t) => t.coeff > 0), ...form.terms.filter((t) => t.coeff < 0)];
  for (const { atom, coeff } of ordered) {
    const scaled = mul(atom, constant(Math.abs(coeff), dtype));
    if (sum === undefined) sum = coeff > 0 ? scaled : mul(atom, constant(coeff, dtype));
    else sum = coeff > 0 ? add(sum, scaled) : sub(sum, scaled);
  }
  if (sum === undefined) return constant(form.offset, dtype);
  if (form.offset === 0) return sum;
  return form.offset > 0 ? add(sum, constant(form.offset, dtype)) : sub(sum, constant(-form.offset, dtype));
}

/** The expression with its sums collected; `e` itself if that changes nothing. */
export function collectSums(e: PrimExpr): PrimExpr {
  const collected = fromLinear(toLinear(e), e.dtype);
  return exprDeepEqual(collected, e) ? e : collected;
}

/** `a - b` if that is a constant. */
export function constantDifference(a: PrimExpr, b: PrimExpr): number | undefined {
  const difference = toLinear(sub(a, b));
  return difference.terms.length === 0 ? difference.offset : undefined;
}
