import { definePass, type Pass } from "@verticil/ir-core";
import type { AnyVar, Expr, Function } from "../ir/expr.ts";
import { makeBindingBlock, makeSeqExpr, makeVar } from "../ir/make.ts";
import { mapRelaxFunctions } from "../ir/mutate.ts";
import { renameExpr } from "../ir/rename.ts";
import { isVar } from "../analysis/variables.ts";

/** Upstream's `ToNonDataflow`: dataflow blocks become plain blocks, and dataflow variables plain variables. */
export function toNonDataflow(): Pass {
  return definePass("ToNonDataflow", (module) => mapRelaxFunctions(module, (f) => ({ ...f, body: flattenDataflow(f.body) }) as Function));
}

/** An expression without dataflow blocks, branches included. */
export function flattenDataflow(expr: Expr): Expr {
  return flatten(expr, new Map());
}

function flatten(expr: Expr, renamed: Map<AnyVar, Expr>): Expr {
  if (expr.kind === "relax.If") {
    return {
      ...expr,
      cond: renameExpr(expr.cond, renamed),
      trueBranch: flatten(expr.trueBranch, renamed),
      falseBranch: flatten(expr.falseBranch, renamed),
    };
  }
  if (expr.kind !== "relax.SeqExpr") return renameExpr(expr, renamed);
  const blocks = expr.blocks.map((block) => {
    const bindings = block.bindings.map((b) => {
      const value = flatten(b.value, renamed);
      if (b.var.kind === "relax.Var") return value === b.value ? b : { ...b, value };
      const v = makeVar(b.var.name, b.var.structInfo, b.var.span);
      renamed.set(b.var, v);
      return { ...b, var: isVar(v) ? v : b.var, value };
    });
    return makeBindingBlock(bindings, block.span);
  });
  return makeSeqExpr(mergeBlocks(blocks), renameExpr(expr.body, renamed), expr.span);
}

function mergeBlocks(blocks: readonly ReturnType<typeof makeBindingBlock>[]): readonly ReturnType<typeof makeBindingBlock>[] {
  return blocks.length <= 1 ? blocks : [makeBindingBlock(blocks.flatMap((b) => b.bindings))];
}
