import { expect, test } from "vitest";
import type { PrimExpr } from "../ir/expr.ts";
import { makeRange, makeVar } from "../ir/make-expr.ts";
import { add, and, constant, floorDiv, floorMod, ifThenElse, lt, max, min, mul, or, select, sub } from "../ir/ops.ts";
import { Analyzer } from "./analyzer.ts";
import { evalSet } from "./eval-set.ts";
import { exprDeepEqual } from "./expr-deep-equal.ts";
import { intervalSet } from "./int-set.ts";

// Each level mentions the one below twice: written out, 30 levels would have 2^30 parts.
const LEVELS = 30;

const [x, y] = [makeVar("x"), makeVar("y")];

const levels: Readonly<Record<string, (e: PrimExpr, i: number) => PrimExpr>> = {
  sum: (e) => add(mul(e, 3), e),
  quotient: (e, i) => floorDiv(add(mul(e, 7), e), 3 + (i % 5)),
  remainder: (e, i) => add(floorMod(e, 64 + i), mul(floorDiv(e, 5), x)),
  product: (e) => add(mul(e, x), e),
  minimum: (e, i) => min(add(e, i), sub(mul(e, 2), y)),
  "symbolic quotient": (e) => floorDiv(e, max(e, y)),
  choice: (e, i) => select(lt(x, i), add(e, 1), mul(e, 2)),
  "choice by itself": (e, i) => select(lt(e, i), add(e, 1), sub(e, 2)),
  branch: (e, i) => ifThenElse(lt(x, i), add(e, y), mul(e, 2)),
};

function build(level: (e: PrimExpr, i: number) => PrimExpr): PrimExpr {
  let e: PrimExpr = x;
  for (let i = 0; i < LEVELS; i++) e = level(e, i);
  return e;
}

function analyzer(): Analyzer {
  const a = new Analyzer();
  a.bind(x, makeRange(constant(0, "int32"), constant(100, "int32")));
  return a;
}

for (const [name, level] of Object.entries(levels)) {
  test(`a ${name} of shared parts is simplified in time`, { timeout: 60_000 }, () => {
    expect(analyzer().simplify(build(level)).dtype).toBe("int32");
  });

  test(`bounds, residues and sets of a ${name} of shared parts are found in time`, { timeout: 60_000 }, () => {
    const a = analyzer();
    const e = build(level);
    expect(a.constIntBound(e).min).toBeLessThanOrEqual(a.constIntBound(e).max);
    expect(a.modularSet(e).coeff).toBeGreaterThanOrEqual(0);
    expect(evalSet(e, new Map([[x, intervalSet(constant(0, "int32"), constant(9, "int32"))]]), a).tag).toBe("interval");
    expect(typeof a.canProve(lt(e, 5), "symbolicBound")).toBe("boolean");
  });

  test(`a ${name} of shared parts is compared in time`, { timeout: 60_000 }, () => {
    expect(exprDeepEqual(build(level), build(level))).toBe(true);
    expect(exprDeepEqual(build(level), add(build(level), 1))).toBe(false);
  });
}

test("a condition of shared parts is simplified in time", { timeout: 60_000 }, () => {
  let e: PrimExpr = lt(x, y);
  for (let i = 0; i < LEVELS; i++) e = or(and(e, lt(x, add(y, i))), and(lt(mul(y, 2), x), e));
  expect(analyzer().simplify(e).dtype).toBe("bool");
});
