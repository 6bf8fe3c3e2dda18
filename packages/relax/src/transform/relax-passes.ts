import { isNode, type AttrMap, type AttrValue, type Pass } from "@verticil/ir-core";
import type { AnyVar } from "@verticil/tir";
import type { Var } from "../ir/expr.ts";
import type { LegalizeRule, LegalizeTable } from "../op/legalize-rule.ts";
import { metaScheduleApplyDatabase } from "../tuning/meta-schedule-apply-database.ts";
import { metaScheduleTuneTIR } from "../tuning/meta-schedule-tune-tir.ts";
import { adjustMatmulOrder } from "./adjust-matmul-order.ts";
import { allocateWorkspace } from "./allocate-workspace.ts";
import { annotateTIROpPattern } from "./annotate-tir-op-pattern.ts";
import { attachAttrLayoutFreeBuffers } from "./attach-attr-layout-free-buffers.ts";
import { callTIRRewrite } from "./call-tir-rewrite.ts";
import { attachGlobalSymbol } from "./attach-global-symbol.ts";
import { bindSymbolicVars, type SymbolicBindings } from "./bind-symbolic-vars.ts";
import { bundleModelParams } from "./bundle-model-params.ts";
import { canonicalizeBindings } from "./canonicalize-bindings.ts";
import { combineParallelMatmul, type CombineCheck } from "./combine-parallel-matmul.ts";
import { computePrimValue } from "./compute-prim-value.ts";
import { convertLayout } from "./convert-layout.ts";
import { convertToDataflow } from "./convert-to-dataflow.ts";
import { toNonDataflow } from "./dataflow-blocks.ts";
import { dataflowUseInplaceCalls } from "./dataflow-use-inplace-calls.ts";
import { deadCodeElimination } from "./dead-code-elimination.ts";
import { decomposeOpsForInference } from "./decompose-ops-for-inference.ts";
import { decomposeOpsForTraining } from "./decompose-ops-for-training.ts";
import { eliminateCommonSubexpr } from "./eliminate-common-subexpr.ts";
import { expandMatmulOfSum } from "./expand-matmul-of-sum.ts";
import { expandTupleArguments } from "./expand-tuple-arguments.ts";
import { fastMathTransform } from "./fast-math-transform.ts";
import { foldBatchnormToConv2D } from "./fold-batchnorm-to-conv2d.ts";
import { foldConstant } from "./fold-constant.ts";
import { fuseOps } from "./fuse-ops.ts";
import { fuseTIR } from "./fuse-tir.ts";
import { fuseTransposeMatmul } from "./fuse-transpose-matmul.ts";
import { optimizeLayoutTransform } from "./optimize-layout-transform.ts";
import { removeRedundantReshape } from "./remove-redundant-reshape.ts";
import { reorderPermuteDimsAfterConcat } from "./reorder-permute-dims-after-concat.ts";
import { reorderTakeAfterMatmul } from "./reorder-take-after-matmul.ts";
import { gradient } from "./gradient.ts";
import { inlinePrivateFunctions } from "./inline-private-functions.ts";
import { killAfterLastUse } from "./kill-after-last-use.ts";
import { lambdaLift } from "./lambda-lift.ts";
import { lazyGetInput } from "./lazy-get-input.ts";
import { lazySetOutput } from "./lazy-set-output.ts";
import { lazyTransformParams, type LazyTransformParamsOptions } from "./lazy-transform-params.ts";
import { legalizeOps } from "./legalize-ops.ts";
import { liftTransformParams } from "./lift-transform-params.ts";
import { lowerAllocTensor } from "./lower-alloc-tensor.ts";
import { lowerRuntimeBuiltin } from "./lower-runtime-builtin.ts";
import { mergeCompositeFunctions } from "./merge-composite-functions.ts";
import { normalize } from "./normalize.ts";
import { normalizeGlobalVar } from "./normalize-global-var.ts";
import { budgetOf, entriesOf, isSet, nameOf, namesOf, numberOf, type RelaxPassEntry, type RelaxPassOptions } from "./pass-options.ts";
import { realizeVDevice } from "./realize-vdevice.ts";
import { removePurityChecking } from "./remove-purity-checking.ts";
import { removeUnusedOutputs } from "./remove-unused-outputs.ts";
import { removeUnusedParameters } from "./remove-unused-parameters.ts";
import { rewriteDataflowReshape } from "./rewrite-dataflow-reshape.ts";
import { runCodegen } from "./run-codegen.ts";
import { specializePrimFuncBasedOnCallSite } from "./specialize-prim-func-based-on-call-site.ts";
import { splitLayoutRewritePreproc } from "./split-layout-rewrite-preproc.ts";
import { staticPlanBlockMemory } from "./static-plan-block-memory.ts";
import { toMixedPrecision } from "./to-mixed-precision.ts";
import { topologicalSort, type TopologicalSortOptions } from "./topological-sort.ts";
import { vmShapeLower } from "./vm-shape-lower.ts";

