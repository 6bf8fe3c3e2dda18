import { existsSync } from "node:fs";
import { join } from "node:path";
import { relaxPasses } from "@verticil/relax";

const FOLDER = "packages/relax/src/transform";

/** Upstream's passes over graphs (v0.20, and the two that main adds), by what they are for. */
const upstream: readonly (readonly [group: string, names: string])[] = [
  ["Normal form and cleaning", "Normalize NormalizeGlobalVar CanonicalizeBindings EliminateCommonSubexpr DeadCodeElimination ConvertToDataflow ToNonDataflow RemovePurityChecking TopologicalSort LambdaLift InlinePrivateFunctions"],
  ["Operators to tensor programs, fusion", "LegalizeOps DecomposeOpsForInference DecomposeOpsForTraining AnnotateTIROpPattern FuseOps FuseTIR FuseOpsByPattern MergeCompositeFunctions RunCodegen FoldConstant"],
  ["Parameters", "BindParams BindSymbolicVars UpdateParamStructInfo UpdateParamType BundleModelParams ExpandTupleArguments RemoveUnusedParameters RemoveUnusedOutputs LiftTransformParams LazyGetInput LazySetOutput LazyTransformParams"],
  ["Layouts", "ConvertLayout AlterOpImpl OptimizeLayoutTransform RemoveRedundantReshape AttachAttrLayoutFreeBuffers SplitLayoutRewritePreproc SpecializePrimFuncBasedOnCallSite"],
  ["Precision and algebra", "ToMixedPrecision FastMathTransform FoldBatchnormToConv2D FuseTransposeMatmul CombineParallelMatmul AdjustMatmulOrder ExpandMatmulOfSum ReorderPermuteDimsAfterConcat ReorderTakeAfterMatmul"],
  ["Gradients", "Gradient"],
  ["Memory and the virtual machine", "DataflowUseInplaceCalls RewriteDataflowReshape CallTIRRewrite StaticPlanBlockMemory LowerAllocTensor KillAfterLastUse LowerRuntimeBuiltin VMBuiltinLower ComputePrimValue VMShapeLower AttachGlobalSymbol AllocateWorkspace"],
  ["Devices and libraries", "RealizeVDevice UpdateVDevice RewriteCUDAGraph LowerGPUIPCAllocStorage IPCAllReduceRewrite AttachExternModules SplitCallTIRByPattern"],
  ["Tuning", "MetaScheduleApplyDatabase MetaScheduleTuneTIR MetaScheduleTuneIRMod FewShotTuning"],
];

/** Passes that are functions or methods here, under another name. */
const elsewhere: ReadonlyMap<string, string> = new Map([
  ["AlterOpImpl", "[`alterOpImpl`](../packages/relax/src/transform/alter-op-impl.ts), with programs and maps as values"],
  ["UpdateVDevice", "[`updateVDevice`](../packages/relax/src/transform/update-vdevice.ts), with a device"],
  ["FuseOpsByPattern", "[`fuseOpsByPattern`](../packages/relax/src/transform/fuse-ops-by-pattern.ts), with patterns as values"],
  ["UpdateParamStructInfo", "[`updateParamStructInfo`](../packages/relax/src/transform/update-param-struct-info.ts), with a function"],
  ["UpdateParamType", "the same as `UpdateParamStructInfo`"],
  ["BindParams", "[`bindParams`](../packages/relax/src/transform/bind-params.ts)"],
  ["VMBuiltinLower", "the same as `LowerRuntimeBuiltin`"],
  ["MetaScheduleApplyDatabase", "[`metaScheduleApplyDatabase`](../packages/relax/src/tuning/meta-schedule-apply-database.ts)"],
  ["SplitCallTIRByPattern", "[`splitCallTIRByPattern`](../packages/relax/src/transform/split-call-tir-by-pattern.ts), with patterns and a code generator as values"],
  ["MetaScheduleTuneTIR", "[`metaScheduleTuneTIR`](../packages/relax/src/tuning/meta-schedule-tune-tir.ts), with the tuner in the context"],
  ["MetaScheduleTuneIRMod", "[`metaScheduleTuneIRMod`](../packages/relax/src/tuning/meta-schedule-tune-irmod.ts), with the tuner in the context"],
]);

/** Why a pass is not here. */
const reasons: ReadonlyMap<string, string> = new Map([
  ["RewriteCUDAGraph", "CUDA only"],
  ["LowerGPUIPCAllocStorage", "CUDA only"],
  ["IPCAllReduceRewrite", "CUDA only"],
  ["AttachExternModules", "no object files on the web"],
  ["FewShotTuning", "gone upstream"],
]);

function kebab(name: string): string {
  return name
    .replace("TIROp", "TirOp")
    .replace("TIR", "Tir")
    .replace("VM", "Vm")
    .replace("VDevice", "Vdevice")
    .replace("2D", "2d")
    .replace(/([a-z0-9])([A-Z])/g, "$1-$2")
    .toLowerCase();
}

function row(name: string, root: string): { readonly ours: boolean; readonly text: string } {
  const other = elsewhere.get(name);
  if (other !== undefined) return { ours: true, text: `| \`${name}\` | ${other} | |` };
  if (!relaxPasses.has(name)) return { ours: false, text: `| \`${name}\` | – | ${reasons.get(name) ?? "not yet"} |` };
  const file = [kebab(name), "dataflow-blocks"].find((f) => existsSync(join(root, FOLDER, `${f}.ts`)));
  const test = `${FOLDER}/${kebab(name)}.test.ts`;
  const source = file === undefined ? "yes" : `[${file}.ts](../${FOLDER}/${file}.ts)`;
  const held = existsSync(join(root, test)) ? `[${kebab(name)}.test.ts](../${test})` : "models and upstream's pairs";
  return { ours: true, text: `| \`${name}\` | ${source} | ${held} |` };
}

/** The page of the passes over graphs, against upstream's list. */
export function relaxPassesPage(root: string): string {
  const groups = upstream.map(([group, names]) => ({ group, rows: names.split(" ").map((n) => row(n, root)) }));
  const all = groups.flatMap((g) => g.rows);
  return [
    "# Passes over graphs",
    "",
    `${all.filter((r) => r.ours).length} of upstream's ${all.length} passes are here, by its names and with its options. \`pnpm conformance:relax DIR\` replays upstream's tests of them.`,
    "",
    "Written by `pnpm check:tables --write`.",
    "",
    ...groups.flatMap(({ group, rows }) => [`## ${group} (${rows.filter((r) => r.ours).length} of ${rows.length})`, "", "| pass | here | test, or why not |", "|---|---|---|", ...rows.map((r) => r.text), ""]),
  ].join("\n");
}
