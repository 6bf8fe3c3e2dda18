import type { PrimExpr } from "../ir/expr.ts";
import { add, constant, div, floorDiv, floorMod, eq, le, lt, max, min, mul, sub } from "../ir/ops.ts";
import type { Analyzer } from "./analyzer.ts";
import { productOf, orderedProduct } from "./product-form.ts";
import {
  equalsInt,
  dtypeOfMapped,
  makeIterMark,
  makeIterSum,
  sameSplit,
  sameSum,
  wholeSplit,
  type IterMapLevel,
  type IterMark,
  type IterSplit,
  type IterSum,
} from "./iter-map.ts";

/** A sum that is one iterator: its splits flat, and the mark that groups them, which starts at 0 where the sum is `offset`. */
interface Fused {
  readonly flat: IterSum;
  mark: IterMark;
  offset: PrimExpr;
}

/**
 * Recognizes sums of splits whose scales fit together as single iterators, `x*4 + y` with `y < 4` among them, and
 * remembers them, so that the same sum is the same iterator wherever it appears.
 */
export class IterFusion {
  readonly #analyzer: Analyzer;
  readonly #level: IterMapLevel;
  readonly #fused: Fused[] = [];
  /** Flat forms that a condition narrows, shortest first. */
  readonly #constrained: IterSum[] = [];

  constructor(analyzer: Analyzer, level: IterMapLevel) {
    this.#analyzer = analyzer;
    this.#level = level;
  }

  /** True if `a` is a multiple of `b` for all values of the variables, and `b` is not the constant 0. */
  divides(b: PrimExpr, a: PrimExpr): boolean {
    if (equalsInt(b, 0)) return false;
    if (a.kind === "ir.IntImm" && b.kind === "ir.IntImm") return BigInt(a.value) % BigInt(b.value) === 0n;
    return this.#analyzer.canProveEqual(a, b) || this.#analyzer.canProve(eq(floorMod(a, b), 0));
  }

