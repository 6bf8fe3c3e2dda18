import onnxProto, { type onnx } from "onnx-proto";

/** The parts of a model that tests vary. */
export interface SmallModel {
  readonly nodes: readonly onnx.INodeProto[];
  readonly inputs?: Readonly<Record<string, readonly (number | string)[]>>;
  readonly outputs?: readonly string[];
  readonly weights?: Readonly<Record<string, { readonly dims: readonly number[]; readonly values: readonly number[] }>>;
}

/** A node of an ONNX graph. */
export function node(opType: string, input: readonly string[], output: readonly string[]): onnx.INodeProto {
  return { opType, name: `${opType}_${output[0] ?? ""}`, input: [...input], output: [...output] };
}

/** The bytes of an ONNX file in float32. */
export function smallModel({ nodes, inputs = { x: [1, 4] }, outputs = ["y"], weights = {} }: SmallModel): Uint8Array {
  const dim = (d: number | string): onnx.TensorShapeProto.IDimension => (typeof d === "number" ? { dimValue: d } : { dimParam: d });
  const type = (dims: readonly (number | string)[]): onnx.ITypeProto => ({ tensorType: { elemType: 1, shape: { dim: dims.map(dim) } } });
  return onnxProto.onnx.ModelProto.encode({
    irVersion: 8,
    opsetImport: [{ domain: "", version: 17 }],
    graph: {
      name: "g",
      node: [...nodes],
      input: Object.entries(inputs).map(([name, dims]) => ({ name, type: type(dims) })),
      output: outputs.map((name) => ({ name })),
      initializer: Object.entries(weights).map(([name, { dims, values }]) => ({ name, dims: [...dims], dataType: 1, floatData: [...values] })),
    },
  }).finish();
}

/** `y = relu(x · w + b)`, from 4 numbers to 3. */
export function layer(): Uint8Array {
  return smallModel({
    nodes: [node("MatMul", ["x", "w"], ["h"]), node("Add", ["h", "b"], ["s"]), node("Relu", ["s"], ["y"])],
    weights: {
      w: { dims: [4, 3], values: [1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1] },
      b: { dims: [3], values: [0.5, 0, -10] },
    },
  });
}
