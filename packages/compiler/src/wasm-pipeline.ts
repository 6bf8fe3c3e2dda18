import { applyDefaultSchedule, cpuRules, packOperand, type ScheduleRule } from "@verticil/dlight";
import { definePass, sequential, type Pass } from "@verticil/ir-core";
import {
  allocateWorkspace,
  attachGlobalSymbol,
  computePrimValue,
  explicitSizes,
  killAfterLastUse,
  lambdaLift,
  lowerAllocTensor,
  lowerRuntimeBuiltin,
  needsVm,
  vmShapeLower,
  annotateTIROpPattern,
  callTIRRewrite,
  canonicalizeBindings,
  convertLayout,
  deadCodeElimination,
  decomposeOpsForInference,
  eliminateCommonSubexpr,
  fakeQuantizationToInteger,
  flattenTupleInputs,
  foldBatchnormToConv2D,
  foldConstant,
  foldTransposeIntoConv2D,
  fuseOps,
  fuseTIR,
  legalizeOps,
  lowerStaticMain,
  metaScheduleApplyDatabase,
  packConstants,
  promoteFloat16,
  removePurityChecking,
  rewriteDataflowReshape,
  splitConcat,
  staticPlanBlockMemory,
  toNonDataflow,
  winogradConv2D,
} from "@verticil/relax";
import { wasmIntrinRules } from "@verticil/target-wasm";
import { infiniteIdentities, lowerTir, mergeSimilarFunctions, outlineLoops } from "@verticil/tir";

/** Layouts by operator, data first, then kernel, then result where it differs. */
export type Layouts = Readonly<Record<string, readonly string[]>>;

/**
 * Layouts that the CPU schedules want: channels last, so that four of them make a vector. `{}` keeps the model's own, and
 * `{ "relax.nn.conv2d": ["NCHW8c", "OIHW8i8o"] }` has channels in tiles; both are slower with the rules that there are.
 */
export const wasmLayouts: Layouts = {
  "relax.nn.conv2d": ["NHWC", "HWIO"],
  "relax.nn.conv2d_transpose": ["NHWC", "HWIO"],
};

/** Phase 1: the graph as imported becomes a smaller graph of the same operators, its convolutions in `layouts`. */
export function graphPhase(layouts: Layouts = wasmLayouts): Pass {
  return sequential("graph", [
    flattenTupleInputs(),
    canonicalizeBindings(),
    fakeQuantizationToInteger(),
    deadCodeElimination(),
    foldConstant(),
    foldBatchnormToConv2D(),
    decomposeOpsForInference(),
    promoteFloat16(),
    foldConstant(),
    convertLayout(layouts),
    foldConstant(),
    foldTransposeIntoConv2D(),
    eliminateCommonSubexpr(),
    canonicalizeBindings(),
    deadCodeElimination(),
  ]);
}

/** Phase 2: operators become tensor programs, and those that belong together become one. */
export function fusionPhase(): Pass {
  return sequential("fusion", [
    splitConcat(),
    winogradConv2D(),
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

/** Phase 3: each tensor program gets a schedule, from the tuning database where it has one, and is lowered to flat loops. */
export function kernelPhase(rules: readonly ScheduleRule[] = cpuRules): Pass {
  return sequential("kernels", [
    metaScheduleApplyDatabase(),
    packConstants(packOperand),
    applyDefaultSchedule(rules),
    infiniteIdentities(),
    lowerTir({ intrinRules: wasmIntrinRules }),
  ]);
}

/** Phase 4: memory is planned, and the graph becomes one program over it. */
export function memoryPhase(): Pass {
  return sequential("memory", [
    toNonDataflow(),
    removePurityChecking(),
    callTIRRewrite(),
    allocateWorkspace(),
    staticPlanBlockMemory(),
    lowerStaticMain(),
    outlineLoops(),
    mergeSimilarFunctions(),
  ]);
}

/** Phase 4 for the virtual machine: memory and symbolic sizes are made explicit, and the graph becomes instructions. */
export function vmPhase(): Pass {
  return sequential("vm", [
    toNonDataflow(),
    lambdaLift(),
    removePurityChecking(),
    callTIRRewrite(),
    allocateWorkspace(),
    staticPlanBlockMemory(),
    lowerAllocTensor(),
    killAfterLastUse(),
    lowerRuntimeBuiltin(),
    computePrimValue(),
    vmShapeLower(),
    explicitSizes(),
    attachGlobalSymbol(),
  ]);
}

/**
 * Phase 4: one program over planned memory where `main` is all there is, shapes are fixed and nothing is decided at run
 * time; the virtual machine otherwise.
 */
export function backPhase(): Pass {
  const [one, vm] = [memoryPhase(), vmPhase()];
  return definePass("back", (module, ctx) => (needsVm(module) ? vm : one).run(module, ctx));
}

/** The pipeline for WebAssembly, from the graph as imported to flat tensor programs, with convolutions in `layouts`. */
export function wasmPipeline(layouts: Layouts = wasmLayouts): Pass {
  return sequential("wasm", [graphPhase(layouts), fusionPhase(), kernelPhase(), backPhase()]);
}
