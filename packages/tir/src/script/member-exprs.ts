import { isNode, makeIntImm, makeFloatImm, makeOp } from "@verticil/ir-core";
import {
  describeValue,
  isDict,
  isInt,
  isList,
  readText,
  ScriptFloat,
  ScriptFunction,
  ScriptLambda,
  type CallArgs,
  type ScriptValue,
  type Site,
} from "@verticil/tvmscript";
import type { DType } from "@verticil/runtime-ffi";
import type { BinaryKind, IterVar, IterVarType, PrimExpr, Range, SizeVar, Var } from "../ir/expr.ts";
import { intrinDefs, type IntrinDef } from "../ir/intrin.ts";
import {
  binaryKinds,
  makeBinary,
  makeBroadcast,
  makeBufferLoad,
  makeCall,
  makeCast,
  makeCommReducer,
  makeIterVar,
  makeLet,
  makeNot,
  makeRamp,
  makeReduce,
  makeSelect,
  makeShuffle,
  makeSizeVar,
  makeStringImm,
  makeVar,
} from "../ir/make-expr.ts";
import { makeIndexMap } from "../ir/make-stmt.ts";
import { cast, ceilDiv, constant, div, floorDiv, floorMod, matchTypes, max, maxValue, min, minValue, truncMod } from "../ir/ops.ts";
import type { IndexMap } from "../ir/stmt.ts";
import { isBuffer, rangeFromTo, toBuffer, toCount, toDType, toExpr, toExprs, toLanes, toOperands, toText, toVar } from "./convert.ts";
import { located } from "./located.ts";
import { iterTypeNames } from "./print-expr.ts";
import { callDType } from "./result-dtype.ts";
import { MetaValue } from "./values.ts";

type Member = (a: CallArgs, site: Site) => ScriptValue;

/** Two operands of one type. */
function pair(a: CallArgs, site: Site): readonly [PrimExpr, PrimExpr] {
  const [x, y] = toOperands(a.need(0, "a", site), a.need(1, "b", site), site);
  return matchTypes(x, y);
}

function folding(f: (a: PrimExpr, b: PrimExpr) => PrimExpr): Member {
  return (a, site) => {
    const [x, y] = pair(a, site);
    return located(f(x, y), x, y, site);
  };
}

function exact(kind: BinaryKind): Member {
  return (a, site) => makeBinary(kind, ...pair(a, site), site.span);
}

/** A builtin, with its data type where its definition says. */
function builtin(def: IntrinDef): Member {
  return (a, site) => {
    const named = a.keywords.get("dtype");
    const others = [...a.keywords].filter(([k]) => k !== "dtype").map(([, v]) => v);
    // Builtins whose type follows from their arguments take one by name, and do not look at it.
    const values = named === undefined ? [...a.args, ...others] : [...(def.dtypePosition === "first" ? [named] : []), ...a.args, ...others, ...(def.dtypePosition === "last" ? [named] : [])];
    const isTyped = def.name !== "tir.dp4a" || typeof values[0] === "string";
    const typeAt = !isTyped ? -1 : def.dtypePosition === "first" ? 0 : def.dtypePosition === "last" ? values.length - 1 : -1;
    if (typeAt >= 0) {
      const dtype = toDType(values[typeAt], site);
      const args = completed(def, values.filter((_, i) => i !== typeAt)).map((v) => toArgument(v, site));
      return makeCall(dtype, makeOp(def.name), args, site.span);
    }
    const args = completed(def, values).map((v) => toArgument(v, site));
    if (def.arity !== undefined && args.length !== def.arity) {
      return site.fail(`\`T.${def.scriptName}\` takes ${def.arity} arguments, not ${args.length}.`);
    }
    const dtype = callDType(def.name, args);
    if (dtype === undefined) return site.fail(`The type of \`T.${def.scriptName}\` does not follow from its arguments.`, "Use `T.call_intrin`.");
    return makeCall(dtype, makeOp(def.name), args, site.span);
  };
}

