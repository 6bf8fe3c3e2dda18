import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AnyVar, PrimExpr, Range } from "../ir/expr.ts";
import { makeBroadcast, makeRamp, makeRange, makeVar } from "../ir/make-expr.ts";
import { add, and, constant, floorDiv, floorMod, ge, le, lt, mul, select, sub, truncMod } from "../ir/ops.ts";
import { Analyzer } from "./analyzer.ts";
import { estimateRegionStrictBound, estimateRegionUpperBound } from "./estimate-region.ts";
import { evalRangeSet, evalSet, type IntSetMap } from "./eval-set.ts";
import {
  canProveSinglePoint,
  coverRange,
  emptySet,
  everySet,
  intersectSets,
  intervalSet,
  matchesRange,
  signOf,
  singlePoint,
  unionLowerBound,
  unionRegions,
  unionSets,
  type IntSet,
} from "./int-set.ts";
import { assignments, evaluateExpr, exprText } from "./testing/evaluate-expr.ts";
import { randomExprs } from "./testing/random-expr.ts";
import { fuzzing } from "./testing/fuzzing.ts";
import { itersOf } from "./testing/ranges.ts";

const [x, y, z] = [makeVar("x"), makeVar("y"), makeVar("z")];

function num(n: number): PrimExpr {
  return constant(n, "int32");
}
function interval(min: number | undefined, max: number | undefined): IntSet {
  return intervalSet(min === undefined ? undefined : num(min), max === undefined ? undefined : num(max));
}

/** A set as text, simplified. */
function text(s: IntSet | undefined, analyzer = new Analyzer()): string {
  if (s === undefined) return "unknown";
  if (s.tag === "empty") return "empty";
  const end = (e: PrimExpr | undefined): string => (e === undefined ? "inf" : exprText(analyzer.simplify(e)));
  return `[${end(s.min)}, ${end(s.max)}]`;
}

describe("relaxing over the domains of variables", () => {
  const dom: IntSetMap = new Map([[x, interval(0, 10)]]);
  const positive = new Analyzer();
  positive.bindBound(y, { min: 1, max: 100 });
  test.each<[PrimExpr, string]>([
    [add(x, y), "[y, (y + 10)]"],
    [sub(y, x), "[(y - 10), y]"],
    [mul(x, -2), "[-20, 0]"],
    [mul(x, y), "[0, (y * 10)]"],
    [floorDiv(x, 4), "[0, 2]"],
    [floorDiv(x, y), "[0, (10 // y)]"],
    [floorMod(x, 4), "[0, 3]"],
    [floorMod(add(x, 11), 32), "[11, 21]"],
    [truncMod(x, y), "[0, (y - 1)]"],
    [select(lt(x, y), x, 20), "[0, 20]"],
    [lt(x, 3), "[0, 1]"],
    [lt(y, z), "[(y < z), (y < z)]"],
    [makeRamp(x, num(3), 4), "[0, 19]"],
    [makeBroadcast(x, 4), "[0, 10]"],
  ])("%#", (e, want) => {
    expect(text(evalSet(e, dom, positive), positive)).toBe(want);
  });

  test("domains in terms of other domains are opened too", () => {
    const nested: IntSetMap = new Map([
      [x, intervalSet(y, add(y, 3))],
      [y, interval(0, 4)],
    ]);
    expect(text(evalSet(x, nested))).toBe("[0, 7]");
  });

  test("an unknown end stays unknown", () => {
    expect(text(evalSet(add(x, 1), new Map([[x, interval(3, undefined)]])))).toBe("[4, inf]");
    expect(text(evalSet(mul(x, -1), new Map([[x, interval(3, undefined)]])))).toBe("[inf, -3]");
  });

  test("a range whose ends move together keeps its width", () => {
    expect(text(evalRangeSet(makeRange(mul(x, 4), num(6)), dom))).toBe("[0, 45]");
  });

  test("conditions in force narrow variables", () => {
    const a = new Analyzer();
    a.bind(x, makeRange(num(0), num(100)));
    expect(text(a.intSet(mul(x, 2)))).toBe("[0, 198]");
    expect(a.withConstraint(and(lt(x, 10), ge(x, 3)), () => text(a.intSet(mul(x, 2))))).toBe("[6, 18]");
    expect(text(a.intSet(mul(x, 2)))).toBe("[0, 198]");
  });
});

