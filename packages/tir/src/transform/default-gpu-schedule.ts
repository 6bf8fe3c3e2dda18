import { at, definePass, mapFunctions, withAttrs, type AttrMap, type Pass } from "@verticil/ir-core";
import { asInt } from "../ir/ops.ts";
import type { BlockRealize, For, PrimFunc } from "../ir/stmt.ts";
import { Schedule } from "../schedule/schedule.ts";
import type { BlockRV, LoopRV } from "../schedule/random-variable.ts";
import { gpuLimits } from "./gpu-limits.ts";
import { contextTarget, targetKind, targetOf } from "./target-attr.ts";

const GPUS: ReadonlySet<string> = new Set(["cuda", "metal", "rocm", "vulkan", "opencl", "webgpu"]);
const MAX_BLOCKS = 256;

/**
 * Binds the data-parallel loops of every block that no one has scheduled, fused, to a grid of thread blocks (upstream's
 * `DefaultGPUSchedule`), and marks the functions as scheduled. A function for another device is only marked. `target` is
 * for functions that do not say theirs; the context's unless given.
 */
export function defaultGpuSchedule(target?: AttrMap): Pass {
  return definePass("DefaultGPUSchedule", (module, ctx) => {
    const sch = new Schedule(module);
    for (const [gv, func] of module.functions) {
      if (func.kind !== "tir.PrimFunc" || isTrue(func.attrs["tir.is_scheduled"])) continue;
      const device = targetOf(func as PrimFunc) ?? target ?? contextTarget(ctx);
      if (!GPUS.has(targetKind(device))) continue;
      const { maxThreads } = gpuLimits(device);
      sch.workOn(gv.name);
      for (const block of leafBlocks(sch, "root")) bindThreads(sch, block, maxThreads);
    }
    return mapFunctions(sch.mod, (f) => (f.kind === "tir.PrimFunc" ? withAttrs(f, { "tir.is_scheduled": true }) : f));
  });
}

function isTrue(value: unknown): boolean {
  return value === true || (typeof value === "number" && value !== 0) || (typeof value === "object" && value !== null && "value" in value && Boolean(value.value));
}

/** The blocks without blocks inside, in order. */
function leafBlocks(sch: Schedule, root: string): readonly BlockRV[] {
  const visit = (block: BlockRV): readonly BlockRV[] => {
    const children = sch.getChildBlocks(block);
    return children.length === 0 ? [block] : children.flatMap(visit);
  };
  return visit(sch.getBlock(root));
}

function bindThreads(sch: Schedule, block: BlockRV, maxThreads: number): void {
  const loops = sch.getLoops(block);
  if (loops.some((l) => (sch.get(l) as For).threadBinding !== undefined)) return;
  const { iterVars } = (sch.get(block) as BlockRealize).block;
  const parallel: LoopRV[] = loops.filter((_, i) => iterVars[i]?.iterType === "kDataPar");
  if (parallel.length === 0) parallel.push(sch.addUnitLoop(loops[0] ?? block));
  const fused = sch.fuse(parallel, { preserveUnitIters: false });
  const extent = asInt((sch.get(fused) as For).extent) ?? Infinity;
  if (extent > maxThreads * MAX_BLOCKS) {
    const splits = sch.split(fused, [undefined, MAX_BLOCKS, maxThreads]);
    sch.reorder([at(splits, 1), at(splits, 2), at(splits, 0)]);
    sch.bind(at(splits, 1), "blockIdx.x");
    sch.bind(at(splits, 2), "threadIdx.x");
    return;
  }
  const splits = sch.split(fused, [undefined, Math.min(extent, maxThreads)]);
  sch.bind(at(splits, 0), "blockIdx.x");
  sch.bind(at(splits, 1), "threadIdx.x");
}
