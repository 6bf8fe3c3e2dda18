import fc from "fast-check";
import { expect, test } from "vitest";
import type { PrimExpr } from "../ir/expr.ts";
import { makeBinary, makeVar } from "../ir/make-expr.ts";
import { add, constant, floorDiv, floorMod, ge, le, lt, mul, sub } from "../ir/ops.ts";
import { Analyzer } from "./analyzer.ts";
import { deduceBound } from "./deduce-bound.ts";
import { intervalSet, type IntSet } from "./int-set.ts";
import { assignments, evaluateExpr, exprText } from "./testing/evaluate-expr.ts";
import { fuzzing } from "./testing/fuzzing.ts";

const [a, b] = [makeVar("a"), makeVar("b")];

function interval(min: number, max: number): IntSet {
  return intervalSet(constant(min, "int32"), constant(max, "int32"));
}

function text(s: IntSet): string {
  if (s.tag === "empty") return "none";
  const end = (e: PrimExpr | undefined): string => (e === undefined ? "inf" : exprText(new Analyzer().simplify(e)));
  return `[${end(s.min)}, ${end(s.max)}]`;
}

test.each<[PrimExpr, string]>([
  [lt(a, 7), "[inf, 6]"],
  [ge(add(mul(a, 4), 3), 12), "[3, inf]"],
  [le(sub(5, mul(a, 2)), 1), "[2, inf]"],
  [le(constant(9, "int32"), floorDiv(a, 4)), "[36, inf]"],
  [lt(floorDiv(a, 4), 2), "[inf, 7]"],
  [ge(floorDiv(a, -4), 2), "[inf, -8]"],
  [makeBinary("tir.EQ", add(a, 3), b), "[(b - 3), (b - 3)]"],
  [lt(floorMod(a, 4), 2), "none"],
  [lt(mul(a, a), 9), "none"],
])("%#", (cond, want) => {
  expect(text(deduceBound(a, cond, new Map(), new Map()))).toBe(want);
});

test("variables that are relaxed are taken at their hardest", () => {
  const dom = new Map([[b, interval(2, 5)]]);
  expect(text(deduceBound(a, lt(add(a, b), 10), dom, dom))).toBe("[inf, 4]");
  expect(text(deduceBound(a, ge(sub(a, b), 10), dom, dom))).toBe("[15, inf]");
});

const linear = fc.tuple(fc.constantFrom(-4, -3, -1, 1, 2, 3, 5), fc.constantFrom(-3, -1, 0, 1, 2), fc.integer({ min: -9, max: 9 }), fc.constantFrom(-5, -2, 1, 2, 3), fc.constantFrom("tir.LT", "tir.LE", "tir.GT", "tir.GE"), fc.integer({ min: -12, max: 12 }));

test("within the bound the condition holds for all relaxed values; beyond it, for some it does not", () => {
  fc.assert(
    fc.property(linear, ([p, q, c, d, kind, limit]) => {
      const cond = makeBinary(kind as "tir.LT", floorDiv(add(add(mul(a, p), mul(b, q)), c), d), constant(limit, "int32"));
      const dom = new Map([[b, interval(-2, 3)]]);
      const found = deduceBound(a, cond, dom, dom);
      if (found.tag === "empty") return;
      const none = new Map<PrimExpr, number>();
      const [low, high] = [found.min === undefined ? -Infinity : evaluateExpr(found.min, none), found.max === undefined ? Infinity : evaluateExpr(found.max, none)];
      for (let x = -60; x <= 60; x++) {
        let all = true;
        for (const env of assignments([[a, x, x], [b, -2, 3]])) all &&= evaluateExpr(cond, env) === 1;
        if (x >= low && x <= high && !all) throw new Error(`${exprText(cond)} fails at ${x}, which is in ${text(found)}`);
      }
    }),
    fuzzing(43),
  );
});
