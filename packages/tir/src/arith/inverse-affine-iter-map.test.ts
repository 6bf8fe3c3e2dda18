import { expect, test } from "vitest";
import type { AnyVar, PrimExpr, Range } from "../ir/expr.ts";
import { makeVar } from "../ir/make-expr.ts";
import { add, constant, floorDiv, floorMod, mul, sub } from "../ir/ops.ts";
import { Analyzer } from "./analyzer.ts";
import { detectIterMap } from "./detect-iter-map.ts";
import { inverseAffineIterMap } from "./inverse-affine-iter-map.ts";
import { assignments, evaluateExpr, exprText } from "./testing/evaluate-expr.ts";
import { itersOf } from "./testing/ranges.ts";

const [i, j, k] = [makeVar("i"), makeVar("j"), makeVar("k")];
const outputs = [makeVar("a"), makeVar("b"), makeVar("c")];

function inverse(indices: readonly PrimExpr[], iters: ReadonlyMap<AnyVar, Range>): ReadonlyMap<AnyVar, PrimExpr> {
  const { indices: found, errors } = detectIterMap(indices, iters, { level: "bijective" });
  expect(errors).toEqual([]);
  return inverseAffineIterMap(found, outputs.slice(0, found.length));
}

test.each<[string, readonly PrimExpr[], ReadonlyMap<AnyVar, Range>]>([
  ["a fusion", [add(mul(i, 8), j)], itersOf([i, 4], [j, 8])],
  ["a split", [floorDiv(i, 4), floorMod(i, 4)], itersOf([i, 32])],
  ["a swap with an offset", [add(j, 3), i], itersOf([i, 4], [j, 5])],
  ["a reversal", [sub(6, i)], itersOf([i, 7])],
  ["a split of a fusion", [floorDiv(add(mul(i, 6), j), 4), floorMod(add(mul(i, 6), j), 4)], itersOf([i, 4], [j, 6])],
  ["a fusion of splits", [add(mul(floorDiv(i, 4), 5), j), add(mul(floorMod(i, 4), 2), k)], itersOf([i, 8], [j, 5], [k, 2])],
])("the inverse of %s gives the iterators back", (_, indices, iters) => {
  const back = inverse(indices, iters);
  for (const env of assignments([...iters].map(([v, r]) => [v, 0, evaluateExpr(r.extent, new Map()) - 1] as const))) {
    const values = new Map(indices.map((e, x) => [outputs[x]! as PrimExpr, evaluateExpr(e, env)]));
    for (const v of iters.keys()) expect(evaluateExpr(back.get(v)!, values)).toBe(env.get(v));
  }
});

test("a fused index goes back by division and remainder", () => {
  const back = inverse([add(mul(i, 8), j)], itersOf([i, 4], [j, 8]));
  expect([i, j].map((v) => back.get(v)!).map((e) => exprText(new Analyzer().simplify(e)))).toEqual(["(a // 8)", "(a % 8)"]);
});

test("a map that spreads its values, or the wrong number of outputs, is refused", () => {
  const { indices } = detectIterMap([mul(i, 2)], itersOf([i, 4]));
  expect(() => inverseAffineIterMap(indices, [outputs[0]!])).toThrow("a scale is not 1 or -1");
  expect(() => inverseAffineIterMap(indices, [])).toThrow("1 indices, but 0 outputs");
  expect(() => inverseAffineIterMap(detectIterMap([constant(1, "int32")], new Map()).indices, outputs)).toThrow(RangeError);
});
