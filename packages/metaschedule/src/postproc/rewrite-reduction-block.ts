import { usesVar, type BlockRV, type LoopRV, type Schedule } from "@verticil/tir";
import { attempt } from "../space/attempt.ts";
import { isReduction } from "../space/block-kind.ts";
import { leafBlocks } from "../space/leaf-blocks.ts";
import type { Postproc } from "./postproc.ts";

/**
 * Takes the init of each reduction out to before its first reduction loop (upstream's `RewriteReductionBlock`). After
 * the kinds of loops are settled: an update apart from its init is no reduction any more, whose loops could change kind.
 */
export const rewriteReductionBlock: Postproc = {
  name: "RewriteReductionBlock",
  apply(sch) {
    for (const rv of leafBlocks(sch)) {
      const loop = isReduction(sch.get(rv).block) ? reductionLoop(sch, rv) : undefined;
      if (loop !== undefined) attempt(() => sch.decomposeReduction(rv, loop));
    }
    return true;
  },
};

/** The outermost loop that drives a reduction variable of the block. */
function reductionLoop(sch: Schedule, rv: BlockRV): LoopRV | undefined {
  const { block, iterValues } = sch.get(rv);
  const reduced = iterValues.filter((_, i) => block.iterVars[i]?.iterType === "kCommReduce");
  return sch.getLoops(rv).find((l) => reduced.some((value) => usesVar(value, sch.get(l).loopVar)));
}
