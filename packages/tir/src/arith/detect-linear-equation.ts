import { isInteger } from "@verticil/runtime-ffi";
import type { AnyVar, PrimExpr } from "../ir/expr.ts";
import { usesVar } from "../ir/free-vars.ts";
import { add, constant, max, min, mul, neg, sub } from "../ir/ops.ts";
import { Analyzer, conjuncts } from "./analyzer.ts";

/** `sum(coefficients[i] * vars[i]) + base`. */
export interface LinearEquation {
  readonly coefficients: readonly PrimExpr[];
  readonly base: PrimExpr;
}

/** What one side of an operator is, by variable; a variable that is not listed has the coefficient 0. */
interface Linear {
  readonly terms: ReadonlyMap<AnyVar, PrimExpr>;
  readonly base: PrimExpr;
}

/**
 * An expression as a linear form of variables, with coefficients that mention none of them; undefined if it is none
 * (upstream's `DetectLinearEquation`).
 */
export function detectLinearEquation(e: PrimExpr, vars: readonly AnyVar[]): LinearEquation | undefined {
  const set = new Set(vars);
  const found = linear(e, set);
  if (found === undefined) return undefined;
  for (const coefficient of found.terms.values()) if (usesVar(coefficient, (v) => set.has(v))) return undefined;
  return { coefficients: vars.map((v) => found.terms.get(v) ?? constant(0, v.dtype)), base: found.base };
}

function linear(e: PrimExpr, vars: ReadonlySet<AnyVar>): Linear | undefined {
  if ((e.kind === "tir.Var" || e.kind === "tir.SizeVar") && vars.has(e)) {
    return { terms: new Map([[e, constant(1, e.dtype)]]), base: constant(0, e.dtype) };
  }
  if (!usesVar(e, (v) => vars.has(v))) return { terms: new Map(), base: e };
  if (e.kind !== "tir.Add" && e.kind !== "tir.Sub" && e.kind !== "tir.Mul") return undefined;
  const [a, b] = [linear(e.a, vars), linear(e.b, vars)];
  if (a === undefined || b === undefined) return undefined;
  if (e.kind !== "tir.Mul") return combined(a, b, e.kind === "tir.Add" ? add : sub);
  if (b.terms.size === 0) return scaled(a, b.base);
  return a.terms.size === 0 ? scaled(b, a.base) : undefined;
}

function combined(a: Linear, b: Linear, f: (x: PrimExpr, y: PrimExpr) => PrimExpr): Linear {
  const terms = new Map(a.terms);
  for (const [v, c] of b.terms) terms.set(v, f(terms.get(v) ?? constant(0, c.dtype), c));
  return { terms, base: f(a.base, b.base) };
}

function scaled(a: Linear, by: PrimExpr): Linear {
  return { terms: new Map([...a.terms].map(([v, c]) => [v, mul(c, by)])), base: mul(a.base, by) };
}

/** The least and the greatest value of a variable, both included; undefined where a condition says nothing. */
export interface ClipBound {
  readonly min: PrimExpr | undefined;
  readonly max: PrimExpr | undefined;
}

/**
 * Bounds of variables from a conjunction of comparisons, each of which mentions one of them with the coefficient 1 or -1;
 * undefined if there is another condition (upstream's `DetectClipBound`).
 */
export function detectClipBound(cond: PrimExpr, vars: readonly AnyVar[], analyzer: Analyzer = new Analyzer()): readonly ClipBound[] | undefined {
  const bounds = new Map<AnyVar, ClipBound>(vars.map((v) => [v, { min: undefined, max: undefined }]));
  for (const part of conjuncts(analyzer.simplify(cond))) {
    const used = vars.filter((v) => usesVar(part, v));
    const [v] = used;
    const bound = v !== undefined && used.length === 1 ? clipBy(part, v, analyzer) : undefined;
    const before = v && bounds.get(v);
    if (v === undefined || bound === undefined || before === undefined) return undefined;
    bounds.set(v, {
      min: before.min && bound.min ? max(before.min, bound.min) : (before.min ?? bound.min),
      max: before.max && bound.max ? min(before.max, bound.max) : (before.max ?? bound.max),
    });
  }
  return vars.map((v) => {
    const { min: low, max: high } = bounds.get(v) ?? { min: undefined, max: undefined };
    return { min: low && analyzer.simplify(low), max: high && analyzer.simplify(high) };
  });
}

/** One comparison as `±v + base >= 0`, or `= 0`. */
function clipBy(cond: PrimExpr, v: AnyVar, analyzer: Analyzer): ClipBound | undefined {
  const difference = atLeastZero(cond);
  const found = difference && detectLinearEquation(difference, [v]);
  const [coefficient] = found?.coefficients ?? [];
  if (found === undefined || coefficient === undefined) return undefined;
  const c = analyzer.simplify(coefficient);
  const isEqual = cond.kind === "tir.EQ";
  if (c.kind !== "ir.IntImm" || (c.value !== 1 && c.value !== -1)) return undefined;
  const end = c.value === 1 ? neg(found.base) : found.base;
  return { min: c.value === 1 || isEqual ? end : undefined, max: c.value === -1 || isEqual ? end : undefined };
}

/** What is not negative where a comparison of integers holds; of an equality, what is 0. */
function atLeastZero(cond: PrimExpr): PrimExpr | undefined {
  switch (cond.kind) {
    case "tir.LT":
      return isInteger(cond.a.dtype) ? sub(sub(cond.b, cond.a), 1) : undefined;
    case "tir.LE":
      return isInteger(cond.a.dtype) ? sub(cond.b, cond.a) : undefined;
    case "tir.GT":
      return isInteger(cond.a.dtype) ? sub(sub(cond.a, cond.b), 1) : undefined;
    case "tir.GE":
    case "tir.EQ":
      return isInteger(cond.a.dtype) ? sub(cond.a, cond.b) : undefined;
    default:
      return undefined;
  }
}
