import type { Pass } from "@verticil/ir-core";
import { compactBufferAllocation } from "./compact-buffer-allocation.ts";
import { convertBlocksToOpaque } from "./convert-blocks-to-opaque.ts";
import { convertSSA } from "./convert-ssa.ts";
import { flattenBuffer } from "./flatten-buffer.ts";
import { hoistIfThenElse } from "./hoist-if-then-else.ts";
import { liftWorkspace } from "./lift-workspace.ts";
import { loopPartition } from "./loop-partition.ts";
import { lowerInitBlock } from "./lower-init-block.ts";
import { lowerMatchBuffer } from "./lower-match-buffer.ts";
import { lowerOpaqueBlock } from "./lower-opaque-block.ts";
import { narrowDataType } from "./narrow-data-type.ts";
import { planAndUpdateBufferAllocationLocation } from "./plan-and-update-buffer-allocation-location.ts";
import { removeNoOp } from "./remove-no-op.ts";
import { rewriteUnsafeSelect } from "./rewrite-unsafe-select.ts";
import { simplify } from "./simplify.ts";
import { unrollLoop } from "./unroll-loop.ts";
import { vectorizeLoop } from "./vectorize-loop.ts";

/** The passes over tensor programs that need no more than their defaults, by upstream's name. */
export const tirPasses: ReadonlyMap<string, () => Pass> = new Map<string, () => Pass>([
  ["LowerInitBlock", lowerInitBlock],
  ["PlanAndUpdateBufferAllocationLocation", planAndUpdateBufferAllocationLocation],
  ["ConvertBlocksToOpaque", convertBlocksToOpaque],
  ["CompactBufferAllocation", compactBufferAllocation],
  ["LowerMatchBuffer", lowerMatchBuffer],
  ["Simplify", simplify],
  ["LowerOpaqueBlock", lowerOpaqueBlock],
  ["FlattenBuffer", flattenBuffer],
  ["NarrowDataType", () => narrowDataType(32)],
  ["LoopPartition", () => loopPartition()],
  ["VectorizeLoop", () => vectorizeLoop()],
  ["HoistIfThenElse", () => hoistIfThenElse()],
  ["UnrollLoop", () => unrollLoop()],
  ["RemoveNoOp", removeNoOp],
  ["RewriteUnsafeSelect", rewriteUnsafeSelect],
  ["ConvertSSA", convertSSA],
  ["LiftWorkspace", liftWorkspace],
]);
