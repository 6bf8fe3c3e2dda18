import { sequential, type Pass } from "@verticil/ir-core";
import { compactBufferAllocation } from "./compact-buffer-allocation.ts";
import { convertBlocksToOpaque } from "./convert-blocks-to-opaque.ts";
import { flattenBuffer } from "./flatten-buffer.ts";
import { liftThreadBinding } from "./lift-thread-binding.ts";
import { liftWorkspace } from "./lift-workspace.ts";
import { lowerCrossThreadReduction } from "./lower-cross-thread-reduction.ts";
import { lowerInitBlock } from "./lower-init-block.ts";
import { lowerIntrin, type IntrinTable } from "./lower-intrin.ts";
import { lowerMatchBuffer } from "./lower-match-buffer.ts";
import { lowerOpaqueBlock } from "./lower-opaque-block.ts";
import { lowerThreadAllreduce } from "./lower-thread-allreduce.ts";
import { narrowDataType } from "./narrow-data-type.ts";
import { planAndUpdateBufferAllocationLocation } from "./plan-and-update-buffer-allocation-location.ts";
import { removeNoOp } from "./remove-no-op.ts";
import { rewriteUnsafeSelect } from "./rewrite-unsafe-select.ts";
import { simplify } from "./simplify.ts";
import { threadSync } from "./thread-sync.ts";
import { unifyThreadBinding } from "./unify-thread-binding.ts";
import { unrollLoop, type UnrollOptions } from "./unroll-loop.ts";
import { vectorizeLoop } from "./vectorize-loop.ts";

/** The choices of the lowering pipeline for GPUs; each part is the options of the pass it names. */
export interface LowerGpuTirOptions {
  readonly unroll?: UnrollOptions;
  /** What the target has for builtins. */
  readonly intrinRules?: IntrinTable;
}

/**
 * From blocks on a grid of threads to the flat form that code generators for GPUs read, in upstream's order: each part
 * of a function that runs on the grid is inside of `thread_extent` attributes, with barriers where threads share memory.
 */
export function lowerGpuTir(options: LowerGpuTirOptions = {}): Pass & { readonly passes: readonly Pass[] } {
  return sequential("LowerGpuTIR", [
    // Blocks and their buffers.
    lowerCrossThreadReduction(),
    lowerInitBlock(),
    planAndUpdateBufferAllocationLocation(),
    convertBlocksToOpaque(),
    liftThreadBinding(),
    compactBufferAllocation(),
    unifyThreadBinding(),
    lowerMatchBuffer(),
    simplify(),
    lowerOpaqueBlock(),
    // Flat memory, narrow indices.
    flattenBuffer({ declare: true }),
    narrowDataType(32),
    simplify(),
    // Loops.
    vectorizeLoop(),
    unrollLoop(options.unroll),
    simplify(),
    removeNoOp({ unusedAllocations: true }),
    rewriteUnsafeSelect(),
    // Threads.
    threadSync("shared"),
    lowerThreadAllreduce(),
    // The target.
    lowerIntrin(options.intrinRules ?? new Map()),
    liftWorkspace(),
  ]);
}