const plain = (make: () => Pass, doc = ""): RelaxPassEntry => ({ params: [], make: () => make(), doc });

function layoutsOf(options: RelaxPassOptions): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(entriesOf(options, "desired_layouts").map(([op, list]) => [String(op), Array.isArray(list) ? list.map(String) : []]));
}

/** The passes over graphs by upstream's name; those that take values rather than names and numbers are `relaxValuePasses`. */
export const relaxPasses: ReadonlyMap<string, RelaxPassEntry> = new Map<string, RelaxPassEntry>([
  ["Normalize", plain(normalize, "Binds nested calls to variables, and infers what is not said.")],
  ["CanonicalizeBindings", plain(canonicalizeBindings)],
  ["EliminateCommonSubexpr", { params: ["call_only"], make: (o) => eliminateCommonSubexpr({ callOnly: isSet(o, "call_only") }) }],
  ["DeadCodeElimination", { params: ["entry_functions"], make: (o) => deadCodeElimination({ entryFunctions: namesOf(o, "entry_functions") ?? [] }) }],
  ["FoldConstant", plain(() => foldConstant())],
  ["FoldBatchnormToConv2D", plain(foldBatchnormToConv2D)],
  ["DecomposeOpsForInference", { params: ["func_name"], make: (o) => decomposeOpsForInference(nameOf(o, "func_name")) }],
  ["ConvertLayout", { params: ["desired_layouts"], make: (o) => convertLayout(layoutsOf(o)) }],
  ["LegalizeOps", { params: ["customize_legalize_map", "enable_warning"], make: (o) => legalizeOps({ customize: rulesOf(o), enableWarning: isSet(o, "enable_warning") }) }],
  ["AnnotateTIROpPattern", plain(annotateTIROpPattern)],
  [
    "FuseOps",
    {
      params: ["fuse_opt_level"],
      make: (o) => {
        const level = numberOf(o, "fuse_opt_level");
        return fuseOps(level === undefined || level < 0 ? {} : { fuseOptLevel: level });
      },
    },
  ],
  ["FuseTIR", plain(fuseTIR)],
  ["RewriteDataflowReshape", plain(rewriteDataflowReshape)],
  [
    "ConvertToDataflow",
    {
      params: ["min_size"],
      make: (o) => {
        const minSize = numberOf(o, "min_size");
        return convertToDataflow(minSize === undefined ? {} : { minSize });
      },
    },
  ],
  ["ToNonDataflow", plain(toNonDataflow)],
  ["RemovePurityChecking", plain(removePurityChecking)],
  ["CallTIRRewrite", plain(callTIRRewrite)],
  ["AllocateWorkspace", plain(allocateWorkspace)],
  ["StaticPlanBlockMemory", plain(staticPlanBlockMemory)],
  [
    "Gradient",
    {
      params: ["func_name", "require_grads", "target_index"],
      make: (o) => {
        const wanted = namesOf(o, "require_grads");
        return gradient(String(o["func_name"]), { targetIndex: numberOf(o, "target_index") ?? 0, ...(wanted === undefined ? {} : { requireGrads: wanted }) });
      },
    },
  ],
  [
    "ToMixedPrecision",
    {
      params: ["out_dtype", "fp16_input_names"],
      make: (o) => {
        const out = String(o["out_dtype"] ?? "float32");
        if (out !== "float32" && out !== "float16") throw new TypeError(`The option \`out_dtype\` is float32 or float16, not \`${out}\`.`);
        return toMixedPrecision({ outDType: out, fp16InputNames: namesOf(o, "fp16_input_names") ?? [] });
      },
    },
  ],
  ["LambdaLift", plain(lambdaLift)],
  ["LowerAllocTensor", plain(lowerAllocTensor)],
  ["KillAfterLastUse", plain(killAfterLastUse)],
  ["LowerRuntimeBuiltin", plain(lowerRuntimeBuiltin)],
  ["VMBuiltinLower", plain(lowerRuntimeBuiltin, "The older name of LowerRuntimeBuiltin.")],
  ["ComputePrimValue", plain(computePrimValue)],
  ["VMShapeLower", { params: ["emit_err_ctx"], make: (o) => vmShapeLower({ emitErrCtx: isSet(o, "emit_err_ctx", true) }) }],
  ["AttachGlobalSymbol", plain(attachGlobalSymbol)],
  ["NormalizeGlobalVar", plain(normalizeGlobalVar, "Names public functions as they are known outside.")],
  ["TopologicalSort", { params: ["order", "direction"], make: (o) => topologicalSort(sortOptions(o)), doc: "Sorts the bindings of dataflow blocks as a walk of the graph comes by them." }],
  ["InlinePrivateFunctions", plain(inlinePrivateFunctions, "Puts private functions in the place of their calls.")],
  ["BindSymbolicVars", { params: ["binding_map", "func_name"], make: (o) => bindSymbolicVars(symbolicBindings(o), nameOf(o, "func_name")), doc: "Gives symbolic variables a size." }],
  ["ExpandTupleArguments", plain(expandTupleArguments, "Lets private functions take the fields of tuples.")],
  ["RemoveUnusedParameters", plain(removeUnusedParameters, "Drops parameters of private functions that they do not use.")],
  ["RemoveUnusedOutputs", plain(removeUnusedOutputs, "Drops results of private functions that nobody takes.")],
  ["BundleModelParams", { params: ["param_tuple_name"], make: (o) => bundleModelParams(nameOf(o, "param_tuple_name")), doc: "Lets the weights of a model come as one tuple." }],
  ["AdjustMatmulOrder", plain(adjustMatmulOrder, "Multiplies chains of matrices in the order that is cheaper.")],
  ["CombineParallelMatmul", { params: ["check"], make: (o) => combineParallelMatmul(combineCheck(o["check"])), doc: "Joins products of one tensor with several." }],
  ["ExpandMatmulOfSum", plain(expandMatmulOfSum, "Writes a product with a sum as a sum of products.")],
  ["FastMathTransform", plain(fastMathTransform, "Approximates exp, erf, tanh and softmax.")],
  ["FuseTransposeMatmul", plain(fuseTransposeMatmul, "Makes one tensor program of a product with a transposed matrix.")],
  ["OptimizeLayoutTransform", plain(optimizeLayoutTransform, "Drops changes of layout that are taken back.")],
  ["RemoveRedundantReshape", plain(removeRedundantReshape, "Drops reshapes that change nothing or are changed again.")],
  ["ReorderPermuteDimsAfterConcat", plain(reorderPermuteDimsAfterConcat, "Puts tensors together before they are transposed.")],
  ["ReorderTakeAfterMatmul", plain(reorderTakeAfterMatmul, "Takes from a product rather than multiplying what is taken.")],
  ["LiftTransformParams", { params: ["shared_transform"], make: (o) => liftTransformParams({ sharedTransform: sharedOf(o) }), doc: "Moves what is computed of weights alone into a function that runs once." }],
  ["LazyGetInput", plain(lazyGetInput, "Lets functions ask for their weights where they need them.")],
  ["LazySetOutput", plain(lazySetOutput, "Lets functions hand on each result as soon as they have it.")],
  ["DecomposeOpsForTraining", { params: ["func_name"], make: (o) => decomposeOpsForTraining(nameOf(o, "func_name")), doc: "Lets batch norm take the statistics of the batch, and splits layer norm." }],
  ["AttachAttrLayoutFreeBuffers", plain(attachAttrLayoutFreeBuffers, "Marks the buffers of tensor programs that are weights.")],
  ["RealizeVDevice", plain(realizeVDevice, "Places tensors on the devices that annotations and hints say.")],
  ["DataflowUseInplaceCalls", plain(dataflowUseInplaceCalls, "Lets elementwise operators write over what is not used later.")],
  ["SplitLayoutRewritePreproc", plain(splitLayoutRewritePreproc, "Makes a program of its own of what lays weights out anew.")],
  ["LazyTransformParams", { params: ["fget_item", "fset_item", "extra_get_item_params", "extra_set_item_params"], make: (o) => lazyTransformParams(lazyOptions(o)), doc: "Lets functions that transform weights load and store them one by one." }],
  ["SpecializePrimFuncBasedOnCallSite", plain(specializePrimFuncBasedOnCallSite, "Puts buffers of tensor programs in the memory scopes that their calls say.")],
  ["MergeCompositeFunctions", plain(mergeCompositeFunctions, "Joins composite functions of one backend that feed each other.")],
  ["MetaScheduleApplyDatabase", { params: ["enable_warning"], make: (o) => metaScheduleApplyDatabase({ enableWarning: isSet(o, "enable_warning") }) }],
  ["MetaScheduleTuneTIR", { params: ["work_dir", "max_trials_global"], make: (o) => metaScheduleTuneTIR(budgetOf(o)), doc: "Hands tensor programs to the tuner of the context." }],
  ["RunCodegen", { params: ["target_options", "entry_functions"], make: (o) => runCodegen({ targetOptions: targetOptions(o), entryFunctions: namesOf(o, "entry_functions") ?? [] }), doc: "Hands functions of backends to their code generators." }],
]);

