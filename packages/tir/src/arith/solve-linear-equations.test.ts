import fc from "fast-check";
import { expect, test } from "vitest";
import type { AnyVar, PrimExpr, Range } from "../ir/expr.ts";
import { makeBinary, makeRange, makeVar } from "../ir/make-expr.ts";
import { add, constant, eq, le, mul, sub } from "../ir/ops.ts";
import { solveLinearEquations } from "./solve-linear-equations.ts";
import { exprText } from "./testing/evaluate-expr.ts";
import { fuzzing } from "./testing/fuzzing.ts";
import { expectSameSolutions, linearSystems } from "./testing/linear-systems.ts";

const [x, y, z] = [makeVar("x"), makeVar("y"), makeVar("z")];

function range(min: number, extent: number): Range {
  return makeRange(constant(min, "int32"), constant(extent, "int32"));
}

function solved(relations: readonly PrimExpr[], variables: readonly AnyVar[], ranges: ReadonlyMap<AnyVar, Range> = new Map()) {
  const { dst, srcToDst } = solveLinearEquations({ variables, ranges, relations });
  return {
    variables: dst.variables.map((v) => v.name),
    ranges: [...dst.ranges].map(([v, r]) => `${v.name}: ${exprText(r.min)}+${exprText(r.extent)}`),
    relations: dst.relations.map(exprText),
    values: [...srcToDst].map(([v, e]) => `${v.name} = ${exprText(e)}`),
  };
}

test("as many equations as variables give numbers", () => {
  const found = solved([eq(add(x, y), 20), eq(sub(x, y), 10)], [x, y]);
  expect(found).toEqual({ variables: [], ranges: [], relations: [], values: ["x = 15", "y = 5"] });
});

test("what equations leave free is a new variable, whose range follows from those of the old ones", () => {
  const ranges = new Map([[x, range(-5, 10)], [y, range(0, 10)]]);
  const found = solved([eq(add(x, y), 0)], [x, y], ranges);
  expect(found.variables).toHaveLength(1);
  expect(found.values).toHaveLength(2);
  expect(found.relations.length).toBeGreaterThan(0);
});

test("a system that no integers solve is a contradiction", () => {
  expect(solved([eq(add(x, y), 0), eq(sub(x, y), 0), eq(x, 5)], [x, y]).relations).toEqual(["0"]);
  expect(solved([eq(mul(x, 2), 5)], [x]).relations).toEqual(["0"]);
});

test("a parameter may stand in an equation, and a condition that is none is kept", () => {
  const found = solved([eq(mul(x, 2), z), le(mul(x, y), 5)], [x], new Map());
  expect(found.variables).toEqual([]);
  expect(found.values).toEqual(["x = (z // 2)"]);
  expect(found.relations).toEqual(["((z % 2) == 0)", "(((z // 2) * y) <= 5)"]);
});

test("no variables to solve for: the system as it is", () => {
  const system = { variables: [], ranges: new Map(), relations: [makeBinary("tir.EQ", x, y)] };
  expect(solveLinearEquations(system).dst).toBe(system);
});

test("random systems keep exactly their solutions", () => {
  fc.assert(
    fc.property(linearSystems([x, y, z], ["tir.EQ", "tir.EQ", "tir.EQ", "tir.LE", "tir.GT"]), (system) => {
      expectSameSolutions(solveLinearEquations(system), system);
    }),
    fuzzing(82, 1500),
  );
});
