import { makeGlobalVar, makeIRModule } from "@verticil/ir-core";
import { isConstInt, Schedule, ScheduleError, type Block, type BlockRV, type LoopRV, type PrimFunc } from "@verticil/tir";

/** A schedule of one function, with what rules ask of it again and again. */
export interface Work {
  readonly sch: Schedule;
  /** The root block. */
  readonly root: BlockRV;
}

/** Begins to schedule `func`; undefined if its body is not a block. */
export function beginWork(func: PrimFunc): Work | undefined {
  if (func.body.kind !== "tir.BlockRealize") return undefined;
  const sch = new Schedule(makeIRModule(new Map([[makeGlobalVar("main"), func]])));
  return { sch, root: sch.getBlock(func.body.block.name, "main") };
}

/** The function as it is now. */
export function funcOf(work: Work): PrimFunc {
  return work.sch.funcOf(work.root);
}

/** The blocks of the function in order, each with its node. */
export function stages(work: Work): readonly Stage[] {
  return work.sch.getChildBlocks(work.root).map((rv) => ({ rv, block: work.sch.get(rv).block }));
}

/** A block of the function. */
export interface Stage {
  readonly rv: BlockRV;
  readonly block: Block;
}

/** True if the primitive applied; false if it refused. Other errors pass. */
export function attempt(run: () => void): boolean {
  try {
    run();
    return true;
  } catch (e) {
    if (e instanceof ScheduleError) return false;
    throw e;
  }
}

/** The extent of a loop where it is constant. */
export function extentOf(work: Work, loop: LoopRV): number | undefined {
  const { extent } = work.sch.get(loop);
  return isConstInt(extent) ? Number(extent.value) : undefined;
}

/** True for a block with reduction variables that starts from an init. */
export function isReduction(block: Block): boolean {
  return block.init !== undefined && block.iterVars.some((iv) => iv.iterType === "kCommReduce");
}

/** True for a block with spatial variables only that stores once. */
export function isInjective(block: Block): boolean {
  return block.init === undefined && block.iterVars.every((iv) => iv.iterType === "kDataPar") && block.body.kind === "tir.BufferStore";
}

/** True for a block that moves elements without conditions: its value is a load. */
export function isCopy(block: Block): boolean {
  return isInjective(block) && block.body.kind === "tir.BufferStore" && block.body.value.kind === "tir.BufferLoad";
}
