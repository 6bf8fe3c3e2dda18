import { isFloat, isInteger } from "@verticil/runtime-ffi";
import type { AnyVar, BufferLoad, Call, PrimExpr, Range } from "../ir/expr.ts";
import { makeBinary, makeBroadcast, makeRamp } from "../ir/make-expr.ts";
import { mapExprChildren } from "../ir/map-children.ts";
import { add, isConstInt, sub, toExpr } from "../ir/ops.ts";
import { CanonicalSimplifier } from "./canonical-simplifier.ts";
import { boundFacts, ConstIntBoundAnalyzer } from "./const-int-bound.ts";
import {
  isEqual,
  isGreater,
  isGreaterOrEqual,
  isLess,
  isLessOrEqual,
  isNotEqual,
  isUnknown,
  type ArithContext,
  type ArithExtensions,
  type CompareResult,
  type ModularSet,
  type Prover,
} from "./context.ts";
import { exprDeepEqual } from "./expr-deep-equal.ts";
import { simplifyLinear } from "./linear-sum.ts";
import { addBound, makeBound, type IntBound } from "./int-bound.ts";
import { IntSetEvaluator, type SetFact } from "./int-set-evaluator.ts";
import { intervalSet, intSetOfRange, singlePoint, type IntSet } from "./int-set.ts";
import { modularFacts, ModularSetAnalyzer } from "./modular-set.ts";
import { negate, RewriteSimplifier } from "./rewrite-simplifier.ts";
import { foldBinary, isIndexType } from "./rules/compile-rule.ts";
import { ScopedMemo } from "./scoped-memo.ts";
import { TransitiveComparisons } from "./transitive-comparisons.ts";

/** How hard `canProve` tries: `default` simplifies; `symbolicBound` also relaxes variables over their ranges. */
export type ProofStrength = "default" | "symbolicBound";

const yes = toExpr(true);
const no = toExpr(false);
const maxCompareDepth = 6;
/** How many rounds more than asked for an expression may take to settle. */
const maxSettling = 6;
/** How deep index arithmetic is looked at to see that it is that alone. */
const maxPlainDepth = 12;
/** How many conditions, those of branches, one question may take up. */
const maxConditions = 512;
/** How many levels of floats are simplified without remembering what was seen before. */
const maxAtOnce = 4;
const insideScope = { canGoBack: true };
const outsideScopes = { canGoBack: false };

/**
 * What is known about integer expressions: bounds, residues, bindings, conditions in force; and simplification by it
 * (upstream's `arith::Analyzer`). Index arithmetic (int32, int64) is taken not to overflow, division by zero not to
 * happen. One analyzer per function or scope: it has state and is not shared.
 */
export class Analyzer implements ArithContext, Prover {
  readonly extensions: ArithExtensions;
  readonly #bounds: ConstIntBoundAnalyzer;
  readonly #residues: ModularSetAnalyzer;
  readonly #rewriter: RewriteSimplifier;
  readonly #canonical: CanonicalSimplifier;
  readonly #known: TransitiveComparisons;
  readonly #simple = new ScopedMemo<PrimExpr, PrimExpr>();
  readonly #ranges = new Map<AnyVar, Range>();
  readonly #domains = new Map<AnyVar, IntSet>();
  /** The variables of which nothing is known but the range that they were bound to last. */
  readonly #plain = new Map<AnyVar, Range>();
  #setFacts: readonly SetFact[] = [];
  #generation = 0;
  #generations = 0;
  #overridden = 0;
  #compareDepth = 0;
  /** How many questions are being answered inside of each other, and how many conditions the outermost may still take up. */
  #asking = 0;
  #conditionsLeft = 0;
  /** How many conditions are in force. */
  #scopes = 0;

  constructor(opts: { readonly extensions?: ArithExtensions } = {}) {
    this.extensions = opts.extensions ?? {};
    this.#bounds = new ConstIntBoundAnalyzer(this);
    this.#residues = new ModularSetAnalyzer(this);
    this.#rewriter = new RewriteSimplifier(this);
    this.#canonical = new CanonicalSimplifier(this, this.#rewriter);
    this.#known = new TransitiveComparisons(this);
  }

  /** How often a chain of rules was cut off: an internal invariant, 0 unless rules undo each other. */
  get cutChains(): number {
    return this.#rewriter.cutChains;
  }

  get generation(): number {
    return this.#generation;
  }

