import type { AnyVar, PrimExpr } from "../ir/expr.ts";
import { usesVar } from "../ir/free-vars.ts";
import { add, constant, eq, isConstInt, le, mul, neg, sub } from "../ir/ops.ts";
import { Analyzer } from "./analyzer.ts";
import { exprDeepEqual } from "./expr-deep-equal.ts";
import { linearRelation, separated, type IntConstraints, type LinearRelation } from "./int-constraints.ts";
import { floorDivInt, gcd, lcm } from "./int-math.ts";

/**
 * What a system says of one variable, in terms of parameters and the variables after it: `coefficient * v` is at least each
 * of `lower`, at most each of `upper`, and each of `equal` (upstream's `IntGroupBounds`).
 */
export interface VariableBounds {
  readonly coefficient: number;
  readonly lower: readonly PrimExpr[];
  readonly equal: readonly PrimExpr[];
  readonly upper: readonly PrimExpr[];
}

/** A system whose variables were eliminated one by one. */
export interface Elimination {
  readonly bounds: ReadonlyMap<AnyVar, VariableBounds>;
  /** What is left of parameters alone, and conditions that are not linear. */
  readonly rest: readonly PrimExpr[];
  /** True if a condition is left that never holds. */
  readonly contradicts: boolean;
}

/** How many inequalities may come of eliminating one variable; more would say nothing that the others do not. */
const maxRows = 400;

/**
 * Eliminates the variables of a system in order, each by adding up every inequality that bounds it from below and every one
 * that bounds it from above (Fourier–Motzkin). Together the bounds and the rest say what the relations and ranges do.
 */
export function eliminateVariables(system: IntConstraints): Elimination {
  return new Eliminator(system).run();
}

class Eliminator {
  readonly #system: IntConstraints;
  readonly #analyzer = new Analyzer();

  constructor(system: IntConstraints) {
    this.#system = system;
    for (const [v, range] of system.ranges) this.#analyzer.bind(v, range);
  }

