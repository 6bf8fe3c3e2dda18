import { isDType, lanesOf, scalarOf, tensorView, type Tensor } from "@verticil/runtime-ffi";
import { decodeBase64 } from "./base64.ts";
import type { KindEntry, NodeTable, Role } from "./field-table.ts";
import type { JsonGraph, JsonOptions } from "./json.ts";
import type { BaseFunc, GlobalVar } from "./ir.ts";
import { isNode, type Node } from "./node.ts";
import { completeTable } from "./structural-options.ts";

/**
 * The node that `saveJson` wrote.
 * @throws SyntaxError if the text is not JSON.
 * @throws RangeError that says what is wrong if it is not a program, or uses a dialect that was not given.
 */
export function loadJson(text: string, opts: JsonOptions): Node {
  return fromJsonGraph(JSON.parse(text) as JsonGraph, opts);
}

/** Like `loadJson`, from plain data, which may be anything. */
export function fromJsonGraph(graph: JsonGraph, opts: JsonOptions): Node {
  return new Reader(completeTable(opts.dialects), graph).read();
}

/** How deep lists and records of an attribute may be nested. */
const MAX_DATA_DEPTH = 200;

/** Nodes of the tree that a graph stands for, shared parts counted each time: beyond this, nothing could work on it. */
const MAX_TREE_NODES = 1e9;