  /**
   * The sum as one iterator with a scale and a base. Undefined if its scales do not fit.
   * `keepSimple` gives a single split back without a mark of its own.
   */
  fuse(sum: IterSum, opts: { readonly keepSimple: boolean }): IterSum | undefined {
    const expr = this.combineSplits(sum) ?? sum;
    if (opts.keepSimple && expr !== sum && expr.args.length <= 1) return expr;
    const matched = this.#matchScales(expr);
    if (matched === undefined) return undefined;
    const { flat, grouped, baseScale, offset, extent } = matched;
    const known = this.#fused.find((f) => sameSum(f.flat, flat));
    if (known !== undefined) {
      if (!this.#analyzer.canProveEqual(offset, mul(known.offset, baseScale))) return undefined;
      return makeIterSum([wholeSplit(known.mark, baseScale)], add(expr.base, offset));
    }
    const mark = makeIterMark(grouped, extent);
    this.#fused.push({ flat, mark, offset });
    return makeIterSum([wholeSplit(mark, baseScale)], add(expr.base, offset));
  }

  /**
   * Narrows a sum to `lower <= sum < upper`: where the same sum of splits appears from now on, it is an iterator with
   * that many values. False if the sum is no single iterator of scale 1.
   */
  constrain(sum: IterSum, lower: PrimExpr | undefined, upper: PrimExpr | undefined): boolean {
    const { base } = sum;
    const fused = this.fuse(makeIterSum(sum.args, constant(0, base.dtype)), { keepSimple: false });
    const split = fused?.args[0];
    if (split === undefined || !equalsInt(split.scale, 1)) return false;
    const entry = this.#fused.findLast((f) => f.mark === split.source);
    if (entry === undefined) return false;
    let first = entry.offset;
    let end = add(first, entry.mark.extent);
    let raised: PrimExpr = constant(0, first.dtype);
    if (lower !== undefined) {
      const bound = max(sub(lower, base), first);
      raised = sub(bound, first);
      first = bound;
    }
    if (upper !== undefined) {
      const bound = sub(upper, base);
      end = this.#analyzer.canProve(le(bound, end)) ? bound : min(bound, end);
    }
    const structured = entry.mark.source;
    if ("tag" in structured && structured.tag === "sum") {
      const source = equalsInt(raised, 0) ? structured : makeIterSum(structured.args, sub(structured.base, raised));
      entry.mark = makeIterMark(source, sub(end, first));
    }
    entry.offset = first;
    this.#constrained.push(entry.flat);
    return true;
  }

  /** True if any two narrowed sums either share no split or one has all the splits of the other. */
  constraintsNest(): boolean {
    return this.#constrained.every((a, i) =>
      this.#constrained.slice(i + 1).every((b) => {
        const shared = a.args.filter((x) => b.args.some((y) => sameSplit(x, y))).length;
        return shared === 0 || shared === a.args.length;
      }),
    );
  }

  /**
   * True if the conditions take no values away from indices made of `used` marks that do not show it. A condition on a sum
   * shows where the sum is used as one iterator. Elsewhere the rest of the sum must leave room: at its least value for
   * every value of the used part.
   */
  allowsAll(used: ReadonlySet<IterMark>): boolean {
    const leaves = new Set([...used].filter((m) => !isNested(m)));
    return this.#constrained.every((flat) => {
      const entry = this.#fused.find((f) => f.flat === flat);
      if (entry === undefined || used.has(entry.mark)) return true;
      const shared = flat.args.filter((a) => leavesOf(a.source).some((m) => leaves.has(m)));
      if (shared.length === 0) return true;
      if (!this.#analyzer.canProveEqual(entry.offset, constant(0, entry.offset.dtype))) return false;
      let most: PrimExpr = constant(0, entry.offset.dtype);
      for (const { extent, scale } of shared) most = add(most, mul(sub(extent, 1), scale));
      return this.#analyzer.canProve(lt(most, entry.mark.extent));
    });
  }

  /**
   * Joins neighbouring parts of one mark: `((x // (c*s)) % m) * (s*t) + ((x // c) % s) * t = ((x // c) % (m*s)) * t`.
   * Undefined if no mark has two parts in the sum.
   */
  combineSplits(expr: IterSum): IterSum | undefined {
    const { args } = expr;
    const counts = new Map<IterMark, number>();
    for (const { source } of args) counts.set(source, (counts.get(source) ?? 0) + 1);
    if (counts.size === args.length) return undefined;
    const visited = args.map(() => false);
    const out: IterSplit[] = [];
    for (let end = args.length - 1; end >= 0; ) {
      const last = args[end];
      if (last === undefined || visited[end] === true) {
        end--;
        continue;
      }
      if (counts.get(last.source) === 1) {
        out.push(last);
        visited[end--] = true;
        continue;
      }
      out.push(this.#combineFrom(args, visited, last.source, end));
    }
    return makeIterSum(out.reverse(), expr.base);
  }

  /** Starts at the part of `source` with the smallest scale and takes in the parts that follow on it. */
  #combineFrom(args: readonly IterSplit[], visited: boolean[], source: IterMark, end: number): IterSplit {
    const start = this.#smallestScale(args, visited, end, source);
    let low = args[start];
    if (low === undefined) throw new Error("internal: a mark without parts");
    visited[start] = true;
    for (;;) {
      const scale = orderedProduct(low.extent, low.scale);
      const next = this.#withScale(args, visited, scale, end, source);
      const high = args[next];
      if (high === undefined || !this.#analyzer.canProveEqual(high.lowerFactor, orderedProduct(low.lowerFactor, low.extent))) return low;
      visited[next] = true;
      low = { ...low, extent: orderedProduct(high.extent, low.extent) };
    }
  }

  /**
   * The split to start from: the smallest constant scale (one of extent 1 among equals), else the shortest product.
   * Searched from the right, where the small ones are; -1 if there is none.
   */
  #smallestScale(args: readonly IterSplit[], visited: readonly boolean[], end: number, source?: IterMark): number {
    let best = -1;
    let smallest = 0;
    let shortest = 0;
    const candidates: number[] = [];
    for (let i = end; i >= 0; i--) {
      if (visited[i] !== true && (source === undefined || args[i]?.source === source)) candidates.push(i);
    }
    for (const i of candidates) {
      const arg = args[i];
      if (arg?.scale.kind !== "ir.IntImm") continue;
      const value = Number(arg.scale.value);
      const better = best === -1 || value < smallest;
      if (better || (value === smallest && equalsInt(arg.extent, 1) && !equalsInt(args[best]?.extent ?? arg.extent, 1))) {
        smallest = value;
        best = i;
      }
    }
    // A constant scale counts as an empty product.
    for (const i of candidates) {
      const size = factorCount(args[i]?.scale);
      if (best === -1 || size < shortest) {
        shortest = size;
        best = i;
      }
    }
    return best;
  }

  /** The rightmost unused split with exactly this scale, those of extent 1 first: they do not change it. -1 if none. */
  #withScale(args: readonly IterSplit[], visited: readonly boolean[], scale: PrimExpr, end: number, source?: IterMark): number {
    let found = -1;
    const firstUnit = args.findIndex((a) => equalsInt(a.extent, 1));
    const lastToSearch = firstUnit < 0 ? args.length : firstUnit;
    for (let j = end; j >= 0; j--) {
      const arg = args[j];
      if (arg === undefined || visited[j] === true || (source !== undefined && arg.source !== source)) continue;
      if (!this.#analyzer.canProveEqual(arg.scale, scale)) continue;
      if (equalsInt(arg.extent, 1)) return j;
      if (found === -1) found = j;
      if (j <= lastToSearch) return found;
    }
    return found;
  }

  /** The unused split whose scale is the largest that is known not to exceed `scale`; -1 if there is none. */
  #closestBelow(args: readonly IterSplit[], visited: readonly boolean[], scale: PrimExpr): number {
    let found = -1;
    let best: PrimExpr | undefined;
    for (let j = args.length - 1; j >= 0; j--) {
      const arg = args[j];
      if (arg === undefined || visited[j] === true) continue;
      if (!this.#analyzer.canProveGreaterEqual(sub(scale, arg.scale), 0) || !this.#analyzer.canProveGreaterEqual(arg.scale, 0)) continue;
      if (best === undefined || this.#analyzer.canProveLess(sub(best, arg.scale), 0)) {
        found = j;
        best = arg.scale;
      }
    }
    return found;
  }

  /** Walks from the smallest scale up, each next scale being the last one times its extent. */
  #matchScales(expr: IterSum): MatchedScales | undefined {
    const { args } = expr;
    const visited = args.map(() => false);
    const start = this.#smallestScale(args, visited, args.length - 1);
    const baseScale = args[start]?.scale;
    if (baseScale === undefined || equalsInt(baseScale, 0)) return undefined;
    const dtype = dtypeOfMapped(expr);
    const flat: IterSplit[] = [];
    const grouped: IterSplit[] = [];
    let offset: PrimExpr = constant(0, dtype);
    let tail: PrimExpr = constant(0, dtype);
    let scale = baseScale;
    while (flat.length < args.length) {
      let at = flat.length === 0 ? start : this.#withScale(args, visited, scale, args.length - 1);
      let matchedScale = scale;
      // Overlapping or spread-out parts cover a range still, if the base is dense.
      if (at === -1 && this.#level !== "bijective" && equalsInt(baseScale, 1)) {
        at = this.#closestBelow(args, visited, scale);
        matchedScale = args[at]?.scale ?? scale;
      }
      const arg = args[at];
      if (arg === undefined) return undefined;
      if (matchedScale !== scale) tail = add(tail, sub(scale, matchedScale));
      const constraint = this.#longestConstraintEndingIn(arg);
      if (constraint === undefined) {
        visited[at] = true;
        const part = { ...arg, scale: this.#analyzer.simplify(floorDiv(arg.scale, baseScale)) };
        flat.push(part);
        grouped.push(part);
        scale = orderedProduct(arg.extent, matchedScale);
      } else {
        const members = this.#takeConstrained(args, visited, constraint.flat, matchedScale);
        if (members === undefined) return undefined;
        flat.push(...members);
        grouped.push(wholeSplit(constraint.mark, floorDiv(matchedScale, baseScale)));
        offset = add(offset, mul(constraint.offset, matchedScale));
        scale = orderedProduct(constraint.mark.extent, matchedScale);
      }
    }
    const zero = constant(0, dtype);
    return {
      flat: makeIterSum(flat.reverse(), zero),
      grouped: makeIterSum(grouped.reverse(), zero),
      baseScale,
      offset,
      extent: add(div(scale, baseScale), tail),
    };
  }

  #longestConstraintEndingIn(arg: IterSplit): Fused | undefined {
    let longest: IterSum | undefined;
    for (const flat of this.#constrained) {
      const last = flat.args[flat.args.length - 1];
      if (last === undefined || !sameSplit(arg, last, { ignoreScale: true })) continue;
      if (longest === undefined || longest.args.length < flat.args.length) longest = flat;
    }
    return longest && this.#fused.find((f) => f.flat === longest);
  }

  /** The splits of a narrowed sum, found in `args` with their scales times `scale`, marked as used; undefined if one is missing. */
  #takeConstrained(args: readonly IterSplit[], visited: boolean[], flat: IterSum, scale: PrimExpr): readonly IterSplit[] | undefined {
    const found: IterSplit[] = [];
    for (const wanted of [...flat.args].reverse()) {
      const k = args.findIndex(
        (a, i) =>
          visited[i] !== true &&
          sameSplit(a, wanted, { ignoreScale: true }) &&
          this.#analyzer.canProveEqual(mul(wanted.scale, scale), a.scale),
      );
      const arg = args[k];
      if (arg === undefined) return undefined;
      visited[k] = true;
      found.push(arg);
    }
    return found;
  }
}

function isNested(m: IterMark): boolean {
  return "tag" in m.source;
}

/** The input iterators that a mark is made of. */
function leavesOf(m: IterMark): readonly IterMark[] {
  const { source } = m;
  if (!("tag" in source)) return [m];
  return source.tag === "sum" ? source.args.flatMap((a) => leavesOf(a.source)) : leavesOf(source.source);
}

interface MatchedScales {
  readonly flat: IterSum;
  readonly grouped: IterSum;
  readonly baseScale: PrimExpr;
  readonly offset: PrimExpr;
  readonly extent: PrimExpr;
}

function factorCount(scale: PrimExpr | undefined): number {
  if (scale === undefined) return 0;
  const { factors, scale: c } = productOf(scale);
  return factors.length + (c === 1 && factors.length > 0 ? 0 : 1);
}
