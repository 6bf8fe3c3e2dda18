import { isNode, makePrimType, makeTupleType, type Type } from "@verticil/ir-core";
import { ScriptFunction, type ScriptValue } from "@verticil/tvmscript";
import type { Var } from "../ir/expr.ts";
import { TypeValue } from "./values.ts";

/** The type that an annotation stands for: `T.int32`, `T.handle("float32")`, `T.Tuple(…)`, `None`; undefined for none. */
export function toType(value: ScriptValue): Type | undefined {
  if (value === null) return makeTupleType([]);
  if (value instanceof ScriptFunction && value.bare instanceof TypeValue) return makePrimType(value.bare.dtype);
  if (!isNode(value)) return undefined;
  if (value.kind === "ir.TupleType") return value as Type;
  if (value.kind !== "tir.Var" && value.kind !== "tir.SizeVar") return undefined;
  const v = value as Var;
  return v.typeAnnotation ?? makePrimType(v.dtype);
}
