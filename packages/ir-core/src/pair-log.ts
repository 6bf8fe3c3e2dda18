import type { Node } from "./node.ts";

/** How a pair of variables was met: it has to be bound to each other, it is bound if neither is, or it is bound anew. */
export type Meeting = "use" | "define" | "bind";

/** Two variables that have to stand for each other before a part is compared; `use`: and are used, not defined, there. */
export interface NeededPair {
  readonly lhs: Node;
  readonly rhs: Node;
  readonly use: boolean;
}

/** All that the comparison of a pair of parts, which are equal, has to do with variables. */
export interface PairSummary {
  /** What has to hold before. It follows from the parts alone: the place of a use on one side is that on the other. */
  readonly needs: readonly NeededPair[];
  /** What is bound afterwards. */
  readonly binds: ReadonlyMap<Node, Node>;
}

/** The pairs of variables that a comparison met, in order. Those of a part can be drawn together, to each variable once. */
export class PairLog {
  readonly #lhs: Node[] = [];
  readonly #rhs: Node[] = [];
  readonly #how: Meeting[] = [];

  get length(): number {
    return this.#lhs.length;
  }

  add(lhs: Node, rhs: Node, how: Meeting): void {
    this.#lhs.push(lhs);
    this.#rhs.push(rhs);
    this.#how.push(how);
  }

  /** What the part needs and binds whose pairs begin at `start`. In the log, that stands for them from now on. */
  summarize(start: number): PairSummary {
    const needs: NeededPair[] = [];
    const binds = new Map<Node, Node>();
    const met = new Set<Node>();
    for (let i = start; i < this.#lhs.length; i++) {
      const [lhs, rhs, how] = [this.#lhs[i], this.#rhs[i], this.#how[i]];
      if (lhs === undefined || rhs === undefined) continue;
      if (how === "bind") binds.set(lhs, rhs);
      else if (!met.has(lhs) && !binds.has(lhs)) needs.push({ lhs, rhs, use: how === "use" });
      met.add(lhs);
    }
    this.#lhs.length = this.#rhs.length = this.#how.length = start;
    for (const { lhs, rhs, use } of needs) this.add(lhs, rhs, use ? "use" : "define");
    for (const [lhs, rhs] of binds) this.add(lhs, rhs, "bind");
    return { needs, binds };
  }
}
