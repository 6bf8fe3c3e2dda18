import { isBlockRV, type IndexMap, type PrimFunc, type Schedule } from "@verticil/tir";

/** A parameter that a schedule wants stored in another layout. */
export interface LayoutChange {
  /** The place of the parameter. */
  readonly param: number;
  /** Where each element of the parameter lies in the new layout. */
  readonly indexMap: IndexMap;
}

/**
 * The parameters of the original function whose layout a schedule changed, read off the last `TransformLayout` of each.
 * Undefined if a parameter has another shape and it is not known by which step.
 */
export function layoutChanges(original: PrimFunc, sch: Schedule): readonly LayoutChange[] | undefined {
  const func = mainOf(sch);
  if (func === undefined) return undefined;
  const changed = new Map<number, IndexMap | undefined>();
  original.params.forEach((p, i) => {
    const now = func.params[i];
    const [before, after] = [original.bufferMap.get(p), now && func.bufferMap.get(now)];
    if (before?.shape !== after?.shape) changed.set(i, undefined);
  });
  for (const inst of sch.trace.insts) {
    if (inst.kind !== "TransformLayout") continue;
    const [block, indexMap] = inst.inputs;
    const [index, side] = inst.attrs;
    if (!isBlockRV(block) || typeof index !== "number" || !isIndexMap(indexMap)) return undefined;
    const { reads, writes } = sch.get(block).block;
    const buffer = (side === 0 ? reads : writes)[index]?.buffer;
    const param = func.params.findIndex((p) => func.bufferMap.get(p) === buffer);
    if (param < 0) continue;
    if (!changed.has(param) || changed.get(param) !== undefined) return undefined;
    changed.set(param, indexMap);
  }
  const out = [...changed].flatMap(([param, indexMap]) => (indexMap === undefined ? [] : [{ param, indexMap }]));
  return out.length === changed.size ? out : undefined;
}

function isIndexMap(x: unknown): x is IndexMap {
  return typeof x === "object" && x !== null && "kind" in x && x.kind === "tir.IndexMap";
}

/** The only function of a schedule. */
export function mainOf(sch: Schedule): PrimFunc | undefined {
  const [func] = sch.mod.functions.values();
  return func?.kind === "tir.PrimFunc" ? (func as PrimFunc) : undefined;
}