  /**
   * Says what a variable is: a value, or a range of values.
   * @throws Error if it was bound to something else before; `override` allows that.
   */
  bind(v: AnyVar, to: Range | PrimExpr, opts: { readonly override?: boolean } = {}): void {
    if (to.kind === "tir.Range" && sameConstants(this.#plain.get(v), to)) return;
    this.#plain.delete(v);
    if (opts.override === true) this.#overridden++;
    this.#generation = ++this.#generations;
    if (to.kind === "tir.Range") this.#bindRange(v, to, opts.override === true);
    else this.#bindValue(v, to, opts.override === true);
  }

  #bindRange(v: AnyVar, range: Range, override: boolean): void {
    const before = this.#ranges.get(v);
    if (before !== undefined && !override && !this.#sameRange(before, range)) {
      throw new Error(`The variable \`${v.name}\` is bound to another range already.`);
    }
    this.#ranges.set(v, range);
    this.#domains.delete(v);
    if (isConstInt(range.extent, 1)) {
      this.#bindValue(v, range.min, override);
      return;
    }
    if (override) this.#rewriter.unbind(v);
    const min = this.#bounds.evaluate(range.min);
    const extent = this.#bounds.evaluate(range.extent);
    this.#bounds.bind(v, makeBound(min.min, Math.max(min.min, addBound(min, extent).max - 1)));
    this.#residues.bind(v, { coeff: 1, base: 0 });
    this.#known.bind(v, range);
    this.#plain.set(v, range);
  }

  #sameRange(a: Range, b: Range): boolean {
    return this.canProveEqual(a.min, b.min) && this.canProveEqual(a.extent, b.extent);
  }

