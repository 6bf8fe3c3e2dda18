import { tensorBytes, type Tensor } from "@verticil/runtime-ffi";
import { at } from "./at.ts";
import type { KindEntry, NodeTable } from "./field-table.ts";
import type { GlobalVar } from "./ir.ts";
import { isNode, type Node } from "./node.ts";
import { entriesOf } from "./structural-equal.ts";
import { completeTable, type StructuralOptions } from "./structural-options.ts";
import { entryOf, fieldsOf } from "./visit.ts";

/**
 * A hash for which `structuralEqual` nodes agree: a non-negative safe integer, the same in every run for nodes without
 * unbound variables. Fractions do not count (equality gives them a tolerance), nor do the names of variables.
 */
export function structuralHash(node: Node, opts: StructuralOptions): number {
  return new Hashing(completeTable(opts.dialects), opts.mapFreeVars === true).run(node);
}

type Mode = "use" | "binder" | "binder-only" | "defining";

/** What a node's hash is made of, in order: numbers, further nodes, and maps whose order depends on bindings. */
type Part =
  | number
  | { readonly node: Node; readonly mode: Mode }
  | { readonly defMap: ReadonlyMap<Node, Node> };

/** A node whose parts are being mixed. */
interface Frame {
  readonly node: Node;
  readonly parts: Part[];
  readonly bindingsBefore: number;
  readonly keep: boolean;
  index: number;
  high: number;
  low: number;
}

class Hashing {
  readonly #table: NodeTable;
  readonly #mapFreeVars: boolean;
  readonly #bound = new Map<Node, number>();
  readonly #seenFree = new Set<Node>();
  #bindings = 0;
  /** Hashes under the present bindings, of parts that bind nothing. */
  readonly #known = new Map<Node, number>();
  readonly #strings = new Map<string, number>();
  readonly #stack: Frame[] = [];

  constructor(table: NodeTable, mapFreeVars: boolean) {
    this.#table = table;
    this.#mapFreeVars = mapFreeVars;
  }

