import { isFloat, isInteger, parseDType, scalarOf, type DType } from "@verticil/runtime-ffi";
import type { AnyVar, BinaryExpr, BinaryKind, Call, PrimExpr } from "../ir/expr.ts";
import { makeBinary, makeBroadcast, makeCall, makeLet, makeNot, makeRamp, makeSelect, isBinary } from "../ir/make-expr.ts";
import { cast, constant, isConstInt, toExpr } from "../ir/ops.ts";
import { isEqual, isGreaterOrEqual, isLess, isLessOrEqual, isNotEqual, isUnknown, type ArithContext, type CompareResult } from "./context.ts";
import { exprDeepEqual } from "./expr-deep-equal.ts";
import { ScopedMemo } from "./scoped-memo.ts";
import { floorDivInt, floorModInt, gcd, truncDivInt } from "./int-math.ts";
import { anyTypeRules, indexRules, indexVectorRules, logicRules } from "./rules/all-rules.ts";
import { combine, foldBinary, isIndexType } from "./rules/compile-rule.ts";
import { applyRules, RegisterStack, RuleIndex } from "./rules/rule-index.ts";

/** The rules ready to be tried; made once. */
const compiled: { readonly index: RuleIndex; readonly vector: RuleIndex; readonly logic: RuleIndex; readonly any: RuleIndex } = {
  index: new RuleIndex(indexRules),
  vector: new RuleIndex(indexVectorRules),
  logic: new RuleIndex(logicRules),
  any: new RuleIndex(anyTypeRules),
};

/** How many rules may fire on top of each other before the result is left as it is. */
const maxChain = 40;

const yes = toExpr(true);
const no = toExpr(false);

/**
 * Bottom-up rewriting by the rules of `rules/`, with what is known of variables and conditions
 * (upstream's `RewriteSimplifier`). Index arithmetic is taken not to overflow; division by zero is undefined.
 */
export class RewriteSimplifier {
  readonly #ctx: ArithContext;
  readonly #values = new Map<AnyVar, PrimExpr>();
  readonly #stack = new RegisterStack();
  #literals: readonly PrimExpr[] = [];
  readonly #memo = new ScopedMemo<PrimExpr, PrimExpr>();
  #chain = 0;
  /** How often a chain of rules was cut off: never, unless rules undo each other. */
  cutChains = 0;

  constructor(ctx: ArithContext) {
    this.#ctx = ctx;
  }

  bind(v: AnyVar, value: PrimExpr): void {
    this.#values.set(v, value);
  }

  unbind(v: AnyVar): void {
    this.#values.delete(v);
  }

  /** Takes `facts` (already simplified) as true; the result ends that. */
  enter(facts: readonly PrimExpr[]): () => void {
    const before = this.#literals;
    this.#literals = [...before, ...facts];
    return () => {
      this.#literals = before;
    };
  }

  /** Between questions: lets go of most that is remembered. */
  trim(opts: { readonly canGoBack: boolean }): void {
    this.#memo.trim(opts);
  }

  simplify(e: PrimExpr): PrimExpr {
    return this.#visit(e);
  }

  /** What a node with simplified operands becomes. */
  finish(e: PrimExpr): PrimExpr {
    if (isBinary(e)) return this.#binary(e);
    if (e.kind === "tir.Not") return this.#not(e.a, e);
    if (e.kind === "tir.Call") return this.#finishCall(e);
    if (e.kind === "tir.Cast") return foldCast(e, e.value);
    return this.#again(this.#apply(e)) ?? e;
  }

  /** What a variable stands for, if that is known. */
  valueOf(e: AnyVar): PrimExpr {
    return this.#values.get(e) ?? (e.dtype === "bool" ? this.#literal(e) : undefined) ?? e;
  }