class Reader {
  readonly #graph: JsonGraph;
  readonly #entries: readonly (KindEntry | undefined)[];
  /** Filled in after all are made, so that they may refer to each other in any order. */
  readonly #nodes: readonly Record<string, unknown>[];
  /** The nodes that each node refers to, by index. */
  readonly #references: number[][] = [];
  readonly #tensors = new Map<string, Tensor>();

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
      this.#references.push([]);
      if (entry === undefined || node === undefined) continue;
      const attrs: unknown = this.#graph.nodes[i]?.attrs ?? {};
      if (!isObject(attrs)) throw new RangeError(`Node ${i} has no attributes.`);
      for (const [field, role] of entry.fields) {
        const what = `${entry.typeKey}.${field} of node ${i}`;
        node[field] = this.#field(what, role, attrs[field]);
        checkField(what, entry, field, role, node[field]);
      }
    }
    for (const node of this.#nodes) if (node["kind"] === "ir.IRModule") checkFunctions(node["functions"] as ReadonlyMap<Node, Node>);
    this.#references.push([]);
    const root = this.#at("root", this.#graph.root);
    this.#checkTree(this.#graph.root);
    return root;
  }

  /** No node may be part of itself, and the tree that the graph stands for must be of a size to work on. */
  #checkTree(root: number): void {
    const sizes = new Map<number, number>();
    const open = new Set<number>([root]);
    const stack: { readonly node: number; next: number; size: number }[] = [{ node: root, next: 0, size: 1 }];
    for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
      const child = this.#references[frame.node]?.[frame.next++];
      if (child === undefined) {
        stack.pop();
        open.delete(frame.node);
        sizes.set(frame.node, frame.size);
        const parent = stack.at(-1);
        if (parent !== undefined) parent.size += frame.size;
        if (frame.size > MAX_TREE_NODES) throw new RangeError(`The JSON is too large: its ${this.#nodes.length} nodes stand for a tree of more than ${MAX_TREE_NODES}.`);
        continue;
      }
      const known = sizes.get(child);
      if (known !== undefined) frame.size += known;
      else if (open.has(child)) throw new RangeError(`The JSON is not a program: ${this.#entries[child]?.typeKey ?? "a node"} (node ${child}) is part of itself.`);
      else {
        open.add(child);
        stack.push({ node: child, next: 0, size: 1 });
      }
    }
  }

  #at(what: string, index: unknown): Node {
    const node = typeof index === "number" && this.#entries[index] !== undefined ? this.#nodes[index] : undefined;
    if (node === undefined) throw new RangeError(`The JSON is not a program: ${what} is not a node.`);
    this.#references.at(-1)?.push(Number(index));
    return node as unknown as Node;
  }

  #list(what: string, value: unknown): readonly unknown[] {
    if (!Array.isArray(value)) throw new RangeError(`The JSON is not a program: ${what} is not a list.`);
    return value;
  }

  #field(what: string, role: Role, value: unknown): unknown {
    if (value === undefined) return role === "def-map" || role === "module-map" ? new Map() : undefined;
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
        return this.#data(what, value, 0);
    }
  }

  #data(what: string, value: unknown, depth: number): unknown {
    if (depth > MAX_DATA_DEPTH) throw new RangeError(`The JSON is not a program: ${what} is nested too deeply.`);
    if (Array.isArray(value)) return value.map((v) => this.#data(what, v, depth + 1));
    if (!isObject(value)) return value;
    if (Object.hasOwn(value, "$int")) return readInt(what, value["$int"]);
    if (Object.hasOwn(value, "$float")) return readFloat(what, value["$float"]);
    if (Object.hasOwn(value, "$node")) return this.#at(what, value["$node"]);
    const inner = Object.hasOwn(value, "$map") ? value["$map"] : undefined;
    if (isObject(inner)) return new Map(this.#entriesOf(what, inner, depth));
    const record = Object.fromEntries(this.#entriesOf(what, value, depth));
    if (isNode(record)) throw new RangeError(`The JSON is not a program: ${what} holds a record that looks like a node.`);
    return record;
  }

  #entriesOf(what: string, record: object, depth: number): [string, unknown][] {
    return Object.entries(record).map(([k, v]) => [k.startsWith("$$") ? k.slice(1) : k, this.#data(what, v, depth + 1)]);
  }

  #tensor(what: string, value: unknown): Tensor {
    const { dtype, shape, data } = isObject(value) ? value : {};
    const blob: unknown = typeof data === "number" ? this.#graph.b64ndarrays[data] : undefined;
    if (typeof dtype !== "string" || !isDType(dtype) || lanesOf(dtype) !== 1 || !Array.isArray(shape) || typeof blob !== "string") {
      throw new RangeError(`The JSON is not a program: ${what} is not a tensor.`);
    }
    const key = `${String(data)} ${dtype} ${JSON.stringify(shape)}`;
    const known = this.#tensors.get(key);
    if (known !== undefined) return known;
    const { buffer } = decodeBase64(blob);
    const tensor = tensorView(scalarOf(dtype), shape as readonly number[], buffer);
    if (tensor.data.byteLength !== buffer.byteLength) throw new RangeError(`The JSON is not a program: ${what} has ${buffer.byteLength} bytes, not ${tensor.data.byteLength}.`);
    this.#tensors.set(key, tensor);
    return tensor;
  }
}

function readInt(what: string, text: unknown): bigint {
  if (typeof text !== "string" || !/^-?\d{1,40}$/.test(text)) throw new RangeError(`The JSON is not a program: in ${what}, \`${String(text).slice(0, 50)}\` is not an integer.`);
  return BigInt(text);
}

function readFloat(what: string, text: unknown): number {
  if (text !== "NaN" && text !== "Infinity" && text !== "-Infinity" && text !== "-0") {
    throw new RangeError(`The JSON is not a program: in ${what}, \`${String(text).slice(0, 50)}\` is not a float.`);
  }
  return Number(text);
}

/** What the generic functions rely on, and other code cannot check later. */
function checkField(what: string, entry: KindEntry, field: string, role: Role, value: unknown): void {
  const wrong = (expected: string): never => {
    throw new RangeError(`The JSON is not a program: ${what} is not ${expected}.`);
  };
  if (field === "dtype" && role === "attr" && value !== undefined && !(typeof value === "string" && isDType(value))) wrong("a data type");
  if (role === "attr" && !isPlain(value)) wrong("a plain value");
  switch (entry.kind) {
    case "ir.IntImm":
      if (field === "dtype" && value === undefined) wrong("a data type");
      if (field === "value" && typeof value !== "bigint" && !Number.isSafeInteger(value)) wrong("an integer");
      return;
    case "ir.FloatImm":
      if (field === "dtype" && value === undefined) wrong("a data type");
      if (field === "value" && typeof value !== "number") wrong("a float");
      if (field === "written" && value !== undefined && typeof value !== "number") wrong("a float");
      return;
    case "ir.GlobalVar":
    case "ir.Op":
      if (typeof value !== "string") wrong("a name");
      return;
    case "ir.IRModule":
      if (field !== "functions" && !isObject(value)) wrong("a record");
      return;
    default:
      return;
  }
}

function isPlain(value: unknown): boolean {
  if (Array.isArray(value)) return value.every(isPlain);
  return typeof value !== "object" || value === null;
}

/** Functions of a module go by global variables of different names, and have attributes. */
function checkFunctions(functions: ReadonlyMap<Node, Node>): void {
  const names = new Set<string>();
  for (const [gv, func] of functions) {
    const name = gv.kind === "ir.GlobalVar" ? (gv as GlobalVar).name : undefined;
    if (name === undefined) throw new RangeError("The JSON is not a program: a function of a module does not go by a global variable.");
    if (names.has(name)) throw new RangeError(`The JSON is not a program: a module has two functions named \`${name}\`.`);
    if (!isObject((func as BaseFunc).attrs)) throw new RangeError(`The JSON is not a program: \`${name}\` is not a function.`);
    names.add(name);
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
