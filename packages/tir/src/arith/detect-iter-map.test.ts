import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AnyVar, PrimExpr, Range } from "../ir/expr.ts";
import { makeSizeVar, makeVar } from "../ir/make-expr.ts";
import { add, and, constant, floorDiv, floorMod, ge, lt, mul, sub } from "../ir/ops.ts";
import { Analyzer } from "./analyzer.ts";
import { detectIterMap, normalizeToIterSum, type IterMapOptions } from "./detect-iter-map.ts";
import { iterMapSimplify } from "./iter-map-simplify.ts";
import { normalizeIterMapToExpr } from "./iter-map-to-expr.ts";
import type { IterMapLevel } from "./iter-map.ts";
import { fuzzing } from "./testing/fuzzing.ts";
import { itersOf } from "./testing/ranges.ts";
import { assignments, evaluateExpr, exprText } from "./testing/evaluate-expr.ts";

const [i, j, k] = [makeVar("i"), makeVar("j"), makeVar("k")];
const n = makeSizeVar("n");

/** Each index as `extent*scale+base`, or the first error. */
function shapes(indices: readonly PrimExpr[], iters: ReadonlyMap<AnyVar, Range>, opts?: IterMapOptions): readonly string[] {
  const { indices: found, errors } = detectIterMap(indices, iters, opts);
  if (errors.length > 0) return [`! ${errors[0]}`];
  const text = (e: PrimExpr): string => exprText(new Analyzer().simplify(e));
  return found.map(({ args, base }) => (args[0] === undefined ? text(base) : `${text(args[0].extent)}*${text(args[0].scale)}+${text(base)}`));
}

describe("what is a map of iterators", () => {
  test("a fusion: the outer scale is the inner extent", () => {
    expect(shapes([add(mul(i, 7), j)], itersOf([i, 5], [j, 7]))).toEqual(["35*1+0"]);
    expect(shapes([add(mul(i, 8), j)], itersOf([i, 5], [j, 7]))).toEqual(["! The iterators of an index do not add up to one iterator."]);
  });

  test("a fusion by a symbolic extent, shifted", () => {
    expect(shapes([add(mul(add(i, 2), n), j)], itersOf([i, 5], [j, n]))).toEqual(["(n * 5)*1+(n * 2)"]);
  });

  test("a split: quotient and remainder by a divisor of the extent", () => {
    expect(shapes([floorDiv(i, 5), floorMod(i, 5)], itersOf([i, 40]))).toEqual(["8*1+0", "5*1+0"]);
  });

  test("parts of one iterator that leave another part out", () => {
    const parts = [floorDiv(i, 6), floorMod(i, 2)];
    expect(shapes(parts, itersOf([i, 24]))).toEqual(["4*1+0", "2*1+0"]);
    expect(shapes(parts, itersOf([i, 24]), { level: "bijective" })).toEqual(["! The map is not bijective."]);
  });

  test("indices that share a part are not independent", () => {
    expect(shapes([i, floorDiv(i, 4)], itersOf([i, 16]))).toEqual(["! The indices are not independent of each other."]);
  });

  test("all iterators must be used to be bijective, but for those of one value", () => {
    expect(shapes([i], itersOf([i, 3], [j, 2]), { level: "bijective" })).toEqual(["! The map is not bijective."]);
    expect(shapes([i], itersOf([i, 3], [j, 1]), { level: "bijective" })).toEqual(["3*1+0"]);
  });

  test("a condition narrows an iterator", () => {
    const index = add(mul(i, 10), j);
    const predicate = and(ge(index, 6), lt(index, 128));
    expect(shapes([index], itersOf([i, 13], [j, 10]), { predicate })).toEqual(["122*1+6"]);
  });

  test("conditions that overlap are refused", () => {
    const predicate = and(lt(add(mul(i, 3), j), 10), lt(add(mul(j, 2), k), 5));
    expect(shapes([add(add(mul(i, 6), mul(j, 2)), k)], itersOf([i, 4], [j, 3], [k, 2]), { predicate })[0]).toMatch(/^!/);
  });

  test("a quotient of an extent that it does not divide is padded", () => {
    expect(shapes([floorDiv(i, 4)], itersOf([i, 18]))).toEqual(["5*1+0"]);
    expect(shapes([floorDiv(i, 4), floorMod(i, 4)], itersOf([i, 18]))[0]).toMatch(/^!/);
    expect(shapes([floorDiv(i, 4), floorMod(i, 4)], itersOf([i, 18]), { level: "noCheck" })).toEqual(["5*1+0", "4*1+0"]);
  });

  test("a shifted iterator is padded on the left", () => {
    const { indices, paddingPredicate } = detectIterMap([floorDiv(add(i, 6), 4), floorMod(add(i, 6), 4)], itersOf([i, 8]), { level: "noCheck" });
    expect(indices.map((e) => exprText(e.args[0]!.extent))).toEqual(["3", "4"]);
    expect(evaluateExpr(paddingPredicate, new Map([[i, 0]]))).toBe(0);
    expect(evaluateExpr(paddingPredicate, new Map([[i, -1]]))).toBe(1);
    expect(evaluateExpr(paddingPredicate, new Map([[i, 8]]))).toBe(1);
  });

  test("iterators that depend on each other, and predicates that are no bounds, are refused", () => {
    expect(shapes([i], itersOf([i, j], [j, 3]))).toEqual(["! The range of an iterator depends on another iterator."]);
    expect(shapes([i], itersOf([i, 3]), { predicate: makeVar("p", "bool") })).toEqual(["! The predicate is not a conjunction of bounds."]);
  });

  test("what is no sum of iterators is said", () => {
    expect(shapes([mul(i, j)], itersOf([i, 3], [j, 3]))).toEqual(["! A product of two iterators is no sum of iterators."]);
    expect(shapes([floorDiv(i, j)], itersOf([i, 3], [j, 3]))).toEqual(["! A divisor depends on an iterator."]);
  });
});

