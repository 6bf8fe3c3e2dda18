import { type BlockBuilder, makeConstant, type Constant } from "@verticil/relax";
import type { Tensor } from "@verticil/runtime-ffi";
import type { PrimExpr } from "@verticil/tir";
import { findConverter, type ConverterTable } from "../converter.ts";
import { foldNode } from "../fold/fold-node.ts";
import { fail } from "../messages.ts";
import { NodeContext } from "../node-context.ts";
import { domainOf, type OnnxModel } from "../proto/decode.ts";
import type { FunctionProto, GraphProto, NodeProto } from "../proto/schema.ts";
import { readTensor, type ReadExternal } from "../proto/tensor.ts";
import { toValue, type Value } from "../value.ts";
import { bindAttributes } from "./function-body.ts";
import { nodeLabel, orderedNodes } from "./order.ts";

/** The name of an operator in a converter table. */
export function tableName(node: NodeProto): string {
  const domain = domainOf(node.domain);
  return domain === "" ? (node.opType ?? "") : `${domain}:${node.opType ?? ""}`;
}

function readNames(model: OnnxModel): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (nodes: readonly NodeProto[], outputs: readonly string[]): void => {
    for (const name of outputs) names.add(name);
    for (const node of nodes) {
      for (const name of node.input ?? []) names.add(name);
      for (const a of node.attribute ?? []) {
        for (const g of [a.g, ...(a.graphs ?? [])]) visit(g?.node ?? [], (g?.output ?? []).map((o) => o.name ?? ""));
      }
    }
  };
  visit(model.graph.node ?? [], (model.graph.output ?? []).map((o) => o.name ?? ""));
  for (const f of model.functions.values()) visit(f.node ?? [], f.output ?? []);
  return names;
}

/** Converts graphs node by node into one function that is being built. */
export class GraphImport {
  readonly bb: BlockBuilder;
  readonly #model: OnnxModel;
  readonly #converters: ConverterTable;
  /** Every name that something reads. */
  readonly #read: ReadonlySet<string>;
  readonly #constants = new Map<Tensor, Constant>();
  /** Innermost last: sub-graphs see what is defined around them. */
  #scopes: Map<string, Value>[] = [new Map()];

  readonly #readExternal: ReadExternal | undefined;

  constructor(bb: BlockBuilder, model: OnnxModel, converters: ConverterTable, readExternal?: ReadExternal) {
    this.#readExternal = readExternal;
    this.bb = bb;
    this.#model = model;
    this.#converters = converters;
    this.#read = readNames(model);
  }

  /** True if some node, or the result of a graph, reads the value `name`. */
  isRead(name: string): boolean {
    return this.#read.has(name);
  }

  define(name: string, value: Value): void {
    this.#scopes.at(-1)?.set(name, value);
  }

  lookup(name: string): Value | undefined {
    return this.#scopes.findLast((s) => s.has(name))?.get(name);
  }

  /** One node of the IR a tensor, so that a weight that is used twice is stored once. */
  constant(tensor: Tensor): Constant {
    const known = this.#constants.get(tensor);
    if (known !== undefined) return known;
    const made = makeConstant(tensor);
    this.#constants.set(tensor, made);
    return made;
  }

  simplify(dim: PrimExpr): PrimExpr {
    return this.bb.infer.simplify(dim);
  }

  /** Converts the nodes of a graph whose inputs are defined. */
  run(graph: GraphProto, nodes: readonly NodeProto[]): void {
    for (const tensor of graph.initializer ?? []) {
      this.define(tensor.name ?? "", { kind: "constant", tensor: readTensor(tensor, "a constant", this.#readExternal) });
    }
    for (const node of nodes) this.#node(node);
  }

  /** Converts a sub-graph with `inputs`; gives its outputs. */
  inline(graph: GraphProto, inputs: readonly Value[]): readonly Value[] {
    return this.#scoped(this.#scopes, () => {
      const outer = new Set(this.#scopes.flatMap((s) => [...s.keys()]));
      for (const [i, { name }] of (graph.input ?? []).entries()) this.#defineGiven(name ?? "", inputs[i]);
      this.run(graph, orderedNodes(graph, outer));
      return (graph.output ?? []).map((o) => this.#result(o.name ?? ""));
    });
  }

  #result(name: string): Value {
    return this.lookup(name) ?? fail("missing-output", { name });
  }

  #defineGiven(name: string, value: Value | undefined): void {
    if (value !== undefined) this.define(name, value);
  }

  #scoped<T>(around: readonly Map<string, Value>[], body: () => T): T {
    const saved = this.#scopes;
    this.#scopes = [...around, new Map()];
    const result = body();
    this.#scopes = saved;
    return result;
  }

  #node(node: NodeProto): void {
    const inputs = (node.input ?? []).map((name) => (name === "" ? undefined : this.#input(node, name)));
    const version = this.#model.opsets.get(domainOf(node.domain)) ?? 1;
    const convert = findConverter(this.#converters, tableName(node), version);
    if (convert === undefined) {
      this.#outputs(node, this.#call(node, inputs));
      return;
    }
    const ctx = new NodeContext(this, node, version, inputs);
    const folded = foldNode(ctx);
    const outputs = folded ?? convert(ctx);
    const list = Array.isArray(outputs) ? outputs : [outputs];
    this.#outputs(node, list.map((o) => (o === undefined ? undefined : toValue(o))));
  }

  #input(node: NodeProto, name: string): Value {
    return this.lookup(name) ?? fail("missing-input", { node: nodeLabel(node), name });
  }

  #outputs(node: NodeProto, values: readonly (Value | undefined)[]): void {
    for (const [i, name] of (node.output ?? []).entries()) {
      const value = values[i];
      if (name === "") continue;
      if (value !== undefined) this.define(name, value);
      else if (this.isRead(name)) fail("unsupported-form", { node: nodeLabel(node), reason: `its output number ${i} is used` });
    }
  }

  /** A node that calls a function of the model: its body in place. */
  #call(node: NodeProto, inputs: readonly (Value | undefined)[]): readonly Value[] {
    const func: FunctionProto | undefined = this.#model.functions.get(`${domainOf(node.domain)}:${node.opType ?? ""}`);
    if (func === undefined) return fail("unsupported-op", { op: tableName(node), nodes: [node.name ?? ""] });
    return this.#scoped([], () => {
      for (const [i, name] of (func.input ?? []).entries()) this.#defineGiven(name, inputs[i]);
      const graph = bindAttributes(func, node);
      const given = new Set((func.input ?? []).filter((_, i) => inputs[i] !== undefined));
      this.run(graph, orderedNodes(graph, given));
      return (func.output ?? []).map((name) => this.#result(name));
    });
  }
}
