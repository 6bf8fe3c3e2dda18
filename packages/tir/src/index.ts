export {
  type Add,
  type And,
  type AnyVar,
  type ArithKind,
  type BinaryExpr,
  type BinaryKind,
  type Broadcast,
  type BufferLoad,
  type Call,
  type Cast,
  type CommReducer,
  type CompareKind,
  type Div,
  type EQ,
  type FloorDiv,
  type FloorMod,
  type GE,
  type GT,
  type IterVar,
  type IterVarType,
  type LE,
  type LT,
  type Let,
  type LogicKind,
  type Max,
  type Min,
  type Mod,
  type Mul,
  type NE,
  type Not,
  type Or,
  type PrimExpr,
  type ProducerLoad,
  type Ramp,
  type Range,
  type Reduce,
  type Select,
  type Shuffle,
  type SizeVar,
  type StringImm,
  type Sub,
  type Var,
} from "./ir/expr.ts";
export {
  type BufferParam,
  bufferParam,
  primFunc,
  type PrimFuncArgs,
  type PrimFuncParams,
  type ScalarParam,
  scalarParam,
} from "./builder/prim-func-builder.ts";
export {
  type AllocateOptions,
  type Axis,
  type BlockBuilder,
  type BlockBuildOptions,
  element,
  type LoopOptions,
  opaqueAxis,
  reduceAxis,
  region,
  scanAxis,
  spatialAxis,
  type StmtBuilder,
} from "./builder/stmt-builder.ts";
export {
  type Buffer,
  type BufferRegion,
  type MatchBufferRegion,
} from "./ir/buffer.ts";
export {
  type Allocate,
  type AllocateConst,
  type AssertStmt,
  type AttrStmt,
  type Block,
  type BlockRealize,
  type BufferStore,
  type BufferRealize,
  type DeclBuffer,
  type Prefetch,
  type Evaluate,
  type For,
  type ForKind,
  type IfThenElse,
  type IndexMap,
  type LetStmt,
  type PrimFunc,
  type SeqStmt,
  type Stmt,
  type TargetNode,
  type TensorIntrin,
  type While,
} from "./ir/stmt.ts";
export {
  tirFields,
  type TirNode,
} from "./ir/fields.ts";
export {
  accessDType,
  binaryKinds,
  checkIndices,
  isBinary,
  makeBinary,
  makeBroadcast,
  makeBufferLoad,
  makeCall,
  makeCast,
  makeCommReducer,
  makeIterVar,
  makeLet,
  makeNot,
  makeProducerLoad,
  makeRamp,
  makeRange,
  makeReduce,
  makeSelect,
  makeShuffle,
  makeSizeVar,
  makeStringImm,
  makeVar,
  renameVar,
} from "./ir/make-expr.ts";
export {
  makeAllocate,
  makeAllocateConst,
  makeAssertStmt,
  makeAttrStmt,
  makeBlock,
  makeBlockRealize,
  makeBuffer,
  makeBufferRegion,
  makeBufferStore,
  makeBufferRealize,
  makeDeclBuffer,
  makePrefetch,
  makeEvaluate,
  makeFor,
  makeIfThenElse,
  makeIndexMap,
  makeLetStmt,
  makeMatchBufferRegion,
  makePrimFunc,
  makeSeq,
  makeTargetNode,
  makeTensorIntrin,
  makeWhile,
  scopeOf,
  type BlockOptions,
  type BufferOptions,
  type ForOptions,
} from "./ir/make-stmt.ts";
export {
  intrinDef,
  intrinDefs,
  intrinOp,
  type CallEffect,
  type DTypePosition,
  type IntrinDef,
} from "./ir/intrin.ts";
export {
  add,
  allOf,
  and,
  asInt,
  cast,
  ceilDiv,
  constant,
  div,
  eq,
  floorDiv,
  floorMod,
  ge,
  gt,
  ifThenElse,
  intrin,
  isConst,
  isConstInt,
  le,
  lt,
  matchTypes,
  max,
  maxValue,
  min,
  minValue,
  mul,
  ne,
  neg,
  not,
  or,
  select,
  sub,
  toExpr,
  truncMod,
  type ExprLike,
} from "./ir/ops.ts";
export {
  tirNodes,
  tirTable,
} from "./ir/node-table.ts";
export {
  mapBuffer,
  mapExprChildren,
  mapItems,
  mapIterVar,
  mapRange,
  mapRegion,
  mapStmtChildren,
  mapSubStmts,
  type ChildMapper,
  type ExprMapper,
} from "./ir/map-children.ts";
export {
  mapExpr,
  mapStmt,
  type Rewriter,
} from "./ir/mutate.ts";
export {
  forEachExprChild,
  isStmt,
  visitExpr,
  visitStmt,
  type Visitor,
} from "./ir/visit.ts";
export {
  renewDefs,
  replaceBuffers,
  substitute,
  type Substitutable,
  type Substitution,
} from "./ir/substitute.ts";
export { specialize } from "./ir/specialize.ts";
export {
  collectBuffers,
  undefinedVars,
  usesVar,
} from "./ir/free-vars.ts";
export {
  compileInterpreter,
  interpretPrimFunc,
  type Interpreted,
} from "./interpreter/interpret.ts";
export {
  type Extern,
  type InterpreterOptions,
} from "./interpreter/scope.ts";
export { type Scalar } from "./interpreter/scalar.ts";
export { interpreterDiagnostics } from "./interpreter/errors.ts";

