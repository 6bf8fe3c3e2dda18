import { isVectorizable, type BlockRV, type Schedule } from "@verticil/tir";
import { LANES } from "../space/anchor-shape.ts";
import { attempt } from "../space/attempt.ts";
import { isInjective, loopExtent, loopOfVar } from "../space/block-kind.ts";
import { leafBlocks } from "../space/leaf-blocks.ts";
import type { Postproc } from "./postproc.ts";

/**
 * Blocks without reductions in vectors along memory where that is possible, and as they are where not. After the choices,
 * since the loops of a block depend on where it is computed (as upstream's `RewriteParallelVectorizeUnroll` does it).
 */
export const vectorizeInjective: Postproc = {
  name: "VectorizeInjective",
  apply(sch) {
    for (const rv of leafBlocks(sch)) vectorize(sch, rv);
    return true;
  },
};

function vectorize(sch: Schedule, rv: BlockRV): void {
  const { block } = sch.get(rv);
  const lane = block.body.kind === "tir.BufferStore" ? block.body.indices.at(-1) : undefined;
  if (!isInjective(block) || lane?.kind !== "tir.Var" || !isVectorizable(block, lane)) return;
  const loops = sch.getLoops(rv);
  const inner = loops.at(-1);
  if (inner === undefined || loopOfVar(sch, rv, loops, lane) !== inner || sch.get(inner).forKind !== "serial") return;
  if ((loopExtent(sch, inner) ?? 1) % LANES !== 0) return;
  attempt(() => {
    const [, lanes] = sch.split(inner, [undefined, LANES]);
    if (lanes !== undefined) sch.vectorize(lanes);
  });
}
