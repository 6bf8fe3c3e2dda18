import { beginWork, funcOf, stages, type Work } from "../loop-sites.ts";
import { scheduleInjective } from "./schedule-injective.ts";
import { splitConditions } from "./split-conditions.ts";

/** Schedules the injective blocks of the given names, each cut where its conditions change. */
export function scheduleAll(work: Work, names: ReadonlySet<string>, parallel: boolean): Work {
  let func = funcOf(work);
  const open = new Set<string>();
  for (const name of names) {
    const split = splitConditions(func, name);
    if (split !== undefined) func = split.func;
    for (const part of split?.names ?? [name]) open.add(part);
  }
  const next = beginWork(func) ?? work;
  for (const s of stages(next)) if (open.has(s.block.name)) scheduleInjective(next, s, parallel);
  return next;
}
