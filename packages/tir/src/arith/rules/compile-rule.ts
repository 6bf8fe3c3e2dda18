import { makeIntImm } from "@verticil/ir-core";
import { at } from "@verticil/ir-core";
import { parseDType, scalarOf, type DType } from "@verticil/runtime-ffi";
import type { BinaryKind, PrimExpr } from "../../ir/expr.ts";
import { foldArith, foldCompare } from "../../ir/fold-constants.ts";
import { makeBinary, makeBroadcast, makeNot, makeRamp, makeSelect } from "../../ir/make-expr.ts";
import type { ArithContext } from "../context.ts";
import { isEqual, isGreater, isGreaterOrEqual, isLess, isLessOrEqual, isNotEqual } from "../context.ts";
import { exprDeepEqual } from "../expr-deep-equal.ts";
import { boundOfDType } from "../int-bound.ts";
import { floorDivInt, floorModInt, gcd, truncDivInt } from "../int-math.ts";
import { commutations, isConstantTerm, parseTerm, termText, type RuleOp, type RuleTerm } from "./rule-term.ts";
import type { RuleRow } from "./rule.ts";

/** What a pattern has bound so far: expressions and numbers by slot. Reused from rule to rule. */
export interface Registers {
  readonly exprs: PrimExpr[];
  readonly numbers: number[];
  /** Set by `build` when a constant would leave its type's range: the rule does not apply. */
  failed: boolean;
}

/** A rule ready to be tried. */
export interface CompiledRule {
  readonly row: RuleRow;
  /** The kind of the node it looks for, and of that node's operands where the pattern says. */
  readonly root: PrimExpr["kind"];
  readonly first: PrimExpr["kind"] | undefined;
  readonly second: PrimExpr["kind"] | undefined;
  readonly matches: (e: PrimExpr, r: Registers) => boolean;
  readonly holds: ((r: Registers, ctx: ArithContext) => boolean) | undefined;
  /** True if `holds` asks the analyzer, and so may come back here with the registers. */
  readonly asks: boolean;
  readonly build: (r: Registers, dtype: DType) => PrimExpr;
}

const kindOf: Partial<Record<RuleOp, PrimExpr["kind"]>> = {
  "+": "tir.Add",
  "-": "tir.Sub",
  "*": "tir.Mul",
  "//": "tir.FloorDiv",
  "%": "tir.FloorMod",
  div: "tir.Div",
  mod: "tir.Mod",
  min: "tir.Min",
  max: "tir.Max",
  "==": "tir.EQ",
  "!=": "tir.NE",
  "<": "tir.LT",
  "<=": "tir.LE",
  ">": "tir.GT",
  ">=": "tir.GE",
  "&&": "tir.And",
  "||": "tir.Or",
  "!": "tir.Not",
  select: "tir.Select",
  ramp: "tir.Ramp",
  broadcast: "tir.Broadcast",
};

const comparisons: ReadonlySet<RuleOp> = new Set<RuleOp>(["==", "!=", "<", "<=", ">", ">="]);

/** A row and its commuted forms, compiled; forms that differ only in names are made once. */
export function compileRow(row: RuleRow): CompiledRule[] {
  const from = parseTerm(row.from);
  const to = parseTerm(row.to);
  const when = row.when === undefined ? undefined : parseTerm(row.when);
  const seen = new Set<string>();
  const out: CompiledRule[] = [];
  for (const form of row.commute ? commutations(from) : [from]) {
    const names = new Map<string, string>();
    const rename = (name: string): string => {
      if (!names.has(name)) names.set(name, `${name[0] === "c" || name[0] === "n" ? name[0] : "v"}${names.size}`);
      return names.get(name) ?? name;
    };
    // Without a condition only the pattern matters: a rule with the same pattern has fired already.
    const key = termText(form, rename) + (when === undefined ? "" : ` when ${termText(when, rename)} ${termText(to, rename)}`);
    if (seen.has(key)) continue;
    seen.add(key);
    out.push(compileForm(row, form, !row.follow || termText(form) === termText(from) ? to : inOrderOf(form, to), when));
  }
  return out;
}

/**
 * The result with the operands of sums, minima and maxima in the order in which the pattern last mentions them, so that
 * exchanged operands stay exchanged.
 */
