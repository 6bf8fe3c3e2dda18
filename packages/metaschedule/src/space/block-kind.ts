import { asInt, type Block, type BlockRV, type LoopRV, type Schedule, type Var } from "@verticil/tir";

/** True for a block with reduction variables that starts from an init. */
export function isReduction(block: Block): boolean {
  return block.init !== undefined && reduces(block);
}

/** True for a block with reduction variables, its init with it or decomposed from it. */
export function reduces(block: Block): boolean {
  return block.iterVars.some((iv) => iv.iterType === "kCommReduce");
}

/** True for a block with spatial variables only that stores once. */
export function isInjective(block: Block): boolean {
  return block.init === undefined && block.iterVars.every((iv) => iv.iterType === "kDataPar") && block.body.kind === "tir.BufferStore";
}

/** True for a block that moves elements without conditions: its value is a load. */
export function isCopy(block: Block): boolean {
  return isInjective(block) && block.body.kind === "tir.BufferStore" && block.body.value.kind === "tir.BufferLoad";
}

/** The constant extent of a variable of a block. */
export function extentOf(block: Block, v: Var): number | undefined {
  const dom = block.iterVars.find((iv) => iv.var === v)?.dom;
  return dom && asInt(dom.extent);
}

/** The constant extent of a loop. */
export function loopExtent(sch: Schedule, loop: LoopRV): number | undefined {
  return asInt(sch.get(loop).extent);
}

/** The loop that alone gives a variable of a block its value. */
export function loopOfVar(sch: Schedule, block: BlockRV, loops: readonly LoopRV[], v: Var): LoopRV | undefined {
  const realize = sch.get(block);
  const value = realize.iterValues[realize.block.iterVars.findIndex((iv) => iv.var === v)];
  return value === undefined ? undefined : loops.find((l) => sch.get(l).loopVar === value);
}
