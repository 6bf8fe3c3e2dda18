import { makeFloatImm, makeIntImm, makePointerType, makePrimType, makeTupleType, isNode } from "@verticil/ir-core";
import { isDType, isFloat, lanesOf, scalarOf, type DType } from "@verticil/runtime-ffi";
import { describeValue, isInt, ScriptFloat, ScriptFunction, type CallArgs, type ScriptValue, type Site } from "@verticil/tvmscript";
import { makeBroadcast, makeSizeVar, makeVar } from "../ir/make-expr.ts";
import { cast, constant } from "../ir/ops.ts";
import type { PrimExpr } from "../ir/expr.ts";
import { toDType, toExpr, toText } from "./convert.ts";
import { toType } from "./to-type.ts";
import { TypeValue } from "./values.ts";

/** `T.int32`, `T.float32x4`, …: a constant, a conversion, or without an argument a new variable. */
export function dtypeMember(name: string): ScriptFunction | undefined {
  const dtype: DType | undefined = name === "boolean" ? "bool" : isDType(name) ? name : undefined;
  if (dtype === undefined || dtype === "handle") return undefined;
  return new ScriptFunction(`T.${name}`, (a, site) => construct(dtype, a, site), new TypeValue(dtype));
}

function construct(dtype: DType, a: CallArgs, site: Site): ScriptValue {
  a.only(1, ["expr", "is_size_var"], site);
  const value = a.get(0, "expr");
  if (value === undefined || value === null) {
    return a.keywords.get("is_size_var") === true ? makeSizeVar("", dtype, site.span) : makeVar("", dtype, undefined, site.span);
  }
  if (isNode(value)) return cast(dtype, toExpr(value, site));
  return constantOf(value, dtype, site);
}

function constantOf(value: ScriptValue, dtype: DType, site: Site): PrimExpr {
  const scalar = scalarOf(dtype);
  if (isFloat(scalar)) {
    const imm = makeFloatImm(toNumber(value, site), scalar, site.span);
    return lanesOf(dtype) === 1 ? imm : makeBroadcast(imm, lanesOf(dtype), site.span);
  }
  if (typeof value === "boolean") return constant(value ? 1 : 0, dtype);
  if (isInt(value) && lanesOf(dtype) === 1) return makeIntImm(value, scalar, site.span);
  if (isInt(value)) return constant(value, dtype);
  if (value instanceof ScriptFloat) return constant(Math.trunc(value.value), dtype);
  return toExpr(value, site);
}

function toNumber(value: ScriptValue, site: Site): number {
  if (value instanceof ScriptFloat) return value.value;
  if (isInt(value)) return Number(value);
  if (typeof value === "boolean") return value ? 1 : 0;
  switch (value) {
    case "inf":
      return Infinity;
    case "-inf":
      return -Infinity;
    case "nan":
    case "-nan":
      return NaN;
    default:
      return typeof value === "string" && !Number.isNaN(Number(value)) ? Number(value) : site.fail("Expected a number.");
  }
}

/** `T.handle`: a pointer, typed or not. */
export const handleMember: ScriptFunction = new ScriptFunction(
  "T.handle",
  (a, site) => {
    a.only(2, ["dtype", "storage_scope", "is_size_var", "type_annotation"], site);
    const element = a.get(0, "dtype");
    if (element === undefined || element === null) return makeVar("", "handle", undefined, site.span);
    const type = typeof element === "string" ? makePrimType(toDType(element, site)) : toType(element);
    if (type === undefined) return site.fail(`${describeValue(element)} is not a type.`);
    const scope = a.get(1, "storage_scope");
    return makeVar("", "handle", makePointerType(type, scope === undefined ? "global" : toText(scope, site)), site.span);
  },
  new TypeValue("handle"),
);

/** `T.Tuple(T.int32, …)`: what a call of several results has for a type. */
export const tupleMember: ScriptFunction = new ScriptFunction("T.Tuple", (a, site) =>
  makeTupleType(a.args.map((x) => toType(x) ?? site.fail(`${describeValue(x)} is not a type.`))),
);