  #visit(e: PrimExpr): PrimExpr {
    if (e.kind === "ir.IntImm") return e;
    if (e.kind === "tir.Var") return this.valueOf(e);
    const memo = this.#memo.at(this.#ctx.generation);
    const known = memo.get(e);
    if (known !== undefined) return known;
    const result = this.#compute(e);
    memo.set(e, result);
    if (result !== e && result.kind !== "ir.IntImm") memo.set(result, result);
    return result;
  }

  #compute(e: PrimExpr): PrimExpr {
    switch (e.kind) {
      case "tir.Var":
      case "tir.SizeVar":
        return this.valueOf(e);
      case "tir.Add":
      case "tir.Sub":
      case "tir.Mul":
      case "tir.Div":
      case "tir.Mod":
      case "tir.FloorDiv":
      case "tir.FloorMod":
      case "tir.Min":
      case "tir.Max":
      case "tir.EQ":
      case "tir.NE":
      case "tir.LT":
      case "tir.LE":
      case "tir.GT":
      case "tir.GE": {
        const a = this.#visit(e.a);
        const b = this.#visit(e.b);
        return this.#binary(a === e.a && b === e.b ? e : makeBinary(e.kind, a, b, e.span));
      }
      case "tir.And":
      case "tir.Or":
        return this.#logic(e);
      case "tir.Not":
        return this.#not(this.#visit(e.a), e);
      case "tir.Cast": {
        const value = this.#visit(e.value);
        return value === e.value ? foldCast(e, value) : cast(e.dtype, value);
      }
      case "tir.Select": {
        const c = this.#visit(e.condition);
        if (isConstInt(c)) return this.#visit(c.value === 0 ? e.falseValue : e.trueValue);
        const t = this.#under(c, e.trueValue);
        const f = this.#under(negate(c), e.falseValue);
        if (exprDeepEqual(t, f)) return t;
        const node = c === e.condition && t === e.trueValue && f === e.falseValue ? e : makeSelect(c, t, f, e.span);
        return this.#again(this.#apply(node)) ?? node;
      }
      case "tir.Ramp": {
        const [base, stride] = [this.#visit(e.base), this.#visit(e.stride)];
        const node = base === e.base && stride === e.stride ? e : makeRamp(base, stride, e.lanes, e.span);
        return this.#again(this.#apply(node)) ?? node;
      }
      case "tir.Broadcast": {
        const value = this.#visit(e.value);
        return value === e.value ? e : makeBroadcast(value, e.lanes, e.span);
      }
      case "tir.Let":
        return this.#let(e.bind, this.#visit(e.value), e);
      case "tir.Call":
        return this.#call(e);
      case "tir.BufferLoad":
      case "tir.ProducerLoad":
      case "tir.Shuffle":
      case "tir.Reduce":
        return mapExprChildren(e, (x) => this.#visit(x));
      default:
        return e;
    }
  }

  #let(bind: AnyVar, value: PrimExpr, e: Extract<PrimExpr, { kind: "tir.Let" }>): PrimExpr {
    if (value.kind === "ir.IntImm" || value.kind === "ir.FloatImm" || value.kind === "tir.Var" || value.kind === "tir.SizeVar") {
      const before = this.#values.get(bind);
      this.#values.set(bind, value);
      this.#memo.clear();
      const body = this.#visit(e.body);
      if (before === undefined) this.#values.delete(bind);
      else this.#values.set(bind, before);
      this.#memo.clear();
      return body;
    }
    const body = this.#visit(e.body);
    return value === e.value && body === e.body ? e : makeLet(e.bind, value, body, e.span);
  }

  /** `e` where `cond` holds; nothing is learnt from a condition that is not simple. */
  #under(cond: PrimExpr, e: PrimExpr): PrimExpr {
    return this.#ctx.withConstraint(cond, () => this.#visit(e));
  }

  #literal(e: PrimExpr): PrimExpr | undefined {
    if (this.#literals.length === 0) return undefined;
    const opposite = negate(e);
    for (const fact of this.#literals) {
      if (exprDeepEqual(fact, e)) return yes;
      if (exprDeepEqual(fact, opposite)) return no;
    }
    return undefined;
  }

  #again(e: PrimExpr | undefined): PrimExpr | undefined {
    if (e === undefined) return e;
    if (this.#chain >= maxChain) {
      this.cutChains++;
      return e;
    }
    this.#chain++;
    try {
      return this.#visit(e);
    } finally {
      this.#chain--;
    }
  }

  #apply(e: PrimExpr): PrimExpr | undefined {
    const same = cancelled(e);
    if (same !== undefined) return same;
    if (e.kind === "tir.Select") {
      const any = this.#firstRule(compiled.any, e, e.condition.kind, e.trueValue.kind);
      if (any !== undefined) return any;
    }
    const table = rulesOf(e.dtype);
    if (table === undefined) return undefined;
    if ("a" in e) return this.#firstRule(table, e, e.a.kind, "b" in e ? e.b.kind : "");
    if (e.kind === "tir.Select") return this.#firstRule(table, e, e.condition.kind, e.trueValue.kind);
    return e.kind === "tir.Ramp" ? this.#firstRule(table, e, e.base.kind, e.stride.kind) : undefined;
  }

  #firstRule(table: RuleIndex, e: PrimExpr, first: string, second: string): PrimExpr | undefined {
    return applyRules(table.candidates(e.kind, first, second), e, this.#stack, this.#ctx);
  }

  /** A binary node whose operands are simplified. */
  #binary(e: BinaryExpr): PrimExpr {
    // Only where the inverse is exact (upstream does it always): an ulp would change what is rounded next.
    if (e.kind === "tir.Div" && e.b.kind === "ir.FloatImm" && hasExactInverse(e.b.value)) {
      return this.#binary(makeBinary("tir.Mul", e.a, constant(1 / e.b.value, e.b.dtype), e.span));
    }
    const { kind, a, b } = e;
    const folded = foldBinary(kind, a, b);
    if (folded !== undefined) return folded;
    switch (kind) {
      case "tir.GT":
        return this.#again(makeBinary("tir.LT", b, a)) ?? e;
      case "tir.GE":
        return this.#again(makeBinary("tir.LE", b, a)) ?? e;
      case "tir.LT":
      case "tir.LE":
      case "tir.EQ":
      case "tir.NE":
        return this.#compare(e, kind, a, b);
      case "tir.And":
      case "tir.Or":
        return this.#literal(e) ?? this.#again(this.#apply(e)) ?? e;
      default:
        return this.#again(this.#apply(e)) ?? this.#byBounds(e) ?? e;
    }
  }

  /** What constant bounds and residues say of a quotient, remainder, minimum or maximum. */
  #byBounds(e: BinaryExpr): PrimExpr | undefined {
    if (!isIndexType(e.dtype)) return undefined;
    const { a, b } = e;
    switch (e.kind) {
      case "tir.Min":
      case "tir.Max": {
        const [x, y] = [this.#ctx.constIntBound(a), this.#ctx.constIntBound(b)];
        const [small, large] = e.kind === "tir.Min" ? [a, b] : [b, a];
        if (x.max <= y.min) return small;
        if (y.max <= x.min) return large;
        const known = this.#ctx.compareKnown(a, b);
        if ((known & ~isLessOrEqual) === 0) return small;
        return (known & ~isGreaterOrEqual) === 0 ? large : undefined;
      }
      case "tir.FloorDiv":
      case "tir.Div": {
        if (b.kind !== "ir.IntImm" || typeof b.value !== "number" || b.value <= 0) return undefined;
        const { min, max } = this.#ctx.constIntBound(a);
        if (!Number.isFinite(min) || !Number.isFinite(max)) return undefined;
        const divide = e.kind === "tir.Div" ? truncDivInt : floorDivInt;
        const q = divide(min, b.value);
        return q === divide(max, b.value) ? constant(q, e.dtype) : undefined;
      }
      case "tir.FloorMod":
      case "tir.Mod": {
        if (b.kind !== "ir.IntImm" || typeof b.value !== "number" || b.value <= 0) return undefined;
        const { min, max } = this.#ctx.constIntBound(a);
        if (min >= 0 && max < b.value) return a;
        const { coeff, base } = this.#ctx.modularSet(a);
        if (coeff % b.value === 0 && (e.kind === "tir.FloorMod" || min >= 0)) return constant(floorModInt(base, b.value), e.dtype);
        return undefined;
      }
      default:
        return undefined;
    }
  }

  #compare(e: BinaryExpr, kind: "tir.LT" | "tir.LE" | "tir.EQ" | "tir.NE", a: PrimExpr, b: PrimExpr): PrimExpr {
    const known = this.#literal(e);
    if (known !== undefined) return known;
    let result: CompareResult = isUnknown;
    if (isIndexType(a.dtype)) {
      result = this.#ctx.tryCompare(a, b);
      const decided = this.#decide(kind, result);
      if (decided !== undefined) return decided;
    }
    if (kind === "tir.NE" && (result === isGreaterOrEqual || result === isLessOrEqual)) {
      return this.#again(result === isGreaterOrEqual ? makeBinary("tir.LT", b, a) : makeBinary("tir.LT", a, b)) ?? e;
    }
    if (kind === "tir.EQ") return this.#again(this.#apply(e)) ?? e;
    if (kind === "tir.NE") {
      const eq = makeBinary("tir.EQ", a, b);
      const simpler = this.#again(this.#apply(eq));
      return simpler === undefined ? e : (this.#again(negate(simpler)) ?? e);
    }
    // `a <= b` is the negation of `b < a`.
    const lt = kind === "tir.LT" ? e : makeBinary("tir.LT", b, a);
    const simpler = this.#apply(lt) ?? this.#commonFactor(lt);
    if (simpler === undefined) {
      // What is left of `<=` when one outcome is excluded; last, so that `3 <= 2*x` becomes `2 <= x`.
      if (kind === "tir.LE" && result === isNotEqual) return this.#again(makeBinary("tir.LT", a, b)) ?? e;
      return kind === "tir.LE" && result === isGreaterOrEqual ? (this.#again(makeBinary("tir.EQ", a, b)) ?? e) : e;
    }
    return this.#again(kind === "tir.LT" ? simpler : negate(simpler)) ?? e;
  }

  #decide(kind: BinaryKind, result: CompareResult): PrimExpr | undefined {
    if (result === isUnknown) return undefined;
    const mask = kind === "tir.LT" ? isLess : kind === "tir.LE" ? isLessOrEqual : kind === "tir.EQ" ? isEqual : isNotEqual;
    if ((result & ~mask) === 0) return yes;
    if ((result & mask) === 0) return no;
    return undefined;
  }

  /** Both sides of a comparison divided by what divides both. */
  #commonFactor(e: BinaryExpr): PrimExpr | undefined {
    if (!isIndexType(e.a.dtype) || isConstInt(e.a, 0) || isConstInt(e.b, 0)) return undefined;
    const [x, y] = [this.#ctx.modularSet(e.a), this.#ctx.modularSet(e.b)];
    const factor = gcd(gcd(x.coeff, x.base), gcd(y.coeff, y.base));
    if (factor <= 1) return undefined;
    const by = constant(factor, e.a.dtype);
    const [a, b] = [this.#visit(combine("tir.FloorDiv", e.a, by)), this.#visit(combine("tir.FloorDiv", e.b, by))];
    const gone = (q: PrimExpr, of: PrimExpr): boolean => q.kind !== "tir.FloorDiv" || !exprDeepEqual(q.a, of);
    return gone(a, e.a) && gone(b, e.b) ? makeBinary("tir.LT", a, b) : undefined;
  }

  #not(a: PrimExpr, original?: PrimExpr): PrimExpr {
    if (isConstInt(a)) return a.value === 0 ? yes : no;
    const e = original?.kind === "tir.Not" && original.a === a ? original : makeNot(a);
    return this.#literal(e) ?? this.#again(this.#apply(e)) ?? e;
  }

  #logic(e: Extract<BinaryExpr, { kind: "tir.And" | "tir.Or" }>): PrimExpr {
    let a = this.#visit(e.a);
    let b = this.#visit(e.b);
    if (this.#ctx.extensions.applyConstraintsToBooleanBranches === true && a.dtype === "bool") {
      const assume = (x: PrimExpr): PrimExpr => (e.kind === "tir.And" ? x : negate(x));
      for (let round = 0; round < 2; round++) {
        const [a0, b0] = [a, b];
        if (!isConstInt(b)) a = this.#under(assume(b), a);
        if (!isConstInt(a)) b = this.#under(assume(a), b);
        if (a === a0 && b === b0) break;
      }
    }
    return this.#binary(a === e.a && b === e.b ? e : makeBinary(e.kind, a, b, e.span));
  }

  #call(e: Call): PrimExpr {
    const name = e.op.kind === "ir.Op" ? e.op.name : "";
    if (name === "tir.if_then_else") return this.#ifThenElse(e);
    const args = mapArgs(e.args, (x) => this.#visit(x));
    return this.#finishCall(args === e.args ? e : makeCall(e.dtype, e.op, args, e.span));
  }

  #finishCall(node: Call): PrimExpr {
    const e = node;
    const name = e.op.kind === "ir.Op" ? e.op.name : "";
    const [x, y] = e.args;
    if (name === "tir.likely" && x !== undefined) return isConstInt(x) ? x : (this.#literal(x) ?? node);
    if (x?.kind === "ir.IntImm" && y?.kind === "ir.IntImm" && typeof x.value === "number" && typeof y.value === "number") {
      if (name === "tir.shift_right" && y.value >= 0 && y.value < 31) return constant(floorDivInt(x.value, 2 ** y.value), e.dtype);
      if (name === "tir.shift_left" && y.value >= 0 && y.value < 31 && Math.abs(x.value) < 2 ** 20) {
        return toExprOf(BigInt(x.value) << BigInt(y.value), e);
      }
      if (name === "tir.bitwise_and") return toExprOf(BigInt(x.value) & BigInt(y.value), e);
      if (name === "tir.bitwise_or") return toExprOf(BigInt(x.value) | BigInt(y.value), e);
      if (name === "tir.bitwise_xor") return toExprOf(BigInt(x.value) ^ BigInt(y.value), e);
    }
    if (name === "tir.clz" && x?.kind === "ir.IntImm") {
      const { bits } = parseDType(x.dtype);
      const value = BigInt.asUintN(bits, BigInt(x.value));
      return constant(value === 0n ? bits : bits - value.toString(2).length, e.dtype);
    }
    if (name === "tir.ceil" && x?.kind === "ir.FloatImm") return constant(Math.ceil(x.value), e.dtype);
    if (name === "tir.floor" && x?.kind === "ir.FloatImm") return constant(Math.floor(x.value), e.dtype);
    return node;
  }

  #ifThenElse(e: Call): PrimExpr {
    const [c0, t0, f0] = e.args;
    if (c0 === undefined || t0 === undefined || f0 === undefined) return e;
    const c = this.#visit(c0);
    if (isConstInt(c)) return this.#visit(c.value === 0 ? f0 : t0);
    return this.finishIfThenElse(e, c, this.#under(c, t0), this.#under(negate(c), f0));
  }

  /** `e` with its simplified parts. */
  finishIfThenElse(e: Call, c: PrimExpr, t: PrimExpr, f: PrimExpr): PrimExpr {
    if (isConstInt(c)) return c.value === 0 ? f : t;
    if (exprDeepEqual(t, f)) return t;
    // Nested conditions with one default are one condition.
    if (t.kind === "tir.Call" && t.op.kind === "ir.Op" && t.op.name === "tir.if_then_else") {
      const [inner, value, otherwise] = t.args;
      if (inner !== undefined && value !== undefined && otherwise !== undefined && isConstant(otherwise) && exprDeepEqual(otherwise, f)) {
        return makeCall(e.dtype, e.op, [this.#binary(makeBinary("tir.And", c, inner)), value, f], e.span);
      }
    }
    return c === e.args[0] && t === e.args[1] && f === e.args[2] ? e : makeCall(e.dtype, e.op, [c, t, f], e.span);
  }
}

/** What holds of integers of every width, even where they wrap around: `x - x` is 0, `x == x` true. */
function cancelled(e: PrimExpr): PrimExpr | undefined {
  if (e.kind !== "tir.Sub" && e.kind !== "tir.EQ") return undefined;
  if (isIndexType(e.a.dtype) || !isInteger(e.a.dtype) || !exprDeepEqual(e.a, e.b)) return undefined;
  return e.kind === "tir.Sub" ? constant(0, e.dtype) : constant(true, e.dtype);
}

function isConstant(e: PrimExpr): boolean {
  return e.kind === "ir.IntImm" || e.kind === "ir.FloatImm";
}

function toExprOf(value: bigint, like: PrimExpr): PrimExpr {
  return isFloat(like.dtype) ? like : cast(like.dtype, constant(value, "int64"));
}

/** A conversion whose operand did not change: folded if it folds, else the same node. */
function foldCast(e: PrimExpr, value: PrimExpr): PrimExpr {
  const folded = cast(e.dtype, value);
  return folded.kind === "tir.Cast" ? e : folded;
}

/** The rules for values of a type; none for floats and narrow integers, which may wrap around. */
function rulesOf(dtype: DType): RuleIndex | undefined {
  if (isIndexType(dtype)) return compiled.index;
  if (dtype === "bool") return compiled.logic;
  const scalar = scalarOf(dtype);
  if (scalar === dtype) return undefined;
  return scalar === "bool" ? compiled.logic : isIndexType(scalar) ? compiled.vector : undefined;
}

/** Maps a list; the same list if nothing changed. */
export function mapArgs(args: readonly PrimExpr[], f: (e: PrimExpr) => PrimExpr): readonly PrimExpr[] {
  let out: PrimExpr[] | undefined;
  for (const [i, arg] of args.entries()) {
    const next = f(arg);
    if (next !== arg) (out ??= args.slice())[i] = next;
  }
  return out ?? args;
}

/** Loads and shuffles: their index expressions mapped, buffers left alone. */
export function mapExprChildren<E extends PrimExpr>(e: E, f: (x: PrimExpr) => PrimExpr): PrimExpr {
  if (e.kind === "tir.BufferLoad") {
    const indices = mapArgs(e.indices, f);
    const predicate = e.predicate === undefined ? undefined : f(e.predicate);
    return indices === e.indices && predicate === e.predicate ? e : { ...e, indices, predicate };
  }
  if (e.kind === "tir.ProducerLoad") {
    const indices = mapArgs(e.indices, f);
    return indices === e.indices ? e : { ...e, indices };
  }
  if (e.kind === "tir.Shuffle") {
    const vectors = mapArgs(e.vectors, f);
    return vectors === e.vectors ? e : { ...e, vectors };
  }
  if (e.kind === "tir.Reduce") {
    const [source, init, condition] = [mapArgs(e.source, f), mapArgs(e.init, f), f(e.condition)];
    return source === e.source && init === e.init && condition === e.condition ? e : { ...e, source, init, condition };
  }
  return e;
}

/** The opposite of a condition, as deep as comparisons and `&&`, `||` go (upstream's `NormalizeBooleanOperators(!e)`). */
export function negate(e: PrimExpr): PrimExpr {
  switch (e.kind) {
    case "ir.IntImm":
      return e.value === 0 ? yes : no;
    case "tir.Not":
      return e.a;
    case "tir.LT":
      return isComparable(e) ? makeBinary("tir.LE", e.b, e.a) : makeNot(e);
    case "tir.LE":
      return isComparable(e) ? makeBinary("tir.LT", e.b, e.a) : makeNot(e);
    case "tir.GT":
      return isComparable(e) ? makeBinary("tir.LE", e.a, e.b) : makeNot(e);
    case "tir.GE":
      return isComparable(e) ? makeBinary("tir.LT", e.a, e.b) : makeNot(e);
    case "tir.EQ":
      return makeBinary("tir.NE", e.a, e.b);
    case "tir.NE":
      return makeBinary("tir.EQ", e.a, e.b);
    case "tir.And":
      return makeBinary("tir.Or", negate(e.a), negate(e.b));
    case "tir.Or":
      return makeBinary("tir.And", negate(e.a), negate(e.b));
    default:
      return makeNot(e);
  }
}

/** Order is total on integers; NaN breaks it on floats. */
function isComparable(e: BinaryExpr): boolean {
  return !isFloat(e.a.dtype);
}

/** True for powers of two whose inverse every float type holds. */
function hasExactInverse(value: number): boolean {
  const exponent = Math.log2(Math.abs(value));
  return Number.isInteger(exponent) && Math.abs(exponent) <= 14;
}
