import fc from "fast-check";
import { expect, test } from "vitest";
import { makeVar } from "../ir/make-expr.ts";
import { add, and, constant, floorDiv, ge, gt, le, lt, min, mul, not, sub } from "../ir/ops.ts";
import type { PrimExpr } from "../ir/expr.ts";
import { Analyzer } from "./analyzer.ts";
import { detectClipBound, detectLinearEquation } from "./detect-linear-equation.ts";
import { compileExpr, grid } from "./testing/compile-expr.ts";
import { exprText } from "./testing/evaluate-expr.ts";
import { fuzzing } from "./testing/fuzzing.ts";
import { randomExprs } from "./testing/random-expr.ts";

const [x, y, n] = [makeVar("x"), makeVar("y"), makeVar("n")];

function simple(e: PrimExpr | undefined): string {
  return e === undefined ? "-" : exprText(new Analyzer().simplify(e));
}

test("coefficients may mention other variables, not the ones asked for", () => {
  const found = detectLinearEquation(add(mul(add(mul(x, n), y), 3), 5), [x, y]);
  expect([...(found?.coefficients ?? []), found?.base].map(simple)).toEqual(["(n * 3)", "3", "5"]);
  expect(detectLinearEquation(mul(x, y), [x, y])).toBeUndefined();
  expect(detectLinearEquation(mul(x, y), [x])?.coefficients.map(simple)).toEqual(["y"]);
  expect(detectLinearEquation(floorDiv(x, 2), [x])).toBeUndefined();
  expect(detectLinearEquation(floorDiv(y, 2), [x])?.coefficients.map(simple)).toEqual(["0"]);
});

const { int } = randomExprs([x, y, n]);

test("a linear form has the value of the expression", () => {
  const points = grid([[-3, 3], [-2, 2], [1, 3]]);
  fc.assert(
    fc.property(int, (e) => {
      const found = detectLinearEquation(e, [x, y]);
      if (found === undefined) return;
      const [cx, cy] = found.coefficients;
      const again = compileExpr(add(add(mul(cx ?? x, x), mul(cy ?? y, y)), found.base), [x, y, n]);
      const f = compileExpr(e, [x, y, n]);
      for (const p of points) {
        const want = f(p);
        if (!Number.isNaN(want) && again(p) !== want) throw new Error(`${exprText(e)} is ${want} at ${p.join()}, not ${again(p)}`);
      }
    }),
    fuzzing(44),
  );
});

test("bounds of variables from a conjunction", () => {
  const bounds = (cond: PrimExpr): readonly string[] | undefined => detectClipBound(cond, [x, y])?.map((b) => `${simple(b.min)}..${simple(b.max)}`);
  expect(bounds(and(lt(x, mul(n, 6)), ge(sub(y, 1), 0)))).toEqual(["-..((n * 6) - 1)", "1..-"]);
  expect(bounds(and(and(le(x, 9), le(x, n)), not(gt(y, 4))))).toEqual(["-..min(9, n)", "-..4"]);
  expect(bounds(gt(min(x, y), 3))).toEqual(["4..-", "4..-"]);
  expect(bounds(lt(add(x, y), 3))).toBeUndefined();
  expect(bounds(lt(mul(x, 2), mul(n, 3)))).toBeUndefined();
  expect(bounds(constant(true, "bool"))).toEqual(["-..-", "-..-"]);
});
