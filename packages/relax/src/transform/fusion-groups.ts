import { at } from "@verticil/ir-core";
import { maxPattern, postDominators, type FusionGraph, type FusionNode } from "./fusion-graph.ts";
import { opPattern, type OpPattern } from "./op-pattern.ts";

/** Limits on fusion. */
export interface FusionLimits {
  /** 0 fuses nothing, 1 leaves injective work alone, 2 fuses all. */
  readonly optLevel: number;
  /** The most values in one group. */
  readonly maxDepth: number;
  /** The most inputs and outputs that a fused function may have; 0 is no limit. A device may bind only so many buffers. */
  readonly maxFunctionArgs: number;
}

interface Group {
  parent: Group | undefined;
  pattern: OpPattern;
  readonly root: FusionNode;
  size: number;
  /** The values of the group; of one that went into another they stay. */
  readonly members: FusionNode[];
  /** The value whose loops the group is scheduled by: the reduction or convolution. */
  anchor: FusionNode | undefined;
}

/**
 * Partitions the values of a block into groups that become one function each (upstream's `GraphPartitioner`): values
 * are fused with the value that all their uses lead to, in three phases of growing generality.
 * @returns for each node, by index, the index of the node that represents its group.
 */
export function fusionGroups(graph: FusionGraph, limits: FusionLimits): readonly number[] {
  const groups: Group[] = graph.nodes.map((root) => ({
    parent: undefined,
    pattern: root.pattern,
    root,
    size: 1,
    members: [root],
    anchor: root.pattern === opPattern.outEWiseFusable ? root : undefined,
  }));
  if (limits.optLevel > 0) {
    const partitioner = new Partitioner(graph, groups, limits);
    for (const phase of [0, 1, 2]) partitioner.run(phase);
  }
  return groups.map((g) => find(g).root.index);
}

function find(group: Group): Group {
  let root = group;
  while (root.parent !== undefined) root = root.parent;
  while (group !== root) {
    const next = group.parent ?? root;
    group.parent = root;
    group = next;
  }
  return root;
}

class Partitioner {
  readonly #graph: FusionGraph;
  readonly #groups: readonly Group[];
  readonly #limits: FusionLimits;
  readonly #tree: ReturnType<typeof postDominators>;

  constructor(graph: FusionGraph, groups: readonly Group[], limits: FusionLimits) {
    this.#graph = graph;
    this.#groups = groups;
    this.#limits = limits;
    this.#tree = postDominators(graph);
  }

