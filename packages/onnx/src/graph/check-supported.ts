import type { Diagnostic } from "@verticil/ir-core";
import { findConverter, type ConverterTable } from "../converter.ts";
import { OnnxReport } from "../messages.ts";
import { domainOf, opsetsWithin, type OnnxModel } from "../proto/decode.ts";
import type { GraphProto, NodeProto, TensorProto } from "../proto/schema.ts";
import { unsupportedType } from "../proto/tensor.ts";
import { valueTypeOf } from "../proto/value-type.ts";
import { tableName } from "./graph-import.ts";
import { nodeName } from "./order.ts";

/** Every node that an import may come across: those of sub-graphs and of the model's functions as well. */
function* allNodes(nodes: readonly NodeProto[]): Generator<NodeProto> {
  for (const node of nodes) {
    yield node;
    for (const a of node.attribute ?? []) {
      for (const graph of [a.g, ...(a.graphs ?? [])]) yield* allNodes(graph?.node ?? []);
    }
  }
}

/** The constants of a graph and its sub-graphs by name; what other attributes hold is their operators' business. */
function* allTensors(graph: Pick<GraphProto, "initializer" | "node">): Generator<readonly [name: string, TensorProto]> {
  for (const t of graph.initializer ?? []) yield [t.name ?? "", t];
  for (const node of graph.node ?? []) {
    for (const a of node.attribute ?? []) {
      if (node.opType === "Constant" && a.t !== undefined && a.t !== null) yield [a.t.name || nodeName(node), a.t];
      for (const sub of [a.g, ...(a.graphs ?? [])]) if (sub !== undefined && sub !== null) yield* allTensors(sub);
    }
  }
}

/** What a graph, or a function, takes or stores in types that are not supported. */
function noteTypes(graph: Pick<GraphProto, "initializer" | "input" | "node">, given: ReadonlySet<string>, report: OnnxReport): void {
  const note = (what: string, type: number): void => {
    const name = unsupportedType(type);
    if (name !== undefined) report.note("unsupported-type", { what, type: name });
  };
  for (const input of graph.input ?? []) {
    const { tensor } = valueTypeOf(input);
    if (tensor !== undefined && !given.has(input.name ?? "")) note(`The input \`${input.name ?? ""}\``, tensor.elemType ?? 0);
  }
  for (const [name, t] of allTensors(graph)) note(`The tensor \`${name}\``, t.dataType ?? 0);
}

/**
 * Looks for operators without a converter, and for inputs and constants of types that are not supported, before any node is
 * read. Inputs that are `given` a value are not looked at.
 * @returns `onnx/unsupported-op` and `onnx/unsupported-type`, one diagnostic an operator or a tensor.
 */
export function checkSupported(model: OnnxModel, converters: ConverterTable, given: ReadonlySet<string>): readonly Diagnostic[] {
  const report = new OnnxReport();
  const missing = new Map<string, string[]>();
  const called = new Set<string>();
  const visit = (nodes: readonly NodeProto[], opsets: ReadonlyMap<string, number>): void => {
    for (const node of allNodes(nodes)) {
      const version = opsets.get(domainOf(node.domain)) ?? 1;
      if (findConverter(converters, tableName(node), version) !== undefined) continue;
      const key = `${domainOf(node.domain)}:${node.opType ?? ""}`;
      const func = model.functions.get(key);
      if (func === undefined) {
        const name = tableName(node);
        missing.set(name, [...(missing.get(name) ?? []), nodeName(node)]);
      } else if (!called.has(key)) {
        called.add(key);
        visit(func.node ?? [], opsetsWithin(func, opsets));
        noteTypes({ node: func.node }, given, report);
      }
    }
  };
  visit(model.graph.node ?? [], model.opsets);
  for (const [op, nodes] of missing) report.note("unsupported-op", { op, nodes });
  noteTypes(model.graph, given, report);
  return report.diagnostics;
}
