import { asInt, usesVar, type BlockRV, type Schedule } from "@verticil/tir";
import { reduces } from "../space/block-kind.ts";
import { leafBlocks } from "../space/leaf-blocks.ts";
import type { Postproc } from "./postproc.ts";

/** Accumulators, in vectors, of a register tile: a machine has 16 vector registers, and operands need some. */
const MOST_ACCUMULATORS = 16;
/** Times that the update of an accumulator may be written out. */
const MOST_COPIES = 192;

/** Turns down tiles that do not fit the registers, and code that would be written out too often. */
export const limitUnrolling: Postproc = {
  name: "LimitUnrolling",
  apply(sch) {
    return leafBlocks(sch).every((rv) => {
      if (!reduces(sch.get(rv).block)) return true;
      const { accumulators, copies } = unrolledAround(sch, rv);
      return accumulators <= MOST_ACCUMULATORS && copies <= MOST_COPIES;
    });
  },
};

function unrolledAround(sch: Schedule, rv: BlockRV): { readonly accumulators: number; readonly copies: number } {
  const { block, iterValues } = sch.get(rv);
  let accumulators = 1;
  let copies = 1;
  for (const loop of sch.getLoops(rv)) {
    const { forKind, loopVar, extent } = sch.get(loop);
    if (forKind !== "unrolled") continue;
    const n = asInt(extent) ?? 1;
    copies *= n;
    if (block.iterVars.some((iv, i) => iv.iterType === "kDataPar" && usesVar(iterValues[i] ?? loopVar, loopVar))) accumulators *= n;
  }
  return { accumulators, copies };
}
