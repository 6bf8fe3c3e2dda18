import type { ForeignObject, GraphObject, Node } from "@verticil/ir-core";

/** What metadata holds: nodes, texts of several lines, tensors. */
export type MetadataItem = Exclude<GraphObject, readonly GraphObject[] | ReadonlyMap<string, GraphObject>>;

/** A tensor among the metadata. */
export type MetadataTensor = Exclude<MetadataItem, Node | ForeignObject | string>;

/**
 * What has no text form, by type key: what `metadata["relax.expr.Constant"][0]` in a program refers to.
 * `print` fills the table that it is given; handed to `parse`, nothing is encoded and tensors stay shared.
 */
export class MetadataTable {
  readonly #lists = new Map<string, MetadataItem[]>();
  readonly #indices = new Map<MetadataItem, number>();

  /** The index of `item` under `key`; the same item keeps its index. */
  add(key: string, item: MetadataItem): number {
    return this.#indices.get(item) ?? this.append(key, item);
  }

  /** The index of `item` as a new one under `key`. */
  append(key: string, item: MetadataItem): number {
    const list = this.#lists.get(key) ?? [];
    if (list.length === 0) this.#lists.set(key, list);
    list.push(item);
    this.#indices.set(item, list.length - 1);
    return list.length - 1;
  }

  list(key: string): readonly MetadataItem[] {
    return this.#lists.get(key) ?? [];
  }

  get isEmpty(): boolean {
    return this.#lists.size === 0;
  }

  entries(): Iterable<readonly [key: string, items: readonly MetadataItem[]]> {
    return this.#lists.entries();
  }
}
