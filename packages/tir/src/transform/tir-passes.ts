import type { AttrValue, Pass } from "@verticil/ir-core";
import type { DType } from "@verticil/runtime-ffi";
import { annotateDeviceRegions } from "./annotate-device-regions.ts";
import { lowerCrossThreadReduction } from "./lower-cross-thread-reduction.ts";
import { lowerDeviceKernelLaunch } from "./lower-device-kernel-launch.ts";
import { splitHostDevice } from "./split-host-device.ts";
import { annotateEntryFunc } from "./annotate-entry-func.ts";
import { bf16ComputeLegalize, fp8ComputeLegalize } from "./compute-legalize.ts";
import { bf16StorageLegalize, fp8StorageLegalize } from "./storage-legalize.ts";
import { decorateDeviceScope } from "./decorate-device-scope.ts";
import { defaultGpuSchedule } from "./default-gpu-schedule.ts";
import { inlinePrivateFunctions } from "./inline-private-functions.ts";
import { liftThreadBinding } from "./lift-thread-binding.ts";
import { bindTarget } from "./bind-target.ts";
import { convertForLoopsToSerial } from "./convert-for-loops-to-serial.ts";
import { filter } from "./filter.ts";
import { forceNarrowIndexToInt32 } from "./force-narrow-index-to-int32.ts";
import { hoistExpression, hoistIfThenElse } from "./hoist-expression.ts";
import { injectDoubleBuffer } from "./inject-double-buffer.ts";
import { commonSubexprElim } from "./common-subexpr-elim.ts";
import { injectVirtualThread } from "./inject-virtual-thread.ts";
import { loopPartition } from "./loop-partition.ts";
import { lowerThreadAllreduce } from "./lower-thread-allreduce.ts";
import { removeAssume } from "./remove-assume.ts";
import { removeStoreUndef } from "./remove-store-undef.ts";
import { renormalizeSplitPattern } from "./renormalize-split-pattern.ts";
import { skipAssert } from "./skip-assert.ts";
import { asTarget } from "./target-attr.ts";
import { compactBufferAllocation } from "./compact-buffer-allocation.ts";
import { convertBlocksToOpaque } from "./convert-blocks-to-opaque.ts";
import { convertSSA } from "./convert-ssa.ts";
import { flattenBuffer } from "./flatten-buffer.ts";
import { liftWorkspace } from "./lift-workspace.ts";
import { formDotProducts } from "./form-dot-products.ts";
import { peelGuards } from "./peel-guards.ts";
import { lowerInitBlock } from "./lower-init-block.ts";
import { lowerMatchBuffer } from "./lower-match-buffer.ts";
import { lowerOpaqueBlock } from "./lower-opaque-block.ts";
import { mergeSharedMemoryAllocations } from "./merge-shared-memory-allocations.ts";
import { narrowDataType } from "./narrow-data-type.ts";
import type { PrimFunc } from "../ir/stmt.ts";
import { booleanOption, numberOption, stringOption, type TirPassOptions } from "./pass-options.ts";
import { planAndUpdateBufferAllocationLocation } from "./plan-and-update-buffer-allocation-location.ts";
import { removeNoOp } from "./remove-no-op.ts";
import { rewriteUnsafeSelect } from "./rewrite-unsafe-select.ts";
import { simplify } from "./simplify.ts";
import { pointerValueTypeRewrite } from "./pointer-value-type-rewrite.ts";
import { storageRewrite } from "./storage-rewrite.ts";
import { threadSync } from "./thread-sync.ts";
import { unifyThreadBinding } from "./unify-thread-binding.ts";
import { unrollLoop } from "./unroll-loop.ts";
import { unswitchLoops } from "./unswitch-loops.ts";
import { verifyMemoryPass } from "./verify-memory-pass.ts";
import { vectorizeLoop } from "./vectorize-loop.ts";

/** A pass that is made from options by upstream's names. */
export interface TirPassEntry {
  /** The names of the options; upstream's parameters first, in their order, then what it takes from the context. */
  readonly params: readonly string[];
  /** @throws TypeError for an option of another type. */
  readonly make: (options: TirPassOptions) => Pass;
}

