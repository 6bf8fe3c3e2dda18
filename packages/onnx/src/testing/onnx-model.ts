import onnxProto from "onnx-proto";
import type { onnx } from "onnx-proto";
import type { ScalarDType } from "@verticil/runtime-ffi";

// Writes small models for tests.

/** Attribute values: integers and lists of them, `{ float }` for floats, strings, tensors, graphs. */
export type TestAttribute =
  | number
  | string
  | readonly number[]
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly strings: readonly string[] }
  | { readonly tensor: TestTensor }
  | { readonly graph: onnx.IGraphProto };

export interface TestTensor {
  readonly dims: readonly number[];
  readonly type?: number;
  readonly floats?: readonly number[];
  readonly ints?: readonly number[];
  readonly raw?: Uint8Array;
}

export const FLOAT = 1;
export const INT64 = 7;
export const FLOAT16 = 10;

const elementTypes: Readonly<Partial<Record<ScalarDType, number>>> = {
  float32: FLOAT,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: INT64,
  bool: 9,
  float16: FLOAT16,
  float64: 11,
  uint32: 12,
  uint64: 13,
};

/** The number that ONNX gives a type. @throws RangeError for one that no model here is made of. */
export function elementType(dtype: ScalarDType): number {
  const type = elementTypes[dtype];
  if (type === undefined) throw new RangeError(`No model is made of ${dtype}.`);
  return type;
}

const { AttributeType } = onnxProto.onnx.AttributeProto;

/** A node: `node("Relu", ["x"], ["y"])`. */
export function node(opType: string, input: readonly string[], output: readonly string[], attrs: Readonly<Record<string, TestAttribute>> = {}): onnx.INodeProto {
  const attribute = Object.entries(attrs).map(([name, value]) => attributeOf(name, value));
  return { opType, input: [...input], output: [...output], name: `${opType}_${output.find((o) => o !== "") ?? ""}`, attribute };
}

function attributeOf(name: string, value: TestAttribute): onnx.IAttributeProto {
  if (typeof value === "number") return { name, type: AttributeType.INT, i: value };
  if (typeof value === "string") return { name, type: AttributeType.STRING, s: new TextEncoder().encode(value) };
  if (Array.isArray(value)) return { name, type: AttributeType.INTS, ints: [...value] };
  if ("float" in value) return { name, type: AttributeType.FLOAT, f: value.float };
  if ("floats" in value) return { name, type: AttributeType.FLOATS, floats: [...value.floats] };
  if ("strings" in value) return { name, type: AttributeType.STRINGS, strings: value.strings.map((t) => new TextEncoder().encode(t)) };
  if ("tensor" in value) return { name, type: AttributeType.TENSOR, t: tensorProto("", value.tensor) };
  if ("graph" in value) return { name, type: AttributeType.GRAPH, g: value.graph };
  throw new Error("unreachable");
}

export function tensorProto(name: string, t: TestTensor): onnx.ITensorProto {
  const type = t.type ?? (t.ints === undefined ? FLOAT : INT64);
  return {
    name,
    dims: [...t.dims],
    dataType: type,
    ...(t.floats === undefined ? {} : { floatData: [...t.floats] }),
    ...(t.ints === undefined ? {} : type === INT64 ? { int64Data: [...t.ints] } : { int32Data: [...t.ints] }),
    ...(t.raw === undefined ? {} : { rawData: t.raw }),
  };
}

/** What a value is: its dimensions, names for symbolic ones; float32 unless told. */
export type TestType =
  | readonly (number | string)[]
  | { readonly type: number; readonly dims: readonly (number | string)[] }
  | { readonly sequence: TestType }
  | { readonly optional: TestType };

export function valueInfo(name: string, t: TestType): onnx.IValueInfoProto {
  return { name, type: typeProto(t) };
}

function typeProto(t: TestType): onnx.ITypeProto {
  if ("sequence" in t) return { sequenceType: { elemType: typeProto(t.sequence) } };
  if ("optional" in t) return { optionalType: { elemType: typeProto(t.optional) } };
  const { type, dims } = "dims" in t ? t : { type: FLOAT, dims: t };
  const dim = dims.map((d) => (typeof d === "number" ? { dimValue: d } : { dimParam: d }));
  return { tensorType: { elemType: type, shape: { dim } } };
}

export interface TestModel {
  readonly nodes: readonly onnx.INodeProto[];
  readonly inputs?: Readonly<Record<string, TestType>>;
  readonly outputs: readonly string[];
  readonly initializers?: Readonly<Record<string, TestTensor>>;
  readonly opset?: number;
  readonly functions?: readonly onnx.IFunctionProto[];
  /** What the file says of values between the nodes. */
  readonly valueInfo?: readonly onnx.IValueInfoProto[];
}

export function graphOf(m: TestModel): onnx.IGraphProto {
  return {
    name: "g",
    node: [...m.nodes],
    input: Object.entries(m.inputs ?? {}).map(([name, t]) => valueInfo(name, t)),
    output: m.outputs.map((name) => ({ name })),
    initializer: Object.entries(m.initializers ?? {}).map(([name, t]) => tensorProto(name, t)),
    valueInfo: [...(m.valueInfo ?? [])],
  };
}

/** The bytes of a model. */
export function modelBytes(m: TestModel): Uint8Array {
  return onnxProto.onnx.ModelProto.encode({
    irVersion: 8,
    opsetImport: [{ domain: "", version: m.opset ?? 17 }, { domain: "com.microsoft", version: 1 }, { domain: "local", version: 1 }],
    graph: graphOf(m),
    functions: [...(m.functions ?? [])],
  }).finish();
}
