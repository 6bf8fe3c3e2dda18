import fc from "fast-check";
import { expect, test } from "vitest";
import type { PrimExpr } from "../ir/expr.ts";
import { makeRange, makeVar } from "../ir/make-expr.ts";
import { add, constant, floorDiv, floorMod, mul } from "../ir/ops.ts";
import { Analyzer } from "./analyzer.ts";
import { exprDeepEqual } from "./expr-deep-equal.ts";
import { exprText } from "./testing/evaluate-expr.ts";
import { fuzzing } from "./testing/fuzzing.ts";
import { randomExprs } from "./testing/random-expr.ts";

const vars = [makeVar("x"), makeVar("y"), makeVar("z")] as const;
const { int, bool } = randomExprs(vars);

function analyzer(): Analyzer {
  const a = new Analyzer();
  a.bind(vars[0], makeRange(constant(0, "int32"), constant(8, "int32")));
  a.bind(vars[1], makeRange(constant(-3, "int32"), constant(8, "int32")));
  return a;
}

function expectSettled(e: PrimExpr): void {
  const a = analyzer();
  const once = a.simplify(e);
  expect(a.cutChains, exprText(e)).toBe(0);
  // Another analyzer, so that nothing is remembered.
  const twice = analyzer().simplify(once);
  if (!exprDeepEqual(once, twice)) throw new Error(`${exprText(once)} is not simple: ${exprText(twice)}`);
}

test("a simple integer expression is left as it is, and no rules undo each other", () => {
  fc.assert(fc.property(int, expectSettled), fuzzing(41));
});

test("a simple condition is left as it is, and no rules undo each other", () => {
  fc.assert(fc.property(bool, expectSettled), fuzzing(42));
});

test("deep nesting takes a step a level", () => {
  const a = analyzer();
  let e: PrimExpr = vars[2];
  for (let i = 0; i < 200; i++) e = floorMod(floorDiv(add(mul(e, 7), vars[i % 3] ?? vars[0]), 3 + (i % 5)), 1 + (i % 7) * 16);
  a.simplify(e);
  expect(a.cutChains).toBe(0);
});
