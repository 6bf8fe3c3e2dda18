import type { AnyVar, PrimExpr, Range } from "../ir/expr.ts";
import { usesVar } from "../ir/free-vars.ts";
import { makeRange, makeVar } from "../ir/make-expr.ts";
import { add, constant, eq, floorDiv, floorMod, isConstInt, le, lt, mul, neg } from "../ir/ops.ts";
import { substitute } from "../ir/substitute.ts";
import { Analyzer } from "./analyzer.ts";
import { diagonalForm, type DiagonalForm, type IntMatrix } from "./diagonal-form.ts";
import { evalSet } from "./eval-set.ts";
import { contradiction, linearRelation, separated, type IntConstraints, type IntConstraintsTransform, type LinearRelation } from "./int-constraints.ts";
import { coverRange, intSetsOfRanges } from "./int-set.ts";

/**
 * Solves the equations of a system for its variables, in integers: what is left are as many new variables as the equations
 * leave free, their ranges, and relations of what the ranges do not say. Inequalities, and equations whose coefficients
 * are no constants, become relations of the new variables (upstream's `solve_linear_equations`).
 */
export function solveLinearEquations(system: IntConstraints): IntConstraintsTransform {
  const { variables } = system;
  const unsolved: IntConstraintsTransform = { src: system, dst: system, srcToDst: new Map(variables.map((v) => [v, v])), dstToSrc: new Map(variables.map((v) => [v, v])) };
  if (variables.length === 0) return { ...unsolved, srcToDst: new Map(), dstToSrc: new Map() };
  const analyzer = new Analyzer();
  for (const [v, range] of system.ranges) analyzer.bind(v, range);
  const equations: LinearRelation[] = [];
  const rest: PrimExpr[] = [];
  for (const e of separated(system.relations)) {
    const relation = linearRelation(e, variables, analyzer);
    if (relation?.is === "zero" && !usesVar(relation.base, (v) => variables.includes(v))) equations.push(relation);
    else rest.push(e);
  }
  const form = diagonalForm(equations.map((r) => r.coefficients), variables.length);
  return form === undefined ? unsolved : new EquationSolver(system, form, equations, analyzer).solve(rest);
}

class EquationSolver {
  readonly #system: IntConstraints;
  readonly #form: DiagonalForm;
  readonly #equations: readonly LinearRelation[];
  readonly #analyzer: Analyzer;

  constructor(system: IntConstraints, form: DiagonalForm, equations: readonly LinearRelation[], analyzer: Analyzer) {
    this.#system = system;
    this.#form = form;
    this.#equations = equations;
    this.#analyzer = analyzer;
  }

  solve(rest: readonly PrimExpr[]): IntConstraintsTransform {
    const { variables } = this.#system;
    const { left, right, back } = this.#form;
    // With x = right * z the equations are diagonal * z = left * values.
    const values = this.#equations.map((e) => neg(e.base));
    const sides = left.map((row) => this.#simple(combination(row, values)));
    const relations: PrimExpr[] = [];
    for (const [i, side] of sides.entries()) {
      const divisor = Math.abs(this.#form.diagonal[i] ?? 0);
      const solvable = this.#simple(eq(divisor === 0 ? side : floorMod(side, divisor), 0));
      if (isConstInt(solvable, 0)) return { src: this.#system, dst: contradiction, srcToDst: new Map(), dstToSrc: new Map() };
      if (!isConstInt(solvable, 1)) relations.push(solvable);
    }
    const made: AnyVar[] = [];
    const dstToSrc = new Map<AnyVar, PrimExpr>();
    const z = variables.map((v, i): PrimExpr => {
      const [divisor, side] = [this.#form.diagonal[i] ?? 0, sides[i]];
      if (divisor !== 0 && side !== undefined) return this.#simple(floorDiv(divisor < 0 ? neg(side) : side, Math.abs(divisor)));
      const from = this.#simple(combination(back[i] ?? [], variables));
      const fresh = makeVar(from.kind === "tir.Var" ? `n${made.length}_${from.name}` : `n${made.length}`, v.dtype);
      made.push(fresh);
      dstToSrc.set(fresh, from);
      return fresh;
    });
    const srcToDst = new Map(variables.map((v, i) => [v, this.#simple(combination(right[i] ?? [], z))] as const));
    return this.#withRanges({ made, srcToDst, dstToSrc, relations: [...relations, ...rest.map((e) => substitute(e, srcToDst))] });
  }

  /** Ranges of the new variables, and of the old ones what those do not say. */
  #withRanges(found: { readonly made: readonly AnyVar[]; readonly srcToDst: ReadonlyMap<AnyVar, PrimExpr>; readonly dstToSrc: ReadonlyMap<AnyVar, PrimExpr>; readonly relations: readonly PrimExpr[] }): IntConstraintsTransform {
    const { variables, ranges } = this.#system;
    const domains = intSetsOfRanges(ranges);
    const dst = new Map<AnyVar, Range>([...ranges].filter(([v]) => !variables.includes(v)));
    for (const [v, from] of found.dstToSrc) {
      const set = evalSet(from, domains, this.#analyzer);
      if (set.tag === "empty" || set.min === undefined || set.max === undefined) continue;
      dst.set(v, coverRange(set, makeRange(set.min, set.max), this.#analyzer));
    }
    const analyzer = new Analyzer();
    for (const [v, range] of dst) analyzer.bind(v, range);
    const relations: PrimExpr[] = [];
    const require = (e: PrimExpr): void => {
      const simple = analyzer.simplify(e);
      if (!isConstInt(simple, 1)) relations.push(simple);
    };
    for (const v of variables) {
      const [range, value] = [ranges.get(v), found.srcToDst.get(v)];
      if (range === undefined || value === undefined) continue;
      require(le(range.min, value));
      require(lt(value, add(range.min, range.extent)));
    }
    found.relations.forEach(require);
    const { srcToDst, dstToSrc } = found;
    return { src: this.#system, dst: { variables: found.made, ranges: dst, relations }, srcToDst, dstToSrc };
  }

  #simple(e: PrimExpr): PrimExpr {
    return this.#analyzer.simplify(e);
  }
}

function combination(factors: IntMatrix[number], values: readonly PrimExpr[]): PrimExpr {
  const dtype = values[0]?.dtype ?? "int32";
  return values.reduce<PrimExpr>((sum, v, i) => add(sum, mul(v, constant(factors[i] ?? 0, v.dtype))), constant(0, dtype));
}
