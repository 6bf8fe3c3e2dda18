import fc from "fast-check";
import { expect, test } from "vitest";
import { makeRange, makeVar } from "../ir/make-expr.ts";
import { constant } from "../ir/ops.ts";
import type { PrimExpr } from "../ir/expr.ts";
import { Analyzer } from "./analyzer.ts";
import { assignments, evaluateExpr, exprText } from "./testing/evaluate-expr.ts";
import { randomExprs } from "./testing/random-expr.ts";

const [x, y, z] = [makeVar("x"), makeVar("y"), makeVar("z")];
const domains = [
  [x, 0, 7],
  [y, -3, 4],
  [z, 2, 5],
] as const;
const runs = 2500;

function analyzer(extensions = {}): Analyzer {
  const a = new Analyzer({ extensions });
  for (const [v, min, max] of domains) a.bind(v, makeRange(constant(min, "int32"), constant(max - min + 1, "int32")));
  return a;
}

/** Fails where `after` is not what `before` is; cases that divide by zero are not looked at. */
function expectSame(before: PrimExpr, after: PrimExpr): void {
  for (const env of assignments(domains)) {
    const want = evaluateExpr(before, env);
    if (Number.isNaN(want) || Math.abs(want) > 2 ** 31) continue;
    const got = evaluateExpr(after, env);
    if (got !== want) {
      throw new Error(`${exprText(before)} is ${want}, but ${exprText(after)} is ${got} at ${[...env.values()].join(", ")}`);
    }
  }
}

const { int, bool } = randomExprs([x, y, z]);

/** Division by zero anywhere makes every rewrite of a condition fair; such expressions prove nothing. */
function divides(e: PrimExpr): boolean {
  for (const env of assignments(domains)) if (Number.isNaN(evaluateExpr(e, env))) return true;
  return false;
}

test.each(["simplify", "rewriteSimplify", "canonicalSimplify"] as const)("%s keeps the value of random integers", (method) => {
  fc.assert(
    fc.property(int, (e) => {
      fc.pre(!divides(e));
      expectSame(e, analyzer()[method](e));
    }),
    { numRuns: runs, seed: 20 },
  );
});

test.each([
  {},
  { applyConstraintsToBooleanBranches: true },
  { convertBooleanToAndOfOrs: true, transitivelyProveInequalities: true, comparisonOfProductAndSum: true },
])("simplify keeps the value of random conditions, %o", (extensions) => {
  fc.assert(
    fc.property(bool, (e) => {
      fc.pre(!divides(e));
      expectSame(e, analyzer(extensions).simplify(e));
    }),
    { numRuns: runs, seed: 21 },
  );
});

test("constant bounds and residues hold of every value", () => {
  fc.assert(
    fc.property(int, (e) => {
      const a = analyzer();
      const { min, max } = a.constIntBound(e);
      const { coeff, base } = a.modularSet(e);
      for (const env of assignments(domains)) {
        const value = evaluateExpr(e, env);
        if (Number.isNaN(value)) continue;
        expect(value).toBeGreaterThanOrEqual(min);
        expect(value).toBeLessThanOrEqual(max);
        expect(coeff === 0 ? value - base : Math.abs((value - base) % coeff), exprText(e)).toBe(0);
      }
    }),
    { numRuns: runs, seed: 22 },
  );
});

test("under a condition, what is simplified is equal where the condition holds", () => {
  fc.assert(
    fc.property(bool, int, (cond, e) => {
      fc.pre(!divides(e) && !divides(cond));
      const a = analyzer({ transitivelyProveInequalities: true });
      const after = a.withConstraint(cond, () => a.simplify(e));
      const bound = a.withConstraint(cond, () => a.constIntBound(e));
      for (const env of assignments(domains)) {
        if (evaluateExpr(cond, env) !== 1) continue;
        const want = evaluateExpr(e, env);
        const got = evaluateExpr(after, env);
        if (got !== want) throw new Error(`where ${exprText(cond)}, ${exprText(e)} is ${want} but ${exprText(after)} is ${got}`);
        expect(want).toBeGreaterThanOrEqual(bound.min);
        expect(want).toBeLessThanOrEqual(bound.max);
      }
      expectSame(e, a.simplify(e));
    }),
    { numRuns: runs, seed: 23 },
  );
});

test("what is proved is true, and simplifying again changes nothing in value", () => {
  fc.assert(
    fc.property(bool, (e) => {
      fc.pre(!divides(e));
      const a = analyzer({ transitivelyProveInequalities: true });
      if (!a.canProve(e, "symbolicBound")) return;
      for (const env of assignments(domains)) expect(evaluateExpr(e, env), exprText(e)).toBe(1);
    }),
    { numRuns: runs, seed: 24 },
  );
});
