import { makeGlobalVar, makeIRModule } from "@verticil/ir-core";
import { Schedule, ScheduleError, type BlockRV, type PrimFunc, type Trace } from "@verticil/tir";
import { leafBlocks } from "./leaf-blocks.ts";
import type { SpaceContext, SpaceRule } from "./space-rule.ts";

/** A function in a module of its own, under the name that traces look blocks up in. */
export function scheduleOf(func: PrimFunc, seed = 1): Schedule {
  return new Schedule(makeIRModule(new Map([[makeGlobalVar("main"), func]])), { seed, errorRenderLevel: "none" });
}

/** Makes the traces whose decisions span the space of schedules of a function. */
export type SpaceGenerator = (func: PrimFunc, ctx: SpaceContext) => readonly Trace[];

/**
 * Applies each rule in turn to every block of the function, from what writes its results back to what reads its inputs,
 * and gives the traces of all schedules that come of it (upstream's `PostOrderApply`). A block that a rule made away
 * with is passed over.
 */
export function postOrderApply(rules: readonly SpaceRule[]): SpaceGenerator {
  return (func, ctx) => {
    if (func.body.kind !== "tir.BlockRealize") return [];
    const first = scheduleOf(func);
    let schedules: readonly Schedule[] = [first];
    for (const rule of rules) schedules = schedules.flatMap((sch) => applyEverywhere(rule, sch, ctx));
    return schedules.map((sch) => sch.trace.simplified());
  };
}

function applyEverywhere(rule: SpaceRule, sch: Schedule, ctx: SpaceContext): readonly Schedule[] {
  return leafBlocks(sch)
    .toReversed()
    .reduce<readonly Schedule[]>((list, block) => list.flatMap((s) => (isThere(s, block) ? rule.apply(s, block, ctx) : [s])), [sch]);
}

function isThere(sch: Schedule, block: BlockRV): boolean {
  try {
    sch.get(block);
    return true;
  } catch (e) {
    if (e instanceof ScheduleError) return false;
    throw e;
  }
}
