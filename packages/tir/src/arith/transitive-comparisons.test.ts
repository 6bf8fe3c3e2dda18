import { expect, test } from "vitest";
import { makeRange, makeVar } from "../ir/make-expr.ts";
import { add, and, constant, le, lt, ne, sub } from "../ir/ops.ts";
import { Analyzer } from "./analyzer.ts";

const [a, b, c, n] = [makeVar("a"), makeVar("b"), makeVar("c"), makeVar("n")];

test("a fact about two expressions compares them, constants apart", () => {
  const analyzer = new Analyzer();
  analyzer.withConstraint(lt(add(a, 3), b), () => {
    expect(analyzer.canProve(lt(a, b))).toBe(true);
    expect(analyzer.canProve(le(add(a, 4), b))).toBe(true);
    expect(analyzer.canProve(le(add(a, 5), b))).toBe(false);
  });
  expect(analyzer.canProve(lt(a, b))).toBe(false);
});

test("facts are chained only if that is asked for", () => {
  const facts = and(lt(a, b), le(b, sub(c, 2)));
  const plain = new Analyzer();
  expect(plain.withConstraint(facts, () => plain.canProve(lt(add(a, 2), c)))).toBe(false);
  const chaining = new Analyzer({ extensions: { transitivelyProveInequalities: true } });
  expect(chaining.withConstraint(facts, () => chaining.canProve(lt(add(a, 2), c)))).toBe(true);
  expect(chaining.withConstraint(facts, () => chaining.canProve(lt(add(a, 3), c)))).toBe(false);
});

test("the range of a variable is a fact", () => {
  const analyzer = new Analyzer({ extensions: { transitivelyProveInequalities: true } });
  analyzer.bind(a, makeRange(constant(0, "int32"), n));
  expect(analyzer.withConstraint(le(n, b), () => analyzer.canProve(lt(a, b)))).toBe(true);
});

test("what differs is not equal", () => {
  const analyzer = new Analyzer();
  expect(analyzer.withConstraint(and(ne(a, b), le(a, b)), () => analyzer.canProve(lt(a, b)))).toBe(true);
});
