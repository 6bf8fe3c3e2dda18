import { sequential, type Pass } from "@verticil/ir-core";
import { compactBufferAllocation } from "./compact-buffer-allocation.ts";
import { convertBlocksToOpaque } from "./convert-blocks-to-opaque.ts";
import { formDotProducts } from "./form-dot-products.ts";
import { flattenBuffer } from "./flatten-buffer.ts";
import { unswitchLoops, type UnswitchOptions } from "./unswitch-loops.ts";
import { liftWorkspace } from "./lift-workspace.ts";
import { peelGuards, type PeelOptions } from "./peel-guards.ts";
import { lowerInitBlock } from "./lower-init-block.ts";
import { lowerIntrin, type IntrinTable } from "./lower-intrin.ts";
import { lowerMatchBuffer } from "./lower-match-buffer.ts";
import { lowerOpaqueBlock } from "./lower-opaque-block.ts";
import { narrowDataType } from "./narrow-data-type.ts";
import { planAndUpdateBufferAllocationLocation } from "./plan-and-update-buffer-allocation-location.ts";
import { removeNoOp } from "./remove-no-op.ts";
import { rewriteUnsafeSelect } from "./rewrite-unsafe-select.ts";
import { simplify } from "./simplify.ts";
import { unrollLoop, type UnrollOptions } from "./unroll-loop.ts";
import { vectorizeLoop, type VectorizeOptions } from "./vectorize-loop.ts";

/** The choices of the lowering pipeline; each part is the options of the pass it names. */
export interface LowerTirOptions {
  readonly vectorize?: VectorizeOptions;
  readonly unroll?: UnrollOptions;
  readonly peelGuards?: PeelOptions;
  readonly unswitchLoops?: UnswitchOptions;
  /** What the target has for builtins. */
  readonly intrinRules?: IntrinTable;
  /** Take memory from a parameter instead of allocating it; on unless told. */
  readonly liftWorkspace?: boolean;
}

/** From blocks to the flat form that code generators read, in upstream's order (its default TIR pipeline for one device). */
export function lowerTir(options: LowerTirOptions = {}): Pass & { readonly passes: readonly Pass[] } {
  return sequential("LowerTIR", [
    // Blocks and their buffers.
    lowerInitBlock(),
    planAndUpdateBufferAllocationLocation(),
    convertBlocksToOpaque(),
    // Loads are made without asking first where a vector's lanes differ.
    compactBufferAllocation({ conditions: false }),
    lowerMatchBuffer(),
    simplify(),
    lowerOpaqueBlock(),
    // Flat memory, narrow indices.
    flattenBuffer({ declare: true }),
    narrowDataType(32),
    simplify(),
    // Loops.
    peelGuards(options.peelGuards),
    vectorizeLoop(options.vectorize),
    unswitchLoops(options.unswitchLoops),
    unrollLoop(options.unroll),
    simplify(),
    formDotProducts(),
    removeNoOp({ unusedAllocations: true }),
    rewriteUnsafeSelect(),
    // The target.
    lowerIntrin(options.intrinRules ?? new Map()),
    ...(options.liftWorkspace === false ? [] : [liftWorkspace()]),
  ]);
}
