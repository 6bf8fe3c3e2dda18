import { elementCount, getElement, tensor, type Tensor } from "@verticil/runtime-ffi";
import type { OnnxModel } from "../proto/decode.ts";
import type { AttributeProto, FunctionProto, GraphProto, NodeProto, TensorProto, TypeProto, ValueInfoProto } from "../proto/schema.ts";
import { readTensor } from "../proto/tensor.ts";

const FLOAT = 1;
const FLOAT16 = 10;

/** Attributes that say what type a result has. */
const typeAttributes: ReadonlySet<string> = new Set(["to", "dtype", "output_dtype", "output_datatype"]);

/**
 * A model with float32 wherever it says float16: in the types of its inputs, outputs and values, in attributes, and in the
 * constants that nodes hold. Its stored weights stay: `widenedTensor` is for them, when they are read.
 */
export function withoutHalves(model: OnnxModel): OnnxModel {
  const functions = [...model.functions].map(([name, f]): readonly [string, FunctionProto] => [name, functionWithout(f)]);
  return { ...model, graph: graphWithout(model.graph), functions: new Map(functions) };
}

// Field by field: decoded messages have what was not set in their prototypes, where a spread does not look.

function functionWithout({ name, domain, input, output, attribute, attributeProto, node, opsetImport }: FunctionProto): FunctionProto {
  return { name, domain, input, output, attribute, attributeProto: (attributeProto ?? []).map(attributeWithout), node: (node ?? []).map(nodeWithout), opsetImport };
}

function graphWithout(g: GraphProto): GraphProto {
  const values = (list: readonly ValueInfoProto[] | null | undefined): ValueInfoProto[] => (list ?? []).map((v) => ({ name: v.name, type: v.type === null || v.type === undefined ? v.type : typeWithout(v.type) }));
  return { name: g.name, node: (g.node ?? []).map(nodeWithout), input: values(g.input), output: values(g.output), valueInfo: values(g.valueInfo), initializer: g.initializer };
}

function typeWithout(t: TypeProto): TypeProto {
  const { tensorType, sequenceType, optionalType } = t;
  if (tensorType) return { tensorType: { elemType: tensorType.elemType === FLOAT16 ? FLOAT : tensorType.elemType, shape: tensorType.shape } };
  if (sequenceType?.elemType) return { sequenceType: { elemType: typeWithout(sequenceType.elemType) } };
  return optionalType?.elemType ? { optionalType: { elemType: typeWithout(optionalType.elemType) } } : t;
}

function nodeWithout(n: NodeProto): NodeProto {
  return { name: n.name, opType: n.opType, domain: n.domain, input: n.input, output: n.output, attribute: (n.attribute ?? []).map(attributeWithout) };
}

function attributeWithout(a: AttributeProto): AttributeProto {
  if (typeAttributes.has(a.name ?? "") && Number(a.i) === FLOAT16) return { name: a.name, type: a.type, i: FLOAT };
  if (a.t?.dataType === FLOAT16) return { name: a.name, type: a.type, t: tensorWithout(a.t) };
  if (a.g) return { name: a.name, type: a.type, g: graphWithout(a.g) };
  return a.graphs && a.graphs.length > 0 ? { name: a.name, type: a.type, graphs: a.graphs.map(graphWithout) } : a;
}

function tensorWithout(t: TensorProto): TensorProto {
  const { data } = widenedTensor(readTensor(t));
  return { name: t.name, dims: t.dims, dataType: FLOAT, rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
}

/** A tensor of float16 as float32; others as they are. */
export function widenedTensor(t: Tensor): Tensor {
  if (t.dtype !== "float16") return t;
  return tensor(Float32Array.from({ length: elementCount(t.shape) }, (_, i) => Number(getElement(t, i))), t.shape);
}
