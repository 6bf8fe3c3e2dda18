import { makeIntImm } from "@verticil/ir-core";
import { isFloat, isInteger, type DType } from "@verticil/runtime-ffi";
import * as tir from "@verticil/tir";
import { Analyzer, exprDeepEqual, normalizeIterMapToExpr, type AnyVar, type ArithExtensions, type IntSet, type IterMapLevel, type IterMark, type IterSplit, type IterSum, type PrimExpr, type Range } from "@verticil/tir";
import type { PyHost } from "./py-scope.ts";
import { exceptions, PyClass, PyDict, PyError, PyFloat, PyModule, PyTuple, raise, Unread, unreadable, type HostFunction, type Value } from "./py-values.ts";

// Upstream's names over ours: what its arithmetic tests call.

/** `a == b` of expressions: a comparison, or the answer to whether they are the same object. */
class EqualOp {
  readonly kind: "tir.EQ" | "tir.NE";
  readonly a: PrimExpr;
  readonly b: PrimExpr;
  constructor(kind: "tir.EQ" | "tir.NE", a: PrimExpr, b: PrimExpr) {
    this.kind = kind;
    this.a = a;
    this.b = b;
  }
  expr(): PrimExpr {
    return this.kind === "tir.EQ" ? tir.eq(this.a, this.b) : tir.ne(this.a, this.b);
  }
}

/** A class of the host: may be called, asked for attributes, and tested with `isinstance`. */
class HostClass {
  readonly name: string;
  readonly isInstance: (v: Value) => boolean;
  readonly make: HostFunction;
  readonly statics: ReadonlyMap<string, Value>;
  constructor(name: string, isInstance: (v: Value) => boolean, make: HostFunction, statics: Record<string, Value> = {}) {
    this.name = name;
    this.isInstance = isInstance;
    this.make = make;
    this.statics = new Map(Object.entries(statics));
  }
}

/** An object of the host, with its attributes. */
class HostObject {
  readonly attrs: Record<string, Value>;
  constructor(attrs: Record<string, Value>) {
    this.attrs = attrs;
  }
}

class HostAnalyzer {
  readonly analyzer: Analyzer;
  constructor(extensions: ArithExtensions = {}) {
    this.analyzer = new Analyzer({ extensions });
  }
}

const posInf = tir.makeVar("pos_inf", "handle");
const negInf = tir.makeVar("neg_inf", "handle");
const int64Max = 2n ** 63n - 1n;

function isExpr(v: Value): v is PrimExpr {
  return typeof v === "object" && v !== null && "kind" in v && "dtype" in v && typeof v.kind === "string" && (v.kind.startsWith("tir.") || v.kind.startsWith("ir.")) && v.kind !== "tir.Buffer";
}

function plain(v: Value): boolean {
  return typeof v === "number" || typeof v === "bigint" || typeof v === "boolean" || v instanceof PyFloat;
}

/** A value as an expression; a plain number takes the type of its neighbour. */
function toExpr(v: Value, like?: DType): PrimExpr {
  if (isExpr(v)) return v;
  if (v instanceof EqualOp) return v.expr();
  if (typeof v === "boolean") return makeIntImm(v ? 1 : 0, like ?? "bool");
  if (typeof v === "number" || typeof v === "bigint") return tir.constant(v, like ?? "int32");
  if (v instanceof PyFloat) return tir.constant(v.value, like !== undefined && isFloat(like) ? like : "float32");
  return unreadable("this as an expression");
}

/** Two operands in one type, as upstream's operators take them. */
function operands(a: Value, b: Value): readonly [PrimExpr, PrimExpr] {
  const x = isExpr(a) || a instanceof EqualOp ? toExpr(a) : undefined;
  const y = isExpr(b) || b instanceof EqualOp ? toExpr(b) : undefined;
  const scalar = (dtype: DType): DType => dtype.replace(/x\d+$/, "") as DType;
  return tir.matchTypes(x ?? toExpr(a, y && numberType(a, scalar(y.dtype))), y ?? toExpr(b, x && numberType(b, scalar(x.dtype))));
}

function numberType(v: Value, like: DType): DType | undefined {
  if (like === "bool" && typeof v !== "boolean") return "int32";
  return v instanceof PyFloat && !isFloat(like) ? "float32" : like;
}

function str(v: Value): string {
  return typeof v === "string" ? v : unreadable("a name");
}

/** `ramp` and `broadcast` count their lanes with constants. */
function lanes(v: Value): number {
  if (typeof v === "number") return v;
  return isExpr(v) && v.kind === "ir.IntImm" ? Number(v.value) : unreadable("lanes that are no constant: scalable vectors");
}

function arg(args: readonly Value[], kwargs: ReadonlyMap<string, Value>, i: number, name: string, otherwise?: Value): Value {
  return args[i] ?? kwargs.get(name) ?? otherwise;
}

function binary(kind: Parameters<typeof tir.makeBinary>[0]): HostClass {
  return new HostClass(
    kind,
    (v) => isExpr(v) && v.kind === kind,
    ([a, b]) => {
      const [x, y] = operands(a, b);
      return tir.makeBinary(kind, x, y);
    },
  );
}

