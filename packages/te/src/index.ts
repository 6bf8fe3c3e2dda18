export { isTensor, Tensor, type ComputeOp, type ExternOp, type Index, type Operation, type PlaceholderOp } from "./tensor.ts";
export { compute, computeMany, extern, extent, placeholder, type ComputeOptions, type ExternBody, type ExternOutput, type Formula } from "./compute.ts";
export {
  all,
  any,
  bitwiseOr,
  commReducer,
  max,
  maxReduceIdentity,
  min,
  minReduceIdentity,
  prod,
  reduceAxis,
  sum,
  type Combine,
  type Reduction,
} from "./reduce.ts";
export { createPrimFunc, inputTensors, type CreatePrimFuncOptions, type Simplify } from "./create-prim-func.ts";
export { dimsInLayout, layoutIndex, parseLayout, transposeOrder, wholeAxes, type Layout, type LayoutAxis } from "./topi/layout.ts";
export {
  abs, acos, acosh, asin, asinh, atan, atanh, bitwiseNot, cast, ceil, ceilLog2, clip, cos, cosh, elementwise, erf, exp,
  fixedPointMultiply, floor, gelu, geluTanh, identity, isfinite, isinf, isnan, leakyRelu, log, log10, log2, logicalNot,
  negative, prelu, reinterpret, relu, round, rsqrt, selu, sigmoid, sign,
  silu, sin, sinh, softplus, sqrt, square, tan, tanh, trunc, type Unary,
} from "./topi/elementwise.ts";
export {
  accumulatorOf, binaryOps, broadcast, broadcastAt, broadcastShape, broadcastTo, divide, ewiseFma, multiply, subtract, where,
  type Binary, type Operand,
} from "./topi/broadcast.ts";
export {
  arange, concatenate, expandDims, eye, flip, full, pixelShuffle, productOf, ravelIndex, repeat, reshape, reverseSequence,
  split, squeeze, stack, tile, transpose, trilu, unravelIndex,
} from "./topi/transform.ts";
export {
  advIndex, dynamicStridedSlice, dynamicStridedSliceShape, gather, gatherNd, oneHot, stridedSlice, take, type Slice, type TakeMode,
} from "./topi/indexing.ts";
export {
  argmax, argmin, collapseSum, maxOf, meanOf, minOf, prodOf, stdOf, sumOf, varianceOf, type Reducer,
} from "./topi/reduction.ts";
export { conv, convTranspose, type ConvOptions, type ConvTransposeOptions } from "./topi/nn-conv.ts";
export { adaptiveAvgPool, avgPool, maxPool, type PoolOptions } from "./topi/nn-pool.ts";
export { pad, padMode, type PadMode } from "./topi/nn-pad.ts";
export {
  batchNorm, groupNorm, instanceNorm, layerNorm, logSoftmax, rmsNorm, softmax, type BatchNormOptions,
} from "./topi/nn-norm.ts";
export { einsum, matmul, tensordot } from "./topi/matmul.ts";
export {
  affineGrid, gridSample, resize1d, resize2d, resize3d, type CoordinateMode, type GridSampleOptions, type ResizeOptions,
} from "./topi/resize.ts";
export { argsort, sort, topk, type SortOptions } from "./topi/sort.ts";
export { cumprod, cumsum, type ScanOptions } from "./topi/scan.ts";
export { indexPut, scatterElements, scatterNd, sliceScatter, sparseToDense, stridedSet, type ScatterReduction } from "./topi/scatter.ts";
export { attention, type AttentionOptions } from "./topi/attention.ts";
export { attentionVarLen } from "./topi/attention-var-len.ts";
export {
  allClassNms, getValidCounts, multiboxTransformLoc, nonMaxSuppression, roiAlign, roiPool, type MultiboxOptions,
  type NmsOptions, type RoiAlignOptions,
} from "./topi/vision.ts";
export { dequantize, nllLoss, quantize, simulatedDequantize, simulatedQuantize } from "./topi/loss-and-quantize.ts";
export { avgPoolGrad, maxPoolGrad } from "./topi/pool-grad.ts";
export { conv2dWinograd, type WinogradOptions } from "./topi/winograd.ts";
export { winogradMatrices, winogradScheme, type WinogradMatrices, type WinogradScheme } from "./topi/winograd-scheme.ts";
export {
  conv2dWinogradNhwcWithoutWeightTransform,
  winogradDataPack,
  winogradInverse,
  winogradProduct,
  winogradTiles,
  type WinogradTiles,
} from "./topi/winograd-nhwc.ts";
export { batchToSpaceNd, depthToSpace, dilate, spaceToBatchNd, spaceToDepth } from "./topi/space.ts";
export { fastErf, fastExp, fastTanh } from "./topi/approximate.ts";
export { expandLike, fifoBuffer, layoutTransform, matrixSetDiag, sequenceMask, slidingWindow, upsampling } from "./topi/rearrange.ts";
export { cropAndResize, deformableConv2d, dilation2d, lrn, type DeformableConvOptions, type Dilation2dOptions } from "./topi/window-ops.ts";
