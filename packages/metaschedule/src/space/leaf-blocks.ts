import type { BlockRV, PrimFunc, Schedule } from "@verticil/tir";

/** The blocks of the function `main` that hold no others, in order. */
export function leafBlocks(sch: Schedule): readonly BlockRV[] {
  const func = [...sch.mod.functions.values()].find((f): f is PrimFunc => f.kind === "tir.PrimFunc");
  if (func?.body.kind !== "tir.BlockRealize") return [];
  return leavesUnder(sch, sch.getBlock(func.body.block.name, "main"));
}

function leavesUnder(sch: Schedule, root: BlockRV): readonly BlockRV[] {
  return sch.getChildBlocks(root).flatMap((b) => (sch.getChildBlocks(b).length === 0 ? [b] : leavesUnder(sch, b)));
}
