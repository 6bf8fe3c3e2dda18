// The package is CommonJS, whose exports Node and bundlers agree to give as the default.
import onnxProto from "onnx-proto";
import type { onnx } from "onnx-proto";

export type ModelProto = onnx.ModelProto;
export type GraphProto = onnx.IGraphProto;
export type NodeProto = onnx.INodeProto;
export type TensorProto = onnx.ITensorProto;
export type AttributeProto = onnx.IAttributeProto;
export type ValueInfoProto = onnx.IValueInfoProto;
export type FunctionProto = onnx.IFunctionProto;
export type DimensionProto = onnx.TensorShapeProto.IDimension;

/** A model from the bytes of its file. @throws Error if they are not one. */
export function decodeModelProto(bytes: Uint8Array): ModelProto {
  return onnxProto.onnx.ModelProto.decode(bytes);
}
