import { isNode, type AttrValue } from "@verticil/ir-core";
import { makeIndexMap } from "@verticil/tir";
import { isInt, isList, ScriptFloat, ScriptLambda, toAttr, type CallArgs, type ScriptValue, type Site } from "@verticil/tvmscript";
import type { Expr } from "../ir/expr.ts";
import { makeDataTypeImm, makeExternFunc, makePrimValue, makeStringImm, makeTuple } from "../ir/make.ts";
import type { ArgKind, OpDef } from "../ir/op-def.ts";
import type { StructInfo } from "../ir/struct-info.ts";
import { isExpr, toDim, toRelax, toScalarDType, toShape, toStructInfos, toVDevice } from "./convert.ts";
import { toDeviceMesh } from "./convert-mesh.ts";
import { isPrimExpr, makeTirVar } from "./tir-names.ts";

/** True for `None` and for what was left out. */
export function isAbsent(v: ScriptValue): v is null | undefined {
  return v === undefined || v === null;
}

/** An argument of an operator, by what the operator takes there. */
export function argument(v: ScriptValue, kind: ArgKind | undefined, site: Site): Expr {
  switch (kind) {
    case "shape":
      return isList(v) || isInt(v) ? toShape(v, site) : toRelax(v, site);
    case "prim":
      if (isNode(v) && isPrimExpr(v)) return makePrimValue(v, site.span);
      return toRelax(v, site);
    case "string":
      return typeof v === "string" ? makeStringImm(v, site.span) : toRelax(v, site);
    case "dtype":
      return typeof v === "string" ? makeDataTypeImm(toScalarDType(v, site), site.span) : toRelax(v, site);
    case "func":
      return typeof v === "string" ? makeExternFunc(v, undefined, site.span) : toRelax(v, site);
    case "tuple":
      if (isList(v)) return makeTuple(v.map((x) => toRelax(x, site)), site.span);
      return toRelax(v, site);
    case "prims":
    case "any":
    case undefined:
      return toRelax(v, site);
  }
}

/** The struct infos that a call says its result has. */
export function sinfoArgs(a: CallArgs, site: Site): readonly StructInfo[] {
  const v = a.keywords.get("sinfo_args");
  return isAbsent(v) ? [] : toStructInfos(v, site);
}

/** `lambda i, j: (j, i)` as a map of indices, which are int64 in graph functions. */
function indexMap(lambda: ScriptLambda, site: Site): AttrValue {
  const vars = lambda.params.map((name) => makeTirVar(name, "int64"));
  const result = lambda.apply(vars);
  return makeIndexMap(vars, (isList(result) ? result : [result]).map((e) => toDim(e, site)));
}

/** A number, plain or as a constant of a tensor program. */
function numberOf(v: ScriptValue, site: Site): AttrValue {
  if (isNode(v) && (v.kind === "ir.FloatImm" || v.kind === "ir.IntImm") && "value" in v) return Number(v.value);
  return isInt(v) ? Number(v) : toAttr(v, site);
}

/** The value of an operator's attribute. */
export function attribute(v: ScriptValue, def: OpDef, name: string, site: Site): AttrValue {
  const type = def.attrs[name]?.type;
  if (type === "any" && name.includes("vdevice")) return toVDevice(v, site) ?? null;
  if (type === "any" && name === "device_mesh") return toDeviceMesh(v, site);
  if (v instanceof ScriptLambda) return indexMap(v, site);
  if (type === "ints" && isExpr(v) && v.kind === "relax.ShapeExpr") return v.values.map((e) => toAttr(e, site));
  if (type === "float" && isInt(v)) return Number(v);
  if (type === "float-constants" && isList(v)) return v.map((e) => numberOf(e, site));
  if (type === "int" && v instanceof ScriptFloat) return site.fail(`\`${name}\` is an integer.`);
  if (isNode(v) && v.kind === "ir.IntImm" && "value" in v) return Number(v.value);
  return toAttr(v, site);
}
