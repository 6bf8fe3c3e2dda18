export {
  type AnyBindingBlock,
  type AnyVar,
  type Binding,
  type BindingBlock,
  type Call,
  type Constant,
  type DataTypeImm,
  type DataflowBlock,
  type DataflowVar,
  type Expr,
  type ExternFunc,
  type Function,
  type If,
  type MatchCast,
  type PrimValue,
  type SeqExpr,
  type ShapeExpr,
  type StringImm,
  type Tuple,
  type TupleGetItem,
  type Var,
  type VarBinding,
} from "./ir/expr.ts";
export {
  type FuncStructInfo,
  type ObjectStructInfo,
  type PrimStructInfo,
  type ShapeStructInfo,
  type StructInfo,
  type TensorStructInfo,
  type TupleStructInfo,
} from "./ir/struct-info.ts";
export {
  relaxFields,
  type RelaxNode,
} from "./ir/fields.ts";
export {
  makeBindingBlock,
  makeCall,
  makeConstant,
  makeDataTypeImm,
  makeDataflowBlock,
  makeDataflowVar,
  makeExternFunc,
  makeFuncStructInfo,
  makeIf,
  makeMatchCast,
  makeObjectStructInfo,
  makePrimStructInfo,
  makePrimValue,
  makeSeqExpr,
  makeShapeExpr,
  makeShapeStructInfo,
  makeStringImm,
  makeTensorStructInfo,
  makeTuple,
  makeTupleGetItem,
  makeTupleStructInfo,
  makeVar,
  makeVarBinding,
  shapeOf,
  staticShapeOf,
  type CallOptions,
  type Dim,
} from "./ir/make.ts";
export { makeFunction } from "./ir/make-function.ts";
export {
  completeAttrs,
  opRegistry,
  opRegistryKey,
  type ArgKind,
  type AttrCheck,
  type AttrField,
  type AttrType,
  type InferContext,
  type InferStructInfo,
  type OpDef,
  type OpRegistry,
} from "./ir/op-def.ts";
export {
  relaxNodes,
  relaxTable,
} from "./ir/node-table.ts";
export { relaxOps } from "./op/index.ts";
export { boolAttr, floatAttr, intAttr, intsAttr, stringAttr } from "./op/attrs-of.ts";
export { dimsOfRank, normAxis, provablyDiffer, tensorArg, tensorLike } from "./op/infer.ts";
export {
  BlockBuilder,
} from "./ir/block-builder.ts";
export {
  isOperand,
  isRelaxFunction,
  mapRelaxFunctions,
  rewriteBindings,
  rewriteModule,
  withBlocks,
  type BindingRule,
  type RuleContext,
} from "./ir/mutate.ts";
export {
  structInfoOf,
  tensorInfoOf,
} from "./ir/struct-info-of.ts";
export {
  anyCallTirParts,
  callTirParts,
  isCallTo,
  opNameOf,
  type CallTirParts,
} from "./ir/call-target.ts";
export {
  callTir,
} from "./ir/call-tir.ts";
export {
  callTe,
  teArgument,
} from "./ir/call-te.ts";
export {
  bindSymbolic,
  inferCall,
  inferScope,
  leafInfos,
  substituteStructInfo,
  tirVarsInStructInfo,
  type InferScope,
} from "./ir/infer-call.ts";
export {
  UniqueNames,
} from "./ir/unique-names.ts";
export {
  renameExpr,
} from "./ir/rename.ts";
export {
  sameStructInfo,
} from "./ir/same-struct-info.ts";
export {
  forEachBinding,
  forEachConstant,
  forEachUse,
  freeVars,
  globalVarsOf,
  isVar,
  useCounts,
  varToValue,
} from "./analysis/variables.ts";
export {
  containsImpureCall,
} from "./analysis/purity.ts";
export {
  tirOpPattern,
} from "./analysis/tir-op-pattern.ts";
export {
  type LegalizeBuilder,
  type LegalizeRule,
  type LegalizeTable,
  type TeFunction,
} from "./op/legalize-rule.ts";
export {
  axisOrder,
  identityOrder,
  isIdentityOrder,
  storedAxis,
  type AxisOrder,
  type LayoutContext,
  type LayoutDecision,
  type LayoutRule,
  type LayoutTable,
} from "./op/layout-rule.ts";
export {
  allocateWorkspace,
} from "./transform/allocate-workspace.ts";
export {
  annotateTIROpPattern,
} from "./transform/annotate-tir-op-pattern.ts";
export { alterOpImpl, type OpReplacement } from "./transform/alter-op-impl.ts";
export { bindParams, type BindParamsOptions, type ParamBindings } from "./transform/bind-params.ts";
export {
  allocTensor,
  callTIRRewrite,
} from "./transform/call-tir-rewrite.ts";
export {
  canonicalizeBindings,
} from "./transform/canonicalize-bindings.ts";
export {
  convertLayout,
  layoutTableKey,
} from "./transform/convert-layout.ts";
export {
  toNonDataflow,
} from "./transform/dataflow-blocks.ts";
export {
  deadCodeElimination,
  removeAllUnused,
} from "./transform/dead-code-elimination.ts";
export {
  decomposeOpsForInference,
} from "./transform/decompose-ops-for-inference.ts";
export {
  eliminateCommonSubexpr,
} from "./transform/eliminate-common-subexpr.ts";
export {
  foldBatchnormToConv2D,
} from "./transform/fold-batchnorm-to-conv2d.ts";
export {
  foldConstant,
  type FoldConstantOptions,
} from "./transform/fold-constant.ts";
export {
  foldMetadataOp,
} from "./transform/fold-metadata-op.ts";
export {
  fuseOps,
  fuseOpsMaxDepth,
  type FuseOpsOptions,
} from "./transform/fuse-ops.ts";
export {
  fuseTIR,
} from "./transform/fuse-tir.ts";
export {
  FusionGraph,
  maxPattern,
  postDominators,
  type DominatorNode,
  type FusionNode,
} from "./transform/fusion-graph.ts";
export {
  fusionGroups,
  type FusionLimits,
} from "./transform/fusion-groups.ts";
export {
  legalizeOps,
  legalizeTableKey,
  type LegalizeOpsOptions,
} from "./transform/legalize-ops.ts";
export {
  opPattern,
  readOpPattern,
  type OpPattern,
} from "./transform/op-pattern.ts";
export { packConstants, type OperandPacking } from "./transform/pack-constants.ts";
export { packTensor } from "./transform/pack-tensor.ts";
export { fakeQuantizationToInteger } from "./transform/fake-quantization-to-integer.ts";
export {
  promoteFloat16,
} from "./transform/promote-float16.ts";
export {
  removePurityChecking,
} from "./transform/remove-purity-checking.ts";
export {
  rewriteDataflowReshape,
} from "./transform/rewrite-dataflow-reshape.ts";
export { splitCallTIRByPattern, type LibraryKernel, type TirPatternCodegen } from "./transform/split-call-tir-by-pattern.ts";
export { matchTirPattern, type TirPatternMatch } from "./transform/tir-pattern.ts";
export { foldTransposeIntoConv2D } from "./transform/fold-transpose-into-conv2d.ts";
export { splitConcat } from "./transform/split-concat.ts";
export { winogradConv2D, winogradPaybackRuns, type WinogradConv2DOptions } from "./transform/winograd-conv2d.ts";
export { aliasedVar } from "./transform/life-times.ts";
export {
  ALLOC_ALIGNMENT,
  packIntervals,
  plannedBytes,
  staticPlanBlockMemory,
} from "./transform/static-plan-block-memory.ts";
export {
  lowerStaticMain,
} from "./vm/lower-static-main.ts";
export { interpretRelax, type InterpretOptions, type RelaxValue } from "./vm/interpret-relax.ts";
export { legalizeTable } from "./op/legalize/index.ts";
export { layoutTable } from "./op/layout-table.ts";
export { checkWellFormed, relaxWellFormed, type WellFormedOptions } from "./analysis/well-formed.ts";
export { isBaseOf, structInfoBaseCheck, type BaseCheck } from "./analysis/struct-info-base-check.ts";
export { structInfoLca } from "./analysis/struct-info-lca.ts";
export { eraseStructInfo } from "./ir/erase-struct-info.ts";
export { relax, relaxScript } from "./script/relax-script.ts";
export { relaxPasses } from "./transform/relax-passes.ts";
export { relaxValuePasses } from "./transform/relax-value-passes.ts";
export type { RelaxPassEntry, RelaxPassOptions } from "./transform/pass-options.ts";
export { normalize } from "./transform/normalize.ts";
export { cloneFunction } from "./ir/clone-function.ts";
export { attachGlobalSymbol } from "./transform/attach-global-symbol.ts";
export { computePrimValue } from "./transform/compute-prim-value.ts";
export { killAfterLastUse } from "./transform/kill-after-last-use.ts";
export { lambdaLift } from "./transform/lambda-lift.ts";
export { lowerAllocTensor } from "./transform/lower-alloc-tensor.ts";
export { lowerRuntimeBuiltin } from "./transform/lower-runtime-builtin.ts";
export { vmShapeLower } from "./transform/vm-shape-lower.ts";
export { explicitSizes } from "./vm/explicit-sizes.ts";
export { needsVm } from "./vm/needs-vm.ts";
export { vmCodegen, type VmProgram } from "./vm/vm-codegen.ts";
export { vmJavaScript } from "./vm/vm-javascript.ts";
export { VM_TIR_PREFIX, vmTirCodegen } from "./vm/vm-tir-codegen.ts";
export { extractTasks, type ExtractedTask } from "./tuning/extract-tasks.ts";
export { metaScheduleApplyDatabase, tuningLookupKey, type TunedFunc, type TuningLookup } from "./tuning/meta-schedule-apply-database.ts";
export { metaScheduleTuneIRMod, type MetaScheduleTuneIRModOptions } from "./tuning/meta-schedule-tune-irmod.ts";
export { metaScheduleTuneTIR, tirTunerKey, type TirTuner, type TuningBudget } from "./tuning/meta-schedule-tune-tir.ts";
export { gradient, gradientTableKey, teGradientsKey, type GradientOptions, type TeGradient } from "./transform/gradient.ts";
export { gradientTable } from "./op/gradient/index.ts";
export type { GradientBuilder, GradientCall, GradientRule, GradientTable } from "./op/gradient-rule.ts";
export { mixedPrecisionTableKey, toMixedPrecision, type MixedPrecisionOptions } from "./transform/to-mixed-precision.ts";
export { mixedPrecisionTable, type MixedPrecisionPolicy, type MixedPrecisionTable } from "./op/mixed-precision.ts";
export { convertToDataflow } from "./transform/convert-to-dataflow.ts";
export { fuseOpsByPattern, type FuseOpsByPatternOptions, type FusionPattern, type PatternCheckContext } from "./transform/fuse-ops-by-pattern.ts";
export { mergeCompositeFunctions } from "./transform/merge-composite-functions.ts";
export { externalCodegensKey, runCodegen, type ExternalCodegen, type ExternalModule, type RunCodegenOptions } from "./transform/run-codegen.ts";
export { bindSymbolicVars, type SymbolicBindings } from "./transform/bind-symbolic-vars.ts";
export { bundleModelParams } from "./transform/bundle-model-params.ts";
export { expandTupleArguments } from "./transform/expand-tuple-arguments.ts";
export { inlinePrivateFunctions } from "./transform/inline-private-functions.ts";
export { normalizeGlobalVar } from "./transform/normalize-global-var.ts";
export { removeUnusedOutputs } from "./transform/remove-unused-outputs.ts";
export { removeUnusedParameters } from "./transform/remove-unused-parameters.ts";
export { topologicalSort, type TopologicalSortOptions } from "./transform/topological-sort.ts";
export { updateParamStructInfo } from "./transform/update-param-struct-info.ts";
export { adjustMatmulOrder } from "./transform/adjust-matmul-order.ts";
export { combineParallelMatmul, type CombineCheck } from "./transform/combine-parallel-matmul.ts";
export { expandMatmulOfSum } from "./transform/expand-matmul-of-sum.ts";
export { flattenTupleInputs } from "./transform/flatten-tuple-inputs.ts";
export { fastMathTransform } from "./transform/fast-math-transform.ts";
export { fuseTransposeMatmul } from "./transform/fuse-transpose-matmul.ts";
export { optimizeLayoutTransform } from "./transform/optimize-layout-transform.ts";
export { removeRedundantReshape } from "./transform/remove-redundant-reshape.ts";
export { reorderPermuteDimsAfterConcat } from "./transform/reorder-permute-dims-after-concat.ts";
export { reorderTakeAfterMatmul } from "./transform/reorder-take-after-matmul.ts";
export { attachAttrLayoutFreeBuffers } from "./transform/attach-attr-layout-free-buffers.ts";
export { decomposeOpsForTraining } from "./transform/decompose-ops-for-training.ts";
export { lazyGetInput } from "./transform/lazy-get-input.ts";
export { lazySetOutput } from "./transform/lazy-set-output.ts";
export { realizeVDevice } from "./transform/realize-vdevice.ts";
export { dataflowUseInplaceCalls } from "./transform/dataflow-use-inplace-calls.ts";
export { splitLayoutRewritePreproc } from "./transform/split-layout-rewrite-preproc.ts";
export { lazyTransformParams, type LazyTransformParamsOptions } from "./transform/lazy-transform-params.ts";
export { specializePrimFuncBasedOnCallSite } from "./transform/specialize-prim-func-based-on-call-site.ts";
export { liftTransformConsumeParams, liftTransformParams, type LiftTransformParamsOptions } from "./transform/lift-transform-params.ts";
export { updateVDevice } from "./transform/update-vdevice.ts";
