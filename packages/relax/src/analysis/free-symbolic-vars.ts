import { undefinedVars, type AnyVar as TirVar } from "@verticil/tir";
import type { Expr, Function } from "../ir/expr.ts";
import { forEachExpr } from "../ir/for-each-expr.ts";
import { tirVarsInStructInfo } from "../ir/infer-call.ts";
import { makeShapeStructInfo } from "../ir/make.ts";
import type { StructInfo } from "../ir/struct-info.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";

/** The symbolic variables that the body of a function, or what it gives, mentions and no cast in it binds, in order. */
export function freeSymbolicVars(func: Function): readonly TirVar[] {
  return symbolicVarsOf(func.body, func.retStructInfo);
}

/** The symbolic variables that an expression mentions and no cast in it binds, in order; with those of `also`. */
export function symbolicVarsOf(expr: Expr, also?: StructInfo): readonly TirVar[] {
  const mentioned = new Set<TirVar>();
  const bound = new Set<TirVar>();
  const mention = (info: StructInfo | undefined, into: Set<TirVar> = mentioned): void => {
    if (info !== undefined) tirVarsInStructInfo(info, (d) => undefinedVars(d).forEach((v) => into.add(v)));
  };
  forEachExpr(
    expr,
    (e) => {
      mention(structInfoOf(e));
      if (e.kind === "relax.PrimValue") mention(makeShapeStructInfo([e.value]));
      if (e.kind === "relax.Call") e.sinfoArgs.forEach((i) => mention(i));
      // What a local function mentions is its own.
      return e.kind !== "relax.Function";
    },
    (b) => {
      if (b.kind === "relax.MatchCast") mention(b.structInfo, bound);
      mention(b.var.structInfo);
    },
  );
  mention(also);
  return [...mentioned].filter((v) => !bound.has(v));
}