/** The last arguments of builtins that may be left out, and how many there are in all. */
const DEFAULTS: Readonly<Record<string, readonly [count: number, ...values: ScriptValue[]]>> = {
  "tir.dp4a": [3, 0],
  "tir.make_filled_simdgroup_matrix": [5, 8, 8],
  "tir.simdgroup_load": [7, 8, 8, false],
  "tir.simdgroup_store": [7, 8, 8, false],
};

function completed(def: IntrinDef, values: readonly ScriptValue[]): readonly ScriptValue[] {
  const defaults = DEFAULTS[def.name];
  if (defaults === undefined || values.length >= defaults[0]) return values;
  const [count, ...last] = defaults;
  return [...values, ...last.slice(last.length - (count - values.length))];
}

/** Buffers are passed by the address of their first element. */
function toArgument(v: ScriptValue, site: Site): PrimExpr {
  if (!isBuffer(v)) return toExpr(v, site);
  return makeBufferLoad(v, v.shape.map((d) => constant(0, d.dtype)), undefined, site.span);
}

/** Mathematical functions take integers as upstream does: as float32 where the function has no integer form. */
function ifThenElse(a: CallArgs, site: Site): ScriptValue {
  const [t, f] = toOperands(a.need(1, "t", site), a.need(2, "f", site), site);
  const [x, y] = matchTypes(t, f);
  return makeCall(x.dtype, makeOp("tir.if_then_else"), [toExpr(a.need(0, "cond", site), site), x, y], site.span);
}

function callIntrin(a: CallArgs, site: Site): ScriptValue {
  const [dtype, op, ...args] = a.args;
  const callee = isNode(op) && op.kind === "ir.Op" && "name" in op ? String(op.name) : readText(site.ctx.spelling, toText(op ?? "", site));
  return makeCall(toDType(dtype ?? "", site), makeOp(callee), args.map((v) => toArgument(v, site)), site.span);
}

/** `T.Call(dtype, op, args)`; main has `T.Call(op, args, ret_ty=dtype)`. */
function call(a: CallArgs, site: Site): ScriptValue {
  const isMain = site.ctx.spelling === "main";
  const op = a.need(isMain ? 0 : 1, "op", site);
  const args = toExprs(a.need(isMain ? 1 : 2, "args", site), site);
  const dtype = toDType(isMain ? (a.get(2, "ret_ty") ?? a.need(2, "dtype", site)) : a.need(0, "dtype", site), site);
  if (typeof op === "string") return makeCall(dtype, makeOp(readText(site.ctx.spelling, op)), args, site.span);
  if (isNode(op) && op.kind === "ir.Op" && "name" in op) return makeCall(dtype, makeOp(String(op.name)), args, site.span);
  if (isNode(op) && op.kind === "ir.GlobalVar" && "name" in op) {
    const gv = site.ctx.globals.get(String(op.name));
    if (gv !== undefined) return makeCall(dtype, gv, args, site.span);
  }
  return site.fail(`${describeValue(op)} cannot be called.`);
}

function letExpr(a: CallArgs, site: Site): ScriptValue {
  const where = a.need(1, "where", site);
  if (!isDict(where)) return site.fail("`where` is a dictionary from variables to values.");
  let body = toExpr(a.need(0, "expr", site), site);
  for (const [v, value] of [...where].reverse()) {
    const bind = toVar(v, site);
    if (bind.kind !== "tir.Var") return site.fail("A size variable cannot be bound.");
    body = makeLet(bind, toExpr(value, site, bind.dtype), body, site.span);
  }
  return body;
}

function commReducer(a: CallArgs, site: Site): ScriptValue {
  const lambda = a.need(0, "combiner", site);
  const identity = toExprs(a.need(1, "identity", site), site);
  if (!(lambda instanceof ScriptLambda)) return site.fail("A reducer is made of a lambda and its identity.");
  const n = identity.length;
  const vars = lambda.params.map((name, i): Var => makeVar(name, identity[i % Math.max(n, 1)]?.dtype ?? "int32"));
  const result = lambda.apply(vars);
  return makeCommReducer(vars.slice(0, n), vars.slice(n), toExprs(result, site), identity);
}

