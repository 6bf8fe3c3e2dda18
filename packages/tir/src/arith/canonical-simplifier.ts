import { parseDType, type DType } from "@verticil/runtime-ffi";
import type { BinaryExpr, Call, Cast, PrimExpr } from "../ir/expr.ts";
import { isBinary, makeBinary, makeBroadcast, makeCall, makeCast, makeLet, makeNot, makeRamp, makeSelect } from "../ir/make-expr.ts";
import { cast, constant, isConstInt } from "../ir/ops.ts";
import {
  addSplit,
  fits,
  isSplit,
  isSum,
  makeSum,
  mergeSplits,
  readsAs,
  remainderKind,
  splitOf,
  splitToExpr,
  sumToExpr,
  withScale,
  type Canonical,
  type DivMode,
  type Split,
  type Sum,
} from "./canonical-form.ts";
import { isLess, isGreaterOrEqual, type ArithContext } from "./context.ts";
import { exprDeepEqual } from "./expr-deep-equal.ts";
import { boundOfDType } from "./int-bound.ts";
import { floorDivInt, floorModInt, gcd, truncDivInt } from "./int-math.ts";
import { cancelProduct, orderedProduct } from "./product-form.ts";
import { mapExprChildren, negate, type RewriteSimplifier } from "./rewrite-simplifier.ts";
import { combine, isIndexType } from "./rules/compile-rule.ts";
import { ScopedMemo } from "./scoped-memo.ts";

/**
 * Brings index expressions into a sum of scaled quotients and remainders and back, so that parts of one index find
 * each other (upstream's `CanonicalSimplifier`). Index arithmetic is taken not to overflow.
 */
export class CanonicalSimplifier {
  /** How often parts of one index became one or came apart on the way to an expression, whose canonical form may be another. */
  regrouped = 0;
  readonly #ctx: ArithContext;
  readonly #rewriter: RewriteSimplifier;
  readonly #memo = new ScopedMemo<PrimExpr, Canonical>();
  readonly #exprs = new ScopedMemo<Sum, PrimExpr>();

  constructor(ctx: ArithContext, rewriter: RewriteSimplifier) {
    this.#ctx = ctx;
    this.#rewriter = rewriter;
  }

  /** Between questions: lets go of most that is remembered. */
  trim(opts: { readonly canGoBack: boolean }): void {
    this.#memo.trim(opts);
    this.#exprs.trim(opts);
  }

  simplify(e: PrimExpr): PrimExpr {
    return this.#toExpr(this.#visit(e));
  }

