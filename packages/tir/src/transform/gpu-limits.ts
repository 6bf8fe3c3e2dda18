import type { AttrMap } from "@verticil/ir-core";
import { targetKind } from "./target-attr.ts";

/** How threads are grouped on a device. */
export interface GpuLimits {
  /** Threads that run in step; 1 where programs cannot count on it. */
  readonly warpSize: number;
  /** Threads of a workgroup; -1 where nothing is known. */
  readonly maxThreads: number;
}

/** Upstream's defaults of its GPU target kinds; WebGPU's limit is what every device grants. */
const BY_KIND: ReadonlyMap<string, GpuLimits> = new Map([
  ["cuda", { warpSize: 32, maxThreads: 1024 }],
  ["nvptx", { warpSize: 32, maxThreads: 1024 }],
  ["rocm", { warpSize: 64, maxThreads: 256 }],
  ["opencl", { warpSize: 1, maxThreads: 256 }],
  ["metal", { warpSize: 16, maxThreads: 256 }],
  ["vulkan", { warpSize: 1, maxThreads: 256 }],
  ["webgpu", { warpSize: 1, maxThreads: 256 }],
]);

/** The thread limits of a target: what it says itself, else the default of its kind. */
export function gpuLimits(target: AttrMap): GpuLimits {
  const known = BY_KIND.get(targetKind(target)) ?? { warpSize: 1, maxThreads: -1 };
  return {
    warpSize: asCount(target["thread_warp_size"]) ?? known.warpSize,
    maxThreads: asCount(target["max_num_threads"]) ?? known.maxThreads,
  };
}

function asCount(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  return typeof value === "object" && value !== null && "value" in value && typeof value.value === "number" ? value.value : undefined;
}
