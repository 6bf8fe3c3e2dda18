import type { AttrMap } from "@verticil/ir-core";
import {
  makeExternFunc,
  makePrimValue,
  makeShapeExpr,
  makeShapeStructInfo,
  makeTensorStructInfo,
  makeTuple,
  makeTupleGetItem,
  shapeOf,
  type BlockBuilder,
  type Constant,
  type Expr,
  type StructInfo,
  type TensorStructInfo,
} from "@verticil/relax";
import { tensorFrom, type ScalarDType, type Tensor } from "@verticil/runtime-ffi";
import { asInt, cast, isConst, makeVar as makeTirVar, type PrimExpr } from "@verticil/tir";
import { assumedOperands } from "./assumed-shape.ts";
import type { GraphImport } from "./graph/graph-import.ts";
import { nodeLabel, nodeName } from "./graph/order.ts";
import { UnknownValue } from "./graph/problems.ts";
import { knownFromTensor, knownNumbers, knownToTensor, type Known } from "./known.ts";
import { fail } from "./messages.ts";
import { Attributes } from "./proto/attributes.ts";
import type { GraphProto, NodeProto } from "./proto/schema.ts";
import type { Value } from "./value.ts";

/** What a converter sees of its node, and what it builds with. */
export class NodeContext {
  readonly node: NodeProto;
  readonly op: string;
  /** The version of the operator set of the node's domain. */
  readonly opset: number;
  readonly attrs: Attributes;
  readonly bb: BlockBuilder;
  readonly #graph: GraphImport;
  readonly #inputs: readonly (Value | undefined)[];

  constructor(graph: GraphImport, node: NodeProto, opset: number, inputs: readonly (Value | undefined)[]) {
    this.node = node;
    this.op = node.opType ?? "";
    this.opset = opset;
    this.attrs = new Attributes(node, nodeLabel(node));
    this.bb = graph.bb;
    this.#graph = graph;
    this.#inputs = inputs;
  }

  /** How messages name the node. */
  get label(): string {
    return nodeLabel(this.node);
  }

  get name(): string {
    return nodeName(this.node);
  }

  get inputCount(): number {
    return this.#inputs.length;
  }

  /** How many outputs the model uses, up to the last one that has a name. */
  get outputCount(): number {
    return (this.node.output ?? []).findLastIndex((n) => n !== "") + 1;
  }

  /** True if the model reads output `i`. */
  usesOutput(i: number): boolean {
    const name = this.node.output?.[i] ?? "";
    return name !== "" && this.#graph.isRead(name);
  }

  /** Input `i` as it is. @throws DiagnosticError (`onnx/missing-argument`) */
  value(i: number): Value {
    return this.#inputs[i] ?? fail("missing-argument", { node: this.label, index: i });
  }

  /** Input `i` as it is, undefined if it was left out. */
  optionalValue(i: number): Value | undefined {
    return this.#inputs[i];
  }

  /** Input `i` as an operand. @throws DiagnosticError (`onnx/missing-argument`) */
  input(i: number): Expr {
    return this.exprOf(this.value(i));
  }

  /** Input `i` as an operand, undefined if it was left out. */
  optional(i: number): Expr | undefined {
    const value = this.#inputs[i];
    return value === undefined ? undefined : this.exprOf(value);
  }

  /** All inputs as operands; those left out are skipped. */
  inputs(): readonly Expr[] {
    return this.#inputs.filter((v) => v !== undefined).map((v) => this.exprOf(v));
  }

  /** A value as an operand. @throws DiagnosticError for a sequence. */
  exprOf(value: Value): Expr {
    switch (value.kind) {
      case "tensor":
        return value.expr;
      case "constant":
        return this.#graph.constant(value.tensor);
      case "known":
        return this.#materialized(value.known);
      case "sequence":
        return this.unsupported("a sequence stands where a tensor is expected");
      case "nothing":
        return this.unsupported("an optional that holds nothing stands where a tensor is expected");
      case "unknown":
        throw new UnknownValue();
    }
  }

  /** What is known of a value element by element, undefined if it is computed at run time or large. */
  knownOf(value: Value | undefined): Known | undefined {
    if (value?.kind === "known") return value.known;
    return value?.kind === "constant" ? knownFromTensor(value.tensor) : undefined;
  }

