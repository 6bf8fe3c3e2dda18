import { limitUnrolling } from "../postproc/limit-unrolling.ts";
import { parallelizeOuter } from "../postproc/parallelize-outer.ts";
import type { Postproc } from "../postproc/postproc.ts";
import { rewriteLayout } from "../postproc/rewrite-layout.ts";
import { rewriteReductionBlock } from "../postproc/rewrite-reduction-block.ts";
import { vectorizeInjective } from "../postproc/vectorize-injective.ts";
import { autoInline } from "./auto-inline.ts";
import { randomComputeLocation } from "./compute-location.ts";
import { registerTiling } from "./register-tiling.ts";
import type { SpaceRule } from "./space-rule.ts";

/** The rules for processors with vectors of four: inlining first, so that what is left are reductions with their epilogues. */
export const cpuSpaceRules: readonly SpaceRule[] = [autoInline, registerTiling, randomComputeLocation];

/** What finishes a schedule of that space: the cheap check first, vectors while indices are still plain, then one parallel loop a nest. */
export const cpuPostprocs: readonly Postproc[] = [limitUnrolling, vectorizeInjective, parallelizeOuter, rewriteReductionBlock, rewriteLayout];