  #toExpr(c: Canonical): PrimExpr {
    if (!("tag" in c)) return c;
    if (c.tag === "split") return splitToExpr(c);
    const memo = this.#exprs.at(0);
    let e = memo.get(c);
    if (e === undefined) {
      const merged = mergeSplits(c.splits);
      e = sumToExpr(c, merged);
      if (merged !== c.splits && sharesIndex(c.splits)) {
        this.regrouped++;
        // A quotient and a remainder that joined may cancel, or join, with other terms.
        if (termsOf(merged) < termsOf(c.splits)) e = this.simplify(e);
      }
      memo.set(c, e);
    }
    return e;
  }

  #visit(e: PrimExpr): Canonical {
    if (e.kind === "ir.IntImm") return e;
    if (e.kind === "tir.Var") return this.#rewriter.valueOf(e);
    const memo = this.#memo.at(this.#ctx.generation);
    const known = memo.get(e);
    if (known !== undefined) return known;
    const result = this.#compute(e);
    memo.set(e, result);
    return result;
  }

  #compute(e: PrimExpr): Canonical {
    switch (e.kind) {
      case "tir.Var":
      case "tir.SizeVar":
        return this.#rewriter.valueOf(e);
      case "tir.Add":
      case "tir.Sub":
        return isIndexType(e.dtype) ? this.#sum(e, e.kind === "tir.Add" ? 1 : -1) : this.#operands(e);
      case "tir.Mul":
        return isIndexType(e.dtype) ? this.#product(e) : this.#operands(e);
      case "tir.Div":
      case "tir.FloorDiv":
      case "tir.Mod":
      case "tir.FloorMod":
        return isIndexType(e.dtype) ? this.#division(e, e.kind) : this.#operands(e);
      case "tir.LT":
        return isIndexType(e.a.dtype) ? this.#less(e) : this.#operands(e);
      case "tir.Cast":
        return this.#cast(e);
      case "tir.Not": {
        const a = this.simplify(e.a);
        return this.#rewriter.finish(a === e.a ? e : makeNot(a));
      }
      case "tir.Select": {
        const c = this.simplify(e.condition);
        if (isConstInt(c)) return this.#visit(c.value === 0 ? e.falseValue : e.trueValue);
        const [t, f] = [this.#under(c, e.trueValue), this.#under(negate(c), e.falseValue)];
        return this.#rewriter.finish(c === e.condition && t === e.trueValue && f === e.falseValue ? e : makeSelect(c, t, f, e.span));
      }
      case "tir.Ramp": {
        const [base, stride] = [this.simplify(e.base), this.simplify(e.stride)];
        return this.#rewriter.finish(base === e.base && stride === e.stride ? e : makeRamp(base, stride, e.lanes, e.span));
      }
      case "tir.Broadcast": {
        const value = this.simplify(e.value);
        return value === e.value ? e : makeBroadcast(value, e.lanes, e.span);
      }
      case "tir.Call":
        return this.#call(e);
      case "tir.Let": {
        const [value, body] = [this.simplify(e.value), this.simplify(e.body)];
        return value === e.value && body === e.body ? e : makeLet(e.bind, value, body, e.span);
      }
      default:
        return isBinary(e) ? this.#operands(e) : mapExprChildren(e, (x) => this.simplify(x));
    }
  }

  /** A node that has no canonical form itself. */
  #operands(e: BinaryExpr): PrimExpr {
    const [a, b] = [this.simplify(e.a), this.simplify(e.b)];
    return this.#rewriter.finish(a === e.a && b === e.b ? e : makeBinary(e.kind, a, b, e.span));
  }

  #under(cond: PrimExpr, e: PrimExpr): PrimExpr {
    return this.#ctx.withConstraint(cond, () => this.simplify(e));
  }

  #call(e: Call): PrimExpr {
    const [c0, t0, f0] = e.args;
    if (e.op.kind === "ir.Op" && e.op.name === "tir.if_then_else" && c0 !== undefined && t0 !== undefined && f0 !== undefined) {
      const c = this.simplify(c0);
      if (isConstInt(c)) return this.simplify(c.value === 0 ? f0 : t0);
      return this.#rewriter.finishIfThenElse(e, c, this.#under(c, t0), this.#under(negate(c), f0));
    }
    let changed = false;
    const args = e.args.map((x) => {
      const next = this.simplify(x);
      changed ||= next !== x;
      return next;
    });
    return this.#rewriter.finish(changed ? makeCall(e.dtype, e.op, args, e.span) : e);
  }

  #sum(e: BinaryExpr, sign: 1 | -1): Canonical {
    const [a, b] = [this.#visit(e.a), this.#visit(e.b)];
    return this.#addition(a, b, sign) ?? this.#opaque(e, a, b);
  }

  /** `a + sign*b`; undefined if a constant would leave the type. */
  #addition(a: Canonical, b: Canonical, sign: 1 | -1): Sum | undefined {
    const [x, y] = [toSum(a), toSum(b)];
    const base = x.base + y.base * sign;
    if (!fits(base, x.dtype)) return undefined;
    const splits = x.splits.slice();
    for (const s of y.splits) if (!addSplit(splits, s, sign)) return undefined;
    return makeSum(x.dtype, splits, base);
  }

  #opaque(e: BinaryExpr, a: Canonical, b: Canonical): PrimExpr {
    const [x, y] = [this.#toExpr(a), this.#toExpr(b)];
    return combine(e.kind, x, y);
  }

  #product(e: BinaryExpr): Canonical {
    let [a, b] = [this.#visit(e.a), this.#visit(e.b)];
    if (constantOf(a) !== undefined) [a, b] = [b, a];
    const factor = constantOf(b);
    if (factor !== undefined) {
      const ca = constantOf(a);
      if (ca !== undefined) return combine("tir.Mul", this.#toExpr(a), this.#toExpr(b));
      return timesConstant(a, factor) ?? this.#opaque(e, a, b);
    }
    const [x, y] = [this.#toExpr(a), this.#toExpr(b)];
    return orderedProduct(x, y);
  }

  #division(e: BinaryExpr, kind: "tir.Div" | "tir.FloorDiv" | "tir.Mod" | "tir.FloorMod"): Canonical {
    const [a, b] = [this.#visit(e.a), this.#visit(e.b)];
    const divisor = constantOf(b);
    if (divisor === undefined || divisor <= 0) return this.#symbolicDivision(kind, this.#toExpr(a), this.#toExpr(b), e);
    if (constantOf(a) !== undefined) return combine(kind, this.#toExpr(a), this.#toExpr(b));
    const mode: DivMode = kind === "tir.FloorDiv" || kind === "tir.FloorMod" ? "floor" : "trunc";
    if (kind === "tir.Div" || kind === "tir.FloorDiv") return divisor === 1 ? a : this.#quotient(a, divisor, mode);
    return divisor === 1 ? constant(0, e.dtype) : this.#remainder(a, divisor, mode);
  }

  #symbolicDivision(kind: BinaryExpr["kind"], a: PrimExpr, b: PrimExpr, e: BinaryExpr): PrimExpr {
    const cancelled = cancelProduct(a, b);
    if (cancelled === undefined) return this.#rewriter.finish(a === e.a && b === e.b ? e : makeBinary(e.kind, a, b, e.span));
    const rest = combine(e.kind, cancelled.lhs, cancelled.rhs);
    return kind === "tir.Mod" || kind === "tir.FloorMod" ? combine("tir.Mul", rest, cancelled.common) : rest;
  }

  /** True if `low <= e < high` is known. */
  #within(e: PrimExpr, low: number, high: number): boolean {
    const { min, max } = this.#ctx.constIntBound(e);
    const isBelow = high === Infinity || max < high;
    if (min >= low && isBelow) return true;
    return (
      (min >= low || (this.#ctx.tryCompare(e, constant(low, e.dtype)) & ~isGreaterOrEqual) === 0) &&
      (isBelow || (this.#ctx.tryCompare(e, constant(high, e.dtype)) & ~isLess) === 0)
    );
  }

  #nonNegative(e: PrimExpr): boolean {
    return this.#within(e, 0, Infinity);
  }

  /** True if truncated division treats the parts of a sum apart: the rest is not negative, nor is the sum. */
  #separates(sum: Sum, even: Sum, rest: Sum): boolean {
    return this.#nonNegative(this.#toExpr(rest)) && (this.#nonNegative(this.#toExpr(even)) || this.#nonNegative(this.#toExpr(sum)));
  }

  #quotient(a: Canonical, divisor: number, mode: DivMode): Canonical {
    if (!isSum(a)) {
      const { min, max } = this.#ctx.constIntBound(this.#toExpr(a));
      if ((mode === "trunc" ? min > -divisor : min >= 0) && max < divisor) return constant(0, dtypeOf(a));
      return this.#divideSplit(toSplit(a, this.#toExpr(a)), divisor, mode);
    }
    const [even, rest] = separate(a, divisor);
    const quotient = dividedBy(even, divisor);
    if (rest.splits.length === 0 && rest.base === 0) return quotient;
    if (mode === "trunc" && !this.#separates(a, even, rest)) {
      return this.#divideSplit(toSplit(a, this.#toExpr(a)), divisor, mode);
    }
    if (rest.splits.length === 0) {
      const q = mode === "floor" ? floorDivInt(rest.base, divisor) : truncDivInt(rest.base, divisor);
      return { ...quotient, base: quotient.base + q };
    }
    const extra = this.#toExpr(rest);
    if (this.#within(extra, 0, divisor)) return quotient;
    const splits = quotient.splits.slice();
    return addSplit(splits, this.#divideSplit(toSplit(rest, extra), divisor, mode), 1)
      ? { ...quotient, splits }
      : combine("tir.Add", this.#toExpr(quotient), splitToExpr(this.#divideSplit(splitOf(extra), divisor, mode)));
  }

  #divideSplit(split: Split, divisor: number, mode: DivMode): Split {
    const s = this.#inMode(split, mode);
    if (s.scale % divisor === 0) return { ...s, scale: s.scale / divisor };
    if (s.scale > 0 && divisor % s.scale === 0) {
      const lower = s.lower * (divisor / s.scale);
      if (fits(lower, s.dtype)) {
        if (s.upper === Infinity || s.upper % lower === 0) return { ...s, scale: 1, lower };
        if (s.upper <= lower && mode === "floor") return splitOf(constant(0, s.dtype));
        const index = combine(remainderKind(mode), s.index, constant(s.upper, s.dtype));
        return { ...s, index, upper: Infinity, scale: 1, lower };
      }
    }
    return { ...splitOf(this.#toExpr(s)), lower: divisor, mode };
  }

  #inMode(s: Split, mode: DivMode): Split {
    if (readsAs(s, mode)) return s.mode === mode ? s : { ...s, mode };
    return { ...splitOf(this.#toExpr(s)), mode };
  }

  #remainder(a: Canonical, divisor: number, mode: DivMode): Canonical {
    const dtype = dtypeOf(a);
    if (!isSum(a)) {
      const e = this.#toExpr(a);
      const { min, max } = this.#ctx.constIntBound(e);
      if (min >= 0 && max < divisor) return a;
      return this.#moduloSplit(toSplit(a, e), divisor, mode);
    }
    const [even, rest] = separate(a, divisor);
    if (rest.splits.length === 0 && rest.base === 0) return constant(0, dtype);
    if (mode === "trunc" && !this.#separates(a, even, rest)) return this.#moduloSplit(toSplit(a, this.#toExpr(a)), divisor, mode);
    if (rest.splits.length === 0) {
      return constant(mode === "floor" ? floorModInt(rest.base, divisor) : rest.base % divisor, dtype);
    }
    if (this.#within(this.#toExpr(rest), 0, divisor)) return rest;
    const shifted: Sum = { ...rest, base: mode === "floor" ? floorModInt(rest.base, divisor) : (rest.base % divisor) + 0 };
    // Under truncation the shift must not change the sign.
    if (mode === "trunc" && !(this.#nonNegative(this.#toExpr(rest)) && this.#nonNegative(this.#toExpr(shifted)))) {
      return this.#moduloSplit(toSplit(rest, this.#toExpr(rest)), divisor, mode);
    }
    return this.#moduloSplit(toSplit(shifted, this.#toExpr(shifted)), divisor, mode);
  }

  #moduloSplit(split: Split, divisor: number, mode: DivMode): Canonical {
    const s = this.#inMode(split, mode);
    if (s.scale % divisor === 0) return constant(0, s.dtype);
    if (s.scale > 0 && divisor % s.scale === 0) {
      const upper = s.lower * (divisor / s.scale);
      if (fits(upper, s.dtype)) {
        if (s.upper === Infinity) return { ...s, upper };
        if (upper >= s.upper && upper % s.upper === 0) return s;
        if (s.upper % upper === 0) {
          // The remainder by a smaller multiple may simplify further.
          const inner = this.#visit(makeBinary(remainderKind(mode), s.index, constant(upper, s.dtype)));
          const divided = s.lower === 1 ? inner : this.#quotient(inner, s.lower, mode);
          return timesConstant(divided, s.scale) ?? { ...s, upper };
        }
      }
    }
    return { ...splitOf(this.#toExpr(s)), upper: divisor, mode };
  }

  #cast(e: Cast): Canonical {
    const value = this.#visit(e.value);
    if (isIndexType(e.dtype) && isIndexType(e.value.dtype) && (isSum(value) || isSplit(value))) {
      const pushed = this.#pushCast(toSum(value), e.dtype);
      if (pushed !== undefined) return pushed;
    }
    const inner = this.#toExpr(value);
    if (inner === e.value) {
      const folded = cast(e.dtype, inner);
      return folded.kind === "tir.Cast" ? e : folded;
    }
    return inner.kind === "ir.IntImm" || inner.dtype === e.dtype ? cast(e.dtype, inner) : makeCast(e.dtype, inner, e.span);
  }

  /** A conversion pulled inwards: always when widening, when narrowing only if nothing inside can leave the type. */
  #pushCast(sum: Sum, dtype: DType): Sum | undefined {
    if (parseDType(dtype).bits < parseDType(sum.dtype).bits && !this.#narrows(sum, dtype)) return undefined;
    const splits = sum.splits.map((s) => ({ ...s, index: cast(dtype, s.index), dtype }));
    return { tag: "sum", dtype, splits, base: sum.base };
  }

  #narrows(sum: Sum, dtype: DType): boolean {
    const type = boundOfDType(dtype);
    const inRange = (e: PrimExpr): boolean => {
      const { min, max } = this.#ctx.constIntBound(e);
      return min >= type.min && max <= type.max;
    };
    if (!fits(sum.base, dtype)) return false;
    let total: PrimExpr = constant(0, sum.dtype);
    for (const s of sum.splits) {
      const term = splitToExpr(s);
      if (!inRange(s.index) || !inRange(term) || !fits(s.scale, dtype) || (s.upper !== Infinity && !fits(s.upper, dtype))) return false;
      total = combine("tir.Add", total, term);
      if (!inRange(total)) return false;
    }
    return inRange(combine("tir.Add", total, constant(sum.base, sum.dtype)));
  }

  /** `sum < 0` with common factors taken out. */
  #less(e: BinaryExpr): PrimExpr {
    const [a, b] = [this.#visit(e.a), this.#visit(e.b)];
    const diff = this.#addition(a, b, -1);
    const plain = (): PrimExpr => {
      const [x, y] = [this.#toExpr(a), this.#toExpr(b)];
      return this.#rewriter.finish(x === e.a && y === e.b ? e : makeBinary("tir.LT", x, y, e.span));
    };
    if (diff === undefined) return plain();
    let factor = Math.abs(diff.base);
    let scaled = false;
    for (const s of diff.splits) {
      if (Math.abs(s.scale) <= 1) continue;
      scaled = true;
      factor = gcd(factor, s.scale);
    }
    if (!scaled || factor <= 1) return plain();
    const [even, rest] = separate(diff, factor);
    const quotient = dividedBy(even, factor);
    const zero = constant(0, diff.dtype);
    // factor*q + r < 0 is q < 0 for 0 <= r < factor, and q <= 0 with r < 0: only the first is exact for any q.
    if (this.#within(this.#toExpr(rest), 0, factor)) return this.simplify(makeBinary("tir.LT", this.#toExpr(quotient), zero));
    const [only, ...others] = rest.splits;
    if (only !== undefined && others.length === 0 && rest.base === 0 && only.scale === 1 && only.mode === "floor") {
      const lower = factor * only.lower;
      if (only.upper !== Infinity && only.upper % lower === 0) {
        // (y % m) // d is (y // d) % (m // d), whose numerator may lose terms.
        const number = (n: number): PrimExpr => constant(n, only.dtype);
        const part = combine("tir.FloorMod", combine("tir.FloorDiv", only.index, number(lower)), number(only.upper / lower));
        return this.simplify(makeBinary("tir.LT", combine("tir.Add", this.#toExpr(quotient), part), zero));
      }
    }
    return plain();
  }
}

/** True if two terms are parts of one index. */
function sharesIndex(splits: readonly Split[]): boolean {
  return splits.some((s, i) => i > 0 && exprDeepEqual(s.index, splits[i - 1]?.index ?? s.index));
}

function termsOf(splits: readonly Split[]): number {
  let n = 0;
  for (const s of splits) if (s.scale !== 0) n++;
  return n;
}

function dtypeOf(c: Canonical): DType {
  return c.dtype;
}

function constantOf(c: Canonical): number | undefined {
  if (isSum(c)) return c.splits.length === 0 ? c.base : undefined;
  if (isSplit(c)) return c.scale === 0 ? 0 : undefined;
  return c.kind === "ir.IntImm" && typeof c.value === "number" ? c.value : undefined;
}

function toSum(c: Canonical): Sum {
  if (isSum(c)) return c;
  const value = constantOf(c);
  if (value !== undefined) return { tag: "sum", dtype: c.dtype, splits: [], base: value };
  return { tag: "sum", dtype: c.dtype, splits: [isSplit(c) ? c : splitOf(c)], base: 0 };
}

function toSplit(c: Canonical, expr: PrimExpr): Split {
  if (isSplit(c)) return c;
  if (isSum(c)) {
    const [only, ...others] = c.splits;
    if (only !== undefined && others.length === 0 && c.base === 0) return only;
  }
  return splitOf(expr);
}

/** The value times a constant; undefined if a factor would leave the type. */
function timesConstant(c: Canonical, factor: number): Sum | Split | undefined {
  if (!isSum(c)) {
    const split = isSplit(c) ? c : splitOf(c);
    const scale = split.scale * factor + 0;
    return fits(scale, c.dtype) ? withScale(split, scale) : undefined;
  }
  if (factor === 1) return c;
  const base = c.base * factor + 0;
  if (!fits(base, c.dtype)) return undefined;
  const splits: Split[] = [];
  for (const s of c.splits) {
    const scale = s.scale * factor + 0;
    if (!fits(scale, c.dtype)) return undefined;
    splits.push(withScale(s, scale));
  }
  return makeSum(c.dtype, splits, base);
}

/** A sum divided by what divides all of it. */
function dividedBy(c: Sum, divisor: number): Sum {
  if (divisor === 1) return c;
  return makeSum(c.dtype, c.splits.map((s) => withScale(s, s.scale / divisor + 0)), c.base / divisor + 0);
}

/** The terms that `divisor` divides, and the others. */
function separate(sum: Sum, divisor: number): readonly [even: Sum, rest: Sum] {
  const [even, rest]: [Split[], Split[]] = [[], []];
  for (const s of sum.splits) (s.scale % divisor === 0 ? even : rest).push(s);
  const divides = sum.base % divisor === 0;
  if (even.length === 0 && (divides ? sum.base : 0) === 0) return [makeSum(sum.dtype, even, 0), sum];
  return [makeSum(sum.dtype, even, divides ? sum.base : 0), makeSum(sum.dtype, rest, divides ? 0 : sum.base)];
}