  run(): Elimination {
    const { variables } = this.#system;
    const rest: PrimExpr[] = [];
    let rows: LinearRelation[] = [];
    for (const e of separated(this.#system.relations)) {
      const row = linearRelation(e, variables, this.#analyzer);
      if (row === undefined) rest.push(this.#analyzer.simplify(e));
      else this.#put(rows, row);
    }
    const bounds = new Map<AnyVar, VariableBounds>();
    for (const [i, v] of variables.entries()) {
      const kept: LinearRelation[] = [];
      for (const row of rows) {
        if (row.coefficients[i] !== 0) continue;
        // What is linear in the variables so far need not be in this one.
        if (usesVar(row.base, v)) rest.push(this.#condition(row));
        else kept.push(row);
      }
      // Equalities bound from both sides.
      const about = [...this.#rangeOf(v, i), ...rows.filter((r) => r.coefficients[i] !== 0)];
      const sides = about.flatMap((r) => (r.is === "zero" ? [atMost(r), opposite(r)] : [r]));
      const above = sides.filter((r) => (r.coefficients[i] ?? 0) > 0);
      const below = sides.filter((r) => (r.coefficients[i] ?? 0) < 0);
      for (const upper of above) for (const lower of below) if (kept.length < maxRows) this.#put(kept, this.#sum(upper, lower, i));
      bounds.set(v, this.#boundsOf(i, above, below));
      rows = kept;
    }
    for (const row of rows) rest.push(this.#condition(row));
    const simple = rest.filter((e) => !isConstInt(e, 1));
    return { bounds, rest: simple, contradicts: simple.some((e) => isConstInt(e, 0)) };
  }

  #rangeOf(v: AnyVar, i: number): LinearRelation[] {
    const range = this.#system.ranges.get(v);
    if (range === undefined) return [];
    const unit = (sign: 1 | -1): number[] => this.#system.variables.map((_, k) => (k === i ? sign : 0));
    const last = this.#analyzer.simplify(sub(add(range.min, range.extent), 1));
    return [
      { coefficients: unit(-1), base: this.#analyzer.simplify(range.min), is: "atMostZero" },
      { coefficients: unit(1), base: this.#analyzer.simplify(neg(last)), is: "atMostZero" },
    ];
  }

  /** The combination in which the variable cancels. */
  #sum(upper: LinearRelation, lower: LinearRelation, i: number): LinearRelation {
    const [a, b] = [upper.coefficients[i] ?? 0, -(lower.coefficients[i] ?? 0)];
    const g = gcd(a, b);
    const [p, q] = [b / g, a / g];
    const coefficients = upper.coefficients.map((c, k) => c * p + (lower.coefficients[k] ?? 0) * q + 0);
    return { coefficients, base: this.#analyzer.simplify(add(scaled(upper.base, p), scaled(lower.base, q))), is: "atMostZero" };
  }

  /** Adds a relation unless it is known, or follows from one that is there; takes out those that follow from it. */
  #put(rows: LinearRelation[], row: LinearRelation): void {
    const tight = tightened(row);
    // A factor that is not exact would say something else.
    if (tight.coefficients.some((c) => !Number.isSafeInteger(c))) return;
    if (isConstInt(this.#condition(tight), 1)) return;
    if (tight.is === "zero") {
      rows.push(tight);
      return;
    }
    const follows = (a: LinearRelation, from: LinearRelation): boolean =>
      a.is === "atMostZero" && from.is === "atMostZero" && a.coefficients.every((c, k) => c === from.coefficients[k]) && this.#analyzer.canProve(le(a.base, from.base));
    if (rows.some((r) => follows(tight, r))) return;
    for (let i = rows.length - 1; i >= 0; i--) {
      const other = rows[i];
      if (other !== undefined && follows(other, tight)) rows.splice(i, 1);
    }
    rows.push(tight);
  }

  #condition(row: LinearRelation): PrimExpr {
    const sum = this.#form(row, -1);
    return this.#analyzer.simplify(row.is === "zero" ? eq(sum, 0) : le(sum, 0));
  }

  /** The linear form without one of its variables. */
  #form(row: LinearRelation, without: number): PrimExpr {
    return this.#system.variables.reduce<PrimExpr>((sum, v, k) => (k === without ? sum : add(sum, mul(v, constant(row.coefficients[k] ?? 0, v.dtype)))), row.base);
  }

  #boundsOf(i: number, above: readonly LinearRelation[], below: readonly LinearRelation[]): VariableBounds {
    const coefficient = [...above, ...below].reduce((m, r) => lcm(m, r.coefficients[i] ?? 1), 1);
    const limit = (r: LinearRelation): PrimExpr => this.#analyzer.simplify(scaled(this.#form(r, i), -coefficient / (r.coefficients[i] ?? 1)));
    const better = (list: readonly LinearRelation[], implies: (kept: PrimExpr, other: PrimExpr) => PrimExpr): PrimExpr[] => {
      const kept: PrimExpr[] = [];
      for (const bound of list.map(limit)) {
        if (kept.some((k) => this.#analyzer.canProve(implies(k, bound)))) continue;
        for (let k = kept.length - 1; k >= 0; k--) {
          const other = kept[k];
          if (other !== undefined && this.#analyzer.canProve(implies(bound, other))) kept.splice(k, 1);
        }
        kept.push(bound);
      }
      return kept;
    };
    const upper = better(above, (kept, other) => le(kept, other));
    const lower = better(below, (kept, other) => le(other, kept));
    const equal = upper.filter((u) => lower.some((l) => exprDeepEqual(u, l)));
    const open = (list: readonly PrimExpr[]): PrimExpr[] => list.filter((e) => !equal.some((o) => exprDeepEqual(e, o)));
    return { coefficient, lower: open(lower), equal, upper: open(upper) };
  }
}

function atMost(row: LinearRelation): LinearRelation {
  return { ...row, is: "atMostZero" };
}

function opposite(row: LinearRelation): LinearRelation {
  return { coefficients: row.coefficients.map((c) => -c + 0), base: neg(row.base), is: "atMostZero" };
}

function scaled(e: PrimExpr, by: number): PrimExpr {
  return mul(e, constant(by, e.dtype));
}

/** Divided by what divides all coefficients: integers below a fraction are below the integer under it. */
function tightened(row: LinearRelation): LinearRelation {
  const { base } = row;
  const g = row.coefficients.reduce(gcd, 0);
  if (g <= 1 || base.kind !== "ir.IntImm" || typeof base.value !== "number") return row;
  const coefficients = row.coefficients.map((c) => c / g + 0);
  if (row.is === "zero") return base.value % g === 0 ? { ...row, coefficients, base: constant(base.value / g, base.dtype) } : row;
  return { ...row, coefficients, base: constant(-floorDivInt(-base.value, g) + 0, base.dtype) };
}