function rulesOf(options: RelaxPassOptions): LegalizeTable {
  return new Map(
    entriesOf(options, "customize_legalize_map").map(([op, rule]) => {
      if (!isLegalizeRule(rule)) throw new TypeError("The option `customize_legalize_map` maps operators to functions.");
      return [String(op), rule];
    }),
  );
}

/** What a function takes cannot be seen. */
function isLegalizeRule(value: unknown): value is LegalizeRule {
  return typeof value === "function";
}

/** Options by backend. */
function targetOptions(options: RelaxPassOptions): Readonly<Record<string, AttrMap>> {
  return Object.fromEntries(
    entriesOf(options, "target_options").map(([target, given]) => {
      const attr = attrOf(given);
      if (!isAttrMap(attr)) throw new TypeError(`The option \`target_options\` has options by name for \`${String(target)}\`.`);
      return [String(target), attr];
    }),
  );
}

/** A value as attributes hold it. @throws TypeError for what they cannot hold. */
function attrOf(value: unknown): AttrValue {
  switch (typeof value) {
    case "string":
    case "number":
    case "bigint":
    case "boolean":
      return value;
    case "object": {
      if (value === null || isNode(value)) return value;
      if (Array.isArray(value)) return value.map(attrOf);
      const entries: readonly (readonly [unknown, unknown])[] = value instanceof Map ? [...(value as ReadonlyMap<unknown, unknown>)] : Object.entries(value);
      return Object.fromEntries(entries.map(([key, v]) => [String(key), attrOf(v)]));
    }
    default:
      throw new TypeError(`The option \`target_options\` has no ${typeof value} in it.`);
  }
}

