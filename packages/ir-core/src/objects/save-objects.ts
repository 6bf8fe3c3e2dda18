import type { Tensor } from "@verticil/runtime-ffi";
import { encodeBase64 } from "../base64.ts";
import type { Dialect } from "../field-table.ts";
import { makeIRModule } from "../ir.ts";
import { saveJson } from "../json.ts";
import { isNode, type Node } from "../node.ts";
import type { ForeignObject, GraphObject, ObjectAttr, ObjectAttrs, AnyObjectForm } from "./object-form.ts";
import { printObjects, type JsonDoc } from "./print-objects.ts";
import { encodeTensor } from "./tensor-blob.ts";

/** The type key of nodes that upstream has no form for; they are kept in our own. */
export const OWN_NODE = "verticil.Node";
/** The graph's attribute that holds those nodes. */
export const OWN_NODES = "verticil_nodes";

/**
 * Objects as upstream's JSON (`tvm.ir.save_json` of v0.20), as `tvm.ir.load_json` reads it. Nodes without an
 * `ObjectForm` in their dialect are kept in the form of `saveJson`; upstream does not read those.
 */
export function saveObjects(root: GraphObject, opts: { readonly dialects: readonly Dialect[] }): string {
  return new Writer(opts.dialects).write(root);
}

/** The forms of all dialects by node kind. */
export function objectForms(dialects: readonly Dialect[]): ReadonlyMap<string, AnyObjectForm> {
  return new Map(dialects.flatMap((d) => Object.entries(d.objectForms ?? {})));
}

class Writer {
  readonly #dialects: readonly Dialect[];
  readonly #forms: ReadonlyMap<string, AnyObjectForm>;
  readonly #indices = new Map<GraphObject, number>();
  /** The first stands for no object. */
  readonly #nodes: JsonDoc[] = [object([["type_key", ""]])];
  readonly #tensors = new Map<Tensor, number>();
  readonly #own: Node[] = [];

  constructor(dialects: readonly Dialect[]) {
    this.#dialects = dialects;
    this.#forms = objectForms(dialects);
  }

  write(root: GraphObject): string {
    const index = this.#index(root);
    const attrs: [string, JsonDoc][] = [["tvm_version", "0.20.0"]];
    if (this.#own.length > 0) attrs.push([OWN_NODES, this.#ownNodes()]);
    return printObjects(
      object([
        ["root", index],
        ["nodes", { items: this.#nodes, lines: true }],
        ["b64ndarrays", { items: [...this.#tensors.keys()].map(encodeTensor), lines: true }],
        ["attrs", { entries: attrs, lines: attrs.length > 1 }],
      ]),
    );
  }

  /** The nodes that upstream has no form for; one that is ill-formed is left out, so that the others can be written. */
  #ownNodes(): string {
    const save = (nodes: readonly (Node | null)[]): string => saveJson(makeIRModule(new Map(), { attrs: { nodes } }), { dialects: this.#dialects });
    try {
      return save(this.#own);
    } catch {
      return save(this.#own.map((n) => (isWhole(n, save) ? n : null)));
    }
  }

  /** The number of an object; it is written, and what it refers to, if it is new. */
  #index(value: GraphObject | undefined): number {
    if (value === undefined) return 0;
    const known = this.#indices.get(value);
    if (known !== undefined) return known;
    const index = this.#nodes.push("") - 1;
    this.#indices.set(value, index);
    this.#nodes[index] = this.#object(value);
    return index;
  }

  #object(value: GraphObject): JsonDoc {
    if (typeof value === "string") return object([["type_key", "runtime.String"], ...textOf(value)]);
    if (isList(value)) return object([["type_key", "Array"], ...this.#data(value)]);
    if (value instanceof Map) {
      const entries: readonly (readonly [string, GraphObject])[] = [...value];
      if (entries.length === 0) return object([["type_key", "Map"]]);
      const keys: JsonDoc = { items: entries.map(([key]) => key), lines: true };
      return object([["type_key", "Map"], ["keys", keys], ...this.#data(entries.map(([, v]) => v))]);
    }
    if (isNode(value)) return this.#node(value);
    if (isForeign(value)) return this.#withAttrs(value.typeKey, value.attrs);
    return object([["type_key", "runtime.NDArray"], ["repr_str", encodeTensor(value as Tensor)]]);
  }

  #node(node: Node): JsonDoc {
    const form = this.#forms.get(node.kind);
    if (form !== undefined) return this.#withAttrs(form.typeKey, form.write(node as never));
    return this.#withAttrs(OWN_NODE, { index: this.#own.push(node) - 1 });
  }

  #withAttrs(typeKey: string, attrs: ObjectAttrs): JsonDoc {
    const written = Object.entries(attrs).map(([name, v]): [string, string] => [name, this.#attr(v)]);
    written.sort(([a], [b]) => (a < b ? -1 : 1));
    return object([["type_key", typeKey], ["attrs", { entries: written, lines: written.length > 1 }]]);
  }

  #attr(value: ObjectAttr): string {
    if (typeof value === "boolean") return value ? "1" : "0";
    if (typeof value !== "object") return String(value);
    if ("object" in value) return String(this.#index(value.object));
    const known = this.#tensors.get(value.tensor) ?? this.#tensors.size;
    this.#tensors.set(value.tensor, known);
    return String(known);
  }

  #data(values: readonly GraphObject[]): [string, JsonDoc][] {
    if (values.length === 0) return [];
    const items = values.map((v) => this.#index(v));
    return [["data", { items, lines: items.length > 10 }]];
  }
}

function isWhole(node: Node, save: (nodes: readonly Node[]) => string): boolean {
  try {
    save([node]);
    return true;
  } catch {
    return false;
  }
}

function object(entries: readonly (readonly [string, JsonDoc])[]): JsonDoc {
  return { entries, lines: true };
}

/** Printable ASCII as it is, other texts as base64 of their length and bytes. */
function textOf(text: string): [string, JsonDoc][] {
  if (text === "") return [];
  if (/^[ -~]*$/.test(text)) return [["repr_str", text]];
  const bytes = new TextEncoder().encode(text);
  const blob = new Uint8Array(8 + bytes.length);
  new DataView(blob.buffer).setBigUint64(0, BigInt(bytes.length), true);
  blob.set(bytes, 8);
  return [["repr_b64", encodeBase64(blob)]];
}

function isList(value: GraphObject): value is readonly GraphObject[] {
  return Array.isArray(value);
}

function isForeign(value: object): value is ForeignObject {
  return "typeKey" in value && "attrs" in value;
}
