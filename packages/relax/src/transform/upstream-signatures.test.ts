import { describe, expect, it } from "vitest";
import { relaxPasses } from "./relax-passes.ts";
import { relaxValuePasses } from "./relax-value-passes.ts";

/** A parameter that upstream wants given. */
const needed = Symbol("needed");

type Default = string | number | boolean | null | typeof needed;

/** Upstream's passes over graphs in v0.20 with their parameters and defaults. */
const signatures: Readonly<Record<string, Readonly<Record<string, Default>>>> = {
  AdjustMatmulOrder: {},
  AllocateWorkspace: {},
  AlterOpImpl: { op_impl_map: needed, op_buffer_transforms: needed, op_buffer_axis_separators: needed, op_buffer_input_axis_separators: needed },
  AnnotateTIROpPattern: {},
  AttachAttrLayoutFreeBuffers: {},
  AttachExternModules: { external_mods: needed },
  AttachGlobalSymbol: {},
  BindParams: { func_name: needed, params: needed },
  BindSymbolicVars: { binding_map: needed, func_name: null },
  BundleModelParams: { param_tuple_name: null },
  CallTIRRewrite: {},
  CanonicalizeBindings: {},
  CombineParallelMatmul: { check: null },
  ComputePrimValue: {},
  ConvertLayout: { desired_layouts: needed },
  ConvertToDataflow: { min_size: 2 },
  DataflowUseInplaceCalls: {},
  DeadCodeElimination: { entry_functions: null },
  DecomposeOpsForInference: { func_name: null },
  DecomposeOpsForTraining: { func_name: null },
  EliminateCommonSubexpr: { call_only: false },
  ExpandMatmulOfSum: {},
  ExpandTupleArguments: {},
  FastMathTransform: {},
  FewShotTuning: { valid_count: 1, benchmark: false },
  FoldBatchnormToConv2D: {},
  FoldConstant: {},
  FuseOps: { fuse_opt_level: -1 },
  FuseOpsByPattern: { patterns: needed, bind_constants: true, annotate_codegen: false, entry_functions: null },
  FuseTIR: {},
  FuseTransposeMatmul: {},
  Gradient: { func_name: needed, require_grads: null, target_index: 0 },
  IPCAllReduceRewrite: { allreduce_strategy: needed },
  InlinePrivateFunctions: {},
  KillAfterLastUse: {},
  LambdaLift: {},
  LazyGetInput: {},
  LazySetOutput: {},
  LazyTransformParams: { fget_item: "get_item", fset_item: "set_item", extra_get_item_params: null, extra_set_item_params: null },
  LegalizeOps: { customize_legalize_map: null, enable_warning: false },
  LiftTransformParams: { shared_transform: false },
  LowerAllocTensor: {},
  LowerGPUIPCAllocStorage: {},
  LowerRuntimeBuiltin: {},
  MergeCompositeFunctions: {},
  MetaScheduleApplyDatabase: { work_dir: null, enable_warning: false },
  MetaScheduleTuneIRMod: { params: needed, work_dir: needed, max_trials_global: needed, max_trials_per_task: null, op_names: null },
  MetaScheduleTuneTIR: { work_dir: needed, max_trials_global: needed },
  Normalize: {},
  NormalizeGlobalVar: {},
  OptimizeLayoutTransform: {},
  RealizeVDevice: {},
  RemovePurityChecking: {},
  RemoveRedundantReshape: {},
  RemoveUnusedOutputs: {},
  RemoveUnusedParameters: {},
  ReorderPermuteDimsAfterConcat: {},
  ReorderTakeAfterMatmul: {},
  RewriteCUDAGraph: {},
  RewriteDataflowReshape: {},
  RunCodegen: { target_options: null, entry_functions: null },
  SplitCallTIRByPattern: { patterns: needed, fcodegen: needed },
  SplitLayoutRewritePreproc: {},
  StaticPlanBlockMemory: {},
  ToMixedPrecision: { out_dtype: "float32", fp16_input_names: null },
  ToNonDataflow: {},
  TopologicalSort: { order: "depth-first", direction: "from-inputs" },
  UpdateParamStructInfo: { sinfo_func: needed },
  UpdateVDevice: { new_vdevice: needed, index: needed },
  VMBuiltinLower: {},
  VMShapeLower: { emit_err_ctx: true },
};

/** Passes that are not here, and options that are not taken. */
const reasons: Readonly<Record<string, string>> = {
  AttachExternModules: "there are no object files to attach",
  FewShotTuning: "upstream has dropped it",
  IPCAllReduceRewrite: "CUDA only",
  LowerGPUIPCAllocStorage: "CUDA only",
  RewriteCUDAGraph: "CUDA only",
  "MetaScheduleApplyDatabase.work_dir": "the database is the context's",
};

const ours = new Map([...relaxPasses, ...relaxValuePasses]);

describe("upstream's passes over graphs", () => {
  it("are here by name, or there is a reason", () => {
    expect(Object.keys(signatures).filter((name) => !ours.has(name))).toEqual(Object.keys(signatures).filter((name) => reasons[name] !== undefined));
  });

  it("take the options that upstream's take, in their order, or there is a reason", () => {
    const expected = Object.entries(signatures).map(([name, params]) => `${name}(${Object.keys(params).filter((p) => reasons[`${name}.${p}`] === undefined).join(", ")})`);
    const taken = Object.keys(signatures).map((name) => (ours.has(name) ? `${name}(${ours.get(name)?.params.join(", ")})` : undefined));
    expect(taken.filter((text) => text !== undefined)).toEqual(expected.filter((text) => ours.has(text.slice(0, text.indexOf("(")))));
  });

  it.each(Object.keys(signatures).filter((name) => ours.has(name) && !Object.values(signatures[name] ?? {}).includes(needed)))("%s takes upstream's defaults, and none", (name) => {
    const entry = ours.get(name);
    const own = Object.fromEntries(Object.entries(signatures[name] ?? {}).filter(([p]) => entry?.params.includes(p)));
    expect(entry?.make(own).name).toBe(entry?.make({}).name);
  });

  it.each(Object.keys(signatures).filter((name) => relaxValuePasses.has(name) && name !== "MetaScheduleTuneIRMod"))("%s says which option it needs", (name) => {
    expect(() => ours.get(name)?.make({})).toThrow(TypeError);
  });

  it("MetaScheduleTuneIRMod leaves what is not said to the tuner", () => expect(ours.get("MetaScheduleTuneIRMod")?.make({}).name).toBe("MetaScheduleTuneIRMod"));

  it("are the only ones, but for those of main and two older or newer names", () => {
    const others = [...ours.keys()].filter((name) => signatures[name] === undefined);
    expect(others).toEqual(["SpecializePrimFuncBasedOnCallSite", "UpdateParamType"]);
  });
});
