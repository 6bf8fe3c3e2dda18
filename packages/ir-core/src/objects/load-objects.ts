import type { Tensor } from "@verticil/runtime-ffi";
import { decodeBase64 } from "../base64.ts";
import type { Dialect } from "../field-table.ts";
import type { IRModule } from "../ir.ts";
import { loadJson } from "../json-reader.ts";
import { isNode, type Node } from "../node.ts";
import { loadGraph } from "./load-graph.ts";
import type { AnyObjectForm, GraphObject, ObjectReader } from "./object-form.ts";
import { objectForms, OWN_NODE, OWN_NODES } from "./save-objects.ts";
import { decodeTensor } from "./tensor-blob.ts";

/** How deep objects may be nested. */
const MAX_DEPTH = 500;

/**
 * The objects of upstream's JSON, as `saveObjects`, `saveGraph` and `tvm.ir.save_json` of v0.20 and of main write it. Objects that the root does not lead
 * to are not looked at.
 * @throws SyntaxError if the text is not JSON.
 * @throws RangeError that says what is wrong if it is no such graph, or holds what no dialect reads.
 */
export function loadObjects(text: string, opts: { readonly dialects: readonly Dialect[] }): GraphObject {
  const graph: unknown = JSON.parse(text);
  if (isFields(graph) && "root_index" in graph) return loadGraph(graph, opts.dialects);
  return new GraphReader(graph, opts.dialects).root();
}

type Fields = Readonly<Record<string, unknown>>;

class GraphReader {
  readonly #graph: Fields;
  readonly #nodes: readonly unknown[];
  readonly #blobs: readonly unknown[];
  readonly #dialects: readonly Dialect[];
  readonly #forms: ReadonlyMap<string, AnyObjectForm>;
  readonly #made = new Map<number, GraphObject>();
  readonly #tensors = new Map<number, Tensor>();
  #own: readonly unknown[] | undefined;
  #depth = 0;

  constructor(graph: unknown, dialects: readonly Dialect[]) {
    if (!isFields(graph) || !Array.isArray(graph["nodes"])) throw new RangeError("It needs `root` and `nodes`.");
    this.#graph = graph;
    this.#nodes = graph["nodes"];
    this.#blobs = Array.isArray(graph["b64ndarrays"]) ? graph["b64ndarrays"] : [];
    this.#dialects = dialects;
    this.#forms = new Map([...objectForms(dialects).values()].map((f) => [f.typeKey, f]));
  }

  root(): GraphObject {
    const root = this.object(this.#graph["root"]);
    if (root === undefined) throw new RangeError("Its root is no object.");
    return root;
  }

  /** The object of a number; undefined for 0, which stands for none. */
  object(index: unknown): GraphObject | undefined {
    const i = typeof index === "string" && /^\d{1,9}$/.test(index) ? Number(index) : index;
    if (i === 0) return undefined;
    const node = typeof i === "number" ? this.#nodes[i] : undefined;
    if (typeof i !== "number" || !isFields(node)) throw new RangeError(`There is no object \`${String(index).slice(0, 20)}\`.`);
    const known = this.#made.get(i);
    if (known !== undefined) return known;
    if (++this.#depth > MAX_DEPTH) throw new RangeError("Its objects are nested too deeply, or are part of themselves.");
    const made = this.#make(node);
    this.#depth--;
    this.#made.set(i, made);
    return made;
  }

  #make(node: Fields): GraphObject {
    const key = node["type_key"];
    switch (key) {
      case "Array":
        return this.#list(node["data"]);
      case "Map":
        return this.#map(node);
      case "runtime.String":
        return textOf(node);
      case "runtime.NDArray":
        return decodeTensor(textOf(node));
      default: {
        const attrs = new AttrsReader(this, String(key), isFields(node["attrs"]) ? node["attrs"] : {});
        if (key === OWN_NODE) return this.#ownNode(Number(attrs.integer("index")));
        const form = this.#forms.get(String(key));
        if (form === undefined) throw new RangeError(`No dialect reads objects of type \`${String(key).slice(0, 50)}\`.`);
        return form.read(attrs);
      }
    }
  }

  #list(data: unknown): readonly GraphObject[] {
    if (data === undefined) return [];
    if (!Array.isArray(data)) throw new RangeError("A list of objects is not one.");
    return data.map((i) => this.object(i)).filter((o) => o !== undefined);
  }

  #map(node: Fields): ReadonlyMap<string, GraphObject> {
    const keys = node["keys"] ?? [];
    const values = this.#list(node["data"]);
    if (!Array.isArray(keys) || keys.length !== values.length) throw new RangeError("A map has keys that are not texts, or another number of values.");
    return new Map(keys.map((k, i) => [String(k), values[i] ?? ""]));
  }

  #ownNode(index: number): Node {
    const attrs = this.#graph["attrs"];
    if (this.#own === undefined) {
      const json = isFields(attrs) ? attrs[OWN_NODES] : undefined;
      const module = typeof json === "string" ? (loadJson(json, { dialects: this.#dialects }) as IRModule) : undefined;
      const nodes = module?.attrs["nodes"];
      this.#own = Array.isArray(nodes) ? nodes : [];
    }
    const node = this.#own[index];
    if (!isNode(node)) throw new RangeError(`There is no node ${index} among those that are kept in our own form.`);
    return node;
  }

  tensor(index: number): Tensor {
    const known = this.#tensors.get(index);
    if (known !== undefined) return known;
    const blob = this.#blobs[index];
    if (typeof blob !== "string") throw new RangeError(`There is no tensor ${index}.`);
    const made = decodeTensor(blob);
    this.#tensors.set(index, made);
    return made;
  }
}

/** What references lead to. */
interface References {
  object(index: unknown): GraphObject | undefined;
  tensor(index: number): Tensor;
}

class AttrsReader implements ObjectReader {
  readonly #graph: References;
  readonly #typeKey: string;
  readonly #attrs: Fields;

  constructor(graph: References, typeKey: string, attrs: Fields) {
    this.#graph = graph;
    this.#typeKey = typeKey;
    this.#attrs = attrs;
  }

  text(name: string): string {
    const value = this.#attrs[name];
    if (typeof value !== "string") throw new RangeError(`A \`${this.#typeKey}\` has no \`${name}\`.`);
    return value;
  }

  integer(name: string): number | bigint {
    const text = this.text(name);
    if (!/^-?\d{1,40}$/.test(text)) throw new RangeError(`\`${name}\` of a \`${this.#typeKey}\` is not a whole number.`);
    const number = Number(text);
    return Number.isSafeInteger(number) ? number : BigInt(text);
  }

  float(name: string): number {
    const text = this.text(name);
    if (text === "inf" || text === "-inf") return text === "inf" ? Infinity : -Infinity;
    if (!/^-?(nan|[\d.]+(e[-+]?\d+)?)$/i.test(text)) throw new RangeError(`\`${name}\` of a \`${this.#typeKey}\` is not a number.`);
    return Number(text);
  }

  object(name: string): GraphObject | undefined {
    return this.#graph.object(this.text(name));
  }

  tensor(name: string): Tensor {
    return this.#graph.tensor(Number(this.integer(name)));
  }
}

/** The text that an object is stored as. */
function textOf(node: Fields): string {
  const plain = node["repr_str"];
  if (typeof plain === "string") return plain;
  const blob = node["repr_b64"];
  if (typeof blob !== "string") return "";
  const bytes = decodeBase64(blob);
  if (bytes.length < 8) throw new RangeError("A text is cut off.");
  return new TextDecoder().decode(bytes.slice(8));
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
