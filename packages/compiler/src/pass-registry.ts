import { applyDefaultSchedule, cpuRules, gpuRules } from "@verticil/dlight";
import { makePassRegistry, parsePassList, passSpec, sequential, type OptionSchema, type Pass, type PassRegistry, type PassSpec } from "@verticil/ir-core";
import {
  allocateWorkspace,
  annotateTIROpPattern,
  attachGlobalSymbol,
  callTIRRewrite,
  canonicalizeBindings,
  computePrimValue,
  convertLayout,
  deadCodeElimination,
  decomposeOpsForInference,
  eliminateCommonSubexpr,
  explicitSizes,
  fakeQuantizationToInteger,
  foldBatchnormToConv2D,
  foldConstant,
  foldTransposeIntoConv2D,
  fuseOps,
  fuseTIR,
  killAfterLastUse,
  lambdaLift,
  legalizeOps,
  lowerAllocTensor,
  lowerRuntimeBuiltin,
  lowerStaticMain,
  metaScheduleApplyDatabase,
  promoteFloat16,
  relaxPasses,
  removePurityChecking,
  rewriteDataflowReshape,
  splitConcat,
  winogradConv2D,
  winogradPaybackRuns,
  staticPlanBlockMemory,
  toNonDataflow,
  vmShapeLower,
} from "@verticil/relax";
import { wasmIntrinRules } from "@verticil/target-wasm";
import { infiniteIdentities, lowerGpuTir, lowerTir, tirPasses } from "@verticil/tir";
import type { Extension } from "./compile-context.ts";
import { tirPassDocs } from "./tir-pass-docs.ts";
import { vmPhase, wasmLayouts, wasmPipeline } from "./wasm-pipeline.ts";
import { webgpuPipeline } from "./webgpu-pipeline.ts";

const plain = (name: string, doc: string, make: () => Pass): PassSpec => passSpec(name, doc, {}, make);