const binaryKinds = ["Add", "Sub", "Mul", "Div", "Mod", "FloorDiv", "FloorMod", "Min", "Max", "EQ", "NE", "LT", "LE", "GT", "GE", "And", "Or"] as const;

function op2(f: (a: PrimExpr, b: PrimExpr) => PrimExpr): HostFunction {
  return ([a, b]) => {
    const [x, y] = operands(a, b);
    return f(x, y);
  };
}

function dtypeArg(v: Value, otherwise: DType): DType {
  return v === undefined || v === null ? otherwise : dtypeOf(v);
}

/** Upstream's truth values are integers of one bit. */
function dtypeOf(v: Value): DType {
  return str(v).replace(/^uint1(x\d+)?$/, "bool$1") as DType;
}

const makeVariable: HostFunction = (args, kwargs) => tir.makeVar(str(arg(args, kwargs, 0, "name", "tindex")), dtypeArg(arg(args, kwargs, 1, "dtype"), "int32"));
const makeSize: HostFunction = (args, kwargs) => tir.makeSizeVar(str(arg(args, kwargs, 0, "name", "size")), dtypeArg(arg(args, kwargs, 1, "dtype"), "int32"));

const makeConst: HostFunction = ([value, dtype]) => {
  if (typeof dtype === "string") {
    if (value instanceof PyFloat && isInteger(dtype as DType)) return tir.constant(Math.trunc(value.value), dtype as DType);
    return tir.constant(value instanceof PyFloat ? value.value : (value as number | bigint | boolean), dtype as DType);
  }
  return toExpr(value);
};

function foldAll(f: (a: PrimExpr, b: PrimExpr) => PrimExpr): HostFunction {
  return (args) => args.map((a) => toExpr(a)).reduce((acc, c) => f(acc, c));
}

/** `Range(end)`, `Range(begin, end)`. */
const makeRange: HostFunction = (args, kwargs) => {
  const [first, second] = [arg(args, kwargs, 0, "begin"), arg(args, kwargs, 1, "end")];
  const [begin, end] = second === undefined || second === null ? [0, first] : [first, second];
  const [b, e] = operandsOf(begin, end);
  return tir.makeRange(b, tir.isConstInt(b, 0) ? e : tir.sub(e, b));
};

function operandsOf(a: Value, b: Value): readonly [PrimExpr, PrimExpr] {
  if (plain(a) && plain(b)) return [toExpr(a), toExpr(b)];
  return operands(a, b);
}

function rangeOf(v: Value): Range {
  if (typeof v === "object" && v !== null && "kind" in v && v.kind === "tir.Range") return v as Range;
  if (v instanceof PyTuple) return makeRange(v.items, new Map()) as Range;
  return unreadable("this as a range");
}

function isVar(v: Value): v is AnyVar {
  return isExpr(v) && (v.kind === "tir.Var" || v.kind === "tir.SizeVar");
}

function domains(v: Value): Map<AnyVar, Range> {
  if (!(v instanceof PyDict)) return unreadable("domains");
  return new Map(v.entries().map(([k, r]) => [isVar(k) ? k : unreadable("a domain"), rangeOf(r)] as const));
}

function variables(v: Value): readonly AnyVar[] {
  return items(v).map((x) => (isVar(x) ? x : unreadable("a variable")));
}

function isSet(v: Value): v is IntSet {
  return typeof v === "object" && v !== null && "tag" in v && (v.tag === "interval" || v.tag === "empty");
}

function setOf(v: Value): IntSet {
  return isSet(v) ? v : unreadable("this as a set");
}

function sets(v: Value): Map<AnyVar, IntSet> {
  if (v === undefined || v === null) return new Map();
  if (!(v instanceof PyDict)) return unreadable("sets");
  return new Map(v.entries().map(([k, s]) => [isVar(k) ? k : unreadable("a set"), setOf(s)] as const));
}

function end(v: Value): PrimExpr | undefined {
  const e = toExpr(v);
  return e === posInf || e === negInf ? undefined : e;
}

const makeInterval: HostFunction = (args, kwargs) => {
  const [low, high] = [toExpr(arg(args, kwargs, 0, "min_value")), toExpr(arg(args, kwargs, 1, "max_value"))];
  return low === posInf && high === negInf ? tir.emptySet : tir.intervalSet(end(low), end(high));
};

function items(v: Value): readonly Value[] {
  if (Array.isArray(v)) return v as Value[];
  return v instanceof PyTuple ? v.items : unreadable("this as a list");
}

function level(v: Value): IterMapLevel {
  return v === "bijective" || v === "surjective" ? v : v === undefined || v === null ? "surjective" : "noCheck";
}

function levelOf(v: Value): { level: IterMapLevel } {
  return { level: level(v) };
}

function predicateOf(v: Value): PrimExpr {
  return v === undefined || v === null ? tir.constant(true, "bool") : toExpr(v);
}