  known(i: number): Known | undefined {
    return this.knownOf(this.#inputs[i]);
  }

  /** The whole tensor where it is known, of any size. */
  tensor(i: number): Tensor | undefined {
    const value = this.#inputs[i];
    if (value?.kind === "constant") return value.tensor;
    return value?.kind === "known" ? knownToTensor(value.known) : undefined;
  }

  /** Input `i` as numbers. @throws DiagnosticError (`onnx/dynamic-argument`) if they are not known. */
  numbers(i: number, what: string): readonly number[] {
    const known = this.known(i);
    const numbers = known === undefined ? undefined : knownNumbers(known);
    return numbers ?? fail("dynamic-argument", { node: this.label, what });
  }

  /** Like `numbers`, undefined if the input was left out (or is empty, where `emptyIsNone`). */
  optionalNumbers(i: number, what: string, emptyIsNone = false): readonly number[] | undefined {
    if (this.#inputs[i] === undefined) return undefined;
    const numbers = this.numbers(i, what);
    return emptyIsNone && numbers.length === 0 ? undefined : numbers;
  }

  /** Input `i` as one number. */
  number(i: number, what: string): number {
    const [first] = this.numbers(i, what);
    return first ?? fail("dynamic-argument", { node: this.label, what });
  }

  /**
   * Input `i` as int64 dimensions, symbolic ones among them. Those that the model computes become variables, which each
   * run binds to what it computed; `worked` says how the tensor becomes sizes first.
   * @throws DiagnosticError (`onnx/dynamic-argument`) if not even their number is known.
   */
  dimsInput(i: number, what: string, worked: (x: Expr) => Expr = (x) => x): readonly PrimExpr[] {
    const known = this.known(i);
    if (known !== undefined) return known.elems.map((e) => cast("int64", e));
    const x = this.astype(this.input(i), "int64");
    const count = this.dims(x).reduce((n, d) => n * (asInt(d) ?? fail("dynamic-argument", { node: this.label, what })), 1);
    return this.openDims(worked(this.reshape(x, [count])), count);
  }

  /** Variables for the elements of an int64 tensor of `count` sizes. */
  openDims(x: Expr, count: number): readonly PrimExpr[] {
    const dims = Array.from({ length: count }, () => this.#openDim());
    this.bb.matchCast(this.emit("tensor_to_shape", [x]), makeShapeStructInfo(dims));
    return dims;
  }

  /** A tensor of known rank with variables for sizes that depend on data. */
  withOpenDims(x: Expr, known: readonly (PrimExpr | undefined)[]): Expr {
    return this.bb.matchCast(x, makeTensorStructInfo(known.map((d) => d ?? this.#openDim()), this.dtype(x)));
  }

  #openDim(): PrimExpr {
    return makeTirVar(this.bb.uniqueName("size"), "int64");
  }

  /** The struct info of an operand that is a tensor. */
  info(x: Expr): TensorStructInfo {
    const info: StructInfo | undefined = "structInfo" in x ? x.structInfo : undefined;
    return info?.kind === "relax.TensorStructInfo" ? info : this.unsupported("an input is not a tensor");
  }

  dtype(x: Expr): ScalarDType {
    return this.info(x).dtype ?? this.unsupported("the type of an input is not known");
  }

  rank(x: Expr): number {
    const { ndim } = this.info(x);
    return ndim >= 0 ? ndim : fail("dynamic-argument", { node: this.label, what: "the number of dimensions of its input" });
  }

  /** The dimensions of an operand, symbolic ones among them. @throws DiagnosticError (`onnx/dynamic-argument`) */
  dims(x: Expr): readonly PrimExpr[] {
    return shapeOf(this.info(x)) ?? fail("dynamic-argument", { node: this.label, what: "the shape of its input" });
  }

  /** The dimensions as numbers. @throws DiagnosticError (`onnx/dynamic-argument`) */
  staticDims(x: Expr, what = "the shape of its input"): readonly number[] {
    return this.dims(x).map((d) => asInt(d) ?? fail("dynamic-argument", { node: this.label, what }));
  }

  /** `axis` counted from the front. @throws DiagnosticError if it is out of range. */
  axis(axis: number, rank: number): number {
    if (axis < -rank || axis >= Math.max(rank, 1)) {
      fail("bad-node", { node: this.label, reason: `axis ${axis} is outside of ${rank} dimensions.` });
    }
    return axis < 0 ? axis + rank : axis;
  }

  axes(axes: readonly number[], rank: number): readonly number[] {
    return axes.map((a) => this.axis(a, rank));
  }

  /** Emits a call of a Relax operator: `ctx.emit("nn.relu", [x])`. @throws DiagnosticError (`onnx/bad-node`) */
  emit(name: string, args: readonly Expr[], attrs: AttrMap = {}): Expr {
    try {
      const assumed = assumedOperands(`relax.${name}`, args, (a, b) => this.bb.infer.proveEqual(a, b));
      const operands = args.map((a, i) => {
        const info = assumed[i];
        return info === undefined ? a : this.bb.matchCast(a, info);
      });
      return this.bb.emitOp(`relax.${name}`, operands, attrs);
    } catch (error) {
      if (error instanceof RangeError || error instanceof TypeError) {
        return fail("bad-node", { node: this.label, reason: error.message });
      }
      throw error;
    }
  }

  /** Emits a call of a function of the runtime without effects, which gives what `info` says. */
  emitPacked(name: string, args: readonly Expr[], info: StructInfo): Expr {
    return this.bb.emit(this.bb.callOp("relax.call_pure_packed", [makeExternFunc(name), ...args], {}, [info]));
  }

  /** Field `i` of an operator that gives a tuple. */
  field(tuple: Expr, i: number): Expr {
    return this.bb.emit(makeTupleGetItem(tuple, i));
  }

  /** A constant with the dtype of `like` and no dimensions. */
  scalar(value: number | bigint, like: Expr | ScalarDType): Constant {
    const dtype = typeof like === "string" ? like : this.dtype(like);
    return this.#graph.constant(tensorFrom([value], [], dtype));
  }

  constant(tensor: Tensor): Constant {
    return this.#graph.constant(tensor);
  }

  /** `x` in another shape; of a constant the same bytes, nothing to run. */
  reshape(x: Expr, dims: readonly (PrimExpr | number)[]): Expr {
    const shape = dims.map((d) => (typeof d === "number" ? d : asInt(d)));
    if (x.kind === "relax.Constant" && shape.every((d) => d !== undefined)) {
      return this.#graph.constant({ ...x.data, shape });
    }
    const own = shapeOf(this.info(x));
    const isSame = own !== undefined && own.length === dims.length && own.every((d, i) => asInt(d) !== undefined && asInt(d) === shape[i]);
    return isSame ? x : this.emit("reshape", [x, makeShapeExpr(dims)]);
  }

  /** `x` converted; nothing if it has the type. */
  astype(x: Expr, dtype: ScalarDType): Expr {
    return this.dtype(x) === dtype ? x : this.emit("astype", [x], { dtype });
  }

  transpose(x: Expr, axes: readonly number[]): Expr {
    return axes.every((a, i) => a === i) ? x : this.emit("permute_dims", [x], { axes });
  }

  tuple(fields: readonly Expr[]): Expr {
    return makeTuple(fields);
  }

  /** A tuple of scalars, as operators take axes and bounds. */
  prims(values: readonly (PrimExpr | number)[]): Expr {
    return makeTuple(values.map((v) => makePrimValue(v)));
  }

  /** A dimension simplified. */
  simplify(dim: PrimExpr): PrimExpr {
    return isConst(dim) ? dim : this.#graph.simplify(dim);
  }

  /** Converts a sub-graph in place, with what is around it in scope; gives its outputs. */
  inline(graph: GraphProto, inputs: readonly Value[]): readonly Value[] {
    return this.#graph.inline(graph, inputs);
  }

  /** The same node as one of another version of its operator, with other attributes or outputs where `changes` says so. */
  readAs(opset: number, changes: Partial<NodeProto> = {}): NodeContext {
    return new NodeContext(this.#graph, { ...this.node, ...changes }, opset, this.#inputs);
  }

  /** What the converter needs while importing is computed by the model. @throws DiagnosticError (`onnx/dynamic-argument`) */
  dynamic(what: string): never {
    return fail("dynamic-argument", { node: this.label, what });
  }

  /** @throws DiagnosticError (`onnx/unsupported-form`) */
  unsupported(reason: string): never {
    return fail("unsupported-form", { node: this.label, reason });
  }

  #materialized(known: Known): Expr {
    const tensor = knownToTensor(known);
    if (tensor !== undefined) return this.#graph.constant(tensor);
    const shape = makeShapeExpr(known.elems.map((e) => cast("int64", e)));
    const flat = this.emit("shape_to_tensor", [shape]);
    return this.astype(this.reshape(flat, known.shape), known.dtype);
  }
}
