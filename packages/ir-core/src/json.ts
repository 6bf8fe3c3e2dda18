import { tensorBytes, type Tensor } from "@verticil/runtime-ffi";
import { encodeBase64 } from "./base64.ts";
import type { Dialect, NodeTable, Role } from "./field-table.ts";
import { isNode, type Node } from "./node.ts";
import { completeTable } from "./structural-options.ts";
import { entryOf, fieldsOf } from "./visit.ts";

/** A plain JSON value. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/**
 * A program as plain data, after upstream's layout: `root` is an index into `nodes`, whose first entry stands for
 * nothing; a node that is used in several places is stored once. Type keys are upstream's, field names ours.
 */
export interface JsonGraph {
  readonly root: number;
  readonly nodes: readonly JsonNode[];
  /** The bytes of tensors in base64, little-endian. */
  readonly b64ndarrays: readonly string[];
  readonly attrs: { readonly verticil_ir: 1 };
}

export interface JsonNode {
  readonly type_key: string;
  readonly attrs?: { readonly [field: string]: JsonValue };
}

/** What tells reading and writing how to treat nodes. */
export interface JsonOptions {
  /** The dialects whose nodes may occur; ir-core's own are added if they are not in the list. */
  readonly dialects: readonly Dialect[];
}

/** A node as JSON text; sharing between its parts is kept, spans are not. */
export function saveJson(node: Node, opts: JsonOptions): string {
  return JSON.stringify(toJsonGraph(node, opts));
}

/** Like `saveJson`, not yet text. */
export function toJsonGraph(root: Node, opts: JsonOptions): JsonGraph {
  return new Writer(completeTable(opts.dialects)).write(root);
}

class Writer {
  readonly #table: NodeTable;
  readonly #indices = new Map<Node, number>();
  readonly #queue: Node[] = [];
  readonly #tensors = new Map<Tensor, number>();
  readonly #blobs: string[] = [];

  constructor(table: NodeTable) {
    this.#table = table;
  }

  write(root: Node): JsonGraph {
    const nodes: JsonNode[] = [{ type_key: "" }];
    this.#indexOf(root);
    for (let i = 0; i < this.#queue.length; i++) {
      const node = this.#queue[i];
      if (node !== undefined) nodes.push(this.#node(node));
    }
    return { root: 1, nodes, b64ndarrays: this.#blobs, attrs: { verticil_ir: 1 } };
  }

  #indexOf(node: unknown): number {
    if (node === undefined) return 0;
    const known = this.#indices.get(node as Node);
    if (known !== undefined) return known;
    this.#queue.push(node as Node);
    this.#indices.set(node as Node, this.#queue.length);
    return this.#queue.length;
  }

  #node(node: Node): JsonNode {
    const entry = entryOf(this.#table, node);
    const fields = fieldsOf(node);
    const attrs: Record<string, JsonValue> = {};
    for (const [field, role] of entry.fields) {
      const value = fields[field];
      if (value !== undefined) attrs[field] = this.#field(role, value);
    }
    return { type_key: entry.typeKey, attrs };
  }

  #field(role: Role, value: unknown): JsonValue {
    switch (role) {
      case "child":
      case "def":
      case "def-nonrecursive":
        return this.#indexOf(value);
      case "children":
      case "defs":
        return (value as readonly Node[]).map((n) => this.#indexOf(n));
      case "def-map":
      case "module-map":
        return [...(value as ReadonlyMap<Node, Node>)].map(([k, v]) => [this.#indexOf(k), this.#indexOf(v)]);
      case "tensor":
        return this.#tensor(value as Tensor);
      case "attr":
      case "data":
      case "ignore":
        return this.#data(value);
    }
  }

  #data(value: unknown): JsonValue {
    switch (typeof value) {
      case "string":
      case "boolean":
        return value;
      case "number":
        return Number.isFinite(value) && !Object.is(value, -0) ? value : { $float: Object.is(value, -0) ? "-0" : String(value) };
      case "bigint":
        return { $int: String(value) };
      default:
        break;
    }
    if (value === null || value === undefined) return null;
    if (isNode(value)) return { $node: this.#indexOf(value) };
    if (Array.isArray(value)) return value.map((v) => this.#data(v));
    const entries: [string, JsonValue][] = [];
    for (const [k, v] of value instanceof Map ? value : Object.entries(value)) {
      // A key of the user's that looks like one of ours is told apart by a second dollar sign.
      if (v !== undefined) entries.push([String(k).startsWith("$") ? `$${String(k)}` : String(k), this.#data(v)]);
    }
    const record = Object.fromEntries(entries);
    return value instanceof Map ? { $map: record } : record;
  }

  #tensor(tensor: Tensor): JsonValue {
    let index = this.#tensors.get(tensor);
    if (index === undefined) {
      index = this.#blobs.push(encodeBase64(tensorBytes(tensor))) - 1;
      this.#tensors.set(tensor, index);
    }
    return { dtype: tensor.dtype, shape: tensor.shape, data: index };
  }
}