  #bindValue(v: AnyVar, value: PrimExpr, override: boolean): void {
    const simple = this.simplify(value);
    if (!override) {
      const before = this.#rewriter.valueOf(v);
      if (before !== v && !exprDeepEqual(before, simple) && !this.canProveEqual(before, simple)) {
        throw new Error(`The variable \`${v.name}\` is bound to another value already.`);
      }
    }
    this.#domains.set(v, singlePoint(simple));
    this.#bounds.bind(v, this.#bounds.evaluate(simple));
    this.#residues.bind(v, this.#residues.evaluate(simple));
    this.#rewriter.bind(v, simple);
    this.#generation = ++this.#generations;
  }

  /** Narrows a variable to a constant range, both ends included, instead of what was known (upstream's `const_int_bound.update`). */
  bindBound(v: AnyVar, bound: IntBound): void {
    this.#plain.delete(v);
    this.#overridden++;
    this.#generation = ++this.#generations;
    this.#bounds.bind(v, bound);
  }

  /** Says that a variable is `coeff * k + base`, instead of what was known. */
  bindModular(v: AnyVar, set: ModularSet): void {
    this.#plain.delete(v);
    this.#overridden++;
    this.#generation = ++this.#generations;
    this.#residues.bind(v, set);
  }

  /** The range that a variable was bound to, if it was. */
  rangeOf(v: AnyVar): Range | undefined {
    return this.#ranges.get(v);
  }

  /** A `bool` condition is taken as true while `f` runs. What is bound meanwhile stays bound. */
  withConstraint<T>(cond: PrimExpr, f: () => T): T {
    // Under each condition what is shared is looked at anew: twice as much for each level of branches.
    if (this.#asking > 0 && this.#conditionsLeft-- <= 0) return f();
    const leave = this.enterConstraint(cond);
    try {
      return f();
    } finally {
      leave();
    }
  }

  /** Takes a condition as true until the result is called; calls must nest. */
  enterConstraint(cond: PrimExpr): () => void {
    const before = this.#generation;
    const overridden = this.#overridden;
    const simple = this.#rewriter.simplify(cond);
    const facts = conjuncts(simple);
    const setFacts = this.#setFacts;
    this.#setFacts = [...setFacts, ...facts.flatMap(factsOfVars)];
    const leaveRewriter = this.#rewriter.enter(facts);
    const bound = (e: PrimExpr): IntBound => this.#bounds.evaluate(e);
    const bounds = boundFacts(simple, bound);
    const leaveBounds = this.#bounds.enter(simple === cond ? bounds : [...boundFacts(cond, bound), ...bounds]);
    const leaveResidues = this.#residues.enter(simple === cond ? modularFacts(simple) : [...modularFacts(cond), ...modularFacts(simple)]);
    const leaveKnown = this.#known.enter(facts);
    const inside = ++this.#generations;
    this.#generation = inside;
    this.#scopes++;
    return () => {
      this.#scopes--;
      leaveKnown();
      leaveResidues();
      leaveBounds();
      leaveRewriter();
      this.#setFacts = setFacts;
      // What was learnt for good inside must not be forgotten by going back to memos made before it.
      this.#generation = this.#generation === inside && this.#overridden === overridden ? before : ++this.#generations;
    };
  }

  /** Constant bounds of an integer expression, both ends included. */
  constIntBound(e: PrimExpr): IntBound {
    return this.#asking > 0 ? this.#bounds.evaluate(e) : this.#ask(() => this.#bounds.evaluate(e));
  }

  /** What residue class the values of an integer expression are in. */
  modularSet(e: PrimExpr): ModularSet {
    return this.#asking > 0 ? this.#residues.evaluate(e) : this.#ask(() => this.#residues.evaluate(e));
  }

  /** Answers a question; what is remembered while it takes is dropped before the next one. */
  #ask<T>(answer: () => T): T {
    if (this.#asking === 0) {
      this.#conditionsLeft = maxConditions;
      const opts = this.#scopes > 0 ? insideScope : outsideScopes;
      this.#bounds.trim(opts);
      this.#residues.trim(opts);
      this.#rewriter.trim(opts);
      this.#canonical.trim(opts);
      this.#simple.trim(opts);
    }
    this.#asking++;
    try {
      return answer();
    } finally {
      this.#asking--;
    }
  }

  /**
   * The interval of an expression's values: relaxed over `domains`, or, without those, over everything that is bound and the
   * conditions in force (upstream's `Analyzer::int_set`).
   */
  intSet(e: PrimExpr, domains?: ReadonlyMap<AnyVar, IntSet>): IntSet {
    const evaluator = domains === undefined ? new IntSetEvaluator(this, this.#allDomains(), this.#setFacts) : new IntSetEvaluator(this, domains);
    return this.#ask(() => evaluator.evaluate(e));
  }

  /** The sets of all that is bound; those of ranges are made when they are asked for. */
  #allDomains(): ReadonlyMap<AnyVar, IntSet> {
    for (const [v, range] of this.#ranges) if (!this.#domains.has(v)) this.#domains.set(v, intSetOfRange(range));
    return this.#domains;
  }

  /** Simplifies by rules alone; one pass. */
  rewriteSimplify(e: PrimExpr): PrimExpr {
    return this.#ask(() => this.#rewriter.simplify(e));
  }

  /** Simplifies through the canonical form alone; one pass. */
  canonicalSimplify(e: PrimExpr): PrimExpr {
    return this.#ask(() => this.#canonical.simplify(e));
  }

  /**
   * An equal expression, simpler if one was found: canonical form, then rules and canonical form in turn until nothing
   * changes, for at least `steps` of them and a few more.
   */
  simplify(e: PrimExpr, steps = 2): PrimExpr {
    if (e.kind === "ir.IntImm" || e.kind === "ir.FloatImm") return e;
    return this.#atOnce(e, maxAtOnce) ?? this.#simple.at(this.#generation).get(e) ?? this.#ask(() => this.#settle(e, steps));
  }

  readonly #valueOf = (v: AnyVar): PrimExpr => this.#rewriter.valueOf(v);

  #settle(e: PrimExpr, steps: number): PrimExpr {
    const out = this.#byBounds(e) ?? this.#settleParts(e) ?? this.#settleWhole(e, steps);
    const memo = this.#simple.at(this.#generation);
    memo.set(e, out);
    if (out !== e) memo.set(out, out);
    return out;
  }

  /** A comparison with a constant that the bounds of the other side decide. */
  #byBounds(e: PrimExpr): PrimExpr | undefined {
    if (e.kind !== "tir.LT" && e.kind !== "tir.LE") return undefined;
    if (!isIndexType(e.a.dtype) || (e.a.kind !== "ir.IntImm" && e.b.kind !== "ir.IntImm")) return undefined;
    const [a, b] = [this.#bounds.evaluate(e.a), this.#bounds.evaluate(e.b)];
    const strict = e.kind === "tir.LT";
    if (strict ? a.max < b.min : a.max <= b.min) return yes;
    return (strict ? a.min >= b.max : a.min > b.max) ? no : undefined;
  }

  /**
   * What takes part in no index arithmetic is simple when its parts are: they settle each by itself, and what they make is
   * looked at once. Undefined for other expressions.
   */
  #settleParts(e: PrimExpr): PrimExpr | undefined {
    const logic = e.kind === "tir.And" || e.kind === "tir.Or";
    if (logic ? this.extensions.applyConstraintsToBooleanBranches === true : !isTransparent(e)) return undefined;
    if (e.kind === "tir.Call" && isIfThenElse(e)) return this.#settleBranches(e);
    const parts = mapExprChildren(e, this.#partSettler);
    const done = this.#rewriter.finish(parts);
    return done === parts ? done : this.simplify(done);
  }

  readonly #partSettler = { expr: (x: PrimExpr): PrimExpr => this.simplify(x) };

  #settleBranches(e: Call): PrimExpr | undefined {
    const [c0, t0, f0] = e.args;
    if (c0 === undefined || t0 === undefined || f0 === undefined) return undefined;
    const c = this.simplify(c0);
    if (c.kind === "ir.IntImm") return this.simplify(c.value === 0 ? f0 : t0);
    const under = (cond: PrimExpr, x: PrimExpr): PrimExpr => (isLeaf(x) ? x : (this.#atOnce(x, maxAtOnce) ?? this.withConstraint(cond, () => this.simplify(x))));
    const [t, f] = [under(c, t0), under(negate(c), f0)];
    const done = this.#rewriter.finishIfThenElse(e, c, t, f);
    const asMade = done === e || (done.kind === "tir.Call" && done.args[0] === c && done.args[1] === t && done.args[2] === f);
    return asMade ? done : this.simplify(done);
  }

  /**
   * What takes neither bounds nor conditions to simplify, most of what lowering meets: sums of scaled variables, contiguous
   * and repeated lanes of them, loads there, and float arithmetic of those, a few levels deep. Undefined for anything else.
   */
  #atOnce(e: PrimExpr, depth: number): PrimExpr | undefined {
    switch (e.kind) {
      case "ir.IntImm":
      case "ir.FloatImm":
        return e;
      case "tir.Add":
      case "tir.Sub":
      case "tir.Mul": {
        if (isIndexType(e.dtype) || !isFloat(e.dtype)) return simplifyLinear(e, this.#valueOf);
        if (depth === 0) return undefined;
        const a = this.#atOnce(e.a, depth - 1);
        const b = a && this.#atOnce(e.b, depth - 1);
        if (a === undefined || b === undefined) return undefined;
        return foldBinary(e.kind, a, b) ?? (a === e.a && b === e.b ? e : makeBinary(e.kind, a, b, e.span));
      }
      case "tir.Ramp": {
        if (e.stride.kind !== "ir.IntImm" || e.stride.value === 0) return undefined;
        const base = this.#atOnce(e.base, depth);
        if (base === undefined || base === e.base) return base && e;
        return makeRamp(base, e.stride, e.lanes, e.span);
      }
      case "tir.Broadcast": {
        if (depth === 0) return undefined;
        const value = this.#atOnce(e.value, depth - 1);
        if (value === undefined || value === e.value) return value && e;
        return makeBroadcast(value, e.lanes, e.span);
      }
      case "tir.BufferLoad":
        return depth === 0 ? undefined : this.#loadAtOnce(e);
      default:
        return simplifyLinear(e, this.#valueOf);
    }
  }

  #loadAtOnce(e: BufferLoad): PrimExpr | undefined {
    if (e.predicate !== undefined) return undefined;
    let indices: PrimExpr[] | undefined;
    for (let i = 0; i < e.indices.length; i++) {
      const before = e.indices[i];
      const after = before && this.#atOnce(before, 0);
      if (after === undefined) return undefined;
      if (after !== before) (indices ??= e.indices.slice())[i] = after;
    }
    if (indices === undefined) return e;
    const { dtype, buffer, predicate, span } = e;
    return { kind: "tir.BufferLoad", dtype, buffer, indices, predicate, span };
  }

  #settleWhole(e: PrimExpr, steps: number): PrimExpr {
    const { regrouped } = this.#canonical;
    const plain = isPlain(e, maxPlainDepth);
    let out = this.#canonical.simplify(e);
    for (let left = steps + maxSettling; left > 0 && out.kind !== "ir.IntImm"; left -= 2) {
      const ruled = this.#rewriter.simplify(out);
      // The canonical form of plain index arithmetic is its own, unless parts of one index were put together or apart.
      if (plain && sameExpr(ruled, out) && this.#canonical.regrouped === regrouped && isPlain(out, maxPlainDepth)) break;
      // Rules and canonical form may order terms differently, each undoing what the other does.
      const next = this.#canonical.simplify(ruled);
      if (sameExpr(next, out)) break;
      out = next;
    }
    return out;
  }

  /** True if the condition holds for all values; false if that was not found out. */
  canProve(cond: PrimExpr, strength: ProofStrength = "default"): boolean {
    if (cond.kind === "ir.IntImm") return cond.value !== 0;
    const simple = this.simplify(cond);
    if (simple.kind === "ir.IntImm") return simple.value !== 0;
    return strength === "symbolicBound" && this.#holdsOfRelaxed(simple);
  }

  /** A comparison as a lower bound of a difference, which is relaxed over the domains of its variables. */
  #holdsOfRelaxed(cond: PrimExpr): boolean {
    if (cond.kind !== "tir.LT" && cond.kind !== "tir.LE" && cond.kind !== "tir.GT" && cond.kind !== "tir.GE") return false;
    if (!isIndexType(cond.a.dtype)) return false;
    const [small, large] = cond.kind === "tir.LT" || cond.kind === "tir.LE" ? [cond.a, cond.b] : [cond.b, cond.a];
    const set = this.intSet(this.simplify(sub(large, small)));
    if (set.tag === "empty" || set.min === undefined) return false;
    return this.constIntBound(this.simplify(set.min)).min >= (cond.kind === "tir.LT" || cond.kind === "tir.GT" ? 1 : 0);
  }

  /** True if both are equal for all values; false if that was not found out, or their types differ. */
  canProveEqual(a: PrimExpr, b: PrimExpr): boolean {
    if (a === b) return true;
    if (a.dtype !== b.dtype) return false;
    if (a.kind === "ir.IntImm" && b.kind === "ir.IntImm") return a.value === b.value;
    if (exprDeepEqual(a, b)) return true;
    if (!isInteger(a.dtype)) return exprDeepEqual(this.simplify(a), this.simplify(b));
    const diff = this.simplify(sub(a, b));
    return isConstInt(diff, 0) || (diff.kind === "tir.Broadcast" && isConstInt(diff.value, 0));
  }

  canProveGreaterEqual(e: PrimExpr, bound: number): boolean {
    if (this.constIntBound(e).min >= bound) return true;
    return this.constIntBound(this.simplify(e)).min >= bound;
  }

  canProveLess(e: PrimExpr, bound: number): boolean {
    if (this.constIntBound(e).max < bound) return true;
    return this.constIntBound(this.simplify(e)).max < bound;
  }

  compareKnown(a: PrimExpr, b: PrimExpr): CompareResult {
    return this.#known.compare(a, b);
  }

  tryCompare(a: PrimExpr, b: PrimExpr): CompareResult {
    if (!isIndexType(a.dtype) || a.dtype !== b.dtype) return isUnknown;
    const apart = compareBounds(this.constIntBound(a), this.constIntBound(b));
    if (apart !== isUnknown && apart !== isLessOrEqual && apart !== isGreaterOrEqual) return apart;
    if (this.#compareDepth >= maxCompareDepth) return apart;
    this.#compareDepth++;
    try {
      let result = apart;
      if (b.kind !== "ir.IntImm") {
        const plain = sub(a, b);
        if (this.extensions.comparisonOfProductAndSum === true) result &= compareZero(this.constIntBound(plain));
        const diff = this.#rewriter.simplify(plain);
        result &= compareZero(this.constIntBound(diff));
        if (result !== isEqual && excludesZero(this.modularSet(diff))) result &= isNotEqual;
      } else if (typeof b.value === "number" && excludes(this.modularSet(a), b.value)) result &= isNotEqual;
      if (result === isEqual || result === isLess || result === isGreater || result === 0) return result;
      return result & this.compareKnown(a, b);
    } finally {
      this.#compareDepth--;
    }
  }
}

