import type { Tensor } from "@verticil/runtime-ffi";
import type { Dialect } from "../field-table.ts";
import { makeIRModule } from "../ir.ts";
import { saveJson } from "../json.ts";
import { isNode, type Node } from "../node.ts";
import type { AnyObjectForm, ForeignObject, GraphObject, ObjectAttr, ObjectAttrs } from "./object-form.ts";
import { objectForms, OWN_NODE, OWN_NODES } from "./save-objects.ts";
import { encodeTensor } from "./tensor-blob.ts";

type Json = string | number | boolean | readonly Json[] | { readonly [key: string]: Json };

/**
 * Objects as main's JSON (tvm-ffi's `ToJSONGraph`), as its `load_json` reads it: a list of nodes, each with its type and
 * its data, which refers to other nodes by their place. Nodes without a main form in their dialect are kept in the form
 * of `saveJson`; upstream does not read those.
 */
export function saveGraph(root: GraphObject, opts: { readonly dialects: readonly Dialect[] }): string {
  return new GraphWriter(opts.dialects).write(root);
}

class GraphWriter {
  readonly #dialects: readonly Dialect[];
  readonly #forms: ReadonlyMap<string, AnyObjectForm>;
  readonly #indices = new Map<GraphObject | undefined | number, number>();
  readonly #nodes: Json[] = [];
  readonly #own: Node[] = [];

  constructor(dialects: readonly Dialect[]) {
    this.#dialects = dialects;
    this.#forms = objectForms(dialects);
  }

  write(root: GraphObject): string {
    const index = this.#index(root);
    const own = this.#own.length === 0 ? {} : { [OWN_NODES]: saveJson(makeIRModule(new Map(), { attrs: { nodes: this.#own } }), { dialects: this.#dialects }) };
    return JSON.stringify({ root_index: index, nodes: this.#nodes, metadata: { tvm_version: "0.27.0", ...own } }, undefined, 2);
  }

  /** The place of an object; what it refers to stands before it. */
  #index(value: GraphObject | undefined): number {
    const known = this.#indices.get(value);
    if (known !== undefined) return known;
    const node = this.#node(value);
    const index = this.#nodes.push(node) - 1;
    this.#indices.set(value, index);
    return index;
  }

  #node(value: GraphObject | undefined): Json {
    if (value === undefined) return { type: "None" };
    if (typeof value === "string") return { type: "ffi.String", data: value };
    if (isList(value)) return { type: "ffi.Array", data: value.map((v) => this.#index(v)) };
    if (value instanceof Map) {
      const entries: readonly (readonly [string, GraphObject])[] = [...value];
      return { type: "ffi.Map", data: entries.flatMap(([k, v]) => [this.#index(k), this.#index(v)]) };
    }
    if (isNode(value)) return this.#irNode(value);
    if (isForeign(value)) return { type: value.typeKey, data: this.#data(value.attrs) };
    return { type: "ffi.Tensor", data: encodeTensor(value as Tensor) };
  }

  #irNode(node: Node): Json {
    const form = this.#forms.get(node.kind)?.main;
    if (form !== undefined) return { type: form.typeKey, data: this.#data(form.write(node as never)) };
    return { type: OWN_NODE, data: { index: this.#own.push(node) - 1 } };
  }

  #data(attrs: ObjectAttrs): Json {
    return Object.fromEntries(Object.entries(attrs).map(([name, v]) => [name, this.#attr(v)]));
  }

  #attr(value: ObjectAttr): Json {
    if (typeof value === "string") return this.#index(value);
    if (typeof value === "bigint") return Number(value);
    if (typeof value !== "object") return value;
    return this.#index("object" in value ? value.object : value.tensor);
  }
}

function isList(value: GraphObject): value is readonly GraphObject[] {
  return Array.isArray(value);
}

function isForeign(value: object): value is ForeignObject {
  return "typeKey" in value && "attrs" in value;
}
