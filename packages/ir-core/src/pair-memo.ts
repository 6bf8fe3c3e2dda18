import type { Node } from "./node.ts";

/**
 * Pairs of a left and a right node that are equal, with all that follows from them: if `a` equals `x` and `y`, and `b`
 * equals `x`, then `b` equals `y`. So two graphs with other sharing cost no more than their nodes, not their paths.
 */
export class PairMemo {
  readonly #partner = new Map<Node, Node>();
  /** Right nodes that are equal to another right node, which stands for both. Rarely needed. */
  readonly #standIn = new Map<Node, Node>();

  /** True if the pair is known to be equal. */
  has(lhs: Node, rhs: Node): boolean {
    const partner = this.#partner.get(lhs);
    if (partner === undefined) return false;
    return partner === rhs || (this.#standIn.size > 0 && this.#find(partner) === this.#find(rhs));
  }

  /** From now on the pair is known to be equal. */
  add(lhs: Node, rhs: Node): void {
    const partner = this.#partner.get(lhs);
    if (partner === undefined) this.#partner.set(lhs, rhs);
    else {
      const [a, b] = [this.#find(partner), this.#find(rhs)];
      if (a !== b) this.#standIn.set(b, a);
    }
  }

  clear(): void {
    this.#partner.clear();
    this.#standIn.clear();
  }

  #find(node: Node): Node {
    let root = node;
    for (let next = this.#standIn.get(root); next !== undefined; next = this.#standIn.get(root)) root = next;
    for (let here = node; here !== root; ) {
      const next = this.#standIn.get(here) ?? root;
      this.#standIn.set(here, root);
      here = next;
    }
    return root;
  }
}