/** True for loads, calls, and arithmetic of floats, which no rule takes apart or orders. */
function isTransparent(e: PrimExpr): boolean {
  switch (e.kind) {
    case "tir.BufferLoad":
    case "tir.Ramp":
    case "tir.Broadcast":
      return true;
    case "tir.Call":
      return e.op.kind === "ir.Op" && e.op.name !== "tir.likely";
    case "tir.Add":
    case "tir.Sub":
    case "tir.Mul":
    case "tir.Div":
    case "tir.Min":
    case "tir.Max":
      return isFloat(e.dtype);
    case "tir.Cast":
      return isFloat(e.dtype) && isFloat(e.value.dtype);
    default:
      return false;
  }
}

function isIfThenElse(e: Call): boolean {
  return e.op.kind === "ir.Op" && e.op.name === "tir.if_then_else";
}

/** True for what knowledge cannot change. */
function isLeaf(e: PrimExpr): boolean {
  return e.kind === "ir.IntImm" || e.kind === "ir.FloatImm" || e.kind === "tir.StringImm";
}

/** True for sums, and products, quotients and remainders by positive constants, a few levels deep. */
function isPlain(e: PrimExpr, depth: number): boolean {
  switch (e.kind) {
    case "ir.IntImm":
      return e.value > 0;
    case "tir.Var":
    case "tir.SizeVar":
      return true;
    case "tir.Add":
    case "tir.Sub":
      return depth > 0 && isIndexType(e.dtype) && isPlain(e.a, depth - 1) && isPlain(e.b, depth - 1);
    case "tir.Mul":
    case "tir.FloorDiv":
    case "tir.FloorMod":
      return depth > 0 && e.b.kind === "ir.IntImm" && e.b.value > 0 && isIndexType(e.dtype) && isPlain(e.a, depth - 1);
    default:
      return false;
  }
}

