import type { AnyVar, BinaryExpr, PrimExpr, Range } from "../ir/expr.ts";
import { mapExprChildren } from "../ir/map-children.ts";
import { add, cast, ceilDiv, constant, floorDiv, ge, le, mul, sub } from "../ir/ops.ts";
import type { Analyzer } from "./analyzer.ts";
import { exprDeepEqual } from "./expr-deep-equal.ts";
import type { IterConstraint } from "./iter-constraint.ts";
import { IterFusion } from "./iter-fusion.ts";
import {
  equalsInt,
  dtypeOfMapped,
  isIterMap,
  makeIterMark,
  makeIterSum,
  toIterSum,
  wholeSplit,
  type IterMapLevel,
  type IterMark,
  type IterSplit,
  type IterSum,
  type Mapped,
} from "./iter-map.ts";
import { IterPadding, type PaddedSplit } from "./iter-padding.ts";
import { productOf } from "./product-form.ts";
import { combine, isIndexType } from "./rules/compile-rule.ts";
import { collectSplits } from "./split-collector.ts";

/** Rewrites index expressions into sums of splits of iterators (upstream's `IterMapRewriter`). What it cannot write so goes to `errors`. */
export class IterMapRewriter {
  readonly errors: string[] = [];
  readonly padding: IterPadding;
  readonly #analyzer: Analyzer;
  readonly #level: IterMapLevel;
  readonly #fusion: IterFusion;
  readonly #vars = new Map<AnyVar, IterSplit | IterSum>();
  readonly #inputs: IterMark[] = [];

