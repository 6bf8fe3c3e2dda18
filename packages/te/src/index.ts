export { isTensor, Tensor, type ComputeOp, type ExternOp, type Index, type Operation, type PlaceholderOp } from "./tensor.ts";
export { compute, computeMany, extern, extent, placeholder, type ComputeOptions, type ExternOutput, type Formula } from "./compute.ts";
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
export { createPrimFunc, inputTensors, type CreatePrimFuncOptions } from "./create-prim-func.ts";
export { dimsInLayout, layoutIndex, parseLayout, transposeOrder, wholeAxes, type Layout, type LayoutAxis } from "./topi/layout.ts";
