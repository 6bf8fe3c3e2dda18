import type { Tensor } from "@verticil/runtime-ffi";
import { compareGraph, runOnnxruntime, type Fault, type Verdict } from "./compare-graph.ts";
import type { GraphModel, GraphNode } from "./graph-model.ts";

/**
 * The smallest part of a graph that still goes wrong in the same way: nodes are replaced by inputs that hold what
 * onnxruntime computes for them, one after the other, from the front.
 */
export async function shrinkGraph(graph: GraphModel, fault: Fault): Promise<GraphModel> {
  const values = await allValues(graph);
  if (values === undefined) return graph;
  const fails = async (g: GraphModel): Promise<boolean> => sameFault(await compareGraph(g, [fault.target]), fault);
  let current = graph;
  if (fault.kind === "differs") {
    const first = await firstDifference(graph, fault);
    if (first !== undefined && (await fails(first))) current = first;
  }
  for (const node of current.nodes) {
    const smaller = replaced(current, node, values);
    if (smaller !== undefined && (await fails(smaller))) current = smaller;
  }
  return current;
}

/** The graph cut off after the first value that differs. */
async function firstDifference(graph: GraphModel, { target }: Fault): Promise<GraphModel | undefined> {
  const open: GraphModel = { ...graph, outputs: graph.nodes.flatMap((n) => n.outputs) };
  const verdict = await compareGraph(open, [target]);
  return verdict.kind === "differs" ? needed({ ...graph, outputs: [verdict.output] }) : undefined;
}

function sameFault(a: Verdict, b: Fault): boolean {
  if (a.kind !== b.kind) return false;
  // Names of nodes and numbers change with the graph.
  const kernel = (v: Verdict): string => ("text" in v ? v.text.replace(/`[^`]*`|\d+/g, "") : "");
  return a.kind === "differs" || kernel(a) === kernel(b);
}

async function allValues(graph: GraphModel): Promise<ReadonlyMap<string, Tensor> | undefined> {
  try {
    return await runOnnxruntime({ ...graph, outputs: graph.nodes.flatMap((n) => n.outputs) });
  } catch {
    return undefined;
  }
}

/** The graph with inputs in the place of a node's results; undefined if those are not known. */
function replaced(graph: GraphModel, node: GraphNode, values: ReadonlyMap<string, Tensor>): GraphModel | undefined {
  const known = node.outputs.flatMap((name): [string, Tensor][] => {
    const t = values.get(name);
    return t === undefined ? [] : [[name, t]];
  });
  const outputs = graph.outputs.filter((o) => !node.outputs.includes(o));
  if (known.length < node.outputs.length || outputs.length === 0) return undefined;
  return needed({ ...graph, outputs, nodes: graph.nodes.filter((n) => n !== node), inputs: new Map([...graph.inputs, ...known]) });
}

/** The graph without what its results do not need. */
function needed(graph: GraphModel): GraphModel {
  const wanted = new Set(graph.outputs);
  const nodes = graph.nodes.toReversed().filter((n) => {
    if (!n.outputs.some((o) => wanted.has(o))) return false;
    for (const i of n.inputs) wanted.add(i);
    return true;
  });
  const isWanted = ([name]: readonly [string, Tensor]): boolean => wanted.has(name);
  return { ...graph, nodes: nodes.reverse(), inputs: new Map([...graph.inputs].filter(isWanted)), constants: new Map([...graph.constants].filter(isWanted)) };
}
