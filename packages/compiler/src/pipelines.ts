import { sequential, type Pass } from "@verticil/ir-core";
import {
  annotateTIROpPattern,
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
  lowerAllocTensor,
  lowerRuntimeBuiltin,
  metaScheduleApplyDatabase,
  removePurityChecking,
  rewriteDataflowReshape,
  staticPlanBlockMemory,
  toNonDataflow,
  vmShapeLower,
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

/**
 * What is tuned, and then scheduled by what tuning found (upstream's `static_shape_tuning`). The measurements themselves are
 * `verticil tune`'s; the database is the context's.
 */
function staticShapeTuningPipeline(): Pass {
  return sequential("static_shape_tuning", [decomposeOpsForInference(), canonicalizeBindings(), zeroPipeline()]);
}

const pipelines: ReadonlyMap<string, () => Pass> = new Map([
  ["zero", zeroPipeline],
  ["default", defaultPipeline],
  ["static_shape_tuning", staticShapeTuningPipeline],
  ["wasm", wasmPipeline],
  ["webgpu", webgpuPipeline],
]);

/** The pipelines that can be called by name: upstream's, and one for each target. */
export const pipelineNames: readonly string[] = [...pipelines.keys()];

/**
 * A pipeline by name (upstream's `get_pipeline`).
 * @throws RangeError that lists the names there are.
 */
export function getPipeline(name = "zero"): Pass {
  const make = pipelines.get(name);
  if (make === undefined) throw new RangeError(`There is no pipeline \`${name}\`. There are ${pipelineNames.map((n) => `\`${n}\``).join(", ")}.`);
  return make();
}
