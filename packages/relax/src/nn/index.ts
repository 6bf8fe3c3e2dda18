export { exportModule, type ExportedModule, type ExportOptions } from "./export-module.ts";
export { Embedding, LayerNorm, Linear, RMSNorm, type LinearOptions, type NormOptions } from "./layers.ts";
export { Module, ModuleList } from "./module.ts";
export {
  add,
  astype,
  callOp,
  divide,
  gelu,
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
  type Operand,
} from "./ops.ts";
export { Parameter } from "./parameter.ts";
export { spec, type ArgSpec, type MethodSpec, type ModuleSpec, type SpecDim } from "./spec.ts";
export { ObjectValue, ShapeValue, Tensor, Value, type TraceScope } from "./value.ts";
