import { applyDefaultSchedule, gpuRules, type ScheduleRule } from "@verticil/dlight";
import { sequential, type Pass } from "@verticil/ir-core";
import { allocateWorkspace, callTIRRewrite, lowerStaticMain, removePurityChecking, staticPlanBlockMemory, toNonDataflow } from "@verticil/relax";
import { lowerGpuTir } from "@verticil/tir";
import { fusionPhase, graphPhase } from "./wasm-pipeline.ts";

/** Phase 3 for WebGPU: each tensor program gets a grid of threads and is lowered to flat loops. */
export function webgpuKernelPhase(rules: readonly ScheduleRule[] = gpuRules): Pass {
  return sequential("kernels", [applyDefaultSchedule(rules), lowerGpuTir()]);
}

/** Phase 4 for WebGPU: buffers are planned, and the graph becomes one list of kernels to run on them. */
export function webgpuMemoryPhase(): Pass {
  return sequential("memory", [
    toNonDataflow(),
    removePurityChecking(),
    callTIRRewrite(),
    allocateWorkspace(),
    staticPlanBlockMemory(),
    lowerStaticMain(),
  ]);
}

/** The pipeline for WebGPU, from the graph as imported to flat tensor programs on grids of threads. */
export function webgpuPipeline(): Pass {
  return sequential("webgpu", [graphPhase(), fusionPhase(), webgpuKernelPhase(), webgpuMemoryPhase()]);
}
