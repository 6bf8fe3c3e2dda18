import { findConverter, type ConverterTable } from "../converter.ts";
import { OnnxReport } from "../messages.ts";
import { domainOf, type OnnxModel } from "../proto/decode.ts";
import type { NodeProto } from "../proto/schema.ts";
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

/**
 * Looks for operators without a converter before any work is done, so that one run shows all of them.
 * @throws DiagnosticError (`onnx/unsupported-op`), one diagnostic an operator.
 */
export function checkSupported(model: OnnxModel, converters: ConverterTable): void {
  const missing = new Map<string, string[]>();
  const called = new Set<string>();
  const visit = (nodes: readonly NodeProto[]): void => {
    for (const node of allNodes(nodes)) {
      const version = model.opsets.get(domainOf(node.domain)) ?? 1;
      if (findConverter(converters, tableName(node), version) !== undefined) continue;
      const key = `${domainOf(node.domain)}:${node.opType ?? ""}`;
      const func = model.functions.get(key);
      if (func === undefined) {
        const name = tableName(node);
        missing.set(name, [...(missing.get(name) ?? []), nodeName(node)]);
      } else if (!called.has(key)) {
        called.add(key);
        visit(func.node ?? []);
      }
    }
  };
  visit(model.graph.node ?? []);
  const report = new OnnxReport();
  for (const [op, nodes] of missing) report.note("unsupported-op", { op, nodes });
  report.throwIfAny();
}
