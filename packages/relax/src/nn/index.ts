export { broadcastTo, chunk, concat, pad, permute, repeat, squeeze, triu, unsqueeze } from "./arrangement.ts";
export { cclAllgather, cclAllreduce, cclBroadcastFromWorker0 } from "./collective.ts";
export { Conv1D, Conv2D, Conv3D, ConvTranspose1D, type ConvLayerOptions } from "./conv-layers.ts";
export { conv1d, conv1dTranspose, conv2d, conv3d, interpolate, type ConvOptions, type ConvTransposeOptions, type InterpolateOptions } from "./convolution.ts";
export { empty, full, getTimestepEmbedding, ones, zeros, type TimestepOptions } from "./creation.ts";
export { debugFunc, print, type DebugArgument } from "./debug.ts";
export { Effect, IOEffect, KVCache } from "./effect.ts";
export { equal, exp, greater, greaterEqual, less, lessEqual, maximum, minimum, negative, notEqual, sigmoid, softplus, sqrt, square, tanh, where } from "./elementwise.ts";
export { exportModule, type ExportedModule, type ExportOptions } from "./export-module.ts";
export { Embedding, GELU, GroupNorm, Identity, LayerNorm, Linear, ReLU, RMSNorm, SiLU, type LinearOptions, type NormOptions } from "./layers.ts";
export { ModuleList } from "./module-list.ts";
export { Module, type StateDictDifference } from "./module.ts";
export { Mutator } from "./mutator.ts";
export {
  add,
  astype,
  callOp,
  divide,
  gelu,
  groupNorm,
  layerNorm,
  matmul,
  multiply,
  permuteDims,
  relu,
  reshape,
  rmsNorm,
  scaledDotProductAttention,
  silu,
  sizeOf,
  softmax,
  split,
  subtract,
  take,
  tensorExprOp,
  tensorExprOps,
  tensorOp,
  wrapNested,
  type AttentionOptions,
  type GroupNormOptions,
  type Operand,
} from "./ops.ts";
export { Parameter } from "./parameter.ts";
export { extern, tensorIrInplaceOp, tensorIrOp, type ResultSpec } from "./program-ops.ts";
export { argsort, cumsum, max, mean, min, sort, sum, topk, type Axes } from "./reduction.ts";
export { multinomialFromUniform, renormalizeTopPTopKProb, sampleTopPTopKFromSortedProb } from "./sampling.ts";
export { spec, type ArgSpec, type MethodSpec, type ModuleSpec, type PassingMode, type SpecDim } from "./spec.ts";
export { TimestepEmbedding, Timesteps, type TimestepEmbeddingOptions } from "./timestep-layers.ts";
export { ObjectValue, ShapeValue, Tensor, Value, type TraceScope } from "./value.ts";
