import { isNode, type Node, type VDevice } from "@verticil/ir-core";
import { isDType, isInteger, scalarOf, tensorFrom, type ScalarDType, type Tensor } from "@verticil/runtime-ffi";
import {
  describeValue,
  isInt,
  isList,
  readPython,
  ScriptFloat,
  ScriptFunction,
  ScriptObject,
  type PyExpr,
  type ScriptValue,
  type Site,
} from "@verticil/tvmscript";
import { cast, constant, isPrimExpr, makeTirVar, type PrimExpr } from "./tir-names.ts";
import type { Expr } from "../ir/expr.ts";
import { makePrimStructInfo, makePrimValue, makeShapeExpr, makeStringImm, makeTuple } from "../ir/make.ts";
import type { StructInfo } from "../ir/struct-info.ts";

const EXPR_KINDS: ReadonlySet<string> = new Set<Expr["kind"]>([
  "relax.Var",
  "relax.DataflowVar",
  "relax.Constant",
  "relax.Tuple",
  "relax.TupleGetItem",
  "relax.ShapeExpr",
  "relax.PrimValue",
  "relax.StringImm",
  "relax.DataTypeImm",
  "relax.Call",
  "relax.If",
  "relax.SeqExpr",
  "relax.Function",
  "relax.ExternFunc",
  "ir.GlobalVar",
  "ir.Op",
]);

export function isExpr(v: ScriptValue): v is Expr {
  return isNode(v) && EXPR_KINDS.has(v.kind);
}

export function isStructInfo(v: ScriptValue): v is StructInfo {
  return isNode(v) && v.kind.startsWith("relax.") && v.kind.endsWith("StructInfo");
}

/** The value as a graph expression; lists are tuples, numbers scalars. */
export function toRelax(v: ScriptValue, site: Site): Expr {
  if (isExpr(v)) return v;
  if (isNode(v) && isPrimExpr(v)) return makePrimValue(v, site.span);
  if (isList(v)) return makeTuple(v.map((x) => toRelax(x, site)), site.span);
  if (isInt(v)) return makePrimValue(constant(v, "int64"), site.span);
  if (typeof v === "boolean") return makePrimValue(constant(v, "bool"), site.span);
  if (v instanceof ScriptFloat) return makePrimValue(constant(v.value, "float32"), site.span);
  if (typeof v === "string") return makeStringImm(v, site.span);
  return site.fail(`Expected an expression, found ${describeValue(v)}.`);
}

/** A dimension; a string is an expression whose unknown names are symbolic variables. */
export function toDim(v: ScriptValue, site: Site): PrimExpr {
  if (isInt(v)) return constant(v, "int64");
  if (typeof v === "string") return dimFromText(v, site);
  if (isNode(v)) {
    if (v.kind === "relax.PrimValue" && "value" in v && isNode(v.value) && isPrimExpr(v.value)) return v.value;
    if (isPrimExpr(v)) return v.kind === "ir.IntImm" && v.dtype === "int32" ? cast("int64", v) : v;
  }
  return site.fail(`Expected a dimension, found ${describeValue(v)}.`);
}

/** The value of a scalar: like a dimension, but of any type. */
export function toPrim(v: ScriptValue, site: Site): PrimExpr {
  if (typeof v === "boolean") return constant(v, "bool");
  if (v instanceof ScriptFloat) return constant(v.value, "float64");
  return isNode(v) && isPrimExpr(v) ? v : toDim(v, site);
}

function dimFromText(text: string, site: Site): PrimExpr {
  const { ctx } = site;
  const { body, problems } = readPython(text);
  const [only] = body;
  if (problems.length > 0 || body.length !== 1 || only?.py !== "ExprStmt") return site.fail(`\`${text}\` is not an expression.`);
  for (const name of namesIn(only.value)) {
    if (!ctx.isDefined(name)) ctx.define(name, makeTirVar(name, "int64", undefined, site.span));
  }
  return toDim(ctx.evaluate(moved(only.value, site)), site);
}

function namesIn(e: PyExpr): string[] {
  switch (e.py) {
    case "Name":
      return [e.id];
    case "Binary":
    case "Compare":
    case "Bool":
      return [...namesIn(e.left), ...namesIn(e.right)];
    case "Unary":
      return namesIn(e.operand);
    case "Call":
      return e.args.flatMap(namesIn);
    case "Tuple":
    case "List":
      return e.items.flatMap(namesIn);
    default:
      return [];
  }
}