test("a split that is fused again is simplified away", () => {
  const again = add(mul(floorDiv(i, 8), 8), floorMod(i, 8));
  expect(iterMapSimplify([again], itersOf([i, 64])).map(exprText)).toEqual(["i"]);
  const fused = add(mul(i, 8), j);
  expect(iterMapSimplify([floorDiv(fused, 4), floorMod(fused, 4)], itersOf([i, 4], [j, 8])).map(exprText)).toEqual(["(((i * 8) + j) // 4)", "(((i * 8) + j) % 4)"]);
});

test("an index that is no map is left as it is", () => {
  const index = mul(i, i);
  expect(iterMapSimplify([index], itersOf([i, 4]))).toEqual([index]);
});

test("a normalized sum is by descending scale", () => {
  const sum = normalizeToIterSum(add(add(j, mul(i, 16)), mul(k, 4)), itersOf([i, 3], [j, 9], [k, 2]));
  expect(sum.args.map((a) => exprText(a.scale))).toEqual(["16", "4", "1"]);
});

const extents = fc.constantFrom(1, 1, 1, 2, 3, 4, 6, 8);
const factor = fc.constantFrom(1, 2, 3, 4, 6, 8);

/** Indices made by fusing and splitting, with some that are off, so that both outcomes are met. */
const index = fc.letrec<{ e: PrimExpr }>((tie) => ({
  e: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    fc.constantFrom<PrimExpr>(i, j, k),
    fc.tuple(tie("e"), factor, fc.constantFrom<PrimExpr>(i, j, k)).map(([a, f, b]) => add(mul(a, f), b)),
    fc.tuple(tie("e"), factor).map(([a, f]) => floorDiv(a, f)),
    fc.tuple(tie("e"), factor).map(([a, f]) => floorMod(a, f)),
    fc.tuple(tie("e"), fc.integer({ min: -3, max: 5 })).map(([a, c]) => add(a, c)),
    fc.tuple(fc.integer({ min: -3, max: 9 }), tie("e")).map(([c, a]) => sub(c, a)),
  ),
})).e;

const level = fc.constantFrom<IterMapLevel>("bijective", "surjective", "noCheck");

test("what is recognized has the values of the indices, and takes the combinations that its level says", () => {
  const seen = new Map<IterMapLevel, number>();
  fc.assert(
    fc.property(fc.tuple(extents, extents, extents), fc.array(index, { minLength: 1, maxLength: 2 }), level, fc.integer({ min: 0, max: 40 }), (sizes, indices, lvl, bound) => {
      const vars = [i, j, k];
      const iters = itersOf(...vars.map((v, x) => [v, sizes[x]!] as const));
      const opts: IterMapOptions = bound > 24 || indices[0] === undefined ? { level: lvl } : { level: lvl, predicate: lt(indices[0], constant(bound, "int32")) };
      const found = detectIterMap(indices, iters, opts);
      if (found.errors.length > 0) return;
      seen.set(lvl, (seen.get(lvl) ?? 0) + 1);
      const analyzer = new Analyzer();
      const plain = found.indices.map((e) => normalizeIterMapToExpr(e, analyzer));
      const images = new Set<string>();
      let count = 0;
      for (const env of assignments(vars.map((v, x) => [v, 0, sizes[x]! - 1] as const))) {
        if (opts.predicate !== undefined && evaluateExpr(opts.predicate, env) !== 1) continue;
        count++;
        const image = indices.map((e) => evaluateExpr(e, env));
        for (const [x, e] of plain.entries()) {
          if (evaluateExpr(e, env) !== image[x]) throw new Error(`${exprText(indices[x]!)} is not ${exprText(e)} at ${[...env.values()].join()}`);
        }
        images.add(image.join());
      }
      if (lvl === "noCheck" || count === 0) return;
      const size = found.indices.reduce((acc, e) => acc * (e.args[0] === undefined ? 1 : evaluateExpr(e.args[0].extent, new Map())), 1);
      expect(images.size, `${indices.map(exprText).join("; ")} ${lvl} ${sizes.join()} ${exprText(opts.predicate ?? constant(true, "bool"))}`).toBe(size);
      if (lvl === "bijective") expect(count).toBe(size);
    }),
    fuzzing(31, 1500),
  );
  for (const lvl of ["bijective", "surjective", "noCheck"] as const) expect(seen.get(lvl)).toBeGreaterThan(20);
});
