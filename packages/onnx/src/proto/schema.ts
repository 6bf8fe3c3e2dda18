// The messages of onnx.proto as far as the import looks at them. Written out, because the declarations of the package that
// decodes them name a type that it does not declare, which would fail in every program that checks ours.
// The package is CommonJS, whose exports Node and bundlers agree to give as the default.
import onnxProto from "onnx-proto";
import type { ProtoInt } from "./integers.ts";
import { lengthDelimited } from "./wire.ts";

type Maybe<T> = T | null | undefined;
type Field<T> = { readonly [K in keyof T]?: Maybe<T[K]> };

export type DimensionProto = Field<{ dimValue: ProtoInt; dimParam: string }>;

export type TensorProto = Field<{
  name: string;
  dims: ProtoInt[];
  dataType: number;
  floatData: number[];
  int32Data: number[];
  int64Data: ProtoInt[];
  doubleData: number[];
  uint64Data: ProtoInt[];
  stringData: Uint8Array[];
  rawData: Uint8Array;
  dataLocation: number;
  externalData: Field<{ key: string; value: string }>[];
}>;

export type AttributeProto = Field<{
  name: string;
  refAttrName: string;
  type: number;
  f: number;
  i: ProtoInt;
  s: Uint8Array;
  t: TensorProto;
  g: GraphProto;
  floats: number[];
  ints: ProtoInt[];
  strings: Uint8Array[];
  tensors: TensorProto[];
  graphs: GraphProto[];
}>;

export interface NodeProto
  extends Field<{ name: string; opType: string; domain: string; input: string[]; output: string[]; attribute: AttributeProto[] }> {}

export type TensorTypeProto = Field<{ elemType: number; shape: Field<{ dim: DimensionProto[] }> }>;

export interface TypeProto extends Field<{ tensorType: TensorTypeProto; sequenceType: { elemType?: Maybe<TypeProto> }; optionalType: { elemType?: Maybe<TypeProto> } }> {}

export type ValueInfoProto = Field<{ name: string; type: TypeProto }>;

export interface GraphProto
  extends Field<{ name: string; node: NodeProto[]; input: ValueInfoProto[]; output: ValueInfoProto[]; valueInfo: ValueInfoProto[]; initializer: TensorProto[] }> {}

export type OpsetProto = Field<{ domain: string; version: ProtoInt }>;

export type FunctionProto = Field<{
  name: string;
  domain: string;
  input: string[];
  output: string[];
  attribute: string[];
  attributeProto: AttributeProto[];
  node: NodeProto[];
  opsetImport: OpsetProto[];
}>;

export type ModelProto = Field<{ graph: GraphProto; opsetImport: OpsetProto[]; functions: FunctionProto[] }>;

/** Fields that the package that decodes does not know: functions of a model, and the values of attributes that a function has itself. */
const functionsOfModel = 25;
const ownAttributesOfFunction = 11;

/** A model from the bytes of its file. @throws Error if they are not one. */
export function decodeModelProto(bytes: Uint8Array): ModelProto {
  const model: ModelProto = onnxProto.onnx.ModelProto.decode(bytes);
  const functions = model.functions ?? [];
  if (functions.length === 0) return model;
  const encoded = lengthDelimited(bytes, functionsOfModel);
  return { graph: model.graph, opsetImport: model.opsetImport, functions: functions.map((f, i) => withOwnAttributes(f, encoded[i] ?? new Uint8Array())) };
}

function withOwnAttributes(func: FunctionProto, encoded: Uint8Array): FunctionProto {
  const attributeProto = lengthDelimited(encoded, ownAttributesOfFunction).map((a): AttributeProto => onnxProto.onnx.AttributeProto.decode(a));
  if (attributeProto.length === 0) return func;
  const { name, domain, input, output, attribute, node, opsetImport } = func;
  return { name, domain, input, output, attribute, node, opsetImport, attributeProto };
}
