import { passContext, type IRModule } from "@verticil/ir-core";
import { BlockBuilder, lambdaLift, makeTuple, relaxOps, type Expr, type OpRegistry } from "@verticil/relax";
import type { Tensor } from "@verticil/runtime-ffi";
import type { ConverterTable } from "./converter.ts";
import { checkSupported } from "./graph/check-supported.ts";
import { GraphImport } from "./graph/graph-import.ts";
import { graphInputs, type GivenShape } from "./graph/graph-inputs.ts";
import { markDataflow } from "./graph/mark-dataflow.ts";
import { orderedNodes } from "./graph/order.ts";
import { Problems } from "./graph/problems.ts";
import { DecidesAtRunTime } from "./graph/run-time-control.ts";
import { StandIns } from "./graph/stand-ins.ts";
import { SymbolicDims, type GivenDim } from "./graph/symbolic-dims.ts";
import { widenedTensor, withoutHalves } from "./graph/without-halves.ts";
import { fail } from "./messages.ts";
import { NodeContext } from "./node-context.ts";
import { onnxConverters } from "./ops/table.ts";
import { decodeModel, type OnnxModel } from "./proto/decode.ts";
import type { NodeProto } from "./proto/schema.ts";
import { readTensor, type ReadExternal } from "./proto/tensor.ts";
import type { Value } from "./value.ts";

/** How a model is imported. */
export interface ImportOptions {
  /**
   * Sizes for named dimensions of the inputs, e.g. `{ batch: 1 }`. Dimensions without one stay symbolic; `{ max: 512 }` says
   * how large one may become, so that memory can be planned.
   */
  readonly dims?: Readonly<Record<string, GivenDim>>;
  /**
   * Shapes for inputs by name, instead of those in the file; a string is a symbolic dimension. A sequence takes a list of the
   * shapes of its tensors, which says how many there are; null says that an optional input holds nothing.
   */
  readonly shapes?: Readonly<Record<string, GivenShape>>;
  /** Inputs whose values are fixed in the compiled model: they are no longer parameters. */
  readonly constants?: Readonly<Record<string, Tensor>>;
  /** Reads data that the model keeps in files of their own, piece by piece: `externalDataBeside(path)` of `@verticil/onnx/node`. */
  readonly externalData?: ReadExternal;
  /**
   * What becomes of float16. `keep`, which is the default: inputs, outputs and casts are what the file says, and weights are
   * stored as they are until a target without such numbers widens them. `widen`: the model has float32 in its place, in inputs and
   * outputs too, and rounds nothing to it.
   */
  readonly float16?: "keep" | "widen";
  /** Converters beside ours, or instead of them: `{ "my.domain:MyOp": (ctx) => ctx.emit("nn.relu", [ctx.input(0)]) }`. */
  readonly converters?: ConverterTable;
  /** The Relax operators that converters may emit; all of ours unless told. */
  readonly ops?: OpRegistry;
}

/**
 * The bytes of an ONNX model as a module with one function `main`: the graph's inputs are its parameters, its weights
 * are constants, and everything is in one dataflow block, unless the model decides something at run time: then there are
 * blocks between its branches, and a private function for the body of each loop. The function's attributes keep the names of the file
 * (`input_names`, `output_names`), whose values are `main`'s parameters and, in a tuple if there are several, its
 * result.
 *
 * Shape arithmetic is done while importing, so that a graph of static shapes has no shape operators left.
 *
 * @throws DiagnosticError whose codes start with `onnx/`: the file is not a model, uses what is not
 * supported, is not a graph, or does not fit together. Everything
 * that is wrong with its nodes, inputs and constants is listed, those of sub-graphs and functions included.
 */
export function importOnnx(bytes: Uint8Array, options: ImportOptions = {}): IRModule {
  const decoded = decodeModel(bytes);
  const model = options.float16 === "widen" ? withoutHalves(decoded) : decoded;
  try {
    return importModel(model, options, true);
  } catch (error) {
    if (!(error instanceof DecidesAtRunTime)) throw error;
    return markDataflow(lambdaLift().run(importModel(model, options, false), passContext({ dialects: [] })));
  }
}