/** True for the same range between constants. */
function sameConstants(a: Range | undefined, b: Range): boolean {
  return a !== undefined && sameConstant(a.min, b.min) && sameConstant(a.extent, b.extent);
}

function sameConstant(a: PrimExpr, b: PrimExpr): boolean {
  return a.kind === "ir.IntImm" && exprDeepEqual(a, b);
}

function sameExpr(a: PrimExpr, b: PrimExpr): boolean {
  return a === b || exprDeepEqual(a, b);
}

function excludesZero({ base }: ModularSet): boolean {
  return base !== 0;
}

/** True if a number is not in a residue class. */
function excludes({ coeff, base }: ModularSet, value: number): boolean {
  return coeff === 0 ? value !== base : (value - base) % coeff !== 0;
}

function compareZero(x: IntBound): CompareResult {
  return compareBounds(x, { min: 0, max: 0 });
}

function compareBounds(a: IntBound, b: IntBound): CompareResult {
  let result = isUnknown;
  if (a.min > b.max) result = isGreater;
  else if (a.max < b.min) result = isLess;
  else if (a.min === a.max && b.min === b.max && a.min === b.min && Number.isFinite(a.min)) result = isEqual;
  else if (a.min >= b.max && Number.isFinite(a.min)) result = isGreaterOrEqual;
  else if (a.max <= b.min && Number.isFinite(a.max)) result = isLessOrEqual;
  return result;
}