describe("sets of sets", () => {
  const a = new Analyzer();
  test("the union is the hull; of nothing, nothing", () => {
    expect(text(unionSets([interval(0, 3), emptySet, interval(8, 9)], a))).toBe("[0, 9]");
    expect(unionSets([], a)).toBe(emptySet);
    expect(text(unionSets([interval(undefined, 3), interval(5, 6)], a))).toBe("[inf, 6]");
  });
  test("the intersection may be empty", () => {
    expect(text(intersectSets([interval(0, 5), interval(3, 9)], a))).toBe("[3, 5]");
    expect(text(intersectSets([interval(0, 2), interval(3, 9)], a))).toBe("empty");
    expect(text(intersectSets([interval(0, undefined), everySet], a))).toBe("[0, inf]");
  });
  test("the lower bound of a union joins only what touches", () => {
    expect(text(unionLowerBound([interval(undefined, 0), interval(1, undefined)], a))).toBe("[inf, inf]");
    expect(text(unionLowerBound([interval(0, 2), interval(4, 5)], a))).toBe("[0, 2]");
  });
  test("regions are joined dimension by dimension", () => {
    expect(unionRegions([[interval(0, 1), interval(5, 6)], [interval(3, 4), interval(0, 1)]], a).map((s) => text(s))).toEqual(["[0, 4]", "[0, 6]"]);
    expect(() => unionRegions([[everySet], []], a)).toThrow(RangeError);
  });
  test("questions about one set", () => {
    expect(signOf(interval(1, 4), a)).toBe("positive");
    expect(signOf(interval(-4, -1), a)).toBe("negative");
    expect(signOf(interval(0, 0), a)).toBe("zero");
    expect(signOf(interval(0, 1), a)).toBe("unknown");
    expect(canProveSinglePoint(intervalSet(add(x, x), mul(x, 2)), a)).toBe(true);
    expect(matchesRange(intervalSet(x, add(x, 3)), makeRange(x, num(4)), a)).toBe(true);
    expect(exprText(coverRange(interval(2, 5), makeRange(x, y), a).extent)).toBe("4");
    expect(coverRange(interval(2, undefined), makeRange(x, y), a).extent).toBe(y);
  });
});

describe("regions", () => {
  const starts = (index: PrimExpr, extent: number): Range[] => [makeRange(index, num(extent))];
  const both = (region: readonly Range[], iters: ReadonlyMap<AnyVar, Range>, predicate?: PrimExpr): string[] => {
    const opts = predicate === undefined ? {} : { predicate };
    return [estimateRegionStrictBound(region, iters, opts)?.map((s) => text(s)).join() ?? "unknown", estimateRegionUpperBound(region, iters, opts).map((s) => text(s)).join()];
  };
  test("tiles that overlap or touch are one region", () => {
    expect(both(starts(mul(x, 4), 8), itersOf([x, 16]))).toEqual(["[0, 67]", "[0, 67]"]);
    expect(both(starts(mul(x, 4), 4), itersOf([x, 16]))).toEqual(["[0, 63]", "[0, 63]"]);
  });
  test("tiles with gaps have an upper bound only", () => {
    expect(both(starts(mul(x, 4), 2), itersOf([x, 16]))).toEqual(["unknown", "[0, 61]"]);
  });
  test("a falling index", () => {
    expect(both(starts(sub(1, x), 4), itersOf([x, 4]))).toEqual(["[-2, 4]", "[-2, 4]"]);
    expect(both(starts(sub(20, mul(x, 4)), 2), itersOf([x, 4]))[0]).toBe("unknown");
  });
  test("a predicate cuts the last tile", () => {
    const index = add(mul(x, 8), y);
    expect(both(starts(index, 1), itersOf([x, 4], [y, 8]), lt(index, 30))).toEqual(["[0, 29]", "[0, 29]"]);
  });
  test("indices that depend on each other have an upper bound only", () => {
    const region = [makeRange(x, num(2)), makeRange(add(x, 2), num(2))];
    expect(both(region, itersOf([x, 64]))).toEqual(["unknown", "[0, 64],[2, 66]"]);
  });
});

