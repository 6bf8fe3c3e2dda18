import { at, type AttrMap } from "@verticil/ir-core";
import { scalarOf, type ScalarDType } from "@verticil/runtime-ffi";
import {
  constant,
  makeBuffer,
  makeIterVar,
  makeRange,
  makeVar,
  type Buffer,
  type IterVar,
  type PrimExpr,
  type Stmt,
} from "@verticil/tir";
import { Tensor, type ComputeOp, type ExternOp, type Index } from "./tensor.ts";

/** An extent as an expression; plain numbers are int64, as shapes of the graph IR are. */
export function extent(value: Index): PrimExpr {
  return typeof value === "number" ? constant(value, "int64") : value;
}

/** An input tensor. */
export function placeholder(shape: readonly Index[], dtype: ScalarDType = "float32", name = "placeholder"): Tensor {
  return new Tensor({ kind: "placeholder", name }, 0, shape.map(extent), dtype);
}

/** What a computation may be told beyond shape, formula and name. */
export interface ComputeOptions {
  /** The names of the loop variables, or a prefix that is numbered; `i` unless told. */
  readonly axes?: readonly string[] | "i" | "ax";
  readonly tag?: string;
  /** Annotations of the block. */
  readonly attrs?: AttrMap;
}

/** The value of a cell in terms of its indices. */
export type Formula<R> = (...indices: readonly PrimExpr[]) => R;

function makeAxes(shape: readonly PrimExpr[], names: ComputeOptions["axes"] = "i"): readonly IterVar[] {
  return shape.map((size, i) => {
    const name = typeof names === "string" ? `${names}${i}` : at(names, i);
    return makeIterVar(makeRange(constant(0, size.dtype), size), makeVar(name, size.dtype), "kDataPar");
  });
}

function makeComputeOp(
  shape: readonly PrimExpr[],
  formula: Formula<readonly PrimExpr[]>,
  name: string,
  opts: ComputeOptions,
): ComputeOp {
  const axis = makeAxes(shape, opts.axes);
  const body = formula(...axis.map((a) => a.var));
  return { kind: "compute", name, tag: opts.tag ?? "", attrs: opts.attrs ?? {}, axis, body };
}

/** A tensor whose cells are given by a formula: `compute([n, m], (i, j) => add(a.at(i, j), b.at(j)), "c")`. */
export function compute(shape: readonly Index[], formula: Formula<PrimExpr>, name = "compute", opts: ComputeOptions = {}): Tensor {
  const dims = shape.map(extent);
  const op = makeComputeOp(dims, (...i) => [formula(...i)], name, opts);
  return new Tensor(op, 0, dims, scalarOf(at(op.body, 0).dtype));
}

/** Several tensors of one domain, computed together; with reductions, the outputs of one tuple reduction. */
export function computeMany(
  shape: readonly Index[],
  formula: Formula<readonly PrimExpr[]>,
  name = "compute",
  opts: ComputeOptions = {},
): readonly Tensor[] {
  const dims = shape.map(extent);
  const op = makeComputeOp(dims, formula, name, opts);
  return op.body.map((b, i) => new Tensor(op, i, dims, scalarOf(b.dtype)));
}

/** One output of an external computation. */
export interface ExternOutput {
  readonly shape: readonly Index[];
  readonly dtype: ScalarDType;
}

/** What an external computation is made of: its statement, or the statement and buffers that only it uses. */
export type ExternBody = Stmt | { readonly body: Stmt; readonly scratch: readonly Buffer[] };

/** Tensors filled by a statement. `build` gets a buffer for each input and each output. */
export function extern(
  outputs: readonly ExternOutput[],
  inputs: readonly Tensor[],
  build: (inputs: readonly Buffer[], outputs: readonly Buffer[]) => ExternBody,
  name = "extern",
  attrs: AttrMap = {},
): readonly Tensor[] {
  const inputBuffers = inputs.map((t) => makeBuffer(t.name, t.shape, t.dtype));
  const outputBuffers = outputs.map((o, i) => {
    return makeBuffer(outputs.length > 1 ? `${name}_v${i}` : name, o.shape.map(extent), o.dtype);
  });
  const built = build(inputBuffers, outputBuffers);
  const { body, scratch } = "scratch" in built ? built : { body: built, scratch: [] };
  const op: ExternOp = { kind: "extern", name, attrs, inputs, inputBuffers, outputBuffers, scratch, body };
  return outputBuffers.map((b, i) => new Tensor(op, i, b.shape, scalarOf(b.dtype)));
}
