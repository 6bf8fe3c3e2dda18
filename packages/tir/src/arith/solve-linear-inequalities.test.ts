import fc from "fast-check";
import { expect, test } from "vitest";
import type { AnyVar, PrimExpr } from "../ir/expr.ts";
import { makeRange, makeVar } from "../ir/make-expr.ts";
import { add, constant, ge, le, lt, mul, sub } from "../ir/ops.ts";
import type { IntConstraints } from "./int-constraints.ts";
import { deskewLinearInequalities, inequalitiesAsConditions, solveLinearInequalities } from "./solve-linear-inequalities.ts";
import { exprText } from "./testing/evaluate-expr.ts";
import { fuzzing } from "./testing/fuzzing.ts";
import { expectSameSolutions, linearSystems, solutions } from "./testing/linear-systems.ts";

const [x, y, z] = [makeVar("x"), makeVar("y"), makeVar("z")];

function system(relations: readonly PrimExpr[], ranges: readonly (readonly [AnyVar, number, number])[], variables: readonly AnyVar[] = [x, y]): IntConstraints {
  return { variables, relations, ranges: new Map(ranges.map(([v, min, extent]) => [v, makeRange(constant(min, "int32"), constant(extent, "int32"))])) };
}

const triangle = system([le(add(x, y), 20), ge(sub(x, y), 10)], [[x, -100, 200], [y, 0, 10]]);

function rangesOf({ ranges }: IntConstraints): readonly string[] {
  return [...ranges].map(([v, r]) => `${v.name} in ${exprText(r.min)}+${exprText(r.extent)}`);
}

test("bounds come down to conditions, one variable by those after it", () => {
  expect(inequalitiesAsConditions(triangle).map(exprText)).toEqual(["(x >= (y + 10))", "(x <= (20 - y))", "(y >= 0)", "(y <= 5)"]);
});

test("ranges, and what they do not say", () => {
  const found = solveLinearInequalities(triangle);
  expect(rangesOf(found)).toEqual(["x in (y + 10)+11", "y in 0+6"]);
  expect(found.relations.map(exprText)).toEqual(["(x <= (20 - y))"]);
});

test("new variables begin at zero", () => {
  const { dst, srcToDst, dstToSrc } = deskewLinearInequalities(triangle);
  expect(rangesOf(dst)).toEqual(["y_shifted in 0+6", "x_shifted in 0+11"]);
  expect(dst.variables.map((v) => v.name)).toEqual(["x_shifted", "y_shifted"]);
  expect([...srcToDst].map(([v, e]) => `${v.name} = ${exprText(e)}`)).toEqual(["y = y_shifted", "x = (x_shifted + (y_shifted + 10))"]);
  expect([...dstToSrc].map(([v, e]) => `${v.name} = ${exprText(e)}`)).toEqual(["y_shifted = y", "x_shifted = ((x - y) - 10)"]);
});

test("a variable with one value is gone", () => {
  const { dst, srcToDst } = deskewLinearInequalities(system([ge(add(x, y), 10), ge(sub(x, y), 2), le(x, 6)], []));
  expect(dst).toEqual({ variables: [], ranges: new Map(), relations: [] });
  expect([...srcToDst].map(([v, e]) => `${v.name} = ${exprText(e)}`)).toEqual(["y = 4", "x = 6"]);
});

test("no integer meets the conditions: a contradiction", () => {
  const none = system([lt(mul(x, 4), 2), lt(5, mul(x, 2))], [[x, -20, 41]], [x]);
  expect(solveLinearInequalities(none).relations.map(exprText)).toEqual(["0"]);
  expect(deskewLinearInequalities(none).srcToDst.size).toBe(0);
});

test("conditions that are not linear are kept, and parameters may bound a variable", () => {
  const found = solveLinearInequalities(system([le(mul(x, x), 9), lt(x, z), ge(x, 0)], [], [x]));
  expect(rangesOf(found)).toEqual(["x in 0+z"]);
  expect(found.relations.map(exprText)).toContain("((x * x) <= 9)");
});

const systems = linearSystems([x, y, z], ["tir.EQ", "tir.LE", "tir.LT", "tir.GE", "tir.GT"]);

test("conditions and ranges hold for exactly the solutions of random systems", () => {
  fc.assert(
    fc.property(systems, (s) => {
      const want = solutions(s);
      const conditions = { variables: s.variables, ranges: new Map(), relations: inequalitiesAsConditions(s) };
      expect(solutions(conditions, 8)).toEqual(want);
      const ranged = solveLinearInequalities(s);
      if (ranged.variables.length === 0) expect(want).toEqual([]);
      else expect(solutions(ranged, 8)).toEqual(want);
    }),
    fuzzing(83, 600),
  );
});

test("shifted variables have exactly the solutions of random systems", () => {
  fc.assert(
    fc.property(systems, (s) => expectSameSolutions(deskewLinearInequalities(s), s)),
    fuzzing(84, 1500),
  );
});
