import type { AttrMap, Span } from "@verticil/ir-core";
import { undefinedVars } from "@verticil/tir";
import { isBaseOf } from "../analysis/struct-info-base-check.ts";
import { eraseStructInfo } from "./erase-struct-info.ts";
import type { Expr, Function, Var } from "./expr.ts";
import { dimensionContext, symbolicIn } from "./infer-call.ts";
import { makeFuncStructInfo } from "./make.ts";
import { structInfoOf } from "./struct-info-of.ts";
import type { StructInfo } from "./struct-info.ts";

/**
 * A function; its struct info follows from its parameters and from what it gives: `declared`, unless nothing is or the
 * body is known to give something as special or more (upstream's constructor of `relax.Function` settles it so).
 * @throws Error if a parameter has no struct info, or nothing is known of the result.
 */
export function makeFunction(
  params: readonly Var[],
  body: Expr,
  declared: StructInfo | undefined,
  opts: { readonly isPure?: boolean; readonly attrs?: AttrMap; readonly span?: Span | undefined } = {},
): Function {
  const isPure = opts.isPure ?? true;
  const paramInfos = params.map((p) => {
    if (p.structInfo === undefined) throw new Error(`Parameter \`${p.name}\` has no struct info.`);
    return p.structInfo;
  });
  const ret = returnInfo(declared, body, paramInfos);
  if (ret === undefined) throw new Error("The result of the function has no struct info.");
  return {
    kind: "relax.Function",
    params,
    body,
    retStructInfo: ret,
    isPure,
    attrs: opts.attrs ?? {},
    structInfo: makeFuncStructInfo(paramInfos, ret, { purity: isPure }),
    span: opts.span,
  };
}

/** What comes from the body is in terms of the parameters: dimensions that only the body knows are left out. */
function returnInfo(declared: StructInfo | undefined, body: Expr, params: readonly StructInfo[]): StructInfo | undefined {
  const found = structInfoOf(body);
  if (found === undefined || (declared !== undefined && !isBaseOf(declared, found, dimensionContext()))) return declared;
  const known = symbolicIn(params);
  return eraseStructInfo(found, (d) => undefinedVars(d).every((v) => known.has(v)));
}
