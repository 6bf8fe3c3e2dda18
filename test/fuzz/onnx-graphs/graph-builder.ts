import { elementCount, isFloat, tensorFrom, type ScalarDType, type Tensor } from "@verticil/runtime-ffi";
import type { TestAttribute } from "../../../packages/onnx/src/testing/onnx-model.ts";
import { Random } from "../random.ts";
import { fits, type Facts } from "./facts.ts";
import type { GraphModel, GraphNode } from "./graph-model.ts";

/** A node that a rule proposes: operands by name, and what is known of its results. */
export interface Draft {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly attrs?: Readonly<Record<string, TestAttribute>>;
  readonly outputs: readonly Facts[];
}

/** A way to go on with a graph; undefined where nothing in it suits. */
export type Rule = (g: GraphBuilder) => Draft | undefined;

/** A value of the graph that is being made. */
export interface Value extends Facts {
  readonly name: string;
  /** The nodes of the longest chain that ends in it. */
  readonly depth: number;
}

/** No value holds more elements. */
const maxElements = 4096;

/** A graph that grows node by node; all choices are the seed's. */
export class GraphBuilder {
  readonly random: Random;
  readonly #values = new Map<string, Value>();
  readonly #inputs = new Map<string, Tensor>();
  readonly #constants = new Map<string, Tensor>();
  readonly #nodes: GraphNode[] = [];
  readonly #chain: boolean;
  #depth = 0;

  /** @param chain whether the graph grows at the end of its longest chain more than anywhere else. */
  constructor(seed: number, chain = false) {
    this.random = new Random(seed);
    this.#chain = chain;
  }

  get size(): number {
    return this.#nodes.length;
  }

  /** The nodes of the longest chain. */
  get depth(): number {
    return this.#depth;
  }

  /** An input with data of the type; floats are eighths between -4 and 4, so that they start exact. */
  input(dtype: ScalarDType, shape: readonly number[]): Value {
    const [facts, tensor] = this.#data(dtype, shape);
    return this.#define(facts, this.#inputs, "x", tensor);
  }

  /** A constant like `input`, or of the given elements. */
  constant(dtype: ScalarDType, shape: readonly number[], elements?: readonly number[]): Value {
    if (elements === undefined) {
      const [facts, tensor] = this.#data(dtype, shape);
      return this.#define(facts, this.#constants, "c", tensor);
    }
    const grain = elements.every(Number.isInteger) ? 1 : 0.125;
    const lo = Math.min(0, ...elements);
    const facts: Facts = { dtype, shape, lo, hi: Math.max(0, ...elements), grain, error: 0 };
    return this.#define(facts, this.#constants, "c", tensorFrom(elements, shape, dtype));
  }

  /** The indices that `ints` are, as operators take them. */
  indices(values: readonly number[]): string {
    return this.constant("int64", [values.length], values).name;
  }

  /** A value with elements that passes the test, recent ones more often; undefined if there is none. */
  find(test: (v: Value) => boolean): Value | undefined {
    const all = [...this.#values.values()].filter((v) => test(v) && elementCount(v.shape) > 0 && elementCount(v.shape) <= maxElements);
    if (all.length === 0) return undefined;
    if (this.#chain) {
      const ends = all.filter((v) => v.depth === this.#depth);
      if (ends.length > 0 && this.chance(0.6)) return this.random.pick(ends);
    }
    const recent = this.random.next() < 0.7 ? all.slice(-6) : all;
    return this.random.pick(recent);
  }

  /** A whole number from `low` to `high`. */
  between(low: number, high: number): number {
    return low + this.random.below(high - low + 1);
  }

  chance(share: number): boolean {
    return this.random.next() < share;
  }

  /** A shape that broadcasts with `shape`, and into it. */
  broadcastable(shape: readonly number[]): readonly number[] {
    return shape.slice(this.random.below(shape.length + 1)).map((d) => (this.chance(0.4) ? 1 : d));
  }

  /** Goes on by a rule, if it suits and its results stay within what can be compared; leaves nothing behind if not. */
  grow(rule: Rule): boolean {
    const known = this.#values.size;
    const draft = rule(this);
    if (draft !== undefined && this.#accepts(draft)) {
      this.#add(draft);
      return true;
    }
    for (const name of [...this.#values.keys()].slice(known)) {
      this.#values.delete(name);
      this.#constants.delete(name);
    }
    return false;
  }

  /** The graph so far. Its results are the values that nothing reads. */
  finish(): GraphModel {
    const read = new Set(this.#nodes.flatMap((n) => n.inputs));
    const outputs = this.#nodes.flatMap((n) => n.outputs).filter((name) => !read.has(name));
    const isUsed = ([name]: readonly [string, Tensor]): boolean => read.has(name);
    return {
      inputs: new Map([...this.#inputs].filter(isUsed)),
      constants: new Map([...this.#constants].filter(isUsed)),
      nodes: this.#nodes,
      depth: this.#depth,
      outputs,
      types: new Map([...this.#values].map(([name, { dtype, shape }]) => [name, { dtype, shape }])),
      slack: new Map([...this.#values].map(([name, v]) => [name, v.error])),
    };
  }

  #accepts(draft: Draft): boolean {
    if (!draft.outputs.every((f) => fits(f) && elementCount(f.shape) <= maxElements)) return false;
    return !this.#chain || this.#depthOf(draft) > this.#depth || this.chance(0.15);
  }

  #add(draft: Draft): void {
    const depth = this.#depthOf(draft);
    this.#depth = Math.max(this.#depth, depth);
    const outputs = draft.outputs.map((f) => {
      const value: Value = { ...f, name: `v${this.#values.size}`, depth };
      this.#values.set(value.name, value);
      return value.name;
    });
    this.#nodes.push({ op: draft.op, inputs: draft.inputs, outputs, attrs: draft.attrs ?? {} });
  }

  #depthOf(draft: Draft): number {
    return 1 + Math.max(0, ...draft.inputs.map((name) => this.#values.get(name)?.depth ?? 0));
  }

  #define(facts: Facts, into: Map<string, Tensor>, prefix: string, tensor: Tensor): Value {
    const value: Value = { ...facts, name: `${prefix}${this.#values.size}`, depth: 0 };
    this.#values.set(value.name, value);
    into.set(value.name, tensor);
    return value;
  }

  #data(dtype: ScalarDType, shape: readonly number[]): readonly [Facts, Tensor] {
    const float = isFloat(dtype);
    const [lo, hi] = float ? [-4, 4] : dtype === "bool" ? [0, 1] : dtype === "uint8" ? [0, 15] : [-10, 10];
    const grain = float ? 0.125 : 1;
    const elements = Array.from({ length: elementCount(shape) }, () => lo + grain * this.random.below((hi - lo) / grain + 1));
    return [{ dtype, shape, lo, hi, grain, error: 0 }, tensorFrom(elements, shape, dtype)];
  }
}
