import { compareGraph, type GraphTarget } from "./compare-graph.ts";
import { generateGraph, type GraphOptions } from "./generate-graph.ts";
import { describeGraph, encodeGraph } from "./graph-model.ts";
import { shrinkGraph } from "./shrink-graph.ts";

/** What to make of each seed, and where to run it. */
export interface SeedOptions extends GraphOptions {
  readonly targets: readonly GraphTarget[];
}

/** What came of a seed. Plain data, which goes from one process to another. */
export interface SeedReport {
  readonly seed: number;
  readonly nodes: number;
  /** The nodes of the longest chain. */
  readonly depth: number;
  readonly fault?: SeedFault;
}

/** What went wrong with a seed. */
export interface SeedFault {
  /** `refused` by onnxruntime, or our side `differs` or `fails`, or took its process down (`crashes`) or never ended (`hangs`). */
  readonly kind: "refused" | "differs" | "fails" | "crashes" | "hangs";
  /** What to count it under: faults of the same operators are likely the same. */
  readonly about: string;
  /** What is wrong, and the graph, as small as it gets. */
  readonly text: string;
  /** The small graph as a model, in base64. */
  readonly model?: string;
}

/** Makes the graph of a seed, compares, and makes a graph that goes wrong as small as it gets. */
export async function runSeed(seed: number, options: SeedOptions): Promise<SeedReport> {
  const graph = generateGraph(seed, options);
  const report = { seed, nodes: graph.nodes.length, depth: graph.depth };
  const verdict = await compareGraph(graph, options.targets);
  if (verdict.kind === "agrees") return report;
  if (verdict.kind === "refused") return { ...report, fault: { kind: "refused", about: verdict.text.slice(0, 160), text: `${verdict.text}\n${describeGraph(graph)}` } };
  const small = await shrinkGraph(graph, verdict);
  const again = await compareGraph(small, [verdict.target]);
  const ops = small.nodes.map((n) => n.op);
  return {
    ...report,
    fault: {
      kind: verdict.kind,
      about: `${verdict.target}: ${ops.length <= 4 ? ops.join(", ") : `${ops.length} nodes`}`,
      text: `${verdict.target}: ${"text" in again ? again.text : verdict.text}\n${describeGraph(small)}`,
      model: Buffer.from(encodeGraph(small)).toString("base64"),
    },
  };
}
