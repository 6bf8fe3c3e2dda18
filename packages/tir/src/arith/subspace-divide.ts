import type { AnyVar, PrimExpr, Range } from "../ir/expr.ts";
import { usesVar } from "../ir/free-vars.ts";
import { add, and, constant, floorDiv, ge, lt, mul } from "../ir/ops.ts";
import { Analyzer } from "./analyzer.ts";
import { detectIterMap, type IterMapOptions } from "./detect-iter-map.ts";
import { matchIterConstraints } from "./iter-constraint.ts";
import { normalizeIterMapToExpr } from "./iter-map-to-expr.ts";
import { equalsInt, dtypeOfMapped, makeIterMark, makeIterSum, wholeSplit, type IterMark, type IterSplit, type IterSum } from "./iter-map.ts";
import { collectSplits } from "./split-collector.ts";

/** An index as `outer * inner.extent + inner`. */
export interface DividedIndex {
  readonly outer: IterMark;
  readonly inner: IterMark;
}

/** A space of indices divided in two: what the outer iterators and what the inner ones do. */
export interface SubspaceDivision {
  readonly indices: readonly DividedIndex[];
  readonly outerPredicate: PrimExpr;
  readonly innerPredicate: PrimExpr;
}

/**
 * Divides indices into a part by the iterators outside of `inner` and one by those inside, so that each index is
 * `outer * extent(inner) + inner`. Undefined if the indices are no iterator map or cannot be divided
 * (upstream's `SubspaceDivide`).
 */
export function subspaceDivide(
  indices: readonly PrimExpr[],
  iters: ReadonlyMap<AnyVar, Range>,
  inner: Iterable<AnyVar>,
  opts: IterMapOptions = {},
): SubspaceDivision | undefined {
  const analyzer = opts.analyzer ?? new Analyzer();
  const maps = detectIterMap(indices, iters, { ...opts, analyzer }).indices;
  if (maps.length === 0) return undefined;
  const innerVars = new Set(inner);
  const divider = new SubspaceDivider(analyzer, collectSplits(maps), innerVars);
  const out: DividedIndex[] = [];
  for (const map of maps) {
    const d = divider.divideSum(map);
    if (d === undefined) return undefined;
    out.push({ outer: makeIterMark(d.outer, d.outerExtent), inner: makeIterMark(d.inner, d.innerExtent) });
  }
  // A condition on one iterator has narrowed its domain and holds of it still.
  const kept = opts.predicate === undefined ? [] : (matchIterConstraints(opts.predicate, iters)?.others ?? []);
  const isInner = (c: PrimExpr): boolean => usesVar(c, (v) => innerVars.has(v));
  return {
    indices: out,
    outerPredicate: kept.filter((c) => !isInner(c)).reduce(and, divider.outerPredicate),
    innerPredicate: kept.filter(isInner).reduce(and, divider.innerPredicate),
  };
}

/** `outer * innerExtent + inner`; `side` says if one of them is trivial. */
interface Division {
  readonly side: "outer" | "inner" | "both";
  readonly outer: IterSplit | IterSum;
  readonly outerExtent: PrimExpr;
  readonly inner: IterSplit | IterSum;
  readonly innerExtent: PrimExpr;
}

function allInner(inner: IterSplit | IterSum, innerExtent: PrimExpr): Division {
  const dtype = dtypeOfMapped(inner);
  return { side: "inner", outer: makeIterSum([], constant(0, dtype)), outerExtent: constant(1, dtype), inner, innerExtent };
}

function allOuter(outer: IterSplit | IterSum, outerExtent: PrimExpr): Division {
  const dtype = dtypeOfMapped(outer);
  return { side: "outer", outer, outerExtent, inner: makeIterSum([], constant(0, dtype)), innerExtent: constant(1, dtype) };
}

function asSplit(e: IterSplit | IterSum, extent: PrimExpr): IterSplit {
  return e.tag === "split" ? e : wholeSplit(makeIterMark(e, extent));
}

class SubspaceDivider {
  outerPredicate: PrimExpr = constant(true, "bool");
  innerPredicate: PrimExpr = constant(true, "bool");
  readonly #analyzer: Analyzer;
  readonly #parts: ReadonlyMap<IterMark, readonly IterSplit[]>;
  readonly #innerVars: ReadonlySet<AnyVar>;
  readonly #divided = new Map<IterSplit, Division>();

  constructor(analyzer: Analyzer, parts: ReadonlyMap<IterMark, readonly IterSplit[]>, innerVars: ReadonlySet<AnyVar>) {
    this.#analyzer = analyzer;
    this.#parts = parts;
    this.#innerVars = innerVars;
  }

