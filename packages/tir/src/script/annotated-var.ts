import { isNode } from "@verticil/ir-core";
import { describeValue, ScriptFunction, type ParseContext, type ScriptValue } from "@verticil/tvmscript";
import type { Var } from "../ir/expr.ts";
import { makeVar } from "../ir/make-expr.ts";
import { TypeValue } from "./values.ts";

/** The variable that an annotation makes. */
export function annotatedVar(value: ScriptValue, name: string, ctx: ParseContext, at: { readonly start: number; readonly end: number }): Var {
  if (value instanceof ScriptFunction && value.bare instanceof TypeValue) return makeVar(name, value.bare.dtype, undefined, ctx.span(at));
  if (isNode(value) && value.kind === "tir.Var") return { ...(value as Var), name, span: ctx.span(at) };
  if (isNode(value) && value.kind === "tir.SizeVar") return { ...(value as unknown as Var), name, span: ctx.span(at) };
  return ctx.fail(at, `${describeValue(value)} is not a type.`);
}
