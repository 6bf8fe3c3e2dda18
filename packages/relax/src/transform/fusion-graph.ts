import type { Node } from "@verticil/ir-core";
import { opPattern, type OpPattern } from "./op-pattern.ts";

/** A value of a dataflow block, with the uses that lead to others. `index` is its place in topological order. */
export interface FusionNode {
  readonly index: number;
  readonly ref: Node;
  pattern: OpPattern;
  /** Used outside the block, or by something that is not a value: it must exist as itself. */
  external: boolean;
  readonly outputs: { readonly node: FusionNode; readonly pattern: OpPattern }[];
  readonly inputs: FusionNode[];
}

/** The values of a dataflow block in order, as fusion sees them (upstream's `IndexedForwardGraph`). */
export class FusionGraph {
  readonly nodes: FusionNode[] = [];
  readonly #byRef = new Map<Node, FusionNode>();

  add(ref: Node, pattern: OpPattern): FusionNode {
    const node: FusionNode = { index: this.nodes.length, ref, pattern, external: false, outputs: [], inputs: [] };
    this.nodes.push(node);
    this.#byRef.set(ref, node);
    return node;
  }

  find(ref: Node): FusionNode | undefined {
    return this.#byRef.get(ref);
  }

  connect(from: FusionNode, to: FusionNode, pattern: OpPattern): void {
    from.outputs.push({ node: to, pattern });
    to.inputs.push(from);
  }
}

/** A node of the post-dominator tree: `parent` is the nearest value that every use of `node` leads to. */
export interface DominatorNode {
  readonly node: FusionNode;
  readonly parent: DominatorNode | undefined;
  readonly depth: number;
  /** The most general pattern on the ways to the parent. */
  readonly pattern: OpPattern;
}

/** The post-dominator tree, by node index. */
export function postDominators(graph: FusionGraph): readonly DominatorNode[] {
  const tree: DominatorNode[] = [];
  for (const node of [...graph.nodes].reverse()) {
    if (node.external || node.outputs.length === 0) {
      tree[node.index] = { node, parent: undefined, depth: 1, pattern: opPattern.opaque };
      continue;
    }
    let parent: DominatorNode | undefined;
    let pattern: OpPattern = opPattern.elemWise;
    let first = true;
    for (const edge of node.outputs) {
      const next = tree[edge.node.index];
      pattern = maxPattern(pattern, edge.pattern);
      if (first) {
        parent = next;
        first = false;
      } else {
        const lca = lowestCommonAncestor(parent, next);
        parent = lca.node;
        pattern = maxPattern(pattern, lca.pattern);
      }
    }
    tree[node.index] = { node, parent, depth: parent === undefined ? 1 : parent.depth + 1, pattern };
  }
  return tree;
}

function lowestCommonAncestor(
  a: DominatorNode | undefined,
  b: DominatorNode | undefined,
): { readonly node: DominatorNode | undefined; readonly pattern: OpPattern } {
  let pattern: OpPattern = opPattern.elemWise;
  while (a !== b) {
    if (a === undefined || b === undefined) return { node: undefined, pattern: opPattern.opaque };
    if (a.depth >= b.depth) {
      pattern = maxPattern(pattern, a.pattern);
      if (a.depth === b.depth) {
        pattern = maxPattern(pattern, b.pattern);
        b = b.parent;
      }
      a = a.parent;
    } else {
      pattern = maxPattern(pattern, b.pattern);
      b = b.parent;
    }
  }
  return { node: a, pattern };
}

/** The more general of two patterns. */
export function maxPattern(a: OpPattern, b: OpPattern): OpPattern {
  return a > b ? a : b;
}
