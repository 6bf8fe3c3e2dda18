import * as tir from "@verticil/tir";
import type { AnyVar, IntConstraints, IntConstraintsTransform } from "@verticil/tir";
import { arg, domains, HostObject, items, toExpr, variables } from "./host-values.ts";
import { PyDict, type HostFunction, type Value } from "./py-values.ts";

// Upstream's solvers of linear equations and inequalities over ours.

function systemOf(args: readonly Value[], kwargs: ReadonlyMap<string, Value>): IntConstraints {
  const [vars, ranges] = [arg(args, kwargs, 1, "variables", null), arg(args, kwargs, 2, "ranges", null)];
  return {
    relations: items(arg(args, kwargs, 0, "equations")).map((e) => toExpr(e)),
    variables: vars === null ? [] : variables(vars),
    ranges: ranges === null ? new Map() : domains(ranges),
  };
}

function constraints({ variables: vars, ranges, relations }: IntConstraints): HostObject {
  const own = [...ranges].filter(([v]) => vars.includes(v));
  return new HostObject({ variables: [...vars], ranges: new PyDict(new Map<Value, Value>(own)), relations: [...relations] });
}

function transform({ src, dst, srcToDst, dstToSrc }: IntConstraintsTransform): HostObject {
  const dict = (m: ReadonlyMap<AnyVar, Value>): PyDict => new PyDict(new Map<Value, Value>(m));
  return new HostObject({ src: constraints(src), dst: constraints(dst), src_to_dst: dict(srcToDst), dst_to_src: dict(dstToSrc) });
}

/** `solve_linear_equations` and `solve_linear_inequalities`. */
export const solvers: { readonly solve_linear_equations: HostFunction; readonly solve_linear_inequalities: HostFunction } = {
  solve_linear_equations: (args, kwargs) => transform(tir.solveLinearEquations(systemOf(args, kwargs))),
  solve_linear_inequalities: (args, kwargs) =>
    arg(args, kwargs, 3, "deskew_range", false) === true ? transform(tir.deskewLinearInequalities(systemOf(args, kwargs))) : constraints(tir.solveLinearInequalities(systemOf(args, kwargs))),
};

/** `SolveInequalitiesAsCondition`, which takes variables, ranges, and relations. */
export const asConditions: HostFunction = ([vars, ranges, relations], kwargs) => [...tir.inequalitiesAsConditions(systemOf([relations, vars, ranges], kwargs))];
