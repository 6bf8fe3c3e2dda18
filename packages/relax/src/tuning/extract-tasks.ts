import { structuralEqual, structuralHash, type IRModule } from "@verticil/ir-core";
import { tir, type PrimFunc } from "@verticil/tir";
import { programCalls } from "./layout-free-params.ts";

/** A tensor program of a model that is worth tuning once, however often the model has it. */
export interface ExtractedTask {
  /** The name of the first function with this program. */
  readonly name: string;
  readonly func: PrimFunc;
  /** How often the model calls it; 1 in a module without graph functions. */
  readonly weight: number;
  /** The parameters that are constants in every call: they may be stored in any layout. */
  readonly layoutFree: readonly number[];
}

/**
 * The tensor programs of a module whose graph has been fused, structurally equal ones once (upstream's `extract_tasks`),
 * in the order of the functions. Programs that nothing calls are left out where there is a graph, as are those that have
 * a schedule.
 */
export function extractTasks(module: IRModule): readonly ExtractedTask[] {
  const calls = programCalls(module);
  const hasGraph = [...module.functions.values()].some((f) => f.kind === "relax.Function");
  const found = new Map<string, ExtractedTask[]>();
  for (const [gv, f] of module.functions) {
    if (f.kind !== "tir.PrimFunc" || f.attrs["tir.is_scheduled"] !== undefined) continue;
    if (hasGraph && calls.count(gv) === 0) continue;
    const func = f as PrimFunc;
    const task: ExtractedTask = { name: gv.name, func, weight: Math.max(1, calls.count(gv)), layoutFree: calls.layoutFree(gv, func) };
    const hash = [structuralHash(withoutAttrs(func), { dialects: [tir] }), ...task.layoutFree].join();
    const same = found.get(hash) ?? [];
    const at = same.findIndex((t) => structuralEqual(withoutAttrs(t.func), withoutAttrs(func), { dialects: [tir] }));
    const known = same[at];
    found.set(hash, known === undefined ? [...same, task] : same.with(at, { ...known, weight: known.weight + task.weight }));
  }
  return [...found.values()].flat();
}

/** Attributes say what a function is called and what passes noted, not what it computes. */
function withoutAttrs(func: PrimFunc): PrimFunc {
  return { ...func, attrs: {} };
}