/** What a comparison with a variable alone on one side says of that variable. */
function factsOfVars(cond: PrimExpr): SetFact[] {
  if (!("b" in cond) || !isIndexType(cond.a.dtype)) return [];
  const [small, large] = cond.kind === "tir.GT" || cond.kind === "tir.GE" ? [cond.b, cond.a] : [cond.a, cond.b];
  const facts: SetFact[] = [];
  const isVar = (e: PrimExpr): e is AnyVar => e.kind === "tir.Var" || e.kind === "tir.SizeVar";
  switch (cond.kind) {
    case "tir.EQ":
      if (isVar(small)) facts.push({ v: small, set: singlePoint(large) });
      if (isVar(large)) facts.push({ v: large, set: singlePoint(small) });
      return facts;
    case "tir.LT":
    case "tir.GT":
      if (isVar(small)) facts.push({ v: small, set: intervalSet(undefined, sub(large, 1)) });
      if (isVar(large)) facts.push({ v: large, set: intervalSet(add(small, 1), undefined) });
      return facts;
    case "tir.LE":
    case "tir.GE":
      if (isVar(small)) facts.push({ v: small, set: intervalSet(undefined, large) });
      if (isVar(large)) facts.push({ v: large, set: intervalSet(small, undefined) });
      return facts;
    default:
      return facts;
  }
}

/** The parts of a condition that each hold where it does. */
export function conjuncts(cond: PrimExpr): PrimExpr[] {
  if (cond.kind === "tir.And") return [...conjuncts(cond.a), ...conjuncts(cond.b)];
  if (cond.kind === "tir.Call" && cond.op.kind === "ir.Op" && cond.op.name === "tir.likely" && cond.args[0] !== undefined) return conjuncts(cond.args[0]);
  return cond.kind === "ir.IntImm" ? [] : [cond];
}
