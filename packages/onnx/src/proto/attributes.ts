import { fail } from "../messages.ts";
import { toNumber } from "./integers.ts";
import type { AttributeProto, GraphProto, NodeProto, TensorProto } from "./schema.ts";

const TYPE_NAMES = ["nothing", "a float", "an integer", "a string", "a tensor", "a graph", "floats", "integers", "strings", "tensors", "graphs"] as const;

const FLOAT = 1;
const INT = 2;
const STRING = 3;
const TENSOR = 4;
const GRAPH = 5;
const FLOATS = 6;
const INTS = 7;
const STRINGS = 8;

/** The attributes of a node, read by name and type; a wrong type is an error of the model. */
export class Attributes {
  readonly #byName: ReadonlyMap<string, AttributeProto>;
  readonly #node: string;

  /** `node` is how messages name the node. */
  constructor(proto: NodeProto, node: string) {
    this.#byName = new Map((proto.attribute ?? []).map((a) => [a.name ?? "", a]));
    this.#node = node;
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  get names(): readonly string[] {
    return [...this.#byName.keys()];
  }

  /** An integer; `undefined` where there is none. */
  int(name: string): number | undefined;
  int(name: string, fallback: number): number;
  int(name: string, fallback?: number): number | undefined {
    const a = this.#get(name, INT);
    return a === undefined ? fallback : toNumber(a.i);
  }

  /** A flag, stored as an integer. */
  flag(name: string, fallback = false): boolean {
    return this.int(name, fallback ? 1 : 0) !== 0;
  }

  float(name: string): number | undefined;
  float(name: string, fallback: number): number;
  float(name: string, fallback?: number): number | undefined {
    const a = this.#get(name, FLOAT);
    return a === undefined ? fallback : (a.f ?? 0);
  }

  string(name: string): string | undefined;
  string(name: string, fallback: string): string;
  string(name: string, fallback?: string): string | undefined {
    const a = this.#get(name, STRING);
    return a === undefined ? fallback : new TextDecoder().decode(a.s ?? new Uint8Array());
  }

  ints(name: string): readonly number[] | undefined;
  ints(name: string, fallback: readonly number[]): readonly number[];
  ints(name: string, fallback?: readonly number[]): readonly number[] | undefined {
    const a = this.#get(name, INTS);
    return a === undefined ? fallback : (a.ints ?? []).map(toNumber);
  }

  floats(name: string): readonly number[] | undefined {
    return this.#get(name, FLOATS)?.floats ?? undefined;
  }

  strings(name: string): readonly string[] | undefined {
    const decoder = new TextDecoder();
    return this.#get(name, STRINGS)?.strings?.map((s) => decoder.decode(s));
  }

  tensor(name: string): TensorProto | undefined {
    return this.#get(name, TENSOR)?.t ?? undefined;
  }

  graph(name: string): GraphProto | undefined {
    return this.#get(name, GRAPH)?.g ?? undefined;
  }

  #get(name: string, type: number): AttributeProto | undefined {
    const a = this.#byName.get(name);
    if (a === undefined) return undefined;
    // The first models had no types.
    const got = a.type ?? 0;
    if (got !== type && got !== 0) {
      fail("attribute-type", { node: this.#node, name, expected: typeName(type), got: typeName(got) });
    }
    return a;
  }
}

function typeName(type: number): string {
  return TYPE_NAMES[type] ?? `type ${type}`;
}
