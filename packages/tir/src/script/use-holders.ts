import { forEachChild, type Node } from "@verticil/ir-core";
import { tirTable } from "../ir/node-table.ts";

/** Says that all parts of a node were visited. */
const LEAVE = Symbol("leave");

/** A node's place in the walk: the node around it, and the steps at which it was entered and left. */
interface Place {
  readonly parent: Node | undefined;
  readonly entered: number;
  left: number;
}

/**
 * For each variable and buffer the lowest node that holds all of its uses (upstream's `SetCommonPrefix`). A node that is
 * used in several places counts where it is met first. Time and memory grow with the number of nodes, not with their depth.
 */
export class UseHolders {
  readonly #places = new Map<Node, Place>();
  readonly #lowest = new Map<Node, Node>();

  constructor(root: Node | undefined) {
    if (root !== undefined) this.#walk(root);
  }

  /** The nodes that hold every use of `obj`, from the lowest up. */
  *of(obj: Node): Iterable<Node> {
    for (let at = this.#lowest.get(obj); at !== undefined; at = this.#places.get(at)?.parent) yield at;
  }

  /** True if `node` holds every use of `obj`. */
  holds(node: Node, obj: Node): boolean {
    const lowest = this.#lowest.get(obj);
    const [outer, inner] = [this.#places.get(node), lowest && this.#places.get(lowest)];
    return outer !== undefined && inner !== undefined && outer.entered <= inner.entered && inner.left <= outer.left;
  }

  // Expressions may be deeper than the call stack.
  #walk(root: Node): void {
    const path: Node[] = [];
    const todo: (Node | typeof LEAVE)[] = [root];
    let step = 0;
    for (let node = todo.pop(); node !== undefined; node = todo.pop()) {
      if (node === LEAVE) {
        const place = this.#places.get(path.pop() ?? root);
        if (place !== undefined) place.left = step++;
        continue;
      }
      const parent = path.at(-1);
      const isName = node.kind === "tir.Var" || node.kind === "tir.SizeVar" || node.kind === "tir.Buffer";
      if (isName && parent !== undefined) this.#meet(node, parent);
      if (this.#places.has(node)) continue;
      this.#places.set(node, { parent, entered: step++, left: Infinity });
      path.push(node);
      todo.push(LEAVE);
      const parts: Node[] = [];
      if (tirTable.has(node.kind)) forEachChild(tirTable, node, (child) => void parts.push(child));
      for (let part = parts.pop(); part !== undefined; part = parts.pop()) todo.push(part);
    }
  }

  /** Goes up from the lowest node so far to one that was not left yet: that one holds this use too. */
  #meet(obj: Node, parent: Node): void {
    let at: Node | undefined = this.#lowest.get(obj) ?? parent;
    while (at !== undefined && this.#places.get(at)?.left !== Infinity) at = this.#places.get(at)?.parent;
    if (at !== undefined) this.#lowest.set(obj, at);
  }
}