  run(phase: number): void {
    for (const node of this.#graph.nodes) {
      const dominator = at(this.#tree, node.index);
      const sink = dominator.parent?.node;
      const group = find(at(this.#groups, node.index));
      if (group.pattern === opPattern.opaque || sink === undefined) continue;
      if (this.#size(node, sink) > this.#limits.maxDepth) continue;
      if (phase === 2) {
        // Injective work goes into the producer of a tuple only when everything else is settled.
        if (group.pattern > opPattern.injective) continue;
        const sinkGroup = find(at(this.#groups, sink.index));
        if (sinkGroup.pattern > opPattern.injective) continue;
        if (this.#path(node, sink, (pattern) => pattern <= opPattern.injective)) this.#commit(node, sink);
        continue;
      }
      // Fused with its sink already.
      if (find(at(this.#groups, sink.index)) === group) continue;
      if (sink.pattern === opPattern.tuple) continue;
      this.#fuseByPattern(phase, node, sink, group, dominator.pattern);
    }
  }

  #fuseByPattern(phase: number, node: FusionNode, sink: FusionNode, group: Group, edge: OpPattern): void {
    if (group.pattern === opPattern.outEWiseFusable) {
      if (phase === 0 && this.#path(node, sink, (p) => p <= opPattern.broadcast)) this.#commit(node, sink);
      return;
    }
    if (group.pattern <= opPattern.broadcast) {
      if (edge > opPattern.injective && edge !== opPattern.commReduce && edge !== opPattern.outEWiseFusable) return;
      const allowed = (p: OpPattern, isSink: boolean): boolean =>
        isSink ? p <= opPattern.injective || p === opPattern.commReduce || p === opPattern.outEWiseFusable : p <= opPattern.injective;
      // An anchor's inputs stay outside: its loops would compute them again for every use.
      if (sink.pattern === opPattern.outEWiseFusable) return;
      if (this.#path(node, sink, allowed)) this.#commit(node, sink);
      return;
    }
    if (group.pattern === opPattern.injective && phase === 1 && this.#limits.optLevel >= 2) {
      if (this.#path(node, sink, (p) => p <= opPattern.injective)) this.#commit(node, sink);
    }
  }

  /** True if every value on the ways from `node` (not itself) to `sink` has a group pattern that `ok` accepts. */
  #path(node: FusionNode, sink: FusionNode, ok: (pattern: OpPattern, isSink: boolean) => boolean): boolean {
    const seen = new Set<FusionNode>();
    const visit = (n: FusionNode): boolean => {
      if (seen.has(n)) return true;
      seen.add(n);
      if (!ok(find(at(this.#groups, n.index)).pattern, n === sink)) return false;
      return n === sink || n.outputs.every((edge) => visit(edge.node));
    };
    return node.outputs.every((edge) => visit(edge.node)) && this.#anchorsFit(node, seen) && this.#argsFit(node, seen);
  }

  /** A group has one anchor. */
  #anchorsFit(node: FusionNode, path: ReadonlySet<FusionNode>): boolean {
    const anchors = new Set<FusionNode>();
    for (const n of [node, ...path]) {
      const { anchor } = find(at(this.#groups, n.index));
      if (anchor !== undefined) anchors.add(anchor);
    }
    return anchors.size <= 1;
  }

  #argsFit(node: FusionNode, path: ReadonlySet<FusionNode>): boolean {
    const limit = this.#limits.maxFunctionArgs;
    if (limit === 0) return true;
    const merged = new Set([node, ...path].map((n) => find(at(this.#groups, n.index))));
    const inside = [...merged].flatMap((g) => g.members);
    const members = new Set(inside);
    // A constant is a parameter of the fused function, whichever group it was counted to.
    const inputs = new Set(inside.flatMap((n) => n.inputs).filter((i) => !members.has(i) || i.ref.kind === "relax.Constant"));
    const outputs = inside.filter((n) => n.external || n.outputs.some((o) => !members.has(o.node)));
    return inputs.size + Math.max(1, outputs.length) <= limit;
  }

  /** How many values there are in the groups from `node` to `sink`; counted no further than the limit. */
  #size(node: FusionNode, sink: FusionNode): number {
    const seen = new Set<Group>();
    const visited = new Set<FusionNode>();
    let total = 0;
    const visit = (n: FusionNode): void => {
      if (visited.has(n) || total > this.#limits.maxDepth) return;
      visited.add(n);
      const group = find(at(this.#groups, n.index));
      if (!seen.has(group)) total += group.size;
      seen.add(group);
      if (n !== sink) for (const e of n.outputs) visit(e.node);
    };
    visit(node);
    return total;
  }

  /** Merges every value between `node` and `sink` into the sink's group. */
  #commit(node: FusionNode, sink: FusionNode): void {
    const target = at(this.#groups, sink.index);
    const visited = new Set<FusionNode>();
    const visit = (n: FusionNode): void => {
      if (visited.has(n)) return;
      visited.add(n);
      this.#merge(at(this.#groups, n.index), target);
      if (n !== sink) for (const e of n.outputs) visit(e.node);
    };
    visit(node);
  }

  #merge(child: Group, parent: Group): void {
    const c = find(child);
    const p = find(parent);
    if (c === p) return;
    p.size += c.size;
    for (const n of c.members) p.members.push(n);
    c.parent = p;
    if (c.anchor !== undefined) {
      p.anchor = c.anchor;
      p.pattern = maxPattern(p.pattern, c.pattern);
    } else if (p.anchor === undefined) p.pattern = maxPattern(p.pattern, c.pattern);
  }
}