function reduce(a: CallArgs, site: Site): ScriptValue {
  const combiner = a.need(0, "combiner", site);
  const axis = a.need(3, "axis", site);
  const condition = a.get(4, "condition");
  if (!isNode(combiner) || combiner.kind !== "tir.CommReducer" || !isList(axis)) return site.fail("`T.reduce` takes a reducer and a list of axes.");
  return makeReduce(
    combiner as Parameters<typeof makeReduce>[0],
    toExprs(a.need(1, "source", site), site),
    axis.map((v) => toIterVar(v, site)),
    toCount(a.get(5, "value_index") ?? 0, site),
    {
      init: toExprs(a.get(2, "init") ?? [], site),
      ...(condition === undefined || condition === null ? {} : { condition: toExpr(condition, site) }),
    },
  );
}

function toIterVar(v: ScriptValue, site: Site): IterVar {
  return isNode(v) && v.kind === "tir.IterVar" ? (v as IterVar) : site.fail(`Expected an iteration variable, found ${describeValue(v)}.`);
}

/** Upstream's names of the sorts of iteration variable, as `T.iter_var` takes them. */
const ITER_TYPES: ReadonlyMap<string, IterVarType> = new Map(
  Object.entries(iterTypeNames).map(([type, name]) => [name, type as IterVarType]),
);

function iterVar(a: CallArgs, site: Site): ScriptValue {
  const v = a.need(0, "var", site);
  const dom = a.need(1, "dom", site);
  const type = ITER_TYPES.get(toText(a.need(2, "iter_type", site), site));
  if (type === undefined) return site.fail(`Known are ${[...ITER_TYPES.keys()].join(", ")}.`);
  const bound = typeof v === "string" ? makeVar(v) : toVar(v, site);
  if (bound.kind !== "tir.Var") return site.fail("A size variable cannot be iterated.");
  return makeIterVar(dom === null ? undefined : toRange(dom, site), bound, type, toText(a.get(3, "thread_tag") ?? "", site), site.span);
}

/** A range: `T.Range(a, b)`, a pair of its ends, or its extent. */
export function toRange(v: ScriptValue, site: Site): Range {
  if (isNode(v) && v.kind === "tir.Range") return v as Range;
  if (isList(v) && v.length === 2) return rangeFromTo(v[0], v[1], site);
  const extent = toExpr(v, site);
  return rangeFromTo(constant(0, extent.dtype), extent, site);
}

function lambdaMap(lambda: ScriptValue, dtype: DType, site: Site): IndexMap {
  if (!(lambda instanceof ScriptLambda)) return site.fail("An index map is made of a lambda.");
  if (lambda.params.some((p) => p.startsWith("*"))) return site.fail("An index map names all of its indices.");
  const vars = lambda.params.map((name) => makeVar(name, dtype));
  const result = lambda.apply(vars);
  return makeIndexMap(vars, (isList(result) ? result : [result]).filter((r) => typeof r !== "string").map((r) => toExpr(r, site)));
}

function indexMap(a: CallArgs, site: Site): ScriptValue {
  const dtype = toDType(a.get(2, "index_dtype") ?? "int64", site);
  const map = lambdaMap(a.need(0, "mapping", site), dtype, site);
  const inverse = a.get(1, "inverse_index_map");
  if (inverse === undefined || inverse === null) return map;
  return makeIndexMap(map.initialIndices, map.finalIndices, lambdaMap(inverse, dtype, site));
}

/** Several conditions in one. */
function joined(kind: "tir.And" | "tir.Or", a: CallArgs, site: Site): ScriptValue {
  const [first, ...rest] = a.args.map((v) => toExpr(v, site));
  if (first === undefined) return site.fail("At least one condition is needed.");
  return rest.reduce((x, y) => makeBinary(kind, x, y, site.span), first);
}

