export { versions, type Converter, type ConverterTable, type VersionedConverter } from "./converter.ts";
export { describeOnnx, type OnnxDescription, type OnnxValue } from "./describe-onnx.ts";
export { importOnnx, type ImportOptions } from "./import-onnx.ts";
export type { Known } from "./known.ts";
export { onnxDiagnostics, type OnnxCode, type OnnxMessageParams } from "./messages.ts";
export { NodeContext } from "./node-context.ts";
export { onnxConverters } from "./ops/table.ts";
export { readOnnxTensor } from "./read-onnx-tensor.ts";
export type { Output, Value } from "./value.ts";
