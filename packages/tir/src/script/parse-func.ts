import type { AttrMap, Type } from "@verticil/ir-core";
import {
  describeValue,
  type FunctionParser,
  type ParseContext,
  type PyFunctionDef,
  type PyParam,
} from "@verticil/tvmscript";
import type { Buffer } from "../ir/buffer.ts";
import type { Var } from "../ir/expr.ts";
import { makeVar } from "../ir/make-expr.ts";
import { makeBlock, makeBlockRealize, makePrimFunc } from "../ir/make-stmt.ts";
import { constant } from "../ir/ops.ts";
import type { PrimFunc } from "../ir/stmt.ts";
import type { PrimFuncSignature } from "./operators.ts";
import { annotatedVar } from "./annotated-var.ts";
import { BodyParser } from "./parse-stmt.ts";
import { needsRoot } from "./root-block.ts";
import { toType } from "./to-type.ts";
import { NewBuffer } from "./values.ts";

/** The type that a function returns; undefined for nothing. */
function returnType(def: PyFunctionDef, ctx: ParseContext): Type | undefined {
  if (def.returns === undefined) return undefined;
  const value = ctx.evaluate(def.returns);
  if (value === null) return undefined;
  return toType(value) ?? ctx.fail(def.returns, `${describeValue(value)} is not a type.`);
}

function parameter(param: PyParam, ctx: ParseContext, body: BodyParser): { readonly v: Var; readonly buffer: Buffer | undefined } {
  const { annotation } = param;
  if (annotation === undefined) return ctx.fail(param, `The parameter \`${param.name}\` has no type.`);
  const value = ctx.evaluate(annotation);
  if (value instanceof NewBuffer) {
    const buffer = ctx.guard(annotation, () => value.make(param.name));
    const v = makeVar(`${param.name}_handle`, "handle", undefined, ctx.span(param));
    ctx.define(param.name, buffer);
    body.know(buffer);
    return { v, buffer };
  }
  const v = annotatedVar(value, param.name, ctx, param);
  ctx.define(param.name, v);
  return { v, buffer: undefined };
}

function isPrivate(def: PyFunctionDef): boolean {
  return def.decorators.some(
    (d) => d.py === "Call" && d.keywords.some((k) => k.name === "private" && k.value.py === "Const" && k.value.value === true),
  );
}

function define(def: PyFunctionDef, ctx: ParseContext): PrimFunc {
  const body = new BodyParser(ctx);
  const params: Var[] = [];
  let ok = true;
  for (const param of def.params) {
    ok =
      ctx.attempt(() => {
        const { v, buffer } = parameter(param, ctx, body);
        params.push(v);
        if (buffer !== undefined) body.bufferMap.set(v, buffer);
      }) && ok;
    if (!ok) ctx.poison({ py: "Name", id: param.name, start: param.start, end: param.end });
  }
  const retType = returnType(def, ctx);
  const stmt = body.function(def.body, def.params.map((param) => param.name));
  const attrs: AttrMap =
    isPrivate(def) || body.attrs["global_symbol"] !== undefined ? body.attrs : { global_symbol: def.name, ...body.attrs };
  const span = ctx.span({ start: def.nameStart, end: def.nameStart + def.name.length });
  const root = needsRoot(stmt, body.rootAllocs)
    ? makeBlockRealize([], constant(1, "bool"), makeBlock("root", [], [], [], stmt, { allocBuffers: body.rootAllocs, span }), span)
    : stmt;
  return makePrimFunc(params, root, {
    bufferMap: new Map(params.flatMap((v) => {
      const buffer = body.bufferMap.get(v);
      return buffer === undefined ? [] : [[v, buffer] as const];
    })),
    attrs,
    span,
    ...(retType === undefined ? {} : { retType }),
  });
}

/** How `@T.prim_func` is read. */
export const primFuncParser: FunctionParser = {
  declare(def, ctx): PrimFuncSignature {
    const type = returnType(def, ctx);
    const returns = type?.kind === "ir.PrimType" ? type.dtype : type?.kind === "ir.PointerType" ? "handle" : "void";
    return { prim: true, returns };
  },
  define,
};