  run(root: Node): number {
    let result = this.#enter(root, "use") ?? 0;
    for (let frame = this.#stack.at(-1); frame !== undefined; frame = this.#stack.at(-1)) {
      const part = frame.parts[frame.index++];
      if (part === undefined) {
        this.#stack.pop();
        result = finish(frame);
        if (frame.keep && frame.bindingsBefore === this.#bindings) this.#known.set(frame.node, result);
        const parent = this.#stack.at(-1);
        if (parent !== undefined) mix(parent, result);
      } else if (typeof part === "number") mix(frame, part);
      else if ("defMap" in part) frame.parts.splice(frame.index, 0, ...this.#defMapParts(part.defMap));
      else {
        const known = this.#enter(part.node, part.mode);
        if (known !== undefined) mix(frame, known);
      }
    }
    return result;
  }

  /** The node's hash if it is known; else a frame is pushed that will give it. */
  #enter(node: Node, mode: Mode): number | undefined {
    const entry = entryOf(this.#table, node);
    if (entry.category === "var") return this.#variable(node, entry, mode);
    if (entry.category === "unique") return this.#string(node.kind);
    if (mode === "use") {
      const known = this.#known.get(node);
      if (known !== undefined) return known;
    }
    this.#frame(node, entry, mode === "binder" ? "defining" : mode, mode === "use", []);
    return undefined;
  }

  #variable(node: Node, entry: KindEntry, mode: Mode): number | undefined {
    const bound = this.#bound.get(node);
    if (bound !== undefined && (mode === "use" || mode === "defining")) return bound + 1;
    if (mode === "use" && !this.#mapFreeVars) {
      this.#seenFree.add(node);
      return this.#string(node.kind);
    }
    const number = this.#bind(node);
    this.#frame(node, entry, mode === "binder-only" ? "use" : "defining", false, [number + 1]);
    return undefined;
  }

  #bind(node: Node): number {
    if (this.#bound.has(node) || this.#seenFree.has(node)) this.#known.clear();
    this.#bound.set(node, this.#bindings);
    return this.#bindings++;
  }

  #frame(node: Node, entry: KindEntry, mode: Mode, keep: boolean, first: readonly number[]): void {
    const bindingsBefore = this.#bindings;
    const parts: Part[] = [this.#string(node.kind), ...first];
    const fields = fieldsOf(node);
    const specs = entry.fields;
    for (let i = 0; i < specs.length; i++) {
      const [field, role] = at(specs, i);
      const value = fields[field];
      switch (role) {
        case "ignore":
          break;
        case "attr":
          // The tolerance of floats leaves nothing of their value that could be hashed.
          if (entry.kind !== "ir.FloatImm" || field !== "value") this.#attr(parts, value);
          break;
        case "tensor":
          parts.push(this.#tensor(value as Tensor | undefined));
          break;
        case "child":
          parts.push(value === undefined ? 0 : { node: value as Node, mode });
          break;
        case "def":
          parts.push(value === undefined ? 0 : { node: value as Node, mode: entry.shared ? "defining" : "binder" });
          break;
        case "def-nonrecursive":
          parts.push(value === undefined ? 0 : { node: value as Node, mode: "binder-only" });
          break;
        case "children":
          list(parts, value, mode);
          break;
        case "defs":
          list(parts, value, entry.shared ? "defining" : "binder");
          break;
        case "def-map":
          parts.push({ defMap: value as ReadonlyMap<Node, Node> });
          break;
        case "module-map":
          this.#moduleMap(parts, value as ReadonlyMap<GlobalVar, Node>);
          break;
        case "data":
          this.#data(parts, value);
          break;
      }
    }
    this.#stack.push({ node, parts, bindingsBefore, keep, index: 0, high: 0xdeadbeef, low: 0x41c6ce57 });
  }

  #defMapParts(map: ReadonlyMap<Node, Node>): Part[] {
    const order = (key: Node): number => this.#bound.get(key) ?? this.#bindings;
    const entries = [...map].sort(([a], [b]) => order(a) - order(b));
    return [entries.length, ...entries.flatMap(([k, v]): Part[] => [this.#bound.get(k) ?? -1, { node: v, mode: "binder" }])];
  }

  #moduleMap(parts: Part[], map: ReadonlyMap<GlobalVar, Node>): void {
    const entries = [...map].sort(([a], [b]) => (a.name < b.name ? -1 : 1));
    for (const [gv] of entries) this.#bind(gv);
    for (const [gv, func] of entries) parts.push(this.#string(gv.name), { node: func, mode: "use" });
  }

  #attr(parts: Part[], value: unknown): void {
    if (Array.isArray(value)) {
      parts.push(value.length);
      for (const item of value) this.#attr(parts, item);
    } else parts.push(this.#plain(value));
  }

  #plain(value: unknown): number {
    switch (typeof value) {
      case "number":
        return Number.isInteger(value) ? value : 0.5;
      case "string":
        return this.#string(value);
      case "boolean":
        return value ? 1 : 2;
      case "bigint":
        return this.#string(String(value));
      default:
        return 0;
    }
  }

  #data(parts: Part[], value: unknown): void {
    if (typeof value !== "object" || value === null) parts.push(this.#plain(value));
    else if (isNode(value)) parts.push({ node: value, mode: "use" });
    else if (Array.isArray(value)) {
      parts.push(value.length);
      for (const item of value) this.#data(parts, item);
    } else {
      for (const [key, item] of [...entriesOf(value)].sort(([a], [b]) => (a < b ? -1 : 1))) {
        parts.push(this.#string(key));
        this.#data(parts, item);
      }
    }
  }

  #string(text: string): number {
    const known = this.#strings.get(text);
    if (known !== undefined) return known;
    let h = 0x811c9dc5;
    for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
    this.#strings.set(text, h >>> 0);
    return h >>> 0;
  }

  #tensor(tensor: Tensor | undefined): number {
    if (tensor === undefined) return 0;
    let h = this.#string(`${tensor.dtype}[${tensor.shape.join()}]`);
    const bytes = tensorBytes(tensor);
    // A sample of large tensors is enough to tell most apart.
    const step = Math.max(1, Math.floor(bytes.length / 4096));
    for (let i = 0; i < bytes.length; i += step) h = Math.imul(h ^ (bytes[i] ?? 0), 0x01000193);
    return h >>> 0;
  }
}

function list(parts: Part[], value: unknown, mode: Mode): void {
  const nodes = value as readonly Node[] | undefined;
  parts.push(nodes === undefined ? -1 : nodes.length);
  for (const node of nodes ?? []) parts.push({ node, mode });
}

/** Mixes a number of any size into both halves, after cyrb53. */
function mix(frame: Frame, value: number): void {
  frame.high = Math.imul(frame.high ^ value, 0x9e3779b1);
  frame.low = Math.imul(frame.low ^ value ^ Math.floor(value / 2 ** 32), 0x5f356495);
  frame.high = Math.imul(frame.high ^ (frame.low >>> 15), 0x85ebca6b);
  frame.low = Math.imul(frame.low ^ (frame.high >>> 13), 0xc2b2ae35);
}

function finish(frame: Frame): number {
  return (frame.high >>> 11) * 2 ** 32 + (frame.low >>> 0);
}