  constructor(
    analyzer: Analyzer,
    iters: ReadonlyMap<AnyVar, Range>,
    opts: { readonly level: IterMapLevel; readonly simplifyTrivial: boolean },
  ) {
    this.#analyzer = analyzer;
    this.#level = opts.level;
    this.#fusion = new IterFusion(analyzer, opts.level);
    this.padding = new IterPadding(analyzer, this.#fusion);
    for (const [v, range] of iters) {
      const [min, extent] = [cast(v.dtype, range.min), cast(v.dtype, range.extent)];
      if (opts.simplifyTrivial && equalsInt(extent, 1)) {
        this.#vars.set(v, makeIterSum([], min));
        continue;
      }
      const mark = makeIterMark(equalsInt(min, 0) ? v : sub(v, min), extent);
      this.#inputs.push(mark);
      this.#vars.set(v, equalsInt(min, 0) ? wholeSplit(mark) : makeIterSum([wholeSplit(mark)], min));
    }
  }

  /** An index as one scaled iterator and a base, or a base alone. */
  rewrite(e: PrimExpr): IterSum {
    const sum = toIterSum(this.#visit(e));
    if (sum.args.length === 0) return sum;
    const fused = this.#fusion.fuse(sum, { keepSimple: true });
    if (fused === undefined) this.errors.push("The iterators of an index do not add up to one iterator.");
    return fused ?? sum;
  }

  /** Puts a condition in force for everything rewritten later. */
  constrain({ iter, lower, upper }: IterConstraint): void {
    const sum = toIterSum(this.#visit(iter));
    if (!this.#fusion.constrain(sum, lower, upper)) this.errors.push("A condition does not bound a single iterator.");
  }

  constraintsNest(): boolean {
    return this.#fusion.constraintsNest();
  }

  /** An index as a plain sum of splits, by descending scale, without asking that they add up. */
  normalize(e: PrimExpr): IterSum {
    const sum = toIterSum(this.#visit(e));
    if (sum.args.length === 0) return sum;
    const combined = this.#fusion.combineSplits(sum) ?? sum;
    const items = combined.args.map((split) => {
      const { factors, scale } = productOf(split.scale);
      const product = factors.reduce<PrimExpr>((acc, f) => mul(acc, f), constant(1, split.scale.dtype));
      return { split: { ...split, scale: mul(product, constant(scale, product.dtype)) }, scale, count: factors.length };
    });
    items.sort((a, b) => b.scale - a.scale || b.count - a.count);
    return makeIterSum(
      items.map((i) => i.split),
      combined.base,
    );
  }

  /**
   * True if the splits of each mark stand beside each other; at level `bijective` also that they cover it, and that
   * every input is used.
   */
  isIndependent(indices: readonly IterSum[]): boolean {
    const splits = collectSplits(indices);
    for (const [mark, parts] of splits) {
      if (!this.#splitsFit(mark, parts)) return false;
    }
    if (this.#level !== "noCheck" && !this.#fusion.allowsAll(new Set(splits.keys()))) return false;
    return this.#level !== "bijective" || this.#inputs.every((m) => splits.has(m) || equalsInt(m.extent, 1));
  }

  #splitsFit(mark: IterMark, parts: readonly IterSplit[]): boolean {
    const bijective = this.#level === "bijective";
    let lower: PrimExpr = constant(1, dtypeOfMapped(mark.source));
    const left = parts.slice();
    while (left.length > 0) {
      let i = left.findIndex((s) => this.#analyzer.canProveEqual(s.lowerFactor, lower));
      // Of a value split in three, the middle part may be left out, unless all must be covered.
      if (i < 0 && !bijective) i = this.#nextPart(left, lower);
      const part = left[i];
      if (part === undefined) return false;
      left.splice(i, 1);
      lower = mul(part.lowerFactor, part.extent);
    }
    const full = this.#analyzer.canProveEqual(lower, mark.extent);
    const origin = this.padding.originOf(mark);
    if (bijective) return origin === undefined && full;
    const divides = full || this.#fusion.divides(lower, mark.extent);
    if (origin === undefined) return divides;
    if (this.#level !== "surjective") return true;
    const covered = (): boolean => this.#analyzer.canProve(ge(origin.extent, lower));
    if (!full) return divides && covered();
    const only = parts[0];
    if (only === undefined || parts.length !== 1) return false;
    return this.#analyzer.canProveEqual(only.extent, lower) ? covered() : this.padding.isTight(mark, only);
  }

  /** The part with the smallest lower factor, if `lower` divides the factors of all. */
  #nextPart(parts: readonly IterSplit[], lower: PrimExpr): number {
    let found = -1;
    for (const [i, part] of parts.entries()) {
      if (!this.#fusion.divides(lower, part.lowerFactor)) return -1;
      const best = parts[found];
      if (best === undefined || this.#fusion.divides(part.lowerFactor, best.lowerFactor)) found = i;
    }
    return found;
  }

  #visit(e: PrimExpr): Mapped {
    switch (e.kind) {
      case "tir.Var":
      case "tir.SizeVar":
        return this.#vars.get(e) ?? e;
      case "tir.Add":
      case "tir.Sub":
      case "tir.Mul":
      case "tir.FloorDiv":
      case "tir.FloorMod":
        if (isIndexType(e.dtype)) return this.#arith(e);
        break;
      default:
        break;
    }
    return mapExprChildren(e, { expr: (x) => this.#plain(x) });
  }

  #plain(e: PrimExpr): PrimExpr {
    const mapped = this.#visit(e);
    if (!isIterMap(mapped)) return mapped;
    this.errors.push("An iterator is used in an operation other than `+`, `-`, `*`, `//`, `%`.");
    return e;
  }

  #arith(e: Extract<BinaryExpr, { kind: "tir.Add" | "tir.Sub" | "tir.Mul" | "tir.FloorDiv" | "tir.FloorMod" }>): Mapped {
    const [a, b] = [this.#visit(e.a), this.#visit(e.b)];
    if (!isIterMap(a) && !isIterMap(b)) return a === e.a && b === e.b ? e : combine(e.kind, a, b);
    switch (e.kind) {
      case "tir.Add":
        return this.#sum(toIterSum(a), toIterSum(b), 1);
      case "tir.Sub":
        return this.#sum(toIterSum(a), toIterSum(b), -1);
      case "tir.Mul":
        if (isIterMap(a) && isIterMap(b)) return this.#fail(e, "A product of two iterators is no sum of iterators.");
        return isIterMap(a) ? scaled(a, b as PrimExpr) : scaled(b as IterSplit | IterSum, a);
      case "tir.FloorDiv":
      case "tir.FloorMod": {
        if (isIterMap(b)) return this.#fail(e, "A divisor depends on an iterator.");
        if (!isIterMap(a)) return combine(e.kind, a, b);
        if (isNegative(b) || equalsInt(b, 0)) return this.#fail(e, "A divisor is not positive.");
        const dividend = this.#dividend(a);
        if (dividend === undefined) return this.#fail(e, "The iterators of a dividend do not add up to one iterator.");
        const [split] = dividend.args;
        if (split === undefined) return combine(e.kind, dividend.base, b);
        const out = e.kind === "tir.FloorDiv" ? this.#floorDiv(split, dividend.base, b) : this.#floorMod(split, dividend.base, b);
        return typeof out === "string" ? this.#fail(e, out) : out;
      }
    }
  }

  #fail(e: PrimExpr, why: string): PrimExpr {
    this.errors.push(why);
    return e;
  }

  #sum(a: IterSum, b: IterSum, sign: 1 | -1): Mapped {
    const args = a.args.slice();
    for (const split of b.args) {
      const i = args.findIndex((x) => x.source === split.source && exprDeepEqual(x.lowerFactor, split.lowerFactor) && exprDeepEqual(x.extent, split.extent));
      const before = args[i]?.scale ?? constant(0, split.scale.dtype);
      const scale = sign === 1 ? add(before, split.scale) : sub(before, split.scale);
      if (i < 0) args.push({ ...split, scale });
      else args[i] = { ...split, scale };
    }
    return makeIterSum(
      args.filter((s) => !equalsInt(s.scale, 0)),
      sign === 1 ? add(a.base, b.base) : sub(a.base, b.base),
    );
  }

  /** What is divided, as a single scaled iterator and a base; undefined if it is not one. */
  #dividend(e: IterSplit | IterSum): IterSum | undefined {
    const sum = toIterSum(e);
    return sum.args.length <= 1 ? sum : this.#fusion.fuse(sum, { keepSimple: true });
  }

  /** `(split + base) // divisor`; a string says why it cannot be written. */
  #floorDiv(split: IterSplit, base: PrimExpr, divisor: PrimExpr): Mapped | string {
    if (equalsInt(divisor, 1)) return equalsInt(base, 0) ? split : makeIterSum([split], base);
    const divides = (b: PrimExpr, a: PrimExpr): boolean => this.#fusion.divides(b, a);
    let [x, offset, by] = [split, base, divisor];
    if (!equalsInt(split.scale, 1)) {
      if (divides(by, split.scale) && (equalsInt(offset, 0) || divides(by, offset))) {
        const quotient = { ...split, scale: floorDiv(split.scale, by) };
        return equalsInt(offset, 0) ? quotient : makeIterSum([quotient], floorDiv(offset, by));
      }
      if (isNegative(split.scale) || !divides(split.scale, by) || !(equalsInt(offset, 0) || divides(split.scale, offset))) {
        return "The scale of an iterator and its divisor have no common part that removes the scale.";
      }
      offset = floorDiv(offset, split.scale);
      by = floorDiv(by, split.scale);
      x = { ...split, scale: constant(1, by.dtype) };
    }
    const padded = this.padding.pad(x, offset, by);
    if (typeof padded === "string") return padded;
    const quotient = this.#quotientOf(padded.split, by);
    const rest = this.#analyzer.simplify(floorDiv(sub(offset, padded.left), by), 6);
    return equalsInt(rest, 0) ? quotient : makeIterSum([quotient], rest);
  }

  #quotientOf(s: IterSplit, by: PrimExpr): IterSplit {
    if (this.#fusion.divides(by, s.extent)) {
      return { ...s, lowerFactor: mul(s.lowerFactor, by), extent: this.#analyzer.simplify(floorDiv(s.extent, by)) };
    }
    const extent = this.#analyzer.simplify(ceilDiv(s.extent, by));
    // All of an iterator: the last quotient may be a short one.
    if (equalsInt(s.lowerFactor, 1) && this.#analyzer.canProveEqual(s.extent, s.source.extent)) return { ...s, lowerFactor: by, extent };
    return { tag: "split", source: makeIterMark(s, s.extent), lowerFactor: by, extent, scale: constant(1, by.dtype) };
  }

  /** `(split + base) % divisor`; a string says why it cannot be written. */
  #floorMod(split: IterSplit, base: PrimExpr, divisor: PrimExpr): Mapped | string {
    const zero = constant(0, divisor.dtype);
    if (equalsInt(divisor, 1)) return zero;
    const divides = (b: PrimExpr, a: PrimExpr): boolean => this.#fusion.divides(b, a);
    let [offset, by] = [base, divisor];
    if (!equalsInt(split.scale, 1)) {
      if (divides(by, split.scale) && divides(by, offset)) return zero;
      if (isNegative(split.scale) || !divides(split.scale, by) || !(equalsInt(offset, 0) || divides(split.scale, offset))) {
        return "The scale of an iterator and the divisor of its remainder have no common part that removes the scale.";
      }
      by = floorDiv(by, split.scale);
      offset = floorDiv(offset, split.scale);
    }
    const padded = this.padding.pad(split, offset, by);
    if (typeof padded === "string") return padded;
    return this.#remainderOf(padded, by);
  }

  #remainderOf({ split: s, left }: PaddedSplit, by: PrimExpr): IterSplit {
    const whole = equalsInt(s.lowerFactor, 1) && this.#analyzer.canProveEqual(s.extent, s.source.extent);
    if (whole || this.#fusion.divides(by, s.extent)) return { ...s, extent: by };
    if (equalsInt(left, 0) && this.#analyzer.canProve(le(s.extent, by))) return s;
    return { tag: "split", source: makeIterMark({ ...s, scale: constant(1, by.dtype) }, s.extent), lowerFactor: constant(1, by.dtype), extent: by, scale: s.scale };
  }
}

function isNegative(e: PrimExpr): boolean {
  return e.kind === "ir.IntImm" && e.value < 0;
}

function scaled(a: IterSplit | IterSum, by: PrimExpr): Mapped {
  if (equalsInt(by, 0)) return by;
  if (a.tag === "split") return { ...a, scale: mul(a.scale, by) };
  return makeIterSum(
    a.args.map((s) => ({ ...s, scale: mul(s.scale, by) })),
    mul(a.base, by),
  );
}

