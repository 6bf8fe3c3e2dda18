import type { AttrValue } from "@verticil/ir-core";
import { usesVar } from "../../ir/free-vars.ts";
import { makeIterVar, makeVar } from "../../ir/make-expr.ts";
import type { For, ForKind, PrimFunc, Stmt } from "../../ir/stmt.ts";
import { stmtChildren, replaceStmts, type FuncTree } from "../func-tree.ts";
import { refuse } from "../schedule-error.ts";

/** The loop run in another way. What runs at once must not be bound to iterations that depend on each other. */
export function setForKind(tree: FuncTree, loop: For, forKind: ForKind, threadTag?: string): PrimFunc {
  if (forKind !== "unrolled") requireParallel(loop, forKind);
  const changed: For =
    forKind === "thread_binding"
      ? { ...loop, forKind, threadBinding: makeIterVar(undefined, makeVar(threadTag ?? "", loop.loopVar.dtype), "kThreadIndex", threadTag) }
      : { ...loop, forKind, threadBinding: undefined };
  return replaceStmts(tree.func, new Map([[loop, changed]]));
}

function requireParallel(loop: For, forKind: ForKind): void {
  const visit = (s: Stmt): void => {
    if (s.kind === "tir.BlockRealize") {
      s.block.iterVars.forEach((iv, i) => {
        const value = s.iterValues[i];
        if (value === undefined || !usesVar(value, loop.loopVar) || iv.iterType === "kDataPar") return;
        if (forKind === "thread_binding" && iv.iterType === "kCommReduce") return;
        refuse(
          `loop \`${loop.loopVar.name}\` drives \`${iv.var.name}\` of block \`${s.block.name}\`, which is not data-parallel`,
          s.block,
          "Reorder or split so that the loop drives spatial variables only.",
        );
      });
      return;
    }
    stmtChildren(s).forEach(visit);
  };
  visit(loop.body);
}

/** The loop with an annotation set, or removed where `value` is undefined. */
export function annotateLoop(tree: FuncTree, loop: For, key: string, value: AttrValue | undefined): PrimFunc {
  if (value === undefined && loop.annotations[key] === undefined) {
    return refuse(`loop \`${loop.loopVar.name}\` has no annotation \`${key}\``, loop);
  }
  const annotations = Object.fromEntries(Object.entries({ ...loop.annotations, [key]: value }).filter(([, v]) => v !== undefined));
  return replaceStmts(tree.func, new Map([[loop, { ...loop, annotations }]]));
}