// arith
export {
  Analyzer,
  type ProofStrength,
} from "./arith/analyzer.ts";
export {
  type ArithExtensions,
  type ModularSet,
  type Prover,
} from "./arith/context.ts";
export { detectIterMap, normalizeToIterSum, type IterMapOptions, type IterMapResult } from "./arith/detect-iter-map.ts";
export { deduceBound } from "./arith/deduce-bound.ts";
export { detectClipBound, detectLinearEquation, type ClipBound, type LinearEquation } from "./arith/detect-linear-equation.ts";
export { domainTouched, type TouchOptions } from "./arith/domain-touched.ts";
export { narrowPredicate } from "./arith/narrow-predicate.ts";
export { estimateRegionStrictBound, estimateRegionUpperBound, type RegionOptions } from "./arith/estimate-region.ts";
export { evalRangeSet, evalRegionSets, evalSet, relaxSet, type IntSetMap } from "./arith/eval-set.ts";
export {
  canProveSinglePoint,
  coverRange,
  emptySet,
  everySet,
  intersectSets,
  intervalSet,
  intSetOfExtent,
  intSetOfRange,
  intSetsOfRanges,
  isEverything,
  matchesRange,
  pointOf,
  signOf,
  singlePoint,
  unionLowerBound,
  unionRegions,
  unionSets,
  type IntervalSet,
  type IntSet,
  type SetSign,
} from "./arith/int-set.ts";
export { type IntConstraints, type IntConstraintsTransform } from "./arith/int-constraints.ts";
export { solveLinearEquations } from "./arith/solve-linear-equations.ts";
export { deskewLinearInequalities, inequalitiesAsConditions, solveLinearInequalities } from "./arith/solve-linear-inequalities.ts";
export { inverseAffineIterMap } from "./arith/inverse-affine-iter-map.ts";
export { iterMapSimplify } from "./arith/iter-map-simplify.ts";
export { normalizeIterMapToExpr } from "./arith/iter-map-to-expr.ts";
export { type IterMapLevel, type IterMark, type IterSplit, type IterSum } from "./arith/iter-map.ts";
export { subspaceDivide, type DividedIndex, type SubspaceDivision } from "./arith/subspace-divide.ts";
export {
  exprDeepEqual,
} from "./arith/expr-deep-equal.ts";
export {
  type IntBound,
} from "./arith/int-bound.ts";
export {
  getBlockAccessRegion,
  getBlockReadWriteRegion,
  type AccessRegions,
} from "./analysis/block-access-region.ts";
export {
  detectBufferAccessLca,
  type AccessPlace,
} from "./analysis/buffer-access-lca.ts";
export {
  callEffect,
  sideEffect,
} from "./analysis/side-effect.ts";
export { Schedule } from "./schedule/schedule.ts";
export { type BlockRef, type FactorRef, type MoveOptions, type ScheduleOptions } from "./schedule/schedule-run.ts";
export {
  ScheduleError,
  type ErrorRenderLevel,
  type ScheduleProblem,
} from "./schedule/schedule-error.ts";
export {
  isBlockRV,
  type BlockRV,
  type ExprRV,
  type LoopRV,
  type RandomVariable,
} from "./schedule/random-variable.ts";
export {
  type Decision,
  type Instruction,
  type InstructionInput,
} from "./schedule/instruction.ts";
export { applyTrace } from "./schedule/apply-trace.ts";
export { instructionKinds, type ArgForm, type ArgSpec, type InstructionKind } from "./schedule/instruction-kinds.ts";
export { axisSeparator, toIndexMap, type IndexFunction } from "./schedule/index-function.ts";
export { mapIndices, mapShape, nonSurjectiveInverse, type Inverse } from "./schedule/index-map.ts";
export { type BufferRef } from "./schedule/buffer-ref.ts";
export { type AnnotationValue } from "./schedule/primitive/annotate.ts";
export { Trace, type DecisionProvider } from "./schedule/trace.ts";
export { traceAsPython, traceAsScript } from "./schedule/trace-python.ts";
export { applyTraceJson, traceAsJson, type Json } from "./schedule/trace-json.ts";
export { RandomEngine } from "./schedule/random-engine.ts";
export { ScheduleScriptError } from "./schedule/script-error.ts";
export { runScheduleScript } from "./schedule/python/run-script.ts";
export { type ScriptScope } from "./schedule/python/evaluate.ts";
export { tir } from "./script/tir-script.ts";
export { varCreation } from "./script/print-buffer.ts";
export { toDType as scriptDType, toExpr as scriptExpr, toOperands as scriptOperands } from "./script/convert.ts";
export { isPrimExpr } from "./script/result-dtype.ts";
export { isPrimSignature, type PrimFuncSignature } from "./script/operators.ts";
export { LoopValue, ScopeValue, StmtValue, type OpenScope } from "./script/values.ts";
export { annotateDeviceRegions } from "./transform/annotate-device-regions.ts";
export { bindTarget } from "./transform/bind-target.ts";
export { decorateDeviceScope } from "./transform/decorate-device-scope.ts";
export { forceNarrowIndexToInt32 } from "./transform/force-narrow-index-to-int32.ts";
export { liftThreadBinding } from "./transform/lift-thread-binding.ts";
export { lowerCrossThreadReduction } from "./transform/lower-cross-thread-reduction.ts";
export { lowerDeviceKernelLaunch } from "./transform/lower-device-kernel-launch.ts";
export { lowerThreadAllreduce } from "./transform/lower-thread-allreduce.ts";
export { mergeSharedMemoryAllocations, type MergeSharedMemoryOptions } from "./transform/merge-shared-memory-allocations.ts";
export { commonSubexprElim, type CommonSubexprOptions } from "./transform/common-subexpr-elim.ts";
export { withIndexDType } from "./transform/index-dtype.ts";
export { injectVirtualThread } from "./transform/inject-virtual-thread.ts";
export { loopPartition, type LoopPartitionOptions } from "./transform/loop-partition.ts";
export { pointerValueTypeRewrite } from "./transform/pointer-value-type-rewrite.ts";
export { storageRewrite, type StorageRewriteOptions } from "./transform/storage-rewrite.ts";
export { hoistExpression, hoistIfThenElse } from "./transform/hoist-expression.ts";
export { splitHostDevice } from "./transform/split-host-device.ts";
export { threadSync } from "./transform/thread-sync.ts";
export { unifyThreadBinding } from "./transform/unify-thread-binding.ts";
export { lowerGpuTir, type LowerGpuTirOptions } from "./transform/lower-gpu-tir.ts";
export { infiniteIdentities } from "./transform/infinite-identities.ts";
export { lowerTir, type LowerTirOptions } from "./transform/lower-tir.ts";
export { compactBufferAllocation, type CompactOptions } from "./transform/compact-buffer-allocation.ts";
export { convertBlocksToOpaque } from "./transform/convert-blocks-to-opaque.ts";
export { convertSSA } from "./transform/convert-ssa.ts";
export { flattenBuffer } from "./transform/flatten-buffer.ts";
export { unswitchLoops, type UnswitchOptions } from "./transform/unswitch-loops.ts";
export { liftWorkspace } from "./transform/lift-workspace.ts";
export { outlineLoops, type OutlineOptions } from "./transform/outline-loops.ts";
export { peelGuards, type PeelOptions } from "./transform/peel-guards.ts";
export { lowerInitBlock } from "./transform/lower-init-block.ts";
export { lowerIntrin, type IntrinTable } from "./transform/lower-intrin.ts";
export { lowerMatchBuffer } from "./transform/lower-match-buffer.ts";
export { lowerOpaqueBlock } from "./transform/lower-opaque-block.ts";
export { mergeSimilarFunctions, type MergeOptions } from "./transform/merge-similar-functions.ts";
export { narrowDataType } from "./transform/narrow-data-type.ts";
export { planAndUpdateBufferAllocationLocation } from "./transform/plan-and-update-buffer-allocation-location.ts";
export { primFuncPass } from "./transform/prim-func-pass.ts";
export { removeNoOp } from "./transform/remove-no-op.ts";
export { rewriteUnsafeSelect } from "./transform/rewrite-unsafe-select.ts";
export { simplify, simplifyFunc, simplifyStmt } from "./transform/simplify.ts";
export { unrollLoop, type UnrollOptions } from "./transform/unroll-loop.ts";
export { vectorizeLoop, type VectorizeOptions } from "./transform/vectorize-loop.ts";
export { tirPasses, type TirPassEntry } from "./transform/tir-passes.ts";
export { type TirPassOptions } from "./transform/pass-options.ts";
export { tirAnalyses } from "./analysis/tir-analyses.ts";
export { assertWellFormed, tirWellFormed, verifyWellFormed } from "./analysis/verify-well-formed.ts";
export { assertPureFunction, isPureFunction } from "./analysis/is-pure-function.ts";
export { verifyMemory } from "./analysis/verify-memory.ts";
export { checkOutOfBounds } from "./analysis/check-out-of-bounds.ts";
export { verifyGpuCode, type GpuConstraints } from "./analysis/verify-gpu-code.ts";
export { distanceOf, isVectorizable, loadsOf, movementOf, strideIn, type Movement } from "./analysis/access-pattern.ts";
export { estimateTirFlops } from "./analysis/estimate-flops.ts";
export { checkTargetLegality, checkUniformBarriers, wasmLegality, wgslLegality, type TargetLegality } from "./analysis/check-target-legality.ts";
export { deviceType } from "./transform/target-attr.ts";