  /** A sum is divided if its outer parts stand before its inner ones. With `extent` it may be narrowed to that many values. */
  divideSum(sum: IterSum, extent?: PrimExpr): Division | undefined {
    const { args, base } = sum;
    const [only] = args;
    if (only === undefined) return { ...allInner(makeIterSum([], base), constant(1, base.dtype)), side: "both" };
    if (args.length === 1) {
      const division = equalsInt(only.scale, 1) ? this.#divideSplit(only) : undefined;
      if (division === undefined) return undefined;
      if (extent === undefined || this.#analyzer.canProveEqual(mul(division.outerExtent, division.innerExtent), extent)) return { ...division, inner: addBase(division.inner, base) };
      return this.#narrowed(division, base, extent);
    }
    if (extent === undefined) return undefined;
    const outer: IterSplit[] = [];
    const inner: IterSplit[] = [];
    let covered: PrimExpr = constant(1, base.dtype);
    let overlaps = false;
    for (const arg of [...args].reverse()) {
      const division = this.#divideSplit(arg);
      if (division === undefined || division.side === "both") return undefined;
      if (division.side === "inner" && outer.length > 0) return undefined;
      const part = division.side === "inner" ? asSplit(division.inner, division.innerExtent) : asSplit(division.outer, division.outerExtent);
      (division.side === "inner" ? inner : outer).push(part);
      overlaps ||= !this.#analyzer.canProveEqual(arg.scale, covered);
      covered = mul(covered, part.extent);
    }
    if (!args.some((a) => equalsInt(a.scale, 1))) return undefined;
    // `i + k` takes each of its values, but is no row of digits that could be cut: it is on one side as it is.
    if (overlaps) return outer.length === 0 ? allInner(sum, extent) : inner.length === 0 ? allOuter(sum, extent) : undefined;
    const outerMark = markOf(outer, constant(0, base.dtype));
    const innerMark = markOf(inner, base);
    if (this.#analyzer.canProveEqual(covered, extent)) {
      return { side: "both", outer: outerMark.sum, outerExtent: outerMark.extent, inner: innerMark.sum, innerExtent: innerMark.extent };
    }
    const side = inner.length === 0 ? "outer" : outer.length === 0 ? "inner" : "both";
    return this.#narrowed({ side, outer: outerMark.sum, outerExtent: outerMark.extent, inner: makeIterSum(innerMark.sum.args, constant(0, base.dtype)), innerExtent: innerMark.extent }, base, extent);
  }

  /** A sum that conditions narrow cannot be divided; it is on one side altogether, and the conditions go with it. */
  #narrowed(division: Division, base: PrimExpr, extent: PrimExpr): Division | undefined {
    if (division.side === "both") return undefined;
    const sum = addBase(division.side === "outer" ? division.outer : division.inner, base);
    const value = normalizeIterMapToExpr(sum, this.#analyzer);
    const upper = lt(value, extent);
    const condition = equalsInt(base, 0) ? upper : and(ge(value, 0), upper);
    if (division.side === "outer") {
      this.outerPredicate = and(this.outerPredicate, condition);
      return allOuter(sum, extent);
    }
    this.innerPredicate = and(this.innerPredicate, condition);
    return allInner(sum, extent);
  }

  /** All parts of a mark are divided when the first of them is met. */
  #divideSplit(split: IterSplit): Division | undefined {
    const known = this.#divided.get(split);
    if (known !== undefined) return known;
    const parts = this.#parts.get(split.source) ?? [];
    const { source, extent } = split.source;
    if (!("tag" in source)) {
      const isInner = usesVar(source, (v) => this.#innerVars.has(v));
      for (const part of parts) this.#divided.set(part, isInner ? allInner(part, part.extent) : allOuter(part, part.extent));
    } else if (source.tag === "sum") {
      const whole = this.divideSum(source, extent);
      if (whole === undefined || parts.length === 1) return whole;
      if (!this.#divideParts(parts, whole)) return undefined;
    } else return undefined;
    return this.#divided.get(split);
  }

  /** Finds where among the parts of a divided mark the inner ones end. */
  #divideParts(parts: readonly IterSplit[], whole: Division): boolean {
    if (whole.outer.tag !== "sum" || whole.inner.tag !== "sum") return false;
    const outerMark = makeIterMark(whole.outer, whole.outerExtent);
    const innerMark = makeIterMark(whole.inner, whole.innerExtent);
    const left = parts.slice();
    let lower: PrimExpr = constant(1, dtypeOfMapped(whole.outer));
    let outside = whole.side === "outer";
    let first: PrimExpr | undefined;
    while (left.length > 0) {
      const i = left.findIndex((s) => this.#analyzer.canProveEqual(s.lowerFactor, lower));
      const part = left[i];
      if (part === undefined) return false;
      left.splice(i, 1);
      if (outside) {
        first ??= part.lowerFactor;
        this.#divided.set(part, allOuter({ ...part, source: outerMark, lowerFactor: floorDiv(part.lowerFactor, first) }, part.extent));
      } else this.#divided.set(part, allInner({ ...part, source: innerMark }, part.extent));
      lower = mul(lower, part.extent);
      if (this.#analyzer.canProveEqual(lower, whole.innerExtent)) outside = true;
    }
    return outside;
  }
}

function addBase(e: IterSplit | IterSum, base: PrimExpr): IterSplit | IterSum {
  if (equalsInt(base, 0)) return e;
  return e.tag === "split" ? makeIterSum([e], base) : makeIterSum(e.args, add(e.base, base));
}

/** Parts, innermost first, as one sum with dense scales. */
function markOf(parts: readonly IterSplit[], base: PrimExpr): { readonly sum: IterSum; readonly extent: PrimExpr } {
  let extent: PrimExpr = constant(1, base.dtype);
  const args: IterSplit[] = [];
  for (const part of parts) {
    args.push({ ...part, scale: extent });
    extent = mul(extent, part.extent);
  }
  return { sum: makeIterSum(args.reverse(), base), extent };
}