const NAMED: Readonly<Record<string, Member>> = {
  min: folding(min),
  max: folding(max),
  floordiv: folding(floorDiv),
  floormod: folding(floorMod),
  truncdiv: folding(div),
  truncmod: folding(truncMod),
  ceildiv: folding(ceilDiv),
  Not: (a, site) => makeNot(toExpr(a.need(0, "a", site), site), site.span),
  Cast: (a, site) => makeCast(toDType(a.need(0, "dtype", site), site), toExpr(a.need(1, "value", site), site), site.span),
  cast: (a, site) => cast(toDType(a.need(1, "dtype", site), site), toExpr(a.need(0, "value", site), site)),
  Select: (a, site) => {
    const [t, f] = toOperands(a.need(1, "true_value", site), a.need(2, "false_value", site), site);
    return makeSelect(toExpr(a.need(0, "condition", site), site), ...matchTypes(t, f), site.span);
  },
  Ramp: (a, site) => {
    const base = toExpr(a.need(0, "base", site), site);
    return makeRamp(base, toExpr(a.need(1, "stride", site), site, base.dtype), toLanes(a.need(2, "lanes", site), site), site.span);
  },
  Broadcast: (a, site) => makeBroadcast(toExpr(a.need(0, "value", site), site), toLanes(a.need(1, "lanes", site), site), site.span),
  Shuffle: (a, site) => makeShuffle(toExprs(a.need(0, "vectors", site), site), toExprs(a.need(1, "indices", site), site), site.span),
  Let: letExpr,
  let: (a, site) => {
    const bind = toVar(a.need(0, "v", site), site);
    if (bind.kind !== "tir.Var") return site.fail("A size variable cannot be bound.");
    return makeLet(bind, toExpr(a.need(1, "value", site), site, bind.dtype), toExpr(a.need(2, "body", site), site), site.span);
  },
  StringImm: (a, site) => makeStringImm(toText(a.need(0, "value", site), site), site.span),
  IntImm: (a, site) => makeIntImm(toCount(a.need(1, "value", site), site), toDType(a.need(0, "dtype", site), site), site.span),
  FloatImm: (a, site) => {
    const value = a.need(1, "value", site);
    const number = value instanceof ScriptFloat ? value.value : isInt(value) ? Number(value) : site.fail("Expected a number.");
    return makeFloatImm(number, toDType(a.need(0, "dtype", site), site), site.span);
  },
  comm_reducer: commReducer,
  reduce,
  iter_var: iterVar,
  Range: (a, site) => (a.args.length === 1 ? toRange(a.args[0], site) : rangeFromTo(a.need(0, "begin", site), a.need(1, "end", site), site)),
  index_map: indexMap,
  call_intrin: callIntrin,
  Call: call,
  if_then_else: ifThenElse,
  min_value: (a, site) => minValue(toDType(a.need(0, "dtype", site), site)),
  max_value: (a, site) => maxValue(toDType(a.need(0, "dtype", site), site)),
  meta_var: (a, site) => new MetaValue(a.need(0, "value", site)),
  Var: namedVar((name, dtype) => makeVar(name, dtype)),
  SizeVar: namedVar((name, dtype) => makeSizeVar(name, dtype)),
  var: (a, site) => makeVar(toText(a.get(1, "name") ?? "", site), toDType(a.need(0, "dtype", site), site), undefined, site.span),
  IterVar: (a, site) => {
    const dom = a.need(0, "dom", site);
    const v = a.need(1, "var", site);
    const type = a.need(2, "iter_type", site);
    const tag = toText(a.get(3, "thread_tag") ?? "", site);
    const sort = isInt(type) ? Object.keys(iterTypeNames)[Number(type)] : undefined;
    if (sort === undefined) return site.fail("An iteration variable has a sort from 0 to 8.");
    const bound = typeof v === "string" ? makeVar(v) : toVar(v, site);
    if (bound.kind !== "tir.Var") return site.fail("A size variable cannot be iterated.");
    return makeIterVar(dom === null ? undefined : toRange(dom, site), bound, sort as IterVarType, tag, site.span);
  },
  CommReducer: (a, site) => {
    const vars = (index: number, name: string): Var[] =>
      toExprs(a.need(index, name, site), site).map((v) => (v.kind === "tir.Var" ? v : site.fail("A reducer binds variables.")));
    return makeCommReducer(vars(0, "lhs"), vars(1, "rhs"), toExprs(a.need(2, "result", site), site), toExprs(a.need(3, "identity_element", site), site));
  },
  BufferLoad: (a, site) => {
    const predicate = a.get(2, "predicate");
    return makeBufferLoad(
      toBuffer(a.need(0, "buffer", site), site),
      toExprs(a.need(1, "indices", site), site),
      predicate === undefined || predicate === null ? undefined : toExpr(predicate, site),
      site.span,
    );
  },
  any: (a, site) => joined("tir.Or", a, site),
  all: (a, site) => joined("tir.And", a, site),
  call_kernel: (_, site) => site.ctx.needsPython(site, "`T.call_kernel`, which compiles a kernel of another language,"),
  // LLVM's numbers differ between its versions: an intrinsic goes by its name here.
  llvm_lookup_intrinsic_id: (a, site) => toText(a.need(0, "name", site), site),
  target: (a, site) => {
    const target = a.need(0, "target", site);
    const host = a.get(1, "host");
    const parsed = targetFromText(target);
    return host === undefined || !isDict(parsed) ? parsed : new Map([...parsed, ["host", targetFromText(host)]]);
  },
  ptr: (a, site) => {
    const scope = a.get(1, "storage_scope");
    return makeVar("", "handle", { kind: "ir.PointerType", elementType: { kind: "ir.PrimType", dtype: toDType(a.need(0, "dtype", site), site) }, storageScope: typeof scope === "string" ? scope : "global" });
  },
};

