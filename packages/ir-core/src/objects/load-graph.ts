import type { Tensor } from "@verticil/runtime-ffi";
import type { Dialect } from "../field-table.ts";
import type { IRModule } from "../ir.ts";
import { loadJson } from "../json-reader.ts";
import { isNode, type Node } from "../node.ts";
import type { AnyObjectForm, GraphObject, ObjectReader } from "./object-form.ts";
import { objectForms, OWN_NODE, OWN_NODES } from "./save-objects.ts";
import { decodeTensor } from "./tensor-blob.ts";

/** How deep objects may be nested. */
const MAX_DEPTH = 500;

type Fields = Readonly<Record<string, unknown>>;

/**
 * The objects of main's JSON: see `saveGraph`. Objects that the root does not lead to are not looked at.
 * @throws RangeError that says what is wrong if it is no such graph, or holds what no dialect reads.
 */
export function loadGraph(graph: Fields, dialects: readonly Dialect[]): GraphObject {
  const root = new LayoutReader(graph, dialects).at(graph["root_index"]);
  if (root === undefined || isPlain(root)) throw new RangeError("Its root is no object.");
  return root;
}

/** What a node stands for: plain numbers and truth values are no objects. */
type Item = GraphObject | number | boolean | undefined;

function isPlain(item: Item): item is number | boolean {
  return typeof item === "number" || typeof item === "boolean";
}

class LayoutReader {
  readonly #graph: Fields;
  readonly #nodes: readonly unknown[];
  readonly #dialects: readonly Dialect[];
  readonly #forms: ReadonlyMap<string, AnyObjectForm>;
  readonly #made = new Map<number, Item>();
  #own: readonly unknown[] | undefined;
  #depth = 0;

  constructor(graph: Fields, dialects: readonly Dialect[]) {
    if (!Array.isArray(graph["nodes"])) throw new RangeError("It needs `root_index` and `nodes`.");
    this.#graph = graph;
    this.#nodes = graph["nodes"];
    this.#dialects = dialects;
    this.#forms = new Map([...objectForms(dialects).values()].flatMap((f) => (f.main === undefined ? [] : [[f.main.typeKey, f]])));
  }

  /** The node at a place. */
  at(index: unknown): Item {
    const node = typeof index === "number" ? this.#nodes[index] : undefined;
    if (typeof index !== "number" || !isFields(node)) throw new RangeError(`There is no node \`${String(index).slice(0, 20)}\`.`);
    if (this.#made.has(index)) return this.#made.get(index);
    if (++this.#depth > MAX_DEPTH) throw new RangeError("Its objects are nested too deeply, or are part of themselves.");
    const made = this.#make(String(node["type"]), node["data"]);
    this.#depth--;
    this.#made.set(index, made);
    return made;
  }

  #make(type: string, data: unknown): Item {
    switch (type) {
      case "None":
        return undefined;
      case "int":
      case "float":
        return typeof data === "number" ? data : Number(data);
      case "bool":
        return data === true;
      case "ffi.String":
        return String(data);
      case "ffi.Tensor":
        return decodeTensor(String(data));
      case "ffi.Array":
        return this.#list(data).filter((item): item is GraphObject => item !== undefined && !isPlain(item));
      case "ffi.Map":
        return this.#map(this.#list(data));
      default:
        return this.#object(type, isFields(data) ? data : {});
    }
  }

  #list(data: unknown): readonly Item[] {
    if (data === undefined) return [];
    if (!Array.isArray(data)) throw new RangeError("A list of objects is not one.");
    return data.map((i) => this.at(i));
  }

  #map(items: readonly Item[]): ReadonlyMap<string, GraphObject> {
    const out = new Map<string, GraphObject>();
    for (let i = 0; i + 1 < items.length; i += 2) {
      const [key, value] = [items[i], items[i + 1]];
      if (typeof key !== "string" || value === undefined || isPlain(value)) throw new RangeError("A map has keys that are not texts, or values that are no objects.");
      out.set(key, value);
    }
    return out;
  }

  #object(type: string, data: Fields): GraphObject {
    const attrs = new FieldReader(this, type, data);
    if (type === OWN_NODE) return this.#ownNode(Number(attrs.integer("index")));
    const form = this.#forms.get(type)?.main;
    if (form === undefined) throw new RangeError(`No dialect reads objects of type \`${type.slice(0, 50)}\`.`);
    return form.read(attrs);
  }

  #ownNode(index: number): Node {
    const kept = this.#graph["metadata"];
    if (this.#own === undefined) {
      const json = isFields(kept) ? kept[OWN_NODES] : undefined;
      const module = typeof json === "string" ? (loadJson(json, { dialects: this.#dialects }) as IRModule) : undefined;
      const nodes = module?.attrs["nodes"];
      this.#own = Array.isArray(nodes) ? nodes : [];
    }
    const node = this.#own[index];
    if (!isNode(node)) throw new RangeError(`There is no node ${index} among those that are kept in our own form.`);
    return node;
  }
}

/** The fields of an object: plain numbers stand where they are, everything else is the place of a node. */
class FieldReader implements ObjectReader {
  readonly #graph: LayoutReader;
  readonly #type: string;
  readonly #data: Fields;

  constructor(graph: LayoutReader, type: string, data: Fields) {
    this.#graph = graph;
    this.#type = type;
    this.#data = data;
  }

  text(name: string): string {
    const value = this.#graph.at(this.#data[name]);
    return typeof value === "string" ? value : this.#fail(name);
  }

  integer(name: string): number | bigint {
    const value = this.#data[name];
    return typeof value === "number" && Number.isInteger(value) ? value : this.#fail(name);
  }

  float(name: string): number {
    const value = this.#data[name];
    return typeof value === "number" ? value : this.#fail(name);
  }

  object(name: string): GraphObject | undefined {
    const value = this.#data[name] === undefined ? undefined : this.#graph.at(this.#data[name]);
    return isPlain(value) ? this.#fail(name) : value;
  }

  tensor(name: string): Tensor {
    const value = this.object(name);
    if (typeof value !== "object" || isNode(value) || Array.isArray(value) || !("data" in value) || !("dtype" in value)) return this.#fail(name);
    return value as Tensor;
  }

  #fail(name: string): never {
    throw new RangeError(`A \`${this.#type.slice(0, 50)}\` has no \`${name}\`.`);
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