const detect: HostFunction = (args, kwargs) => {
  const found = tir.detectIterMap(
    items(arg(args, kwargs, 0, "indices")).map((e) => toExpr(e)),
    domains(arg(args, kwargs, 1, "input_iters")),
    {
      predicate: predicateOf(arg(args, kwargs, 2, "predicate")),
      ...levelOf(arg(args, kwargs, 3, "check_level")),
      simplifyTrivial: arg(args, kwargs, 4, "simplify_trivial_iterators", true) !== false,
    },
  );
  return new HostObject({ indices: found.indices, errors: found.errors, padding_predicate: found.paddingPredicate });
};

const simplifyMap: HostFunction = (args, kwargs) =>
  tir.iterMapSimplify(
    items(arg(args, kwargs, 0, "indices")).map((e) => toExpr(e)),
    domains(arg(args, kwargs, 1, "input_iters")),
    {
      predicate: predicateOf(arg(args, kwargs, 2, "predicate")),
      ...levelOf(arg(args, kwargs, 3, "check_level")),
      simplifyTrivial: arg(args, kwargs, 4, "simplify_trivial_iterators", true) !== false,
    },
  );

const divide: HostFunction = (args, kwargs) => {
  const found = tir.subspaceDivide(
    items(arg(args, kwargs, 0, "bindings")).map((e) => toExpr(e)),
    domains(arg(args, kwargs, 1, "input_iters")),
    items(arg(args, kwargs, 2, "sub_iters")).map((v) => (isVar(v) ? v : unreadable("an iterator"))),
    {
      predicate: predicateOf(arg(args, kwargs, 3, "predicate")),
      ...levelOf(arg(args, kwargs, 4, "check_level")),
      simplifyTrivial: arg(args, kwargs, 5, "simplify_trivial_iterators", true) !== false,
    },
  );
  if (found === undefined) return [];
  const mark = (extent: PrimExpr): IterMark => ({ tag: "mark", source: { tag: "sum", args: [], base: tir.constant(0, "int32") }, extent });
  return [...found.indices.map((d) => [d.outer, d.inner]), [mark(found.outerPredicate), mark(found.innerPredicate)]];
};

function tagged<T extends { readonly tag: string }>(v: Value, tag: T["tag"]): T {
  return typeof v === "object" && v !== null && "tag" in v && v.tag === tag ? (v as T) : unreadable(`this as a ${tag}`);
}

function isTagged(v: Value, ...tags: readonly string[]): boolean {
  return typeof v === "object" && v !== null && "tag" in v && tags.includes(String(v.tag));
}

const makeMark: HostFunction = ([source, extent]) => ({ tag: "mark", source: isTagged(source, "sum", "split") ? source : toExpr(source), extent: toExpr(extent) }) as IterMark;
const makeSplit: HostFunction = ([source, lower, extent, scale]) => ({ tag: "split", source: tagged<IterMark>(source, "mark"), lowerFactor: toExpr(lower), extent: toExpr(extent), scale: toExpr(scale) }) satisfies IterSplit;
const makeSum: HostFunction = ([args, base]) => ({ tag: "sum", args: items(args).map((a) => tagged<IterSplit>(a, "split")), base: toExpr(base) }) satisfies IterSum;

/** Structural equality of everything that the tests compare. */
function sameStructure(a: Value, b: Value): boolean {
  if (plain(a) && isExpr(b)) return sameStructure(toExpr(a, b.dtype), b);
  if (plain(b) && isExpr(a)) return sameStructure(a, toExpr(b, a.dtype));
  if (a instanceof EqualOp) return sameStructure(a.expr(), b);
  if (b instanceof EqualOp) return sameStructure(a, b.expr());
  if (isExpr(a) && isExpr(b)) return exprDeepEqual(a, b);
  if (isTagged(a, "sum") && isTagged(b, "sum")) {
    const [x, y] = [a as IterSum, b as IterSum];
    return x.args.length === y.args.length && exprDeepEqual(x.base, y.base) && x.args.every((s, i) => sameStructure(s, y.args[i]));
  }
  if (isTagged(a, "split") && isTagged(b, "split")) {
    const [x, y] = [a as IterSplit, b as IterSplit];
    return exprDeepEqual(x.lowerFactor, y.lowerFactor) && exprDeepEqual(x.extent, y.extent) && exprDeepEqual(x.scale, y.scale) && sameStructure(x.source, y.source);
  }
  if (isTagged(a, "mark") && isTagged(b, "mark")) {
    const [x, y] = [a as IterMark, b as IterMark];
    return exprDeepEqual(x.extent, y.extent) && sameStructure(x.source, y.source);
  }
  if (isRange(a) && isRange(b)) return exprDeepEqual(a.min, b.min) && exprDeepEqual(a.extent, b.extent);
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((x, i) => sameStructure(x, b[i]));
  if (a instanceof PyFloat || b instanceof PyFloat) return false;
  return a === b;
}

function isRange(v: Value): v is Range {
  return typeof v === "object" && v !== null && "kind" in v && v.kind === "tir.Range";
}

