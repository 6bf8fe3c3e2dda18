import { applyDefaultSchedule, gpuRules } from "@verticil/dlight";
import { sequential, type Pass } from "@verticil/ir-core";
import {
  annotateTIROpPattern,
  attachAttrLayoutFreeBuffers,
  attachGlobalSymbol,
  callTIRRewrite,
  canonicalizeBindings,
  computePrimValue,
  decomposeOpsForInference,
  foldConstant,
  fuseOps,
  fuseTIR,
  killAfterLastUse,
  legalizeOps,
  liftTransformParams,
  lowerAllocTensor,
  lowerRuntimeBuiltin,
  metaScheduleApplyDatabase,
  metaScheduleTuneIRMod,
  removePurityChecking,
  rewriteDataflowReshape,
  splitLayoutRewritePreproc,
  staticPlanBlockMemory,
  toNonDataflow,
  vmShapeLower,
  type TuningBudget,
} from "@verticil/relax";
import { wasmPipeline } from "./wasm-pipeline.ts";
import { webgpuPipeline } from "./webgpu-pipeline.ts";

/** From operators to fused tensor programs, scheduled as a database knows them (upstream's `zero`). */
function zeroPipeline(): Pass {
  return sequential("zero", [legalizeOps(), annotateTIROpPattern(), foldConstant(), fuseOps(), fuseTIR(), metaScheduleApplyDatabase()]);
}

/** From operators to what the virtual machine runs, one tensor program an operator (upstream's `default`). */
function defaultPipeline(): Pass {
  return sequential("default", [
    legalizeOps(),
    rewriteDataflowReshape(),
    toNonDataflow(),
    removePurityChecking(),
    callTIRRewrite(),
    staticPlanBlockMemory(),
    lowerAllocTensor(),
    killAfterLastUse(),
    lowerRuntimeBuiltin(),
    computePrimValue(),
    vmShapeLower(),
    attachGlobalSymbol(),
  ]);
}

/** Options of the pipeline `static_shape_tuning`. */
export interface StaticShapeTuningOptions {
  /**
   * How much may be measured. Programs are handed to the context's tuner, which measures when the pipeline is through, unless
   * `maxTrialsGlobal` (upstream's `total_trials`) is 0, as it is where it is not said.
   */
  readonly tuning?: TuningBudget;
  /**
   * Weights that the database's schedules want in another layout are laid out by a function of their own, `main_transform_params`,
   * which runs once; without it they are laid out where they are constants.
   */
  readonly cpuWeightPrepack?: boolean;
}

/**
 * What is tuned, and then scheduled by what tuning found (upstream's `static_shape_tuning`). The target is the context's, and so
 * are the tuner and the database.
 */
function staticShapeTuningPipeline({ tuning = {}, cpuWeightPrepack = false }: StaticShapeTuningOptions = {}): Pass {
  return sequential("static_shape_tuning", [
    decomposeOpsForInference(),
    canonicalizeBindings(),
    zeroPipeline(),
    ...(cpuWeightPrepack ? [attachAttrLayoutFreeBuffers()] : []),
    ...((tuning.maxTrialsGlobal ?? 0) > 0 ? [metaScheduleTuneIRMod(tuning)] : []),
    metaScheduleApplyDatabase(),
    ...(cpuWeightPrepack ? [splitLayoutRewritePreproc(), liftTransformParams(), foldConstant()] : []),
  ]);
}

/** From operators to what the virtual machine runs, programs fused; `schedule` gives them schedules (upstream's per target). */
function targetPipeline(name: string, schedule: readonly Pass[]): Pass {
  return sequential(name, [
    legalizeOps(),
    annotateTIROpPattern(),
    foldConstant(),
    fuseOps(),
    fuseTIR(),
    ...schedule,
    rewriteDataflowReshape(),
    toNonDataflow(),
    removePurityChecking(),
    callTIRRewrite(),
    staticPlanBlockMemory(),
    lowerAllocTensor(),
    killAfterLastUse(),
    lowerRuntimeBuiltin(),
    computePrimValue(),
    vmShapeLower(),
    attachGlobalSymbol(),
  ]);
}

const pipelines: ReadonlyMap<string, (options: StaticShapeTuningOptions) => Pass> = new Map([
  ["zero", () => zeroPipeline()],
  ["default", () => defaultPipeline()],
  ["default_build", () => defaultPipeline()],
  ["static_shape_tuning", staticShapeTuningPipeline],
  ["cpu_generic", () => targetPipeline("cpu_generic", [])],
  ["gpu_generic", () => targetPipeline("gpu_generic", [applyDefaultSchedule(gpuRules)])],
  ["wasm", () => wasmPipeline()],
  ["webgpu", () => webgpuPipeline()],
]);

/** The pipelines that can be called by name: upstream's, and one for each target. */
export const pipelineNames: readonly string[] = [...pipelines.keys()];

/**
 * A pipeline by name (upstream's `get_pipeline`). Only `static_shape_tuning` has options.
 * @throws RangeError that lists the names there are, or for options of another pipeline.
 */
export function getPipeline(name = "zero", options: StaticShapeTuningOptions = {}): Pass {
  const make = pipelines.get(name);
  if (make === undefined) throw new RangeError(`There is no pipeline \`${name}\`. There are ${pipelineNames.map((n) => `\`${n}\``).join(", ")}.`);
  if (name !== "static_shape_tuning" && Object.keys(options).length > 0) throw new RangeError(`The pipeline \`${name}\` has no options.`);
  return make(options);
}
