import fc from "fast-check";
import { expect, test } from "vitest";
import type { AnyVar, PrimExpr, Range } from "../ir/expr.ts";
import { makeSizeVar, makeVar } from "../ir/make-expr.ts";
import { add, and, floorDiv, floorMod, ge, lt, mul } from "../ir/ops.ts";
import type { IterMapOptions } from "./detect-iter-map.ts";
import { normalizeIterMapToExpr } from "./iter-map-to-expr.ts";
import { subspaceDivide } from "./subspace-divide.ts";
import { assignments, evaluateExpr, exprText } from "./testing/evaluate-expr.ts";
import { itersOf } from "./testing/ranges.ts";

const [i, j, k] = [makeVar("i"), makeVar("j"), makeVar("k")];
const c = makeSizeVar("c");

function divided(indices: readonly PrimExpr[], iters: ReadonlyMap<AnyVar, Range>, inner: readonly AnyVar[], opts?: IterMapOptions): readonly string[] | undefined {
  const found = subspaceDivide(indices, iters, inner, opts);
  return (
    found && [
      ...found.indices.map((d) => `${exprText(normalizeIterMapToExpr(d.outer.source))} | ${exprText(normalizeIterMapToExpr(d.inner.source))}`),
      `${exprText(found.outerPredicate)} | ${exprText(found.innerPredicate)}`,
    ]
  );
}

test("the inner iterators and the base are inside, the rest is outside", () => {
  const index = add(add(add(mul(k, 12), mul(j, 3)), i), c);
  expect(divided([index], itersOf([i, 3], [j, 4], [k, 5]), [i])).toEqual(["((k * 4) + j) | (i + c)", "1 | 1"]);
  expect(divided([index], itersOf([i, 3], [j, 4], [k, 5]), [i, j])).toEqual(["k | (((j * 3) + i) + c)", "1 | 1"]);
});

test("a condition on the outer iterators is an outer predicate", () => {
  const index = add(add(mul(k, 12), mul(j, 3)), i);
  const predicate = lt(add(mul(k, 4), j), 18);
  expect(divided([index], itersOf([i, 3], [j, 4], [k, 5]), [i], { predicate })).toEqual(["((k * 4) + j) | i", "(((k * 4) + j) < 18) | 1"]);
});

test("conditions on single iterators stay, each on its side", () => {
  const index = add(mul(j, 3), i);
  expect(divided([index], itersOf([i, 5], [j, 6]), [i], { predicate: and(lt(i, 3), lt(j, 4)) })).toEqual(["j | i", "(j < 4) | (i < 3)"]);
  expect(divided([i, j], itersOf([i, 5], [j, 6]), [i], { predicate: and(ge(j, 2), lt(c, 4)) })).toEqual(["0 | i", "(j - 2) | 2", "((j >= 2) && (c < 4)) | 1"]);
});

test("a condition that narrows one iterator beside a trivial one stays", () => {
  const predicate = lt(add(mul(j, 4), i), 3);
  expect(divided([i], itersOf([i, 4], [j, 1]), [k], { predicate })).toEqual(["i | 0", "(i < 3) | 1"]);
});

test("an outer iterator inside an inner one cannot be divided", () => {
  expect(divided([add(mul(i, 4), j)], itersOf([i, 3], [j, 4]), [i])).toBeUndefined();
});

test("a fusion that is split elsewhere cannot be divided", () => {
  const fused = add(mul(i, 6), j);
  expect(divided([floorDiv(fused, 4), floorMod(fused, 4)], itersOf([i, 4], [j, 6]), [j])).toBeUndefined();
  expect(divided([floorDiv(fused, 6), floorMod(fused, 6)], itersOf([i, 4], [j, 6]), [j])).toEqual(["i | 0", "0 | j", "1 | 1"]);
});

test("a sum that takes values more than once is on one side as it is, or not divided", () => {
  const overlapping = add(i, k);
  const opts: IterMapOptions = { level: "surjective" };
  expect(divided([overlapping, j], itersOf([i, 2], [j, 6], [k, 3]), [j], opts)).toEqual(["(i + k) | 0", "0 | j", "1 | 1"]);
  expect(divided([overlapping, j], itersOf([i, 2], [j, 6], [k, 3]), [i, k], opts)).toEqual(["0 | (i + k)", "j | 0", "1 | 1"]);
  expect(divided([overlapping], itersOf([i, 2], [k, 3]), [k], opts)).toBeUndefined();
});

const size = fc.constantFrom(1, 2, 3, 4, 6);
const split = fc.constantFrom(1, 2, 3);

test("outer times the inner extent plus inner is the index; outer ignores inner iterators and the other way round", () => {
  let divisions = 0;
  fc.assert(
    fc.property(fc.tuple(size, size, size), split, fc.subarray<AnyVar>([i, j, k]), fc.integer({ min: 0, max: 5 }), (sizes, f, inner, shape) => {
      const [, sj, sk] = sizes;
      const fused = add(mul(add(mul(i, sj), j), sk), k);
      const indices = [[fused], [floorDiv(fused, f), floorMod(fused, f)], [add(mul(i, sj), j), k], [floorDiv(add(mul(i, sj), j), f), add(mul(floorMod(add(mul(i, sj), j), f), sk), k)], [add(i, k), j], [add(mul(i, f), j), k]][shape]!;
      const iters = itersOf([i, sizes[0]], [j, sj], [k, sk]);
      const found = subspaceDivide(indices, iters, inner, { level: shape < 4 ? "bijective" : "surjective" });
      if (found === undefined) return;
      divisions++;
      const parts = found.indices.map((d) => [normalizeIterMapToExpr(d.outer.source), normalizeIterMapToExpr(d.inner.source), evaluateExpr(d.inner.extent, new Map())] as const);
      for (const env of assignments([[i, 0, sizes[0] - 1], [j, 0, sj - 1], [k, 0, sk - 1]])) {
        const only = (keep: boolean): Map<PrimExpr, number> => new Map([...env].map(([v, x]) => [v, inner.includes(v as AnyVar) === keep ? x : 0]));
        for (const [x, [outer, innerPart, extent]] of parts.entries()) {
          expect(evaluateExpr(outer, only(false)) * extent + evaluateExpr(innerPart, only(true))).toBe(evaluateExpr(indices[x]!, env));
        }
      }
    }),
    { numRuns: 450, seed: 33 },
  );
  expect(divisions).toBeGreaterThan(100);
});