/** A value as text, for reports. */
export function textOf(v: Value): string {
  if (v instanceof EqualOp) return textOf(v.expr());
  if (isExpr(v)) return exprText(v);
  if (isTagged(v, "sum", "split")) return exprText(normalizeIterMapToExpr(v as IterSum));
  if (isRange(v)) return `[${exprText(v.min)}, +${exprText(v.extent)})`;
  if (isSet(v)) return v.tag === "empty" ? "empty" : `[${v.min === undefined ? "-inf" : exprText(v.min)}, ${v.max === undefined ? "inf" : exprText(v.max)}]`;
  if (Array.isArray(v)) return `[${v.map(textOf).join(", ")}]`;
  return typeof v === "object" && v !== null ? v.constructor.name : String(v);
}

function exprText(e: PrimExpr): string {
  if ("a" in e && "b" in e) return `${e.kind.slice(4)}(${exprText(e.a)}, ${exprText(e.b)})`;
  switch (e.kind) {
    case "ir.IntImm":
    case "ir.FloatImm":
      return `${e.value}${e.dtype === "int32" ? "" : `:${e.dtype}`}`;
    case "tir.Var":
    case "tir.SizeVar":
      return e.name;
    case "tir.Cast":
      return `${e.dtype}(${exprText(e.value)})`;
    case "tir.Not":
      return `!${exprText(e.a)}`;
    case "tir.Select":
      return `select(${[e.condition, e.trueValue, e.falseValue].map(exprText).join(", ")})`;
    case "tir.Ramp":
      return `ramp(${exprText(e.base)}, ${exprText(e.stride)}, ${e.lanes})`;
    case "tir.Broadcast":
      return `broadcast(${exprText(e.value)}, ${e.lanes})`;
    case "tir.Call":
      return `${e.op.name}(${e.args.map(exprText).join(", ")})`;
    case "tir.BufferLoad":
      return `${e.buffer.name}[${e.indices.map(exprText).join(", ")}]`;
    default:
      return e.kind;
  }
}

function check(ok: boolean, what: string, counter: { assertions: number }): null {
  counter.assertions++;
  if (!ok) raise("AssertionError", what);
  return null;
}

const simplifyErrors = new PyClass("TVMError", [exceptions["Exception"] ?? new PyClass("Exception")]);

function toInfinity(v: Value): number {
  if (typeof v === "bigint") return v >= int64Max ? Infinity : v <= -int64Max ? -Infinity : Number(v);
  return typeof v === "number" ? v : isExpr(v) && v.kind === "ir.IntImm" ? Number(v.value) : unreadable("a bound");
}

function fromInfinity(x: number): number | bigint {
  return x === Infinity ? int64Max : x === -Infinity ? -int64Max : x;
}

function contextOf(enter: () => Value, exit: (error: Value) => boolean): HostObject {
  return new HostObject({ __enter__: (() => enter()) satisfies HostFunction, __exit__: (([e]) => exit(e)) satisfies HostFunction });
}

function bound(v: Value): { min: number; max: number } {
  if (!(v instanceof HostObject)) return unreadable("a bound");
  return { min: toInfinity(v.attrs["min_value"]), max: toInfinity(v.attrs["max_value"]) };
}

const makeConstIntBound: HostFunction = (args, kwargs) => new HostObject({ min_value: arg(args, kwargs, 0, "min_value"), max_value: arg(args, kwargs, 1, "max_value") });

function extensionsOf(v: Value): ArithExtensions {
  const names = Array.isArray(v) ? (v as string[]) : [String(v)];
  return {
    transitivelyProveInequalities: names.includes("TransitivelyProveInequalities"),
    convertBooleanToAndOfOrs: names.includes("ConvertBooleanToAndOfOrs"),
    applyConstraintsToBooleanBranches: names.includes("ApplyConstraintsToBooleanBranches"),
    comparisonOfProductAndSum: names.includes("ComparisonOfProductAndSum"),
  };
}

function analyzerMethod(h: HostAnalyzer & { current: Analyzer }, name: string): Value {
  const a = (): Analyzer => h.current;
  switch (name) {
    case "simplify":
      return (([e, steps]) => a().simplify(toExpr(e), typeof steps === "number" ? steps : 2)) satisfies HostFunction;
    case "rewrite_simplify":
      return (([e]) => a().rewriteSimplify(toExpr(e))) satisfies HostFunction;
    case "canonical_simplify":
      return (([e]) => a().canonicalSimplify(toExpr(e))) satisfies HostFunction;
    case "const_int_bound":
      return (([e]) => {
        const { min, max } = a().constIntBound(toExpr(e));
        return new HostObject({ min_value: fromInfinity(min), max_value: fromInfinity(max) });
      }) satisfies HostFunction;
    case "modular_set":
      return (([e]) => new HostObject({ ...a().modularSet(toExpr(e)) })) satisfies HostFunction;
    case "int_set":
      return (([e, dom]) => a().intSet(toExpr(e), dom === undefined || dom === null ? undefined : sets(dom))) satisfies HostFunction;
    case "bind":
      return (([v, to]) => (a().bind(isVar(v) ? v : unreadable("a variable"), isRange(to) ? to : toExpr(to)), null)) satisfies HostFunction;
    case "update":
      return (([v, b]) => (a().bindBound(isVar(v) ? v : unreadable("a variable"), bound(b)), null)) satisfies HostFunction;
    case "can_prove":
      return (([e, strength]) => a().canProve(toExpr(e), strength === "SYMBOLIC_BOUND" ? "symbolicBound" : "default")) satisfies HostFunction;
    case "can_prove_equal":
      return (([x, y]) => a().canProveEqual(...operandsOf(x, y))) satisfies HostFunction;
    case "constraint_scope":
      return (([cond]) => {
        let leave = (): void => undefined;
        return contextOf(
          () => {
            leave = a().enterConstraint(toExpr(cond));
            return null;
          },
          () => (leave(), false),
        );
      }) satisfies HostFunction;
    case "enabled_extensions=":
      return (([v]) => {
        h.current = new Analyzer({ extensions: extensionsOf(v) });
        return null;
      }) satisfies HostFunction;
    default:
      return undefined;
  }
}

