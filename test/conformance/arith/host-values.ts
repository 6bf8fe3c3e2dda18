import { makeIntImm } from "@verticil/ir-core";
import { isFloat, isInteger, type DType } from "@verticil/runtime-ffi";
import * as tir from "@verticil/tir";
import { Analyzer, type AnyVar, type ArithExtensions, type IntSet, type IterMapLevel, type PrimExpr, type Range } from "@verticil/tir";
import { PyDict, PyFloat, PyTuple, unreadable, type HostFunction, type Value } from "./py-values.ts";

// Values that upstream's tests pass to its API, as ours.

/** `a == b` of expressions: a comparison, or the answer to whether they are the same object. */
export class EqualOp {
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
export class HostClass {
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
export class HostObject {
  readonly attrs: Record<string, Value>;
  constructor(attrs: Record<string, Value>) {
    this.attrs = attrs;
  }
}

export class HostAnalyzer {
  readonly analyzer: Analyzer;
  constructor(extensions: ArithExtensions = {}) {
    this.analyzer = new Analyzer({ extensions });
  }
}

export const posInf: AnyVar = tir.makeVar("pos_inf", "handle");
export const negInf: AnyVar = tir.makeVar("neg_inf", "handle");
export const int64Max: bigint = 2n ** 63n - 1n;

export function isExpr(v: Value): v is PrimExpr {
  return typeof v === "object" && v !== null && "kind" in v && "dtype" in v && typeof v.kind === "string" && (v.kind.startsWith("tir.") || v.kind.startsWith("ir.")) && v.kind !== "tir.Buffer";
}

export function plain(v: Value): boolean {
  return typeof v === "number" || typeof v === "bigint" || typeof v === "boolean" || v instanceof PyFloat;
}

/** A value as an expression; a plain number takes the type of its neighbour. */
export function toExpr(v: Value, like?: DType): PrimExpr {
  if (isExpr(v)) return v;
  if (v instanceof EqualOp) return v.expr();
  if (typeof v === "boolean") return makeIntImm(v ? 1 : 0, like ?? "bool");
  if (typeof v === "number" || typeof v === "bigint") return tir.constant(v, like ?? "int32");
  if (v instanceof PyFloat) return tir.constant(v.value, like !== undefined && isFloat(like) ? like : "float32");
  return unreadable("this as an expression");
}

/** Two operands in one type, as upstream's operators take them. */
export function operands(a: Value, b: Value): readonly [PrimExpr, PrimExpr] {
  const x = isExpr(a) || a instanceof EqualOp ? toExpr(a) : undefined;
  const y = isExpr(b) || b instanceof EqualOp ? toExpr(b) : undefined;
  const scalar = (dtype: DType): DType => dtype.replace(/x\d+$/, "") as DType;
  return tir.matchTypes(x ?? toExpr(a, y && numberType(a, scalar(y.dtype))), y ?? toExpr(b, x && numberType(b, scalar(x.dtype))));
}

export function numberType(v: Value, like: DType): DType | undefined {
  if (like === "bool" && typeof v !== "boolean") return "int32";
  return v instanceof PyFloat && !isFloat(like) ? "float32" : like;
}

export function str(v: Value): string {
  return typeof v === "string" ? v : unreadable("a name");
}

/** `ramp` and `broadcast` count their lanes with constants. */
export function lanes(v: Value): number {
  if (typeof v === "number") return v;
  return isExpr(v) && v.kind === "ir.IntImm" ? Number(v.value) : unreadable("lanes that are no constant: scalable vectors");
}

export function arg(args: readonly Value[], kwargs: ReadonlyMap<string, Value>, i: number, name: string, otherwise?: Value): Value {
  return args[i] ?? kwargs.get(name) ?? otherwise;
}

export function binary(kind: Parameters<typeof tir.makeBinary>[0]): HostClass {
  return new HostClass(
    kind,
    (v) => isExpr(v) && v.kind === kind,
    ([a, b]) => {
      const [x, y] = operands(a, b);
      return tir.makeBinary(kind, x, y);
    },
  );
}

export const binaryKinds = ["Add", "Sub", "Mul", "Div", "Mod", "FloorDiv", "FloorMod", "Min", "Max", "EQ", "NE", "LT", "LE", "GT", "GE", "And", "Or"] as const;

export function op2(f: (a: PrimExpr, b: PrimExpr) => PrimExpr): HostFunction {
  return ([a, b]) => {
    const [x, y] = operands(a, b);
    return f(x, y);
  };
}

export function dtypeArg(v: Value, otherwise: DType): DType {
  return v === undefined || v === null ? otherwise : dtypeOf(v);
}

/** Upstream's truth values are integers of one bit. */
export function dtypeOf(v: Value): DType {
  return str(v).replace(/^uint1(x\d+)?$/, "bool$1") as DType;
}

export const makeVariable: HostFunction = (args, kwargs) => tir.makeVar(str(arg(args, kwargs, 0, "name", "tindex")), dtypeArg(arg(args, kwargs, 1, "dtype"), "int32"));
export const makeSize: HostFunction = (args, kwargs) => tir.makeSizeVar(str(arg(args, kwargs, 0, "name", "size")), dtypeArg(arg(args, kwargs, 1, "dtype"), "int32"));

export const makeConst: HostFunction = ([value, dtype]) => {
  if (typeof dtype === "string") {
    if (value instanceof PyFloat && isInteger(dtype as DType)) return tir.constant(Math.trunc(value.value), dtype as DType);
    return tir.constant(value instanceof PyFloat ? value.value : (value as number | bigint | boolean), dtype as DType);
  }
  return toExpr(value);
};

export function foldAll(f: (a: PrimExpr, b: PrimExpr) => PrimExpr): HostFunction {
  return (args) => args.map((a) => toExpr(a)).reduce((acc, c) => f(acc, c));
}

/** `Range(end)`, `Range(begin, end)`. */
export const makeRange: HostFunction = (args, kwargs) => {
  const [first, second] = [arg(args, kwargs, 0, "begin"), arg(args, kwargs, 1, "end")];
  const [begin, end] = second === undefined || second === null ? [0, first] : [first, second];
  const [b, e] = operandsOf(begin, end);
  return tir.makeRange(b, tir.isConstInt(b, 0) ? e : tir.sub(e, b));
};

export function operandsOf(a: Value, b: Value): readonly [PrimExpr, PrimExpr] {
  if (plain(a) && plain(b)) return [toExpr(a), toExpr(b)];
  return operands(a, b);
}

export function rangeOf(v: Value): Range {
  if (typeof v === "object" && v !== null && "kind" in v && v.kind === "tir.Range") return v as Range;
  if (v instanceof PyTuple) return makeRange(v.items, new Map()) as Range;
  return unreadable("this as a range");
}

export function isVar(v: Value): v is AnyVar {
  return isExpr(v) && (v.kind === "tir.Var" || v.kind === "tir.SizeVar");
}

export function domains(v: Value): Map<AnyVar, Range> {
  if (!(v instanceof PyDict)) return unreadable("domains");
  return new Map(v.entries().map(([k, r]) => [isVar(k) ? k : unreadable("a domain"), rangeOf(r)] as const));
}

export function variables(v: Value): readonly AnyVar[] {
  return items(v).map((x) => (isVar(x) ? x : unreadable("a variable")));
}

export function isSet(v: Value): v is IntSet {
  return typeof v === "object" && v !== null && "tag" in v && (v.tag === "interval" || v.tag === "empty");
}

export function setOf(v: Value): IntSet {
  return isSet(v) ? v : unreadable("this as a set");
}

export function sets(v: Value): Map<AnyVar, IntSet> {
  if (v === undefined || v === null) return new Map();
  if (!(v instanceof PyDict)) return unreadable("sets");
  return new Map(v.entries().map(([k, s]) => [isVar(k) ? k : unreadable("a set"), setOf(s)] as const));
}

export function end(v: Value): PrimExpr | undefined {
  const e = toExpr(v);
  return e === posInf || e === negInf ? undefined : e;
}

export const makeInterval: HostFunction = (args, kwargs) => {
  const [low, high] = [toExpr(arg(args, kwargs, 0, "min_value")), toExpr(arg(args, kwargs, 1, "max_value"))];
  return low === posInf && high === negInf ? tir.emptySet : tir.intervalSet(end(low), end(high));
};

export function items(v: Value): readonly Value[] {
  if (Array.isArray(v)) return v as Value[];
  return v instanceof PyTuple ? v.items : unreadable("this as a list");
}

export function level(v: Value): IterMapLevel {
  return v === "bijective" || v === "surjective" ? v : v === undefined || v === null ? "surjective" : "noCheck";
}

export function levelOf(v: Value): { level: IterMapLevel } {
  return { level: level(v) };
}

export function predicateOf(v: Value): PrimExpr {
  return v === undefined || v === null ? tir.constant(true, "bool") : toExpr(v);
}

export function tagged<T extends { readonly tag: string }>(v: Value, tag: T["tag"]): T {
  return typeof v === "object" && v !== null && "tag" in v && v.tag === tag ? (v as T) : unreadable(`this as a ${tag}`);
}

export function isTagged(v: Value, ...tags: readonly string[]): boolean {
  return typeof v === "object" && v !== null && "tag" in v && tags.includes(String(v.tag));
}
