import { isDType, lanesOf, scalarOf, tensorBytes, tensorView, type Tensor } from "@verticil/runtime-ffi";
import { decodeBase64, encodeBase64 } from "./base64.ts";
import type { Dialect, KindEntry, NodeTable, Role } from "./field-table.ts";
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

/**
 * The node that `saveJson` wrote.
 * @throws SyntaxError if the text is not JSON.
 * @throws RangeError that says what is wrong if it is not a program, or uses a dialect that was not given.
 */
export function loadJson(text: string, opts: JsonOptions): Node {
  return fromJsonGraph(JSON.parse(text) as JsonGraph, opts);
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
    const record: Record<string, JsonValue> = {};
    for (const [k, v] of value instanceof Map ? value : Object.entries(value)) {
      // A key of the user's that looks like one of ours is told apart by a second dollar sign.
      if (v !== undefined) record[String(k).startsWith("$") ? `$${String(k)}` : String(k)] = this.#data(v);
    }
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

/** Like `loadJson`, from plain data. */
export function fromJsonGraph(graph: JsonGraph, opts: JsonOptions): Node {
  return new Reader(completeTable(opts.dialects), graph).read();
}

class Reader {
  readonly #graph: JsonGraph;
  readonly #entries: readonly (KindEntry | undefined)[];
  /** Filled in after all are made, so that they may refer to each other in any order. */
  readonly #nodes: readonly Record<string, unknown>[];
  readonly #tensors = new Map<number, Tensor>();

  constructor(table: NodeTable, graph: JsonGraph) {
    if (!isObject(graph) || !Array.isArray(graph.nodes) || !Array.isArray(graph.b64ndarrays)) {
      throw new RangeError("The JSON is not a program: it needs `root`, `nodes` and `b64ndarrays`.");
    }
    this.#graph = graph;
    const byTypeKey = new Map([...table.values()].map((e) => [e.typeKey, e]));
    this.#entries = graph.nodes.map((n: unknown, i) => {
      const key = isObject(n) && "type_key" in n ? n.type_key : undefined;
      if (key === "") return undefined;
      const entry = typeof key === "string" ? byTypeKey.get(key) : undefined;
      if (entry === undefined) throw new RangeError(`Node ${i} is of type \`${String(key)}\`, which no dialect defines.`);
      return entry;
    });
    this.#nodes = this.#entries.map((e) => ({ kind: e?.kind ?? "" }));
  }

  read(): Node {
    for (const [i, entry] of this.#entries.entries()) {
      const node = this.#nodes[i];
      const attrs: unknown = this.#graph.nodes[i]?.attrs ?? {};
      if (entry === undefined || node === undefined) continue;
      if (!isObject(attrs)) throw new RangeError(`Node ${i} has no attributes.`);
      for (const [field, role] of entry.fields) node[field] = this.#field(`${entry.typeKey}.${field} of node ${i}`, role, attrs[field]);
    }
    return this.#at("root", this.#graph.root);
  }

  #at(what: string, index: unknown): Node {
    const node = typeof index === "number" ? this.#nodes[index] : undefined;
    if (node === undefined || index === 0) throw new RangeError(`The JSON is not a program: ${what} is not a node.`);
    return node as unknown as Node;
  }

  #list(what: string, value: unknown): readonly unknown[] {
    if (!Array.isArray(value)) throw new RangeError(`The JSON is not a program: ${what} is not a list.`);
    return value;
  }

  #field(what: string, role: Role, value: unknown): unknown {
    if (value === undefined) return undefined;
    switch (role) {
      case "child":
      case "def":
      case "def-nonrecursive":
        return value === 0 ? undefined : this.#at(what, value);
      case "children":
      case "defs":
        return this.#list(what, value).map((v) => this.#at(what, v));
      case "def-map":
      case "module-map":
        return new Map(
          this.#list(what, value).map((pair) => {
            const [k, v] = this.#list(what, pair);
            return [this.#at(what, k), this.#at(what, v)];
          }),
        );
      case "tensor":
        return this.#tensor(what, value);
      case "attr":
      case "data":
      case "ignore":
        return this.#data(what, value);
    }
  }

  #data(what: string, value: unknown): unknown {
    if (Array.isArray(value)) return value.map((v) => this.#data(what, v));
    if (!isObject(value)) return value;
    if (typeof value["$int"] === "string") return BigInt(value["$int"]);
    if (typeof value["$float"] === "string") return Number(value["$float"]);
    if ("$node" in value) return this.#at(what, value["$node"]);
    if (isObject(value["$map"])) return new Map(this.#entriesOf(what, value["$map"]));
    return Object.fromEntries(this.#entriesOf(what, value));
  }

  #entriesOf(what: string, record: object): [string, unknown][] {
    return Object.entries(record).map(([k, v]) => [k.startsWith("$$") ? k.slice(1) : k, this.#data(what, v)]);
  }

  #tensor(what: string, value: unknown): Tensor {
    const { dtype, shape, data } = isObject(value) ? value : {};
    const blob = typeof data === "number" ? this.#graph.b64ndarrays[data] : undefined;
    if (typeof dtype !== "string" || !isDType(dtype) || lanesOf(dtype) !== 1 || !Array.isArray(shape) || blob === undefined) {
      throw new RangeError(`The JSON is not a program: ${what} is not a tensor.`);
    }
    const known = this.#tensors.get(Number(data));
    if (known !== undefined) return known;
    const tensor = tensorView(scalarOf(dtype), shape.map(Number), decodeBase64(blob).buffer);
    this.#tensors.set(Number(data), tensor);
    return tensor;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
