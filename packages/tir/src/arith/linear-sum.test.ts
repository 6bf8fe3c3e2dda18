import fc from "fast-check";
import { expect, test } from "vitest";
import type { AnyVar, PrimExpr } from "../ir/expr.ts";
import { makeBinary, makeRange, makeVar } from "../ir/make-expr.ts";
import { constant } from "../ir/ops.ts";
import { Analyzer } from "./analyzer.ts";
import { exprDeepEqual } from "./expr-deep-equal.ts";
import { simplifyLinear } from "./linear-sum.ts";
import { exprText } from "./testing/evaluate-expr.ts";
import { fuzzing } from "./testing/fuzzing.ts";

const vars = [makeVar("x"), makeVar("y"), makeVar("z")] as const;
const [x, y, z] = vars;
const leaf = fc.oneof<fc.Arbitrary<PrimExpr>[]>(fc.constantFrom(...vars), fc.integer({ min: -4, max: 4 }).map((n) => constant(n, "int32")));
const { linear } = fc.letrec<{ linear: PrimExpr }>((tie) => ({
  linear: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.tuple(fc.constantFrom("tir.Add" as const, "tir.Sub" as const), tie("linear"), tie("linear")).map(([kind, a, b]) => makeBinary(kind, a, b)),
    fc.tuple(tie("linear"), fc.integer({ min: -4, max: 4 })).map(([a, n]) => makeBinary("tir.Mul", a, constant(n, "int32"))),
  ),
}));

const free = (v: AnyVar): PrimExpr => v;

test("sums of variables have the form that the canonical simplifier gives them, and rules change nothing of it", () => {
  let met = 0;
  const property = fc.property(linear, (e) => {
    const simple = simplifyLinear(e, free);
    if (simple === undefined) return;
    met++;
    const analyzer = new Analyzer();
    analyzer.bind(x, makeRange(constant(0, "int32"), constant(8, "int32")));
    analyzer.bind(y, makeRange(constant(-3, "int32"), constant(8, "int32")));
    const same = (other: PrimExpr): void => {
      if (!exprDeepEqual(simple, other)) throw new Error(`${exprText(e)} is ${exprText(simple)}, not ${exprText(other)}`);
    };
    same(analyzer.canonicalSimplify(e));
    same(analyzer.canonicalSimplify(analyzer.rewriteSimplify(simple)));
    same(simplifyLinear(simple, free) ?? simple);
  });
  fc.assert(property, fuzzing(71));
  expect(met).toBeGreaterThan(500);
});

test("a variable that stands for something, and a factor beyond the type, are left to the simplifier", () => {
  const sum = makeBinary("tir.Add", constant(1, "int32"), x);
  expect(simplifyLinear(sum, (v) => (v === x ? makeBinary("tir.Mul", y, z) : v))).toBeUndefined();
  const large = makeBinary("tir.Mul", makeBinary("tir.Mul", x, constant(2 ** 20, "int32")), constant(2 ** 20, "int32"));
  expect(simplifyLinear(makeBinary("tir.Add", large, y), free)).toBeUndefined();
});

test("a variable that stands for a constant is added up with the others", () => {
  const sum = makeBinary("tir.Add", makeBinary("tir.Mul", x, constant(6, "int32")), makeBinary("tir.Add", y, constant(1, "int32")));
  const simple = simplifyLinear(sum, (v) => (v === x ? constant(7, "int32") : v));
  expect(simple && exprText(simple)).toBe("(y + 43)");
});
