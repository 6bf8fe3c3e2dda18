import { passContext, type IRModule } from "@verticil/ir-core";
import { BlockBuilder, lambdaLift, makeTensorStructInfo, makeTuple, makeVar, relaxOps, staticShapeOf, type Expr, type OpRegistry, type TensorStructInfo, type Var } from "@verticil/relax";
import { zeros, type Tensor } from "@verticil/runtime-ffi";
import type { ConverterTable } from "./converter.ts";
import { checkSupported } from "./graph/check-supported.ts";
import { GraphImport } from "./graph/graph-import.ts";
import { markDataflow } from "./graph/mark-dataflow.ts";
import { orderedNodes } from "./graph/order.ts";
import { DecidesAtRunTime } from "./graph/run-time-control.ts";
import { sanitizedName } from "./graph/sanitized-name.ts";
import { SymbolicDims, type GivenDim } from "./graph/symbolic-dims.ts";
import { fail } from "./messages.ts";
import { NodeContext } from "./node-context.ts";
import { onnxConverters } from "./ops/table.ts";
import { decodeModel, type OnnxModel } from "./proto/decode.ts";
import type { ValueInfoProto } from "./proto/schema.ts";
import { dtypeOf, type ReadExternal } from "./proto/tensor.ts";
import type { Value } from "./value.ts";

/** How a model is imported. */
export interface ImportOptions {
  /**
   * Sizes for named dimensions of the inputs, e.g. `{ batch: 1 }`. Dimensions without one stay symbolic; `{ max: 512 }` says
   * how large one may become, so that memory can be planned.
   */
  readonly dims?: Readonly<Record<string, GivenDim>>;
  /** Shapes for inputs by name, instead of those in the file; a string is a symbolic dimension. */
  readonly shapes?: Readonly<Record<string, readonly (number | string)[]>>;
  /** Inputs whose values are fixed in the compiled model: they are no longer parameters. */
  readonly constants?: Readonly<Record<string, Tensor>>;
  /** Reads data that the model keeps in files of their own, piece by piece: `externalDataBeside(path)` of `@verticil/onnx/node`. */
  readonly externalData?: ReadExternal;
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
 * @throws DiagnosticError whose codes start with `onnx/`: the file is not a model, uses operators that are not
 * supported (all are listed), is not a graph, or does not fit together.
 */
export function importOnnx(bytes: Uint8Array, options: ImportOptions = {}): IRModule {
  const model = decodeModel(bytes);
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
  checkSupported(model, converters);
  const initialized = new Set((model.graph.initializer ?? []).map((t) => t.name ?? ""));
  const constants = new Map(Object.entries(options.constants ?? {}));
  const inputs = (model.graph.input ?? []).filter((i) => !initialized.has(i.name ?? "") && !constants.has(i.name ?? ""));
  const dims = new SymbolicDims(options.dims ?? {});
  const params = parameters(inputs, dims, options.shapes ?? {});
  dims.checkGiven();
  const bb = new BlockBuilder({ ops: options.ops ?? relaxOps });
  const graph = new GraphImport(bb, model, converters, options.externalData);
  for (const [i, param] of params.entries()) graph.define(inputs[i]?.name ?? "", inputValue(param));
  for (const [name, tensor] of constants) graph.define(name, { kind: "constant", tensor });
  const outputNames = (model.graph.output ?? []).map((o) => o.name ?? "");
  const body = (): Expr => {
    graph.run(model.graph, nodes);
    return bb.emitOutput(result(graph, outputNames));
  };
  const build = straight ? (): Expr => bb.dataflow(body) : body;
  const bounds = dims.upperBounds();
  const bounded = Object.keys(bounds).length === 0 ? {} : { tir_var_upper_bound: bounds };
  const attrs = { ...bounded, num_input: params.length, input_names: inputs.map((i) => i.name ?? ""), output_names: outputNames };
  bb.function("main", params, build, { attrs });
  return bb.finalize();
}

/** A parameter; of one without elements everything is known. */
function inputValue(param: Var): Value {
  const dims = param.structInfo?.kind === "relax.TensorStructInfo" ? staticShapeOf(param.structInfo) : undefined;
  const dtype = param.structInfo?.kind === "relax.TensorStructInfo" ? param.structInfo.dtype : undefined;
  return dims?.includes(0) === true && dtype !== undefined ? { kind: "constant", tensor: zeros(dtype, dims) } : { kind: "tensor", expr: param };
}

/** The outputs: one expression, or a tuple of several. */
function result(graph: GraphImport, names: readonly string[]): Expr {
  const exprs = names.map((name) => {
    const value = graph.lookup(name) ?? fail("missing-output", { name });
    const ctx = new NodeContext(graph, { name, opType: "output" }, 1, [value]);
    return ctx.input(0);
  });
  const [only] = exprs;
  return exprs.length === 1 && only !== undefined ? only : makeTuple(exprs);
}

function parameters(inputs: readonly ValueInfoProto[], dims: SymbolicDims, shapes: NonNullable<ImportOptions["shapes"]>): readonly Var[] {
  const taken = new Set<string>();
  return inputs.map((input) => {
    const given = input.name ?? "";
    const base = sanitizedName(given);
    let name = base;
    for (let i = 1; taken.has(name); i++) name = `${base}_${i}`;
    taken.add(name);
    return makeVar(name, inputInfo(input, dims, shapes[given]));
  });
}

function inputInfo(input: ValueInfoProto, dims: SymbolicDims, shape: readonly (number | string)[] | undefined): TensorStructInfo {
  const name = input.name ?? "";
  const type = input.type?.tensorType;
  if (type === undefined || type === null) return fail("unsupported-type", { what: `The input \`${name}\``, type: "not a tensor" });
  const dtype = dtypeOf(type.elemType ?? 0, `The input \`${name}\``);
  if (shape !== undefined) {
    return makeTensorStructInfo(shape.map((d) => dims.dim(typeof d === "number" ? { dimValue: d } : { dimParam: d }, name)), dtype);
  }
  const protoDims = type.shape?.dim;
  if (protoDims === undefined || protoDims === null) return makeTensorStructInfo(-1, dtype);
  return makeTensorStructInfo(protoDims.map((d) => dims.dim(d, name)), dtype);
}
