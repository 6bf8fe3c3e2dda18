import type { NodeTable } from "./field-table.ts";
import type { Node } from "./node.ts";
import { planOf, plansOf } from "./structural-plan.ts";
import { forEachChild } from "./visit.ts";

/** The nodes of a graph that are reached in more than one way, leaves and variables aside. Each node is looked at once. */
export function sharedNodes(table: NodeTable, roots: readonly Node[]): ReadonlySet<Node> {
  const seen = new Set<Node>();
  const shared = new Set<Node>();
  const stack: Node[] = [];
  const plans = plansOf(table);
  const reach = (node: Node): void => {
    if (node.kind === "ir.IntImm") return;
    const { nodes, category } = planOf(plans, node);
    if (nodes.length === 0) return;
    // Variables are followed once, for what their types mention.
    if (!seen.has(node)) {
      seen.add(node);
      stack.push(node);
    } else if (category !== "var") shared.add(node);
  };
  for (const root of roots) reach(root);
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) forEachChild(table, node, reach);
  return shared;
}
