import { type BlockBuilder, makeConstant, type Constant } from "@verticil/relax";
import { DiagnosticError } from "@verticil/ir-core";
import type { Tensor } from "@verticil/runtime-ffi";
import type { PrimExpr } from "@verticil/tir";
import { findConverter, type Converter, type ConverterTable } from "../converter.ts";
import { foldNode } from "../fold/fold-node.ts";
import { fail } from "../messages.ts";
import { NodeContext } from "../node-context.ts";
import { domainOf, opsetsWithin, type OnnxModel } from "../proto/decode.ts";
import type { FunctionProto, GraphProto, NodeProto, TensorProto } from "../proto/schema.ts";
import { toValue, type Value } from "../value.ts";
import { bindAttributes } from "./function-body.ts";
import { nodeLabel, orderedNodes } from "./order.ts";
import { UnknownValue, type Problems } from "./problems.ts";
import { refusedWhatever } from "./refusals.ts";
import type { StandIns } from "./stand-ins.ts";

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

  readonly problems: Problems;
  readonly #standIns: StandIns;
  /** Values that stand for what could not be read, or were computed from such. */
  readonly #doubtful = new Set<Value | undefined>();
  /** How often a doubtful value was looked up. */
  #doubts = 0;
  #isGuessing = false;
  /** How many functions of the model are being put in place; their names say nothing to the graph's. */
  #depth = 0;
  /** Those of the model, or of the function that is being put in place. */
  #opsets: ReadonlyMap<string, number>;

  readonly #readStored: (proto: TensorProto) => Tensor;

  constructor(bb: BlockBuilder, model: OnnxModel, converters: ConverterTable, problems: Problems, standIns: StandIns, readStored: (proto: TensorProto) => Tensor) {
    this.problems = problems;
    this.#standIns = standIns;
    this.#readStored = readStored;
    this.bb = bb;
    this.#model = model;
    this.#opsets = model.opsets;
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
    const value = this.#peek(name);
    if (this.#doubtful.has(value)) this.#doubts++;
    return value;
  }

  #peek(name: string): Value | undefined {
    return this.#scopes.findLast((s) => s.has(name))?.get(name);
  }

  /** Defines what could not be read: nodes that read it are looked at as far as that goes. */
  defineUnknown(name: string): void {
    this.define(name, { kind: "unknown" });
    this.#doubt(name);
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
      const name = tensor.name ?? "";
      // Weights may be large, and elsewhere.
      if (!this.isRead(name)) continue;
      try {
        this.define(name, { kind: "constant", tensor: this.#readStored(tensor) });
      } catch (error) {
        this.problems.note(error);
        this.defineUnknown(name);
      }
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
    try {
      return body();
    } finally {
      this.#scopes = saved;
    }
  }

  /** Converts a node. What is wrong with it is noted, and the nodes after it are still looked at. */
  #node(node: NodeProto): void {
    const names = node.input ?? [];
    const isDoubtful = names.map((name) => this.#isDoubtful(name));
    const doubts = this.#doubts;
    const version = this.#opsets.get(domainOf(node.domain)) ?? 1;
    const convert = findConverter(this.#converters, tableName(node), version);
    try {
      const inputs = names.map((name) => (name === "" ? undefined : this.#input(node, name)));
      if (convert === undefined) this.#outputs(node, this.#call(node, inputs));
      else if (isDoubtful.includes(true)) this.#doubtfulNode(node, convert, version, inputs, isDoubtful);
      else this.#outputs(node, this.#converted(node, convert, version, inputs));
    } catch (error) {
      // A node whose sub-graphs came across something unknown may fail because of that only.
      if (this.#doubts === doubts || !(error instanceof DiagnosticError)) this.problems.note(error);
      this.#standIn(node);
      return;
    }
    if (this.#doubts !== doubts) for (const name of node.output ?? []) this.#doubt(name);
  }

  #converted(node: NodeProto, convert: Converter, version: number, inputs: readonly (Value | undefined)[]): readonly (Value | undefined)[] {
    const ctx = new NodeContext(this, node, version, inputs);
    const outputs = foldNode(ctx) ?? convert(ctx);
    const list = Array.isArray(outputs) ? outputs : [outputs];
    return list.map((o) => (o === undefined ? undefined : toValue(o)));
  }

  /** A node after one that could not be read: noted if it is refused whatever its inputs may be. */
  #doubtfulNode(node: NodeProto, convert: Converter, version: number, inputs: readonly (Value | undefined)[], isDoubtful: readonly boolean[]): void {
    const attempt = (given: readonly (Value | undefined)[]): readonly (Value | undefined)[] => this.#converted(node, convert, version, given);
    if (!inputs.some((v) => v?.kind === "unknown")) {
      const typed = this.problems.trial(() => attempt(inputs));
      if (typed.isDone && typed.found.length === 0) return this.#outputs(node, typed.result);
    }
    this.#standIn(node);
    // Guesses within guesses would be as many as their product.
    if (this.#isGuessing) return;
    this.#isGuessing = true;
    this.problems.add(refusedWhatever(this.problems, inputs, isDoubtful, attempt));
    this.#isGuessing = false;
  }

  #standIn(node: NodeProto): void {
    for (const name of node.output ?? []) {
      if (name === "") continue;
      this.define(name, this.#depth === 0 ? this.#standIns.value(name) : { kind: "unknown" });
      this.#doubt(name);
    }
  }

  #isDoubtful(name: string): boolean {
    return this.#doubtful.size > 0 && this.#doubtful.has(this.#peek(name));
  }

  #doubt(name: string): void {
    const value = this.#peek(name);
    if (value !== undefined) this.#doubtful.add(value);
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
    // Operators without a converter were noted before.
    if (func === undefined) throw new UnknownValue();
    const around = this.#opsets;
    this.#depth++;
    this.#opsets = opsetsWithin(func, around);
    try {
      return this.#scoped([], () => {
        for (const [i, name] of (func.input ?? []).entries()) this.#defineGiven(name, inputs[i]);
        const graph = bindAttributes(func, node);
        const given = new Set((func.input ?? []).filter((_, i) => inputs[i] !== undefined));
        this.run(graph, orderedNodes(graph, given));
        return (func.output ?? []).map((name) => this.#result(name));
      });
    } finally {
      this.#opsets = around;
      this.#depth--;
    }
  }
}
