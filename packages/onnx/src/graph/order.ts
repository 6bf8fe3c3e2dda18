import { fail, OnnxReport } from "../messages.ts";
import type { GraphProto, NodeProto } from "../proto/schema.ts";

/** How messages name a node: its name, or its first output, and its operator. */
export function nodeLabel(node: NodeProto): string {
  return `\`${nodeName(node)}\` (${node.opType ?? "?"})`;
}

/** The name of a node, or that of its first output where it has none. */
export function nodeName(node: NodeProto): string {
  const name = node.name ?? "";
  return name !== "" ? name : (node.output?.find((o) => o !== "") ?? "?");
}

/** Values that a node reads: its inputs and what its sub-graphs use from outside. */
export function readsOf(node: NodeProto): readonly string[] {
  const reads = (node.input ?? []).filter((n) => n !== "");
  for (const attribute of node.attribute ?? []) {
    for (const graph of [attribute.g, ...(attribute.graphs ?? [])]) {
      if (graph !== null && graph !== undefined) reads.push(...freeNames(graph));
    }
  }
  return reads;
}

/** What a sub-graph takes from around it. */
function freeNames(graph: GraphProto): readonly string[] {
  const own = definedBefore(graph);
  for (const node of graph.node ?? []) for (const out of node.output ?? []) own.add(out);
  const used = [...(graph.node ?? []).flatMap(readsOf), ...(graph.output ?? []).map((o) => o.name ?? "")];
  return used.filter((n) => n !== "" && !own.has(n));
}

function definedBefore(graph: GraphProto): Set<string> {
  return new Set([...(graph.input ?? []), ...(graph.initializer ?? [])].map((v) => v.name ?? ""));
}

/**
 * The nodes in an order in which each comes after what it reads; the order of the file where that is one.
 * `outer` has the names that are defined around a sub-graph.
 * @throws DiagnosticError that names every value defined twice or not at all, or the nodes of a cycle.
 */
export function orderedNodes(graph: GraphProto, outer: ReadonlySet<string> = new Set()): readonly NodeProto[] {
  const nodes = graph.node ?? [];
  const report = new OnnxReport();
  const producers = producersOf(graph, report);
  const known = definedBefore(graph);
  const reads = nodes.map((node) => readsOf(node).filter((name) => !known.has(name)));
  for (const [i, names] of reads.entries()) {
    for (const name of names) {
      const node = nodes[i];
      if (node !== undefined && !producers.has(name) && !outer.has(name)) report.note("missing-input", { node: nodeLabel(node), name });
    }
  }
  for (const { name } of graph.output ?? []) {
    const isDefined = known.has(name ?? "") || producers.has(name ?? "") || outer.has(name ?? "");
    if (!isDefined) report.note("missing-output", { name: name ?? "" });
  }
  report.throwIfAny();
  return sorted(nodes, reads, producers);
}

function producersOf(graph: GraphProto, report: OnnxReport): ReadonlyMap<string, number> {
  const places = new Map<string, string>();
  for (const input of graph.input ?? []) define(places, input.name ?? "", "the model's inputs", report);
  const initializers = new Set<string>();
  for (const { name } of graph.initializer ?? []) {
    // An initializer may give an input its default, but there may be one only.
    if (initializers.has(name ?? "")) report.note("duplicate-name", { name: name ?? "", first: "an initializer", second: "another" });
    initializers.add(name ?? "");
    places.set(name ?? "", "an initializer");
  }
  const producers = new Map<string, number>();
  for (const [i, node] of (graph.node ?? []).entries()) {
    for (const output of node.output ?? []) {
      if (output === "") continue;
      define(places, output, nodeLabel(node), report);
      producers.set(output, i);
    }
  }
  return producers;
}

function define(places: Map<string, string>, name: string, place: string, report: OnnxReport): void {
  const first = places.get(name);
  if (first !== undefined) report.note("duplicate-name", { name, first, second: place });
  else places.set(name, place);
}

/** Depth first with a stack of our own: graphs may be chains of any length. */
function sorted(
  nodes: readonly NodeProto[],
  reads: readonly (readonly string[])[],
  producers: ReadonlyMap<string, number>,
): readonly NodeProto[] {
  const state = new Uint8Array(nodes.length);
  const out: NodeProto[] = [];
  for (let root = 0; root < nodes.length; root++) {
    if (state[root] !== 0) continue;
    const stack = [{ node: root, next: 0 }];
    state[root] = 1;
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const name = reads[top.node]?.[top.next++];
      if (name === undefined) {
        state[top.node] = 2;
        const node = nodes[top.node];
        if (node !== undefined) out.push(node);
        stack.pop();
        continue;
      }
      const producer = producers.get(name);
      if (producer === undefined || state[producer] === 2) continue;
      if (state[producer] === 1) return failCycle(nodes, stack.map((s) => s.node), producer);
      state[producer] = 1;
      stack.push({ node: producer, next: 0 });
    }
  }
  return out;
}

function failCycle(nodes: readonly NodeProto[], path: readonly number[], back: number): never {
  const loop = [...path.slice(path.indexOf(back)), back].reverse();
  return fail("cycle", { nodes: loop.map((i) => nodeLabel(nodes[i] ?? {})) });
}