/** A variable that the program makes under a name of its own. */
function namedVar(make: (name: string, dtype: DType) => Var | SizeVar): Member {
  return (a, site) => {
    const v = make(toText(a.need(0, "name", site), site), toDType(a.get(1, "dtype") ?? "int32", site));
    site.ctx.markNew(v);
    return v;
  };
}

/** A target written as `kind -key=value …` as a dictionary; a dictionary stays what it is. */
function targetFromText(target: ScriptValue): ScriptValue {
  if (typeof target !== "string") return target;
  const [kind = "", ...options] = target.trim().split(/\s+/);
  const entries = options.map((option): [string, ScriptValue] => {
    const [key = "", value = "1"] = option.replace(/^-+/, "").split("=");
    return [key, /^-?\d+$/.test(value) ? Number(value) : value];
  });
  return new Map<string, ScriptValue>([["kind", kind], ...entries]);
}

const ALIASES: readonly (readonly [alias: string, name: string])[] = [
  ["tvm_call_packed", "call_packed"],
  ["tvm_call_cpacked", "call_cpacked"],
  ["tvm_call_packed_lowered", "call_packed_lowered"],
  ["tvm_call_cpacked_lowered", "call_cpacked_lowered"],
  ["buffer_var", "ptr"],
  ["Reduce", "reduce"],
  ["power", "pow"],
  ["ramp", "Ramp"],
  ["broadcast", "Broadcast"],
];

/** The members that give expressions, by name. */
export function exprMembers(): ReadonlyMap<string, ScriptValue> {
  const out = new Map<string, ScriptValue>();
  const add = (name: string, member: Member): void => void out.set(name, new ScriptFunction(`T.${name}`, member));
  for (const def of intrinDefs) add(def.scriptName, builtin(def));
  for (const kind of binaryKinds) add(kind.slice(4), exact(kind));
  for (const [name, member] of Object.entries(NAMED)) add(name, member);
  for (const [alias, name] of ALIASES) {
    const member = out.get(name);
    if (member !== undefined) out.set(alias, member);
  }
  return out;
}