function inOrderOf(form: RuleTerm, to: RuleTerm): RuleTerm {
  const places = new Map<string, number>();
  let next = 0;
  const collect = (t: RuleTerm): void => {
    if (t.tag === "var") places.set(t.name, next++);
    else if (t.tag === "op") t.args.forEach(collect);
  };
  collect(form);
  const placeOf = (t: RuleTerm): number => {
    if (t.tag === "var") return places.get(t.name) ?? 0;
    return t.tag === "op" ? Math.min(...t.args.map(placeOf)) : Infinity;
  };
  const order = (t: RuleTerm): RuleTerm => {
    if (t.tag !== "op") return t;
    const args = t.args.map(order);
    const [a, b] = args;
    if ((t.op === "+" || t.op === "min" || t.op === "max") && a !== undefined && b !== undefined) {
      if (!isConstantTerm(a) && !isConstantTerm(b) && placeOf(b) < placeOf(a)) return { ...t, args: [b, a] };
    }
    return { ...t, args };
  };
  return order(to);
}

function compileForm(row: RuleRow, from: RuleTerm, to: RuleTerm, when: RuleTerm | undefined): CompiledRule {
  const slots = new Map<string, number>();
  if (from.tag !== "op") throw new Error(`internal: rule \`${row.from}\` matches everything`);
  const matches = compilePattern(from, slots);
  const kind = (t: RuleTerm | undefined): PrimExpr["kind"] | undefined =>
    t === undefined || t.tag === "var" || t.tag === "lanes" || t.tag === "bool" ? undefined : t.tag === "op" ? kindOf[t.op] : "ir.IntImm";
  const asks = when !== undefined && !isConstantTerm(when);
  return {
    row,
    root: kindOf[from.op] ?? fail(row.from),
    first: kind(from.args[0]),
    second: kind(from.args[1]),
    matches,
    holds: when === undefined ? undefined : compileCondition(when, slots),
    asks,
    build: compileBuild(to, slots),
  };
}

function fail(text: string): never {
  throw new Error(`internal: rule \`${text}\` cannot be compiled`);
}

type Matcher = (e: PrimExpr, r: Registers) => boolean;

function compilePattern(t: RuleTerm, slots: Map<string, number>): Matcher {
  switch (t.tag) {
    case "number": {
      const { value } = t;
      return (e) => e.kind === "ir.IntImm" && e.value === value;
    }
    case "bool":
      return fail(String(t.value));
    case "var": {
      const known = slots.get(t.name);
      if (known !== undefined) return (e, r) => exprDeepEqual(at(r.exprs, known), e);
      const slot = newSlot(t.name, slots);
      const accepts = acceptedBy(t.name);
      return (e, r) => {
        r.exprs[slot] = e;
        return accepts(e);
      };
    }
    case "const": {
      const known = slots.get(t.name);
      if (known !== undefined) return (e, r) => e.kind === "ir.IntImm" && e.value === r.numbers[known];
      const slot = newSlot(t.name, slots);
      return (e, r) => {
        if (e.kind !== "ir.IntImm" || typeof e.value !== "number") return false;
        r.numbers[slot] = e.value;
        return true;
      };
    }
    case "lanes":
      return fail(t.name);
    case "op":
      return compileOpPattern(t.op, t.args, slots);
  }
}

/** What a name stands for, by its first letter. */
function acceptedBy(name: string): (e: PrimExpr) => boolean {
  if (name.startsWith("t")) return (e) => e.kind !== "ir.IntImm";
  if (name.startsWith("p")) return (e) => e.kind !== "tir.Min" && e.kind !== "tir.Max";
  return () => true;
}

function newSlot(name: string, slots: Map<string, number>): number {
  const slot = slots.size;
  slots.set(name, slot);
  return slot;
}

function compileOpPattern(op: RuleOp, args: readonly RuleTerm[], slots: Map<string, number>): Matcher {
  const kind = kindOf[op] ?? fail(op);
  const first = at(args, 0);
  if (op === "ramp" || op === "broadcast") return compileVectorPattern(op, args, slots);
  if (op === "!") {
    const m = compilePattern(first, slots);
    return (e, r) => e.kind === "tir.Not" && m(e.a, r);
  }
  if (op === "select") {
    const [c, t, f] = [compilePattern(first, slots), compilePattern(at(args, 1), slots), compilePattern(at(args, 2), slots)];
    return (e, r) => e.kind === "tir.Select" && c(e.condition, r) && t(e.trueValue, r) && f(e.falseValue, r);
  }
  const a = compilePattern(first, slots);
  const b = compilePattern(at(args, 1), slots);
  if (comparisons.has(op)) {
    const vector = args.some((t) => t.tag === "op" && (t.op === "ramp" || t.op === "broadcast"));
    return (e, r) => e.kind === kind && "a" in e && "b" in e && isIndexType(vector ? scalarOf(e.a.dtype) : e.a.dtype) && a(e.a, r) && b(e.b, r);
  }
  return (e, r) => e.kind === kind && "a" in e && "b" in e && a(e.a, r) && b(e.b, r);
}

