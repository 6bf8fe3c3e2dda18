import type { Node } from "@verticil/ir-core";

/**
 * The nodes that have no text form, by type key: what `metadata["relax.expr.Constant"][0]` in a program refers to.
 * `print` fills the table that it is given; handed to `parse`, nothing is encoded and tensors stay shared.
 */
export class MetadataTable {
  readonly #lists = new Map<string, Node[]>();
  readonly #indices = new Map<Node, number>();

  /** The index of `node` under `key`; the same node keeps its index. */
  add(key: string, node: Node): number {
    const known = this.#indices.get(node);
    if (known !== undefined) return known;
    const list = this.#lists.get(key) ?? [];
    if (list.length === 0) this.#lists.set(key, list);
    list.push(node);
    this.#indices.set(node, list.length - 1);
    return list.length - 1;
  }

  list(key: string): readonly Node[] {
    return this.#lists.get(key) ?? [];
  }

  get isEmpty(): boolean {
    return this.#lists.size === 0;
  }

  entries(): Iterable<readonly [key: string, nodes: readonly Node[]]> {
    return this.#lists.entries();
  }
}
