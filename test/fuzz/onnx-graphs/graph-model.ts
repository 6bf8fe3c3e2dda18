import type { ScalarDType, Tensor } from "@verticil/runtime-ffi";
import { elementType, modelBytes, node, type TestAttribute, type TestTensor } from "../../../packages/onnx/src/testing/onnx-model.ts";

/** One node: inputs and outputs by name, an empty name for an input that is left out. */
export interface GraphNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attrs: Readonly<Record<string, TestAttribute>>;
}

/** What is known of a value besides its name. */
export interface ValueType {
  readonly dtype: ScalarDType;
  readonly shape: readonly number[];
}

/** A graph with the data to run it on; nodes come after what they read. */
export interface GraphModel {
  readonly inputs: ReadonlyMap<string, Tensor>;
  readonly constants: ReadonlyMap<string, Tensor>;
  readonly nodes: readonly GraphNode[];
  /** The nodes of its longest chain. */
  readonly depth: number;
  readonly outputs: readonly string[];
  /** Types of all values. */
  readonly types: ReadonlyMap<string, ValueType>;
  /** How far a value may be off; 0 for those that must be equal. */
  readonly slack: ReadonlyMap<string, number>;
}

/** The file of a graph. */
export function encodeGraph(graph: GraphModel): Uint8Array {
  const initializers = [...graph.constants].map(([name, t]): [string, TestTensor] => [
    name,
    { dims: t.shape, type: elementType(t.dtype), raw: new Uint8Array(t.data.buffer.slice(t.data.byteOffset, t.data.byteOffset + t.data.byteLength)) },
  ]);
  return modelBytes({
    nodes: graph.nodes.map((n) => node(n.op, n.inputs, n.outputs, n.attrs)),
    inputs: Object.fromEntries([...graph.inputs].map(([name, t]) => [name, { type: elementType(t.dtype), dims: t.shape }])),
    outputs: graph.outputs,
    initializers: Object.fromEntries(initializers),
    opset: 20,
  });
}

/** The graph for people: a line a node, with types. */
export function describeGraph(graph: GraphModel): string {
  const type = (name: string): string => {
    const t = graph.types.get(name);
    return `${name}: ${t?.dtype ?? "?"}[${t?.shape.join() ?? "?"}]`;
  };
  const data = (t: Tensor): string => (t.data.length > 8 ? "" : ` = ${[...t.data].join(" ")}`);
  const lines = [
    ...[...graph.inputs].map(([name, t]) => `input ${type(name)}${data(t)}`),
    ...[...graph.constants].map(([name, t]) => `constant ${type(name)}${data(t)}`),
    ...graph.nodes.map((n) => `${n.outputs.map(type).join(", ")} = ${n.op}(${n.inputs.join(", ")})${Object.keys(n.attrs).length === 0 ? "" : ` ${JSON.stringify(n.attrs)}`}`),
  ];
  return `${lines.join("\n")}\noutputs ${graph.outputs.join(", ")}`;
}
