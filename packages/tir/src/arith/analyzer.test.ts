import fc from "fast-check";
import { expect, test } from "vitest";
import type { PrimExpr } from "../ir/expr.ts";
import { makeRange, makeVar } from "../ir/make-expr.ts";
import { constant } from "../ir/ops.ts";
import { Analyzer } from "./analyzer.ts";
import type { ArithExtensions } from "./context.ts";
import { compileExpr, grid } from "./testing/compile-expr.ts";
import { exprText } from "./testing/evaluate-expr.ts";
import { fuzzing } from "./testing/fuzzing.ts";
import { randomExprs } from "./testing/random-expr.ts";

const vars = [makeVar("x"), makeVar("y"), makeVar("z")] as const;
const ranges = [
  [0, 7],
  [-3, 4],
  [2, 5],
] as const;
const points = grid(ranges);

function analyzer(extensions: ArithExtensions = {}): Analyzer {
  const a = new Analyzer({ extensions });
  for (const [i, [min, max]] of ranges.entries()) a.bind(vars[i]!, makeRange(constant(min, "int32"), constant(max - min + 1, "int32")));
  return a;
}

/** The values at all points; undefined if it divides by zero at one, which makes every rewrite of it fair, or leaves int32. */
function valuesOf(e: PrimExpr): readonly number[] | undefined {
  const f = compileExpr(e, vars);
  const out: number[] = [];
  for (const p of points) {
    const value = f(p);
    if (Number.isNaN(value) || Math.abs(value) >= 2 ** 31) return undefined;
    out.push(value);
  }
  return out;
}

/** Fails where `after` is not what `before` is; `where` leaves points out. */
function expectSame(before: PrimExpr, want: readonly number[], after: PrimExpr, where?: readonly number[]): void {
  if (before === after) return;
  const f = compileExpr(after, vars);
  for (const [i, p] of points.entries()) {
    if (where !== undefined && where[i] !== 1) continue;
    const got = f(p);
    if (got !== want[i]) throw new Error(`${exprText(before)} is ${want[i]}, but ${exprText(after)} is ${got} at ${p.join(", ")}`);
  }
}

const { int, bool } = randomExprs(vars);

test.each(["simplify", "rewriteSimplify", "canonicalSimplify"] as const)("%s keeps the value of random integers", (method) => {
  fc.assert(
    fc.property(int, (e) => {
      const want = valuesOf(e);
      if (want !== undefined) expectSame(e, want, analyzer()[method](e));
    }),
    fuzzing(20),
  );
});

test.each<ArithExtensions>([
  {},
  { applyConstraintsToBooleanBranches: true },
  { convertBooleanToAndOfOrs: true, transitivelyProveInequalities: true, comparisonOfProductAndSum: true },
])("simplify keeps the value of random conditions, %o", (extensions) => {
  fc.assert(
    fc.property(bool, (e) => {
      const want = valuesOf(e);
      if (want !== undefined) expectSame(e, want, analyzer(extensions).simplify(e));
    }),
    fuzzing(21),
  );
});

test("constant bounds and residues hold of every value", () => {
  fc.assert(
    fc.property(int, (e) => {
      const a = analyzer();
      const { min, max } = a.constIntBound(e);
      const { coeff, base } = a.modularSet(e);
      const f = compileExpr(e, vars);
      for (const p of points) {
        const value = f(p);
        if (Number.isNaN(value)) continue;
        if (value < min || value > max) throw new Error(`${exprText(e)} is ${value}, not in [${min}, ${max}]`);
        if ((coeff === 0 ? value - base : (value - base) % coeff) !== 0) throw new Error(`${exprText(e)} is ${value}, not ${base} modulo ${coeff}`);
      }
    }),
    fuzzing(22),
  );
});

test("under a condition, what is simplified is equal where the condition holds", () => {
  fc.assert(
    fc.property(bool, int, (cond, e) => {
      const [holds, want] = [valuesOf(cond), valuesOf(e)];
      if (holds === undefined || want === undefined) return;
      const a = analyzer({ transitivelyProveInequalities: true });
      const [after, bound] = a.withConstraint(cond, () => [a.simplify(e), a.constIntBound(e)] as const);
      expectSame(e, want, after, holds);
      for (const [i, value] of want.entries()) {
        if (holds[i] === 1 && (value < bound.min || value > bound.max)) {
          throw new Error(`where ${exprText(cond)}, ${exprText(e)} is ${value}, not in [${bound.min}, ${bound.max}]`);
        }
      }
      // What was known inside is forgotten outside.
      expectSame(e, want, a.simplify(e));
    }),
    fuzzing(23),
  );
});

test("what is proved is true", () => {
  fc.assert(
    fc.property(bool, (e) => {
      const want = valuesOf(e);
      if (want === undefined) return;
      const a = analyzer({ transitivelyProveInequalities: true });
      if (a.canProve(e, "symbolicBound")) expect(want.every((v) => v === 1), exprText(e)).toBe(true);
    }),
    fuzzing(24),
  );
});
