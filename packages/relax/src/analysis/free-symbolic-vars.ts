import { undefinedVars, type AnyVar as TirVar } from "@verticil/tir";
import type { Expr, Function } from "../ir/expr.ts";
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
  const visit = (e: Expr): void => {
    mention(structInfoOf(e));
    switch (e.kind) {
      case "relax.PrimValue":
        mention(makeShapeStructInfo([e.value]));
        return;
      case "relax.Call":
        e.sinfoArgs.forEach((i) => mention(i));
        e.args.forEach(visit);
        return;
      case "relax.Tuple":
        e.fields.forEach(visit);
        return;
      case "relax.TupleGetItem":
        visit(e.tuple);
        return;
      case "relax.If":
        [e.cond, e.trueBranch, e.falseBranch].forEach(visit);
        return;
      case "relax.SeqExpr":
        for (const b of e.blocks.flatMap((block) => block.bindings)) {
          visit(b.value);
          if (b.kind === "relax.MatchCast") mention(b.structInfo, bound);
          mention(b.var.structInfo);
        }
        visit(e.body);
        return;
      default:
        return;
    }
  };
  visit(expr);
  mention(also);
  return [...mentioned].filter((v) => !bound.has(v));
}