/** `straight`: everything is in one dataflow block. */
function importModel(model: OnnxModel, options: ImportOptions, straight: boolean): IRModule {
  const converters = options.converters === undefined ? onnxConverters : { ...onnxConverters, ...options.converters };
  const nodes = orderedNodes(model.graph);
  const problems = new Problems();
  problems.add(checkSupported(model, converters, new Set(Object.keys(options.constants ?? {}))));
  const initialized = new Set((model.graph.initializer ?? []).map((t) => t.name ?? ""));
  const stored = options.float16 === "widen" ? widenedTensor : (t: Tensor): Tensor => t;
  const constants = new Map(Object.entries(options.constants ?? {}).map(([name, t]) => [name, stored(t)]));
  const inputs = (model.graph.input ?? []).filter((i) => !initialized.has(i.name ?? "") && !constants.has(i.name ?? ""));
  const dims = new SymbolicDims(options.dims ?? {});
  const given = graphInputs(inputs, dims, options.shapes ?? {}, problems);
  const params = given.flatMap((i) => i.parameters);
  if (!problems.any) dims.checkGiven();
  const bb = new BlockBuilder({ ops: options.ops ?? relaxOps });
  const graph = new GraphImport(bb, model, converters, problems, new StandIns(model.graph, dims), (proto) => stored(readTensor(proto, "a constant", options.externalData)));
  for (const { name, value } of given) {
    if (value.kind === "unknown") graph.defineUnknown(name);
    else graph.define(name, value);
  }
  for (const [name, tensor] of constants) graph.define(name, { kind: "constant", tensor });
  // Known when the body is: a sequence has as many as it has tensors.
  const outputNames: string[] = [];
  const body = (): Expr => {
    runCollecting(graph, model, nodes, problems);
    const outputs = (model.graph.output ?? []).flatMap((o) => outputsOf(graph, o.name ?? ""));
    outputNames.push(...outputs.map(([name]) => name));
    return bb.emitOutput(result(outputs.map(([, e]) => e)));
  };
  const build = straight ? (): Expr => bb.dataflow(body) : body;
  const bounds = dims.upperBounds();
  const bounded = Object.keys(bounds).length === 0 ? {} : { tir_var_upper_bound: bounds };
  const attrs = { ...bounded, num_input: params.length, input_names: params.map((p) => p.name), output_names: outputNames };
  bb.function("main", params.map((p) => p.variable), build, { attrs });
  return bb.finalize();
}

/** @throws DiagnosticError with all that is wrong with the nodes. */
function runCollecting(graph: GraphImport, model: OnnxModel, nodes: readonly NodeProto[], problems: Problems): void {
  try {
    graph.run(model.graph, nodes);
  } catch (error) {
    // After the first problem other errors may well be its consequence.
    if (!(error instanceof DecidesAtRunTime)) problems.throwIfAny();
    throw error;
  }
  problems.throwIfAny();
}

/** What an output of the graph is made of, by the names that the module's function gives. */
function outputsOf(graph: GraphImport, name: string): readonly (readonly [string, Expr])[] {
  const named = (key: string, value: Value): readonly (readonly [string, Expr])[] => {
    if (value.kind === "nothing") return [];
    if (value.kind === "sequence") return value.items.flatMap((v, i) => named(`${key}.${i}`, v));
    return [[key, new NodeContext(graph, { name, opType: "output" }, 1, [value]).input(0)]];
  };
  return named(name, graph.lookup(name) ?? fail("missing-output", { name }));
}

/** One expression, or a tuple of several. */
function result(exprs: readonly Expr[]): Expr {
  const [only] = exprs;
  return exprs.length === 1 && only !== undefined ? only : makeTuple(exprs);
}