test("symbolic bounds prove what constant ones cannot", () => {
  const a = new Analyzer();
  const [i, n] = [makeVar("i"), makeVar("n")];
  a.bind(i, makeRange(num(0), n));
  const claim = le(add(mul(i, 4), 3), sub(mul(n, 4), 1));
  expect(a.canProve(claim)).toBe(false);
  expect(a.canProve(claim, "symbolicBound")).toBe(true);
  expect(a.canProve(lt(mul(i, 4), sub(mul(n, 4), 4)), "symbolicBound")).toBe(false);
});

const domains = [
  [x, 0, 7],
  [y, -3, 4],
  [z, 2, 5],
] as const;
const { int } = randomExprs([x, y, z]);

test("every value of an expression is in its set, whichever variables are relaxed", () => {
  fc.assert(
    fc.property(int, fc.subarray([...domains]), (e, relaxed) => {
      const analyzer = new Analyzer();
      for (const [v, min, max] of domains) if (!relaxed.some(([r]) => r === v)) analyzer.bindBound(v, { min, max });
      const set = evalSet(e, new Map(relaxed.map(([v, min, max]) => [v, interval(min, max)] as const)), analyzer);
      if (set.tag === "empty") throw new Error("A set of values is empty.");
      for (const env of assignments(domains)) {
        const value = evaluateExpr(e, env);
        if (Number.isNaN(value)) return;
        const [low, high] = [set.min && evaluateExpr(set.min, env), set.max && evaluateExpr(set.max, env)];
        if ((low !== undefined && value < low) || (high !== undefined && value > high)) {
          throw new Error(`${exprText(e)} is ${value}, not in [${String(low)}, ${String(high)}] at ${[...env.values()].join()}`);
        }
      }
    }),
    fuzzing(34),
  );
});

test("a strict region is exactly what is touched, an upper bound holds it", () => {
  let exact = 0;
  fc.assert(
    fc.property(fc.constantFrom(1, 2, 3, 4, 5), fc.constantFrom(1, 2, 3, 4), fc.constantFrom(-4, -2, -1, 1, 2, 3, 4, 8), fc.constantFrom(-1, 1, 2), fc.integer({ min: 1, max: 5 }), fc.boolean(), (nx, ny, sx, sy, extent, divide) => {
      const sum = add(mul(x, sx), mul(y, sy));
      const index = divide ? floorDiv(sum, 2) : sum;
      const region = starts(index, extent);
      const iters = itersOf([x, nx], [y, ny]);
      const strict = estimateRegionStrictBound(region, iters)?.[0];
      const [upper] = estimateRegionUpperBound(region, iters);
      const touched = new Set<number>();
      for (const env of assignments([[x, 0, nx - 1], [y, 0, ny - 1]])) {
        for (let d = 0; d < extent; d++) touched.add(evaluateExpr(index, env) + d);
      }
      const members = (s: IntSet | undefined): Set<number> => {
        if (s?.tag !== "interval" || s.min === undefined || s.max === undefined) throw new Error("no interval");
        const [low, high] = [evaluateExpr(s.min, new Map()), evaluateExpr(s.max, new Map())];
        return new Set(Array.from({ length: high - low + 1 }, (_, d) => low + d));
      };
      if (strict !== undefined) {
        exact++;
        expect(members(strict)).toEqual(touched);
      }
      const all = members(upper);
      for (const t of touched) expect(all.has(t)).toBe(true);
    }),
    { numRuns: 500, seed: 35 },
  );
  expect(exact).toBeGreaterThan(100);
});

function starts(index: PrimExpr, extent: number): Range[] {
  return [makeRange(index, num(extent))];
}

test("a point is a point whatever it is", () => {
  expect(evalSet(y, new Map([[x, interval(0, 1)]]))).toEqual(singlePoint(y));
});