/** The expression as if it stood where the string stands, for messages and spans. */
function moved(e: PyExpr, site: Site): PyExpr {
  const at = { start: site.start, end: site.end };
  switch (e.py) {
    case "Binary":
    case "Compare":
    case "Bool":
      return { ...e, ...at, left: moved(e.left, site), right: moved(e.right, site) } as PyExpr;
    case "Unary":
      return { ...e, ...at, operand: moved(e.operand, site) };
    case "Call":
      return { ...e, ...at, func: moved(e.func, site), args: e.args.map((a) => moved(a, site)) };
    case "Attribute":
      return { ...e, ...at, value: moved(e.value, site) };
    default:
      return { ...e, ...at };
  }
}

/** A shape: a list of dimensions, or an expression that is one. */
export function toShape(v: ScriptValue, site: Site): Expr {
  if (isList(v)) return makeShapeExpr(v.map((d) => toDim(d, site)), site.span);
  return isExpr(v) ? v : makeShapeExpr([toDim(v, site)], site.span);
}

export function toStructInfo(v: ScriptValue, site: Site): StructInfo {
  if (v instanceof ScriptFunction && isStructInfo(v.bare)) return v.bare;
  if (isStructInfo(v)) return v;
  // Main writes the scalar types of tensor programs.
  const scalar = site.ctx.spelling === "main" && v instanceof ScriptFunction ? scalarType(v.bare) : undefined;
  if (scalar !== undefined) return makePrimStructInfo(scalar);
  return site.fail(`Expected a type, found ${describeValue(v)}.`);
}

function scalarType(v: ScriptValue): ScalarDType | undefined {
  const dtype = v instanceof ScriptObject && "dtype" in v ? v.dtype : undefined;
  return typeof dtype === "string" && isDType(dtype) ? scalarOf(dtype) : undefined;
}

/** One struct info, or a list of them. */
export function toStructInfos(v: ScriptValue, site: Site): StructInfo[] {
  return isList(v) ? v.map((x) => toStructInfo(x, site)) : [toStructInfo(v, site)];
}

export function toScalarDType(v: ScriptValue, site: Site): ScalarDType {
  if (typeof v === "string" && isDType(v)) return scalarOf(v);
  return site.fail(`Expected a data type, found ${describeValue(v)}.`);
}

/** `R.const(value, dtype)`: a scalar or nested lists as a tensor. */
export function toTensor(v: ScriptValue, dtype: ScalarDType | undefined, site: Site): Tensor {
  const shape: number[] = [];
  for (let x = v; isList(x); x = x[0]) shape.push(x.length);
  const items: (number | bigint)[] = [];
  let hasFloat = false;
  const visit = (x: ScriptValue, depth: number): void => {
    if (isList(x)) {
      if (x.length !== shape[depth]) site.fail("The rows of a constant have the same length.");
      for (const y of x) visit(y, depth + 1);
    } else if (isInt(x)) items.push(x);
    else if (typeof x === "boolean") items.push(x ? 1 : 0);
    else if (x instanceof ScriptFloat) {
      hasFloat = true;
      items.push(x.value);
    } else if (x === "inf" || x === "-inf" || x === "nan") {
      hasFloat = true;
      items.push(x === "nan" ? NaN : x === "inf" ? Infinity : -Infinity);
    } else site.fail(`A constant is made of numbers, not ${describeValue(x)}.`);
  };
  visit(v, 0);
  const type = dtype ?? (hasFloat ? "float32" : typeof v === "boolean" ? "bool" : "int32");
  if (isInteger(type) && hasFloat) return site.fail(`A constant of \`${type}\` is made of integers.`);
  return tensorFrom(items, shape, type);
}

/** `"llvm:0"`: the module's device of that kind and number. */
export function toVDevice(v: ScriptValue, site: Site): VDevice | undefined {
  if (v === undefined || v === null) return undefined;
  if (isNode(v) && v.kind === "ir.VDevice") return v as VDevice;
  if (typeof v !== "string") return site.fail(`Expected a device, found ${describeValue(v)}.`);
  const [kind, number = "0"] = v.split(":");
  const list = (site.ctx.globalInfos.get("vdevice") ?? []).filter(isNode) as readonly (Node & Partial<VDevice>)[];
  const found = list.filter((d) => d.target?.["kind"] === kind)[Number(number)];
  if (found === undefined) return site.fail(`The module has no device \`${v}\`.`, "List it in `I.module_global_infos`.");
  return found as VDevice;
}
