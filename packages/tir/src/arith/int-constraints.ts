import type { AnyVar, PrimExpr, Range } from "../ir/expr.ts";
import { constant, sub } from "../ir/ops.ts";
import { conjuncts, type Analyzer } from "./analyzer.ts";
import { detectLinearEquation } from "./detect-linear-equation.ts";
import { isIndexType } from "./rules/compile-rule.ts";

/**
 * Integers that are looked for: the variables, what range each is in where that is known, and the conditions they meet.
 * Ranges may be given of other variables, too, which are then parameters (upstream's `IntConstraints`).
 */
export interface IntConstraints {
  readonly variables: readonly AnyVar[];
  readonly ranges: ReadonlyMap<AnyVar, Range>;
  readonly relations: readonly PrimExpr[];
}

/** A system put another way, with the way there and back (upstream's `IntConstraintsTransform`). */
export interface IntConstraintsTransform {
  readonly src: IntConstraints;
  readonly dst: IntConstraints;
  /** The variables of `src` by those of `dst`; none if there is no solution. */
  readonly srcToDst: ReadonlyMap<AnyVar, PrimExpr>;
  readonly dstToSrc: ReadonlyMap<AnyVar, PrimExpr>;
}

/** The system that nothing meets. */
export const contradiction: IntConstraints = { variables: [], ranges: new Map(), relations: [constant(false, "bool")] };

/** `sum(coefficients[i] * variables[i]) + base`, and how it compares with 0. */
export interface LinearRelation {
  readonly coefficients: readonly number[];
  readonly base: PrimExpr;
  readonly is: "zero" | "atMostZero";
}

/** Conditions, those that others are made of taken apart. */
export function separated(relations: readonly PrimExpr[]): readonly PrimExpr[] {
  return relations.flatMap((r) => (r.kind === "ir.IntImm" ? [r] : conjuncts(r)));
}

/**
 * A comparison of index arithmetic as a relation with constant coefficients; undefined if it is none. Where it is linear in
 * the first variables only, the others are in its base.
 */
export function linearRelation(e: PrimExpr, variables: readonly AnyVar[], analyzer: Analyzer): LinearRelation | undefined {
  if (!("b" in e) || !isIndexType(e.a.dtype)) return undefined;
  const compared = comparison(e.kind, e.a, e.b);
  if (compared === undefined) return undefined;
  const difference = analyzer.simplify(compared.difference);
  for (let count = variables.length; count > 0; count--) {
    const found = linearForm(difference, variables.slice(0, count), analyzer);
    if (found !== undefined) return { coefficients: variables.map((_, i) => found.coefficients[i] ?? 0), base: found.base, is: compared.is };
  }
  return undefined;
}

function linearForm(e: PrimExpr, variables: readonly AnyVar[], analyzer: Analyzer): Pick<LinearRelation, "coefficients" | "base"> | undefined {
  const found = detectLinearEquation(e, variables);
  if (found === undefined) return undefined;
  const coefficients: number[] = [];
  for (const c of found.coefficients) {
    const value = analyzer.simplify(c);
    if (value.kind !== "ir.IntImm" || typeof value.value !== "number") return undefined;
    coefficients.push(value.value);
  }
  return { coefficients, base: analyzer.simplify(found.base) };
}

function comparison(kind: PrimExpr["kind"], a: PrimExpr, b: PrimExpr): { readonly difference: PrimExpr; readonly is: LinearRelation["is"] } | undefined {
  switch (kind) {
    case "tir.EQ":
      return { difference: sub(a, b), is: "zero" };
    case "tir.LE":
      return { difference: sub(a, b), is: "atMostZero" };
    case "tir.LT":
      return { difference: sub(a, sub(b, 1)), is: "atMostZero" };
    case "tir.GE":
      return { difference: sub(b, a), is: "atMostZero" };
    case "tir.GT":
      return { difference: sub(b, sub(a, 1)), is: "atMostZero" };
    default:
      return undefined;
  }
}
