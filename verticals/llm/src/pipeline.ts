import { kernelPhase, vmPhase } from "@verticil/compiler";
import { cpuRules, type ScheduleRule } from "@verticil/dlight";
import { sequential, type Pass } from "@verticil/ir-core";
import {
  annotateTIROpPattern,
  canonicalizeBindings,
  deadCodeElimination,
  eliminateCommonSubexpr,
  foldConstant,
  fuseOps,
  fuseTIR,
  legalizeOps,
  rewriteDataflowReshape,
} from "@verticil/relax";
import { fuseDequantizeMatmul } from "./quantize/fuse-dequantize-matmul.ts";
import { gemv } from "./schedule/gemv.ts";

/** Phase 1: quantized weights stay quantized; plain ones are transposed once, now. */
function weightsPhase(): Pass {
  return sequential("weights", [
    canonicalizeBindings(),
    fuseDequantizeMatmul(),
    deadCodeElimination(),
    foldConstant(),
    eliminateCommonSubexpr(),
    canonicalizeBindings(),
    deadCodeElimination(),
  ]);
}

/** Phase 2: operators become tensor programs and calls of the runtime, and programs that belong together become one. */
function fusionPhase(): Pass {
  return sequential("fusion", [
    legalizeOps(),
    deadCodeElimination(),
    annotateTIROpPattern(),
    foldConstant(),
    rewriteDataflowReshape(),
    canonicalizeBindings(),
    fuseOps(),
    fuseTIR(),
    deadCodeElimination(),
  ]);
}

/** Schedule rules in order: products with quantized weights for one token, then what a CPU does with everything. */
export const llmRules: readonly ScheduleRule[] = [gemv, ...cpuRules];

/** The pipeline for language models, from graphs of operators to a program for the virtual machine. */
export function llmPipeline(): Pass {
  return sequential("llm", [weightsPhase(), fusionPhase(), kernelPhase(llmRules), vmPhase()]);
}