function compileVectorPattern(op: "ramp" | "broadcast", args: readonly RuleTerm[], slots: Map<string, number>): Matcher {
  const value = compilePattern(at(args, 0), slots);
  const stride = op === "ramp" ? compilePattern(at(args, 1), slots) : undefined;
  const lanesTerm = at(args, op === "ramp" ? 2 : 1);
  if (lanesTerm.tag !== "lanes") return fail(op);
  const known = slots.get(lanesTerm.name);
  const slot = known ?? newSlot(lanesTerm.name, slots);
  const lanes = (n: number, r: Registers): boolean => {
    // What the rules say of a number of lanes holds for one that is known.
    if (n < 1) return false;
    if (known !== undefined) return r.numbers[slot] === n;
    r.numbers[slot] = n;
    return true;
  };
  if (stride === undefined) return (e, r) => e.kind === "tir.Broadcast" && value(e.value, r) && lanes(e.lanes, r);
  return (e, r) => e.kind === "tir.Ramp" && value(e.base, r) && stride(e.stride, r) && lanes(e.lanes, r);
}

/** The types that index arithmetic is done in, where overflow is taken not to happen. */
export function isIndexType(dtype: DType): boolean {
  return dtype === "int32" || dtype === "int64";
}

type Compute = (r: Registers) => number;

/** A constant term's value; truth is 1. */
function compileNumber(t: RuleTerm, slots: ReadonlyMap<string, number>): Compute {
  switch (t.tag) {
    case "number":
      return () => t.value;
    case "bool":
      return () => Number(t.value);
    case "const":
    case "lanes": {
      const slot = slots.get(t.name) ?? fail(t.name);
      return (r) => at(r.numbers, slot);
    }
    case "var":
      return fail(t.name);
    case "op": {
      const x = compileNumber(at(t.args, 0), slots);
      const second = t.args[1];
      if (t.op === "!") return (r) => Number(x(r) === 0);
      if (t.op === "abs") return (r) => Math.abs(x(r));
      const y = second === undefined ? fail(t.op) : compileNumber(second, slots);
      if (t.op === "&&") return (r) => (x(r) !== 0 ? y(r) : 0);
      if (t.op === "||") return (r) => (x(r) !== 0 ? 1 : y(r));
      const f = numberOp(t.op);
      return (r) => f(x(r), y(r));
    }
  }
}

/** What the operators mean on plain numbers. Dividing by zero gives NaN, of which nothing is true. */
export function numberOp(op: RuleOp): (a: number, b: number) => number {
  switch (op) {
    case "+":
      return (a, b) => a + b;
    case "-":
      return (a, b) => a - b;
    case "*":
      return (a, b) => a * b;
    case "//":
      return (a, b) => (b === 0 ? NaN : floorDivInt(a, b));
    case "%":
      return (a, b) => (b === 0 ? NaN : floorModInt(a, b));
    case "div":
      return (a, b) => (b === 0 ? NaN : truncDivInt(a, b));
    case "mod":
      return (a, b) => (b === 0 ? NaN : (a % b) + 0);
    case "min":
      return Math.min;
    case "max":
      return Math.max;
    case "gcd":
      return gcd;
    case "==":
      return (a, b) => Number(a === b);
    case "!=":
      return (a, b) => Number(a !== b);
    case "<":
      return (a, b) => Number(a < b);
    case "<=":
      return (a, b) => Number(a <= b);
    case ">":
      return (a, b) => Number(a > b);
    case ">=":
      return (a, b) => Number(a >= b);
    default:
      return fail(op);
  }
}

type Condition = (r: Registers, ctx: ArithContext) => boolean;

const wanted: Partial<Record<RuleOp, number>> = {
  "==": isEqual,
  "!=": isNotEqual,
  "<": isLess,
  "<=": isLessOrEqual,
  ">": isGreater,
  ">=": isGreaterOrEqual,
};

function compileCondition(t: RuleTerm, slots: ReadonlyMap<string, number>): Condition {
  if (isConstantTerm(t)) {
    const compute = compileNumber(t, slots);
    return (r) => compute(r) === 1;
  }
  if (t.tag !== "op") return fail(termText(t));
  const [x, y] = t.args;
  if (x === undefined || y === undefined) return fail(t.op);
  if (t.op === "&&" || t.op === "||") {
    const [p, q] = [compileCondition(x, slots), compileCondition(y, slots)];
    return t.op === "&&" ? (r, ctx) => p(r, ctx) && q(r, ctx) : (r, ctx) => p(r, ctx) || q(r, ctx);
  }
  const outcome = wanted[t.op] ?? fail(t.op);
  const [left, right] = operands(x, y, slots);
  return (r, ctx) => {
    r.failed = false;
    const [a, b] = [left(r, "int32"), right(r, "int32")];
    return !r.failed && (ctx.tryCompare(a, b) & ~outcome) === 0;
  };
}