const plain = (make: () => Pass): TirPassEntry => ({ params: [], make: () => make() });

/** The passes over tensor programs by upstream's name, in the order of upstream's pipeline where they are in it. */
export const tirPasses: ReadonlyMap<string, TirPassEntry> = new Map<string, TirPassEntry>([
  ["LowerCrossThreadReduction", plain(lowerCrossThreadReduction)],
  ["LowerInitBlock", plain(lowerInitBlock)],
  ["PlanAndUpdateBufferAllocationLocation", plain(planAndUpdateBufferAllocationLocation)],
  ["ConvertBlocksToOpaque", plain(convertBlocksToOpaque)],
  ["CompactBufferAllocation", { params: ["is_strict"], make: (o) => compactBufferAllocation({ strict: booleanOption(o, "is_strict") !== false }) }],
  ["LowerMatchBuffer", plain(lowerMatchBuffer)],
  [
    "Simplify",
    {
      params: [
        "transitively_prove_inequalities",
        "convert_boolean_to_and_of_ors",
        "apply_constraints_to_boolean_branches",
        "propagate_knowns_to_prove_conditional",
        "propagate_knowns_to_simplify_expressions",
      ],
      make: (o) =>
        simplify({
          transitivelyProveInequalities: booleanOption(o, "transitively_prove_inequalities") === true,
          convertBooleanToAndOfOrs: booleanOption(o, "convert_boolean_to_and_of_ors") === true,
          applyConstraintsToBooleanBranches: booleanOption(o, "apply_constraints_to_boolean_branches") === true,
          propagateKnownsToProveConditional: booleanOption(o, "propagate_knowns_to_prove_conditional") === true,
          propagateKnownsToSimplifyExpressions: booleanOption(o, "propagate_knowns_to_simplify_expressions") === true,
        }),
    },
  ],
  ["LowerOpaqueBlock", plain(lowerOpaqueBlock)],
  ["FlattenBuffer", plain(flattenBuffer)],
  ["NarrowDataType", { params: ["target_bits"], make: (o) => narrowDataType(numberOption(o, "target_bits") ?? 32) }],
  ["FormDotProducts", plain(() => formDotProducts())],
  ["PeelGuards", plain(() => peelGuards())],
  [
    "LoopPartition",
    {
      params: ["partition_const_loop", "no_unroll_loop_with_extent_one", "unroll_loop_with_partition_hint_no_interval"],
      make: (o) =>
        loopPartition({
          constLoops: booleanOption(o, "partition_const_loop") === true,
          keepUnitLoops: booleanOption(o, "no_unroll_loop_with_extent_one") === true,
          unrollUnpartitioned: booleanOption(o, "unroll_loop_with_partition_hint_no_interval") === true,
        }),
    },
  ],
  ["VectorizeLoop", { params: ["enable_vectorize"], make: (o) => vectorizeLoop({ enable: booleanOption(o, "enable_vectorize") ?? true }) }],
  ["InjectVirtualThread", plain(injectVirtualThread)],
  ["StorageRewrite", { params: ["merge_static_smem"], make: (o) => storageRewrite({ mergeStatic: booleanOption(o, "merge_static_smem") === true }) }],
  ["PointerValueTypeRewrite", plain(pointerValueTypeRewrite)],
  ["UnswitchLoops", plain(() => unswitchLoops())],
  [
    "UnrollLoop",
    {
      params: ["auto_max_step", "auto_max_depth", "auto_max_extent", "explicit_unroll", "unroll_local_access"],
      make: (o) =>
        unrollLoop(
          defined({
            autoMaxStep: numberOption(o, "auto_max_step"),
            autoMaxDepth: numberOption(o, "auto_max_depth"),
            autoMaxExtent: numberOption(o, "auto_max_extent"),
            explicit: booleanOption(o, "explicit_unroll"),
            localAccess: booleanOption(o, "unroll_local_access"),
          }),
        ),
    },
  ],
  ["RemoveNoOp", { params: ["use_dataflow_analysis", "max_simplification_steps"], make: (o) => removeNoOp({ useDataflowAnalysis: booleanOption(o, "use_dataflow_analysis") === true }) }],
  ["RewriteUnsafeSelect", plain(rewriteUnsafeSelect)],
  [
    "HoistExpression",
    {
      params: ["hoisted_conditionals", "hoisted_let_bindings"],
      make: (o) => hoistExpression(defined({ conditionals: numberOption(o, "hoisted_conditionals"), letBindings: numberOption(o, "hoisted_let_bindings") })),
    },
  ],
  [
    "HoistIfThenElse",
    {
      params: ["variant", "support_block_scope_hosting"],
      make: (o) => hoistIfThenElse({ supportBlockScope: o["variant"] !== "basic" && booleanOption(o, "support_block_scope_hosting") === true }),
    },
  ],
  ["InjectDoubleBuffer", { params: ["split_loop"], make: (o) => injectDoubleBuffer(defined({ splitLoop: numberOption(o, "split_loop") })) }],
  ["LowerThreadAllreduce", plain(lowerThreadAllreduce)],
  ["UnifyThreadBinding", plain(unifyThreadBinding)],
  ["LiftThreadBinding", plain(liftThreadBinding)],
  ["InlinePrivateFunctions", plain(inlinePrivateFunctions)],
  ["DefaultGPUSchedule", { params: ["target"], make: (o) => defaultGpuSchedule(asTarget(o["target"] as AttrValue | undefined)) }],
  ["DecorateDeviceScope", plain(decorateDeviceScope)],
  ["BF16ComputeLegalize", plain(bf16ComputeLegalize)],
  ["BF16StorageLegalize", plain(bf16StorageLegalize)],
  ["FP8ComputeLegalize", { params: ["promote_dtype_str"], make: (o) => fp8ComputeLegalize((stringOption(o, "promote_dtype_str") ?? "float16") as DType) }],
  ["FP8StorageLegalize", plain(fp8StorageLegalize)],
  ["ThreadSync", { params: ["storage_scope"], make: (o) => threadSync(stringOption(o, "storage_scope") ?? "shared") }],
  [
    "MergeSharedMemoryAllocations",
    { params: ["merge_static_smem"], make: (o) => mergeSharedMemoryAllocations({ mergeStatic: booleanOption(o, "merge_static_smem") === true }) },
  ],
  [
    "CommonSubexprElimTIR",
    { params: ["enable_cse_tir", "identify_equiv_terms"], make: (o) => commonSubexprElim({ enable: booleanOption(o, "enable_cse_tir") !== false, equivalent: booleanOption(o, "identify_equiv_terms") === true }) },
  ],
  ["AnnotateDeviceRegions", plain(annotateDeviceRegions)],
  ["SplitHostDevice", plain(splitHostDevice)],
  ["LowerDeviceKernelLaunch", plain(lowerDeviceKernelLaunch)],
  ["VerifyMemory", plain(verifyMemoryPass)],
  ["RenormalizeSplitPattern", plain(renormalizeSplitPattern)],
  ["RemoveAssume", plain(removeAssume)],
  ["RemoveStoreUndef", plain(removeStoreUndef)],
  ["SkipAssert", plain(skipAssert)],
  ["ConvertForLoopsToSerial", plain(convertForLoopsToSerial)],
  ["ForceNarrowIndexToInt32", plain(forceNarrowIndexToInt32)],
  ["BindTarget", { params: ["target"], make: (o) => bindTarget(asTarget(o["target"] as AttrValue | undefined)) }],
  ["AnnotateEntryFunc", plain(annotateEntryFunc)],
  ["Filter", { params: ["fcond"], make: (o) => filter(predicateOption(o["fcond"])) }],
  ["ConvertSSA", plain(convertSSA)],
  ["LiftWorkspace", plain(liftWorkspace)],
]);

/** A record without the parts that are undefined. */
function defined<T extends object>(record: T): { readonly [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as { readonly [K in keyof T]?: Exclude<T[K], undefined> };
}

function predicateOption(value: unknown): (func: PrimFunc) => boolean {
  if (typeof value !== "function") throw new TypeError("The option `fcond` is a function of a tensor program.");
  return (func) => Boolean((value as (f: PrimFunc) => unknown)(func));
}