function isAttrMap(value: AttrValue): value is AttrMap {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !isNode(value);
}

function combineCheck(value: unknown): CombineCheck | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "function") throw new TypeError("The option `check` is a function.");
  return (...args) => (value as (...a: unknown[]) => unknown)(...args) === true;
}

function lazyOptions(o: RelaxPassOptions): LazyTransformParamsOptions {
  const get = nameOf(o, "fget_item");
  const set = o["fset_item"] === null ? null : nameOf(o, "fset_item");
  return {
    ...(get === undefined ? {} : { fgetItem: get }),
    ...(set === undefined ? {} : { fsetItem: set }),
    extraGetItemParams: varsOf(o, "extra_get_item_params"),
    extraSetItemParams: varsOf(o, "extra_set_item_params"),
  };
}

function varsOf(options: RelaxPassOptions, name: string): readonly Var[] {
  const value = options[name] ?? [];
  if (!Array.isArray(value) || !value.every((v) => isNode(v) && v.kind === "relax.Var")) throw new TypeError(`The option \`${name}\` is a list of variables.`);
  return value as readonly Var[];
}

function sharedOf(o: RelaxPassOptions): boolean | readonly string[] {
  const value = o["shared_transform"];
  return typeof value === "boolean" ? value : (namesOf(o, "shared_transform") ?? false);
}

function sortOptions(o: RelaxPassOptions): TopologicalSortOptions {
  const [order, direction] = [o["order"] ?? "depth-first", o["direction"] ?? "from-inputs"];
  if (order !== "depth-first" && order !== "breadth-first") throw new TypeError("The option `order` is depth-first or breadth-first.");
  if (direction !== "from-inputs" && direction !== "from-outputs") throw new TypeError("The option `direction` is from-inputs or from-outputs.");
  return { order, direction };
}

function symbolicBindings(options: RelaxPassOptions): SymbolicBindings {
  return new Map(
    entriesOf(options, "binding_map").map(([key, size]) => {
      const isVar = typeof key === "object" && key !== null && "kind" in key && key.kind === "tir.Var";
      if (typeof key !== "string" && !isVar) throw new TypeError("The option `binding_map` maps names to sizes.");
      return [key as string | AnyVar, Number(size)] as const;
    }),
  );
}