/** The passes over graphs, and the pipelines. */
const graphPasses: readonly PassSpec[] = [
  plain("CanonicalizeBindings", "Drops aliases, redundant match_casts and tuples that are taken apart again.", canonicalizeBindings),
  passSpec(
    "FoldConstant",
    "Evaluates calls whose operands are constants.",
    { max_growth: { type: "int", min: 0, doc: "bytes that a result may have beyond its operands" } },
    ({ max_growth: maxGrowth }) => foldConstant(maxGrowth === undefined ? {} : { maxGrowth }),
  ),
  plain("FakeQuantizationToInteger", "Computes with the integers of a quantized graph instead of the numbers that they stand for.", fakeQuantizationToInteger),
  plain("FoldBatchnormToConv2D", "Moves the scale and shift of a batch norm into the convolution before it.", foldBatchnormToConv2D),
  passSpec(
    "DecomposeOpsForInference",
    "Splits batch norm and other composed operators into simple ones.",
    { func_name: { type: "string", doc: "the only function to look at" } },
    ({ func_name: funcName }) => decomposeOpsForInference(funcName),
  ),
  plain("PromoteFloat16", "Computes in float32 what the model computes in float16.", promoteFloat16),
  plain("ConvertLayout", "Puts convolutions into the layout that the schedules want: channels last.", () => convertLayout(wasmLayouts)),
  passSpec(
    "EliminateCommonSubexpr",
    "Computes equal expressions of a function once.",
    { call_only: { type: "bool", doc: "only calls, not tuples and their items" } },
    ({ call_only: callOnly }) => eliminateCommonSubexpr({ callOnly: callOnly === true }),
  ),
  passSpec(
    "DeadCodeElimination",
    "Removes bindings that nothing uses and functions that nothing reaches.",
    { entry_functions: { type: "list", doc: "functions to keep, besides those with a global symbol" } },
    ({ entry_functions: entryFunctions }) => deadCodeElimination(entryFunctions === undefined ? {} : { entryFunctions }),
  ),
  passSpec(
    "LegalizeOps",
    "Replaces operators by tensor programs.",
    {
      enable_warning: { type: "bool", doc: "warn of operators that stay because no rule takes them" },
      skip_ops: { type: "list", doc: "operators that stay as they are" },
    },
    ({ enable_warning: enableWarning, skip_ops: skip }) => legalizeOps({ enableWarning: enableWarning === true, ...(skip === undefined ? {} : { skip }) }),
  ),
  plain("AnnotateTIROpPattern", "Says of each tensor program how it may be fused.", annotateTIROpPattern),
  passSpec(
    "FuseOps",
    "Groups calls of tensor programs that belong together into functions.",
    {
      fuse_opt_level: { type: "int", min: 0, max: 2, doc: "0 fuses nothing, 1 leaves injective work alone, 2 fuses all" },
      max_depth: { type: "int", min: 1, doc: "the most values in one group" },
      max_function_args: { type: "int", min: 0, doc: "the most buffers that a group takes; 0 for any number" },
    },
    ({ fuse_opt_level: fuseOptLevel, max_depth: maxDepth, max_function_args: maxFunctionArgs }) =>
      fuseOps({
        ...(fuseOptLevel === undefined ? {} : { fuseOptLevel }),
        ...(maxDepth === undefined ? {} : { maxDepth }),
        ...(maxFunctionArgs === undefined ? {} : { maxFunctionArgs }),
      }),
  ),
  plain("FuseTIR", "Makes one tensor program of each group of FuseOps.", fuseTIR),
  plain("RewriteDataflowReshape", "Turns tensor programs that only reshape into views.", rewriteDataflowReshape),
  plain("ToNonDataflow", "Makes plain blocks of dataflow blocks.", toNonDataflow),
  plain("RemovePurityChecking", "Unwraps what only tells that impure calls are pure.", removePurityChecking),
  plain("CallTIRRewrite", "Allocates the outputs of calls of tensor programs.", callTIRRewrite),
  plain("AllocateWorkspace", "Allocates the workspace that tensor programs ask for.", allocateWorkspace),
  plain("StaticPlanBlockMemory", "Lets tensors whose lives do not overlap share memory.", staticPlanBlockMemory),
  plain("LambdaLift", "Makes functions of the module of local functions.", lambdaLift),
  plain("LowerAllocTensor", "Gives each allocated tensor a storage of its own.", lowerAllocTensor),
  plain("KillAfterLastUse", "Lets go of each value after its last use.", killAfterLastUse),
  plain("LowerRuntimeBuiltin", "Calls the runtime for what it carries out itself.", lowerRuntimeBuiltin),
  plain("ComputePrimValue", "Computes scalars of symbolic sizes by tensor programs.", computePrimValue),
  passSpec(
    "VMShapeLower",
    "Puts symbolic sizes on a heap, and checks what comes from outside.",
    { emit_err_ctx: { type: "bool", doc: "let checks say what they look at, as they do unless told" } },
    ({ emit_err_ctx: emitErrCtx }) => vmShapeLower({ emitErrCtx: emitErrCtx !== false }),
  ),
  plain("AttachGlobalSymbol", "Makes every function known by its name.", attachGlobalSymbol),
  plain("ExplicitSizes", "Hands tensor programs the sizes of their buffers as scalars.", explicitSizes),
  plain("LowerStaticMain", "Makes one program of `main`, over one arena.", lowerStaticMain),
  passSpec(
    "MetaScheduleApplyDatabase",
    "Schedules tensor programs as a tuning database knows them.",
    { enable_warning: { type: "bool", doc: "warn of programs that the database does not know" } },
    ({ enable_warning: enableWarning }) => metaScheduleApplyDatabase({ enableWarning: enableWarning === true }),
  ),
  passSpec(
    "ApplyDefaultSchedule",
    "Schedules tensor programs by rules, for the processor unless told.",
    { gpu: { type: "bool", doc: "for a grid of threads instead" } },
    ({ gpu }) => applyDefaultSchedule(gpu === true ? gpuRules : cpuRules),
  ),
  plain("InfiniteIdentities", "Lets maxima start from minus infinity, minima from infinity.", infiniteIdentities),
  plain("LowerTIR", "Lowers tensor programs to flat loops: all passes of that.", () => lowerTir({ intrinRules: wasmIntrinRules })),
  plain("VMPhase", "The last phase for the virtual machine: from tensor programs to what its code generator takes.", vmPhase),
  plain("WasmPipeline", "The whole pipeline for WebAssembly.", wasmPipeline),
  plain("FoldTransposeIntoConv2D", "Makes convolutions read an image before its transposes, where the copy with a border can do their work.", foldTransposeIntoConv2D),
  plain("SplitConcat", "Joins many tensors in steps where a device binds few buffers at once.", splitConcat),
  passSpec(
    "WinogradConv2D",
    "Computes 3×3 convolutions by Winograd's scheme where that is faster.",
    { payback_runs: winogradPaybackRuns.def },
    ({ payback_runs: paybackRuns }) => winogradConv2D(paybackRuns === undefined ? {} : { paybackRuns }),
  ),
  plain("LowerGpuTIR", "Lowers tensor programs on grids of threads to flat loops: all passes of that.", () => lowerGpuTir()),
  plain("WebgpuPipeline", "The whole pipeline for WebGPU.", webgpuPipeline),
];

/** Passes by upstream's name, for the command line. */
export const passRegistry: PassRegistry = /* @__PURE__ */ makePassRegistry([
  ...graphPasses,
  ...[...relaxPasses]
    .filter(([name]) => !graphPasses.some((p) => p.name === name))
    .map(([name, { params, make, doc }]) =>
      // Upstream has some names twice, once a dialect: each of the two looks at functions of its own only.
      passSpec(name, doc ?? "", Object.fromEntries(params.map((p) => [p, { type: "any", doc: "" }])), (given) => {
        const other = tirPasses.get(name);
        return other === undefined ? make(given) : sequential(name, [make(given), other.make({})]);
      }),
    ),
  ...[...tirPasses]
    .filter(([name]) => !relaxPasses.has(name))
    .map(([name, { params, make }]) => {
      const options: OptionSchema = Object.fromEntries(params.map((p) => [p, { type: "any", doc: "" }]));
      return passSpec(name, tirPassDocs[name] ?? "", options, (given) => make(given));
    }),
]);

/** The passes that can be called by name, those of extensions included. @throws RangeError if two have one name. */
export function passRegistryWith(extensions: readonly Extension[]): PassRegistry {
  return makePassRegistry([...passRegistry.values(), ...extensions.flatMap((e) => e.passes ?? [])]);
}

/**
 * Passes from text such as `FuseOps(fuse_opt_level=2),FuseTIR`.
 * @throws RangeError that names what could not be read, and the nearest name there is.
 */
export function parsePasses(text: string, registry: PassRegistry = passRegistry): readonly Pass[] {
  return parsePassList(text, registry);
}
