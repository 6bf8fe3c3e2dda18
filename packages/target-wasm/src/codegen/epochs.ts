import type { Graph } from "./graph.ts";
import type { Region } from "./value.ts";

/** A state of memory (or of a cell) between two writes, and the region in which it began. */
export interface Epoch {
  readonly token: object;
  readonly region: Region;
}

/**
 * What has been written since when. Reads of the same place in the same epoch give the same value; a read may move out
 * of loops as far as the region where its epoch began.
 */
export class Epochs {
  readonly #graph: Graph;
  /** Of places that were read before anything was written; one a place, so that reading first in a branch is no write. */
  readonly #initial = new Map<object, Epoch>();
  #current = new Map<object, Epoch>();

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  /** The epoch of a place: a cell, or the token of some memory. */
  of(place: object): Epoch {
    const known = this.#current.get(place);
    if (known !== undefined) return known;
    const epoch = this.initial(place);
    this.#current.set(place, epoch);
    return epoch;
  }

  /** The epoch of a place that nothing has been written to. */
  initial(place: object): Epoch {
    const known = this.#initial.get(place);
    if (known !== undefined) return known;
    const epoch: Epoch = { token: {}, region: this.#graph.root };
    this.#initial.set(place, epoch);
    return epoch;
  }

  /** Begins a new epoch of a place in the current region. */
  written(place: object): void {
    this.#current.set(place, { token: {}, region: this.#graph.region });
  }

  /** Begins a new epoch of every place that `which` accepts. */
  allWritten(which: (place: object) => boolean): void {
    for (const place of this.#current.keys()) if (which(place)) this.written(place);
  }

  /** What holds now, to be restored at the start of the other side of a branch. */
  save(): ReadonlyMap<object, Epoch> {
    return new Map(this.#current);
  }

  restore(saved: ReadonlyMap<object, Epoch>): void {
    this.#current = new Map(saved);
  }
}