function attribute(of: Value, name: string): Value {
  if (of instanceof HostObject) return of.attrs[name];
  if (of instanceof HostAnalyzer) return analyzerMethod(of as HostAnalyzer & { current: Analyzer }, name);
  if (of instanceof HostClass) return of.statics.get(name);
  if (of instanceof EqualOp) return name === "asobject" ? (() => of.expr()) satisfies HostFunction : attribute(of.expr(), name);
  if (isSet(of)) {
    if (name === "min_value") return of.tag === "empty" ? posInf : (of.min ?? negInf);
    if (name === "max_value") return of.tag === "empty" ? negInf : (of.max ?? posInf);
    if (name === "is_nothing") return (() => of.tag === "empty") satisfies HostFunction;
    if (name === "is_everything") return (() => of.tag === "interval" && of.min === undefined && of.max === undefined) satisfies HostFunction;
    return undefined;
  }
  if (isRange(of)) return name === "min" ? of.min : name === "extent" ? of.extent : undefined;
  if (isTagged(of, "mark", "split", "sum")) {
    const names: Record<string, string> = { lower_factor: "lowerFactor" };
    return (of as Record<string, Value>)[names[name] ?? name];
  }
  if (isExpr(of)) return exprAttribute(of, name);
  if (typeof of === "object" && of !== null && "kind" in of && of.kind === "tir.Buffer" && name === "vload") {
    return (([index]) => tir.makeBufferLoad(of as unknown as tir.Buffer, [toExpr(index)])) satisfies HostFunction;
  }
  return undefined;
}

function exprAttribute(e: PrimExpr, name: string): Value {
  switch (name) {
    case "dtype":
      return e.dtype;
    case "astype":
      return (([dtype]) => tir.cast(dtypeOf(dtype), e)) satisfies HostFunction;
    case "equal":
      return (([other]) => {
        const [a, b] = operands(e, other);
        return tir.eq(a, b);
      }) satisfies HostFunction;
    case "asobject":
      return (() => e) satisfies HostFunction;
    case "same_as":
      return (([other]) => other === e) satisfies HostFunction;
    case "value":
    case "name":
    case "a":
    case "b":
      return (e as unknown as Record<string, Value>)[name];
    default:
      return undefined;
  }
}

function binaryOp(op: string, a: Value, b: Value): Value {
  const mine = (v: Value): boolean => isExpr(v) || v instanceof EqualOp;
  if (!mine(a) && !mine(b)) return undefined;
  if ((op === "==" || op === "!=") && (!(mine(a) || plain(a)) || !(mine(b) || plain(b)))) return op === "!=";
  const [x, y] = operands(a, b);
  switch (op) {
    case "+":
      return tir.add(x, y);
    case "-":
      return tir.sub(x, y);
    case "*":
      return tir.mul(x, y);
    case "/":
      return tir.div(x, y);
    case "//":
      return tir.floorDiv(x, y);
    case "%":
      return tir.floorMod(x, y);
    case "<":
      return tir.lt(x, y);
    case "<=":
      return tir.le(x, y);
    case ">":
      return tir.gt(x, y);
    case ">=":
      return tir.ge(x, y);
    case "==":
      return new EqualOp("tir.EQ", x, y);
    case "!=":
      return new EqualOp("tir.NE", x, y);
    case "<<":
      return tir.intrin("shift_left", x.dtype, [x, y]);
    case ">>":
      return tir.intrin("shift_right", x.dtype, [x, y]);
    case "&":
      return tir.intrin("bitwise_and", x.dtype, [x, y]);
    default:
      return unreadable(`\`${op}\` of expressions`);
  }
}