type Builder = (r: Registers, dtype: DType) => PrimExpr;

/** The two sides of an operator: a constant one takes the type of the other. */
function operands(x: RuleTerm, y: RuleTerm, slots: ReadonlyMap<string, number>): readonly [Builder, Builder] {
  const [left, right] = [compileBuild(x, slots), compileBuild(y, slots)];
  if (isConstantTerm(x) && !isConstantTerm(y)) return [(r, dtype) => left(r, right(r, dtype).dtype), right];
  if (isConstantTerm(y) && !isConstantTerm(x)) return [left, (r, dtype) => right(r, left(r, dtype).dtype)];
  return [left, right];
}

function compileBuild(t: RuleTerm, slots: ReadonlyMap<string, number>): Builder {
  if (isConstantTerm(t)) {
    const compute = compileNumber(t, slots);
    const truth = t.tag === "bool" || (t.tag === "op" && (comparisons.has(t.op) || t.op === "&&" || t.op === "||" || t.op === "!"));
    return (r, dtype) => constantOf(compute(r), truth ? "bool" : dtype, r);
  }
  if (t.tag === "var") {
    const slot = slots.get(t.name) ?? fail(t.name);
    return (r) => at(r.exprs, slot);
  }
  if (t.tag !== "op") return fail(termText(t));
  const first = at(t.args, 0);
  if (t.op === "!") {
    const a = compileBuild(first, slots);
    return (r, dtype) => makeNot(a(r, dtype));
  }
  if (t.op === "select") {
    const c = compileBuild(first, slots);
    const [x, y] = operands(at(t.args, 1), at(t.args, 2), slots);
    return (r, dtype) => makeSelect(c(r, "bool"), x(r, dtype), y(r, dtype));
  }
  if (t.op === "ramp") {
    const [base, stride] = operands(first, at(t.args, 1), slots);
    const lanes = compileNumber(at(t.args, 2), slots);
    return (r, dtype) => {
      const { scalar } = parseDType(dtype);
      return makeRamp(base(r, scalar), stride(r, scalar), lanes(r));
    };
  }
  if (t.op === "broadcast") {
    const value = compileBuild(first, slots);
    const lanes = compileNumber(at(t.args, 1), slots);
    return (r, dtype) => makeBroadcast(value(r, parseDType(dtype).scalar), lanes(r));
  }
  const kind = kindOf[t.op];
  if (kind === undefined || !isBinaryKind(kind)) return fail(t.op);
  // Built once each: a constant side needs the other's type first.
  const [x, y] = [compileBuild(first, slots), compileBuild(at(t.args, 1), slots)];
  if (isConstantTerm(first)) {
    return (r, dtype) => {
      const b = y(r, dtype);
      return combine(kind, x(r, b.dtype), b);
    };
  }
  return (r, dtype) => {
    const a = x(r, dtype);
    return combine(kind, a, y(r, a.dtype));
  };
}

function isBinaryKind(kind: PrimExpr["kind"]): kind is BinaryKind {
  return kind !== "tir.Not" && kind !== "tir.Select" && kind !== "tir.Ramp" && kind !== "tir.Broadcast";
}

function constantOf(value: number, dtype: DType, r: Registers): PrimExpr {
  const { code, lanes, scalar } = parseDType(dtype);
  const bound = boundOfDType(scalar);
  if (!Number.isSafeInteger(value) || (code === "int" && (value < bound.min || value > bound.max))) {
    r.failed = true;
    return makeIntImm(0, dtype);
  }
  const imm = makeIntImm(value, scalar);
  return lanes === 1 ? imm : makeBroadcast(imm, lanes);
}

/** A binary node with constants and identities folded. */
export function combine(kind: BinaryKind, a: PrimExpr, b: PrimExpr): PrimExpr {
  return foldBinary(kind, a, b) ?? makeBinary(kind, a, b);
}

/** What a binary node with constant or neutral operands is; undefined if it is not folded. */
export function foldBinary(kind: BinaryKind, a: PrimExpr, b: PrimExpr): PrimExpr | undefined {
  switch (kind) {
    case "tir.EQ":
    case "tir.NE":
    case "tir.LT":
    case "tir.LE":
    case "tir.GT":
    case "tir.GE":
      return foldCompare(kind, a, b);
    case "tir.And":
      if (a.kind === "ir.IntImm") return a.value === 0 ? a : b;
      return b.kind === "ir.IntImm" ? (b.value === 0 ? b : a) : undefined;
    case "tir.Or":
      if (a.kind === "ir.IntImm") return a.value === 0 ? b : a;
      return b.kind === "ir.IntImm" ? (b.value === 0 ? a : b) : undefined;
    default:
      return foldArith(kind, a, b);
  }
}
