import type { PrimExpr } from "../ir/expr.ts";
import { add, allOf, constant, eq, floorDiv, floorMod, ge, gt, lt, max, mul, ne, neg, or, sub } from "../ir/ops.ts";
import type { Analyzer } from "./analyzer.ts";
import { lcm } from "./int-math.ts";
import type { IterFusion } from "./iter-fusion.ts";
import { normalizeIterMapToExpr } from "./iter-map-to-expr.ts";
import { equalsInt, alikeMarks, makeIterMark, makeIterSum, wholeSplit, type IterMark, type IterSplit } from "./iter-map.ts";

interface PaddedMark {
  readonly mark: IterMark;
  /** A common multiple of all divisors seen. */
  factor: PrimExpr;
  left: PrimExpr;
  padded: IterMark | undefined;
}

/** A split to divide, and how far it was moved up. */
export interface PaddedSplit {
  readonly split: IterSplit;
  readonly left: PrimExpr;
}

/**
 * Makes iterators divisible that are not, by pretending that they are longer: a first pass over all indices collects
 * the divisors, a second one takes every part of an iterator from the same padded one.
 */
export class IterPadding {
  readonly #analyzer: Analyzer;
  readonly #fusion: IterFusion;
  readonly #marks: PaddedMark[] = [];
  readonly #origins = new Map<IterMark, IterMark>();
  /** True during the first pass. */
  collecting = false;
  /** True once something was found that needs padding. */
  needed = false;
  /** True where the iterators are outside of what they really take. */
  predicate: PrimExpr = constant(false, "bool");

  constructor(analyzer: Analyzer, fusion: IterFusion) {
    this.#analyzer = analyzer;
    this.#fusion = fusion;
  }

  /** The mark that a padded one was made from. */
  originOf(mark: IterMark): IterMark | undefined {
    return this.#origins.get(mark);
  }

  /**
   * True if each value of a quotient of a padded mark has a value of the mark that is not padding: neither side is padded by
   * a whole quotient.
   */
  isTight(padded: IterMark, quotient: IterSplit): boolean {
    const info = this.#marks.find((m) => m.padded === padded);
    if (info === undefined) return false;
    const { left, mark, factor } = info;
    if (!this.#analyzer.canProve(lt(left, quotient.lowerFactor))) return false;
    // Padded to the next multiple of the factor and no further.
    if (this.#analyzer.canProveEqual(factor, quotient.lowerFactor)) return true;
    return this.#analyzer.canProve(gt(add(left, mark.extent), mul(sub(quotient.extent, 1), quotient.lowerFactor)));
  }

  /**
   * `split + base` moved and padded so that `divisor` divides its ends. A string says why that is not possible.
   * @throws Error ("internal: …") if a divisor was not seen in the first pass.
   */
  pad(split: IterSplit, base: PrimExpr, divisor: PrimExpr): PaddedSplit | string {
    const left = this.#analyzer.simplify(floorMod(base, divisor));
    return this.collecting ? this.#collect(split, left, divisor) : this.#apply(split, left, divisor);
  }

  #missing(edge: PrimExpr, divisor: PrimExpr): PrimExpr {
    return this.#fusion.divides(divisor, edge) ? constant(0, edge.dtype) : floorMod(neg(edge), divisor);
  }

  #find(mark: IterMark): PaddedMark | undefined {
    return this.#marks.find((m) => alikeMarks(m.mark, mark));
  }

  #collect(split: IterSplit, left: PrimExpr, divisor: PrimExpr): PaddedSplit {
    const zero = constant(0, divisor.dtype);
    const right = this.#analyzer.simplify(this.#missing(add(left, split.extent), divisor));
    let info = this.#find(split.source);
    if (info === undefined) {
      info = { mark: split.source, factor: constant(1, divisor.dtype), left: zero, padded: undefined };
      this.#marks.push(info);
    }
    info.factor = commonMultiple(info.factor, mul(divisor, split.lowerFactor), this.#analyzer);
    if (equalsInt(left, 0) && equalsInt(right, 0)) return { split, left: zero };
    this.needed = true;
    info.left = max(info.left, mul(left, split.lowerFactor));
    return { split: { ...split, extent: this.#analyzer.simplify(add(add(left, split.extent), right)) }, left };
  }

  #apply(split: IterSplit, left: PrimExpr, divisor: PrimExpr): PaddedSplit | string {
    const info = this.#find(split.source);
    const unpadded = info === undefined || (equalsInt(info.left, 0) && this.#fusion.divides(info.factor, info.mark.extent));
    if (unpadded) return equalsInt(left, 0) ? { split, left } : "An offset is divided, which needs padding on the left.";
    if (!this.#fusion.divides(split.lowerFactor, info.factor) || !this.#fusion.divides(divisor, info.factor)) {
      return "A divisor does not divide the padding of its iterator.";
    }
    if (!this.#fusion.divides(split.lowerFactor, info.left)) return "Two parts of one iterator need different padding on the left.";
    const moved = floorDiv(info.left, split.lowerFactor);
    // What is added on top of what this part needs must not change its remainder.
    if (!this.#fusion.divides(divisor, this.#analyzer.simplify(sub(moved, left)))) return "Two parts of one iterator need different padding on the left.";
    info.padded ??= this.#makePadded(info);
    const source = info.padded;
    return { split: { ...split, source, extent: floorDiv(source.extent, split.lowerFactor) }, left: moved };
  }

  #makePadded(info: PaddedMark): IterMark {
    const { mark, left, factor } = info;
    const edge = add(mark.extent, left);
    const right = this.#missing(edge, factor);
    const padded = makeIterMark(makeIterSum([wholeSplit(mark)], left), this.#analyzer.simplify(add(edge, right)));
    this.#origins.set(padded, mark);
    const value = normalizeIterMapToExpr(padded.source, this.#analyzer);
    const before = allOf([ne(left, 0), eq(floorDiv(value, factor), 0), lt(floorMod(value, factor), left)]);
    const after = allOf([
      ne(right, 0),
      eq(floorDiv(value, factor), floorDiv(edge, factor)),
      ge(floorMod(value, factor), floorMod(edge, factor)),
    ]);
    this.predicate = or(this.predicate, or(before, after));
    return padded;
  }
}

/** A common multiple, the least one where the symbolic parts allow. */
function commonMultiple(a: PrimExpr, b: PrimExpr, analyzer: Analyzer): PrimExpr {
  const [[x, p], [y, q]] = [coefficientOf(a), coefficientOf(b)];
  const c = constant(lcm(p, q), a.dtype);
  if (analyzer.canProveEqual(x, y)) return mul(x, c);
  if (analyzer.canProve(eq(floorMod(x, y), 0))) return mul(x, c);
  if (analyzer.canProve(eq(floorMod(y, x), 0))) return mul(y, c);
  return mul(mul(x, y), c);
}

function coefficientOf(e: PrimExpr): readonly [rest: PrimExpr, coefficient: number] {
  if (e.kind === "ir.IntImm" && typeof e.value === "number") return [constant(1, e.dtype), e.value];
  if (e.kind === "tir.Mul") {
    if (e.b.kind === "ir.IntImm" && typeof e.b.value === "number") return [e.a, e.b.value];
    if (e.a.kind === "ir.IntImm" && typeof e.a.value === "number") return [e.b, e.a.value];
  }
  return [e, 1];
}