/** Upstream's modules. `counter` counts what is asserted in the host. */
export function tvmHost(counter: { assertions: number }): PyHost {
  const nodes = Object.fromEntries(binaryKinds.map((k) => [k, binary(`tir.${k}`)]));
  const PrimExprClass = new HostClass("PrimExpr", isExpr, () => unreadable("PrimExpr()"));
  const rangeClass = new HostClass("Range", isRange, makeRange, {
    from_min_extent: (([min, extent]) => {
      const [m, e] = operandsOf(min, extent);
      return tir.makeRange(m, e);
    }) satisfies HostFunction,
  });
  const structural: HostFunction = ([a, b]) => check(sameStructure(a, b), `${textOf(a)} is not ${textOf(b)}`, counter);
  const proven: HostFunction = ([a, b]) => check(new Analyzer().canProveEqual(...operandsOf(a, b)), `${textOf(a)} is not known to be ${textOf(b)}`, counter);
  const lattice = { min: op2(tir.min), max: op2(tir.max) };
  const divisions = { floordiv: op2(tir.floorDiv), floormod: op2(tir.floorMod), truncdiv: op2(tir.div), truncmod: op2(tir.truncMod), indexdiv: op2(tir.floorDiv), indexmod: op2(tir.floorMod), div: op2(tir.div) };
  const declBuffer: HostFunction = (args, kwargs) => {
    const shape = arg(args, kwargs, 0, "shape");
    return tir.makeBuffer(str(arg(args, kwargs, 2, "name", "buffer")), (plain(shape) ? [shape] : items(shape)).map((e) => toExpr(e)), dtypeArg(arg(args, kwargs, 1, "dtype"), "float32"));
  };
  const callIntrin: HostFunction = ([dtype, name, ...rest]) => tir.intrin(str(name).replace(/^tir\./, ""), str(dtype) as DType, rest.map((e) => toExpr(e)));
  const tirModule = new PyModule("tir", {
    ...nodes,
    ...lattice,
    ...divisions,
    Var: new HostClass("Var", isVar, makeVariable),
    SizeVar: new HostClass("SizeVar", (v) => isExpr(v) && v.kind === "tir.SizeVar", makeSize),
    IntImm: new HostClass("IntImm", (v) => isExpr(v) && v.kind === "ir.IntImm", (args, kwargs) => makeIntImm(Number(arg(args, kwargs, 1, "value")), str(arg(args, kwargs, 0, "dtype")) as DType)),
    PrimExpr: PrimExprClass,
    Not: new HostClass("Not", (v) => isExpr(v) && v.kind === "tir.Not", ([a]) => tir.makeNot(toExpr(a))),
    Cast: new HostClass("Cast", (v) => isExpr(v) && v.kind === "tir.Cast", ([dtype, v]) => tir.makeCast(str(dtype) as DType, toExpr(v))),
    Let: new HostClass("Let", (v) => isExpr(v) && v.kind === "tir.Let", ([v, value, body]) => tir.makeLet(v as tir.Var, toExpr(value), toExpr(body))),
    Select: new HostClass("Select", (v) => isExpr(v) && v.kind === "tir.Select", ([c, t, f]) => {
      const [x, y] = operandsOf(t, f);
      return tir.makeSelect(toExpr(c), x, y);
    }),
    Ramp: new HostClass("Ramp", (v) => isExpr(v) && v.kind === "tir.Ramp", ([base, stride, n]) => {
      const b = toExpr(base);
      return tir.makeRamp(b, tir.cast(b.dtype, toExpr(stride, plain(stride) ? b.dtype : undefined)), lanes(n));
    }),
    Broadcast: new HostClass("Broadcast", (v) => isExpr(v) && v.kind === "tir.Broadcast", ([value, n]) => tir.makeBroadcast(toExpr(value), lanes(n))),
    BufferLoad: new HostClass("BufferLoad", (v) => isExpr(v) && v.kind === "tir.BufferLoad", ([buffer, indices]) => tir.makeBufferLoad(buffer as tir.Buffer, items(indices).map((e) => toExpr(e)))),
    Call: new HostClass("Call", (v) => isExpr(v) && v.kind === "tir.Call", ([dtype, op, args]) => callIntrin([dtype, op, ...items(args)], new Map())),
    const: makeConst,
    convert: (([v]) => (plain(v) ? toExpr(v) : v)) satisfies HostFunction,
    all: foldAll(tir.and),
    any: foldAll(tir.or),
    if_then_else: (([c, t, f]) => tir.ifThenElse(toExpr(c), ...operandsOf(t, f))) satisfies HostFunction,
    likely: (([c]) => tir.intrin("likely", "bool", [toExpr(c)])) satisfies HostFunction,
    decl_buffer: declBuffer,
    call_intrin: callIntrin,
    shift_left: (([a, b]) => binaryOp("<<", toExpr(a), b)) satisfies HostFunction,
    clz: (([a]) => tir.intrin("clz", "int32", [toExpr(a)])) satisfies HostFunction,
    log: (([a]) => tir.intrin("log", toExpr(a).dtype, [toExpr(a)])) satisfies HostFunction,
    vscale: () => new Unread("scalable vectors"),
    min_value: (([dtype]) => tir.minValue(str(dtype) as DType)) satisfies HostFunction,
    max_value: (([dtype]) => tir.maxValue(str(dtype) as DType)) satisfies HostFunction,
    expr: new PyModule("expr", { ...nodes, EqualOp: new HostClass("EqualOp", (v) => v instanceof EqualOp, () => unreadable("EqualOp()")) }),
    op: new PyModule("op", { call_intrin: callIntrin }),
    buffer: new PyModule("buffer", { decl_buffer: declBuffer }),
  });
  const script = new PyModule("T", {
    ...Object.fromEntries(["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "bool"].map((d) => [d, (([v]) => (v === undefined ? tir.makeVar("v", d as DType) : tir.cast(d as DType, toExpr(v, d as DType)))) satisfies HostFunction])),
    ...Object.fromEntries(["float16", "float32", "float64"].map((d) => [d, (([v]) => tir.constant(v instanceof PyFloat ? v.value : Number(v), d as DType)) satisfies HostFunction])),
    floor: (([v]) => tir.intrin("floor", toExpr(v).dtype, [toExpr(v)])) satisfies HostFunction,
    vscale: () => new Unread("scalable vectors"),
  });
  const te = new PyModule("te", { ...lattice, ...divisions, var: makeVariable, size_var: makeSize, const: makeConst, all: foldAll(tir.and), any: foldAll(tir.or), min_value: tirModule.attrs.get("min_value"), max_value: tirModule.attrs.get("max_value") });
  const extension = new PyModule("Extension", Object.fromEntries(["NoExtensions", "TransitivelyProveInequalities", "ConvertBooleanToAndOfOrs", "ApplyConstraintsToBooleanBranches", "ComparisonOfProductAndSum"].map((n) => [n, n])));
  const intervalClass = new HostClass("IntervalSet", isSet, makeInterval);
  const analyzerClass = new HostClass("Analyzer", (v) => v instanceof HostAnalyzer, () => {
    const h = new HostAnalyzer();
    return Object.assign(h, { current: h.analyzer });
  });
  const estimate = (which: "strict" | "upper"): HostFunction => (args, kwargs) => {
    const region = items(arg(args, kwargs, 0, "region")).map(rangeOf);
    const iters = domains(arg(args, kwargs, 1, "var_dom"));
    const opts = { predicate: predicateOf(arg(args, kwargs, 2, "predicate")) };
    return which === "upper" ? tir.estimateRegionUpperBound(region, iters, opts) : (tir.estimateRegionStrictBound(region, iters, opts) ?? null);
  };
  const missing = (name: string): HostFunction => () => raise("NotImplementedError", name);
  const arith = new PyModule("arith", {
    Analyzer: analyzerClass,
    Extension: extension,
    ProofStrength: new PyModule("ProofStrength", { DEFAULT: "DEFAULT", SYMBOLIC_BOUND: "SYMBOLIC_BOUND" }),
    ConstIntBound: new HostClass("ConstIntBound", () => false, makeConstIntBound, { POS_INF: int64Max, NEG_INF: -int64Max }),
    IntervalSet: intervalClass,
    IntSet: new PyModule("IntSet", {
      single_point: (([e]) => tir.singlePoint(toExpr(e))) satisfies HostFunction,
      interval: makeInterval,
      vector: (([e]) => tir.evalSet(toExpr(e), new Map())) satisfies HostFunction,
    }),
    int_set: new PyModule("int_set", {
      pos_inf: () => posInf,
      neg_inf: () => negInf,
      union_lower_bound: (([list]) => tir.unionLowerBound(items(list).map(setOf), new Analyzer())) satisfies HostFunction,
    }),
    IterMark: new HostClass("IterMark", (v) => isTagged(v, "mark"), makeMark),
    IterSplitExpr: new HostClass("IterSplitExpr", (v) => isTagged(v, "split"), makeSplit),
    IterSumExpr: new HostClass("IterSumExpr", (v) => isTagged(v, "sum"), makeSum),
    IterMapExpr: new HostClass("IterMapExpr", (v) => isTagged(v, "sum", "split"), () => unreadable("IterMapExpr()")),
    detect_iter_map: detect,
    iter_map_simplify: simplifyMap,
    subspace_divide: divide,
    normalize_iter_map_to_expr: (([e]) => (isTagged(e, "sum", "split") ? normalizeIterMapToExpr(e as IterSum) : toExpr(e))) satisfies HostFunction,
    normalize_to_iter_sum: (([e, iters]) => tir.normalizeToIterSum(toExpr(e), domains(iters))) satisfies HostFunction,
    inverse_affine_iter_map: (([map, outputs]) => new PyDict(tir.inverseAffineIterMap(items(map).map((m) => tagged<IterSum>(m, "sum")), items(outputs).map((e) => toExpr(e))))) satisfies HostFunction,
    estimate_region_lower_bound: estimate("strict"),
    estimate_region_strict_bound: estimate("strict"),
    estimate_region_upper_bound: estimate("upper"),
    deduce_bound: (([v, cond, hint, relax]) => tir.deduceBound(toExpr(v), toExpr(cond), sets(hint), sets(relax))) satisfies HostFunction,
    detect_linear_equation: (([e, vars]) => {
      const found = tir.detectLinearEquation(toExpr(e), variables(vars));
      return found === undefined ? [] : [...found.coefficients, found.base];
    }) satisfies HostFunction,
    detect_clip_bound: (([e, vars]) => tir.detectClipBound(toExpr(e), variables(vars))?.flatMap((b) => [b.min ?? null, b.max ?? null]) ?? []) satisfies HostFunction,
    detect_common_subexpr: missing("detect_common_subexpr"),
    solve_linear_equations: missing("solve_linear_equations"),
    solve_linear_inequalities: missing("solve_linear_inequalities"),
    _ffi_api: new PyModule("_ffi_api", { DomainTouched: (([stmt, buffer, loads, stores]) => tir.domainTouched(stmt as tir.Stmt, buffer as tir.Buffer, { loads: loads === true, stores: stores === true }).map((r) => r ?? null)) satisfies HostFunction, NarrowPredicateExpression: (([cond, ranges]) => tir.narrowPredicate(toExpr(cond), domains(ranges))) satisfies HostFunction, SolveInequalitiesAsCondition: missing("SolveInequalitiesAsCondition") }),
  });
  arith.attrs.set("analyzer", arith);
  const raises: HostFunction = ([cls]) =>
    contextOf(
      () => null,
      (error) => {
        counter.assertions++;
        if (error === null) raise("AssertionError", "nothing was raised");
        return error === cls || (error instanceof PyClass && cls instanceof PyClass && (error.isSubclassOf(cls) || cls.name === "AssertionError" || cls === simplifyErrors));
      },
    );
  const fixtures: HostFunction = (args) => new HostObject({ parameters: args });
  const testing = new PyModule("testing", { parameter: fixtures, parameters: ((args) => [0, 1, 2, 3].slice(0, items(args[0]).length).map((i) => new HostObject({ parameters: args.map((row) => items(row)[i]), zipped: args }))) satisfies HostFunction, assert_prim_expr_equal: proven, main: () => null });
  const ir = new PyModule("ir", { PrimExpr: PrimExprClass, Range: rangeClass, structural_equal: (([a, b]) => (counter.assertions++, sameStructure(a, b))) satisfies HostFunction, assert_structural_equal: structural, expr: new PyModule("expr", { Range: rangeClass }) });
  const tvm = new PyModule("tvm", {
    tir: tirModule,
    te,
    ir,
    arith,
    testing,
    script: new PyModule("script", { tir: script, T: script }),
    runtime: new PyModule("runtime", { convert: tirModule.attrs.get("convert") }),
    error: new PyModule("error", { TVMError: simplifyErrors }),
    TVMError: simplifyErrors,
    target: new PyModule("target", { Target: () => contextOf(() => null, () => false) }),
  });
  const identityDecorator: HostFunction = () => new HostObject({});
  const pytest = new PyModule("pytest", { raises, mark: new PyModule("mark", { parametrize: identityDecorator, skip: identityDecorator, xfail: identityDecorator }), param: (([v]) => v) satisfies HostFunction });
  const inspect = new PyModule("inspect", { isclass: (([v]) => v instanceof PyClass) satisfies HostFunction });
  const exitStack: HostFunction = () => {
    const exits: HostFunction[] = [];
    return new HostObject({
      __enter__: () => new HostObject({ enter_context: (([m]) => {
        if (!(m instanceof HostObject)) return unreadable("a context");
        exits.push(m.attrs["__exit__"] as HostFunction);
        return (m.attrs["__enter__"] as HostFunction)([], new Map());
      }) satisfies HostFunction }),
      __exit__: ((a, k) => {
        for (const f of exits.reverse()) f(a, k);
        return false;
      }) satisfies HostFunction,
    });
  };
  return {
    modules: new Map<string, Value>([["tvm", tvm], ["pytest", pytest], ["inspect", inspect], ["contextlib", new PyModule("contextlib", { ExitStack: exitStack, nullcontext: () => contextOf(() => null, () => false) })]]),
    getattr: attribute,
    binary: binaryOp,
    unary(op, a) {
      if (!isExpr(a) && !(a instanceof EqualOp)) return undefined;
      const e = toExpr(a);
      if (op === "-") return tir.mul(e, tir.constant(-1, e.dtype));
      return op === "+" ? e : unreadable(`\`${op}\` of an expression`);
    },
    truth(v) {
      if (v instanceof EqualOp) return (v.a === v.b || (v.a.kind === "ir.IntImm" && v.b.kind === "ir.IntImm" && v.a.value === v.b.value)) === (v.kind === "tir.EQ");
      if (isExpr(v)) return v.kind === "ir.IntImm" ? v.value !== 0 : unreadable("the truth of an expression");
      return undefined;
    },
    call(f, args, kwargs) {
      if (f instanceof HostClass) return f.make(args, kwargs);
      return undefined;
    },
    text: (v) => (isExpr(v) || v instanceof EqualOp ? textOf(v) : undefined),
  };
}

/** True for a value made by `tvm.testing.parameter`, with its rows. */
export function parametersOf(v: Value): readonly Value[] | undefined {
  return v instanceof HostObject && Array.isArray(v.attrs["parameters"]) ? (v.attrs["parameters"] as Value[]) : undefined;
}

/** True if two fixtures come from one call of `tvm.testing.parameters`, and go through their rows together. */
export function zippedTogether(a: Value, b: Value): boolean {
  return a instanceof HostObject && b instanceof HostObject && a.attrs["zipped"] !== undefined && a.attrs["zipped"] === b.attrs["zipped"];
}

/** Errors that our API throws are exceptions of the program. */
export function asPyError(e: unknown): PyError | undefined {
  if (e instanceof PyError) return e;
  if (e instanceof TypeError || e instanceof RangeError) return new PyError(simplifyErrors, e.message);
  return e instanceof Error && !e.message.startsWith("internal") ? new PyError(simplifyErrors, e.message) : undefined;
}
