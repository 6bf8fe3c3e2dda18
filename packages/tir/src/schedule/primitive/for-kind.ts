import { usesVar } from "../../ir/free-vars.ts";
import { makeIterVar, makeVar } from "../../ir/make-expr.ts";
import type { BlockRealize, For, ForKind, Stmt } from "../../ir/stmt.ts";
import { requireCompactDataflow } from "../block-relations.ts";
import { replaceStmts, stmtChildren, type FuncTree } from "../func-tree.ts";
import type { Outcome } from "../outcome.ts";
import { refuse } from "../schedule-error.ts";

/** The loop run in another way. What runs at once must not be bound to iterations that depend on each other. */
export function setForKind(tree: FuncTree, loop: For, forKind: ForKind, threadTag?: string): Outcome {
  if (threadTag !== undefined && !/^((block|thread)Idx\.[xyz]|vthread(\.[xyz])?|cthread)$/.test(threadTag)) {
    refuse(`there is no thread axis \`${threadTag}\``, loop, "Axes are blockIdx and threadIdx, each with .x, .y or .z, and vthread.");
  }
  if (forKind !== "unrolled") {
    requireCompactDataflow(tree, loop);
    requireParallel(loop, threadTag);
  }
  const threadBinding = forKind === "thread_binding" ? makeIterVar(undefined, makeVar(threadTag ?? "", loop.loopVar.dtype), "kThreadIndex", threadTag) : undefined;
  return { func: replaceStmts(tree.func, new Map([[loop, { ...loop, forKind, threadBinding }]])) };
}

function requireParallel(loop: For, threadTag: string | undefined): void {
  const inThreads = threadTag?.startsWith("threadIdx.") ?? false;
  const check = (realize: BlockRealize): void => {
    const { block } = realize;
    block.iterVars.forEach((iv, i) => {
      const value = realize.iterValues[i];
      if (value === undefined || !usesVar(value, loop.loopVar) || iv.iterType === "kDataPar") return;
      if (inThreads && iv.iterType === "kCommReduce") return;
      refuse(
        `loop \`${loop.loopVar.name}\` drives \`${iv.var.name}\` of block \`${block.name}\`, which is not data-parallel`,
        block,
        "Reorder or split so that the loop drives spatial variables only.",
      );
    });
  };
  const visit = (s: Stmt): void => {
    if (s.kind === "tir.BlockRealize") {
      check(s);
      visit(s.block.body);
    } else stmtChildren(s).forEach(visit);
  };
  visit(loop.body);
}
