import { expect, test } from "vitest";
import { compareGraph } from "./compare-graph.ts";
import { generateGraph } from "./generate-graph.ts";
import { describeGraph } from "./graph-model.ts";
import { shrinkGraph } from "./shrink-graph.ts";

/** Seeds that are run here, where every pass is also checked to leave what reads back; more are run in processes of their own. */
const runs = 40;

test("random models give what onnxruntime gives", async () => {
  const faults: string[] = [];
  for (let seed = 1; seed <= runs; seed++) {
    const graph = generateGraph(seed, { maxNodes: 30 });
    const verdict = await compareGraph(graph, ["wasm", "interp"]);
    if (verdict.kind === "agrees") continue;
    const small = verdict.kind === "refused" ? graph : await shrinkGraph(graph, verdict);
    faults.push(`seed ${seed}: ${verdict.kind}: ${verdict.text}\n${describeGraph(small)}`);
  }
  expect(faults).toEqual([]);
}, 240_000);

test("a seed makes the same graph each time, and well-formed names", () => {
  const graph = generateGraph(7, { maxNodes: 100 });
  expect(describeGraph(generateGraph(7, { maxNodes: 100 }))).toBe(describeGraph(graph));
  const known = new Set([...graph.inputs.keys(), ...graph.constants.keys()]);
  for (const n of graph.nodes) {
    for (const name of n.inputs) expect(name === "" || known.has(name), name).toBe(true);
    for (const name of n.outputs) known.add(name);
  }
});

test("a deep graph is a chain as long as asked for", () => {
  const graph = generateGraph(10, { maxNodes: 200, deepEvery: 5 });
  expect(graph.depth).toBe(200);
  expect(generateGraph(11, { maxNodes: 200, rarity: 24, deepEvery: 5 }).depth).toBeLessThan(200);
});
