import { isNode, type AttrMap, type Node } from "@verticil/ir-core";
import type { ScalarDType } from "@verticil/runtime-ffi";
import { constant, makeProducerLoad, type Buffer, type IterVar, type PrimExpr, type ProducerLoad, type Stmt } from "@verticil/tir";

/** An index or an extent: an expression, or a plain number. */
export type Index = PrimExpr | number;

/** An input, filled by the caller. */
export interface PlaceholderOp {
  readonly kind: "placeholder";
  readonly name: string;
}

/** Each element by a formula of its indices; several tensors of one domain if `body` has several formulas. */
export interface ComputeOp {
  readonly kind: "compute";
  readonly name: string;
  /** What it is to fusion (`elemwise`, `broadcast`, `injective`, `comm_reduce`, …); empty if nothing is known. */
  readonly tag: string;
  readonly attrs: AttrMap;
  readonly axis: readonly IterVar[];
  readonly body: readonly PrimExpr[];
}

/** Tensors filled by a statement. */
export interface ExternOp {
  readonly kind: "extern";
  readonly name: string;
  readonly attrs: AttrMap;
  readonly inputs: readonly Tensor[];
  /** The buffers that stand for inputs and outputs in `body`. */
  readonly inputBuffers: readonly Buffer[];
  readonly outputBuffers: readonly Buffer[];
  /** Buffers that only `body` uses. */
  readonly scratch: readonly Buffer[];
  readonly body: Stmt;
}

/** How a tensor comes about. */
export type Operation = PlaceholderOp | ComputeOp | ExternOp;

/**
 * A tensor of a tensor expression: the output number `valueIndex` of `op`. Equal by identity, gone after
 * `createPrimFunc`.
 */
export class Tensor implements Node {
  readonly kind = "te.Tensor";
  readonly op: Operation;
  readonly valueIndex: number;
  readonly shape: readonly PrimExpr[];
  readonly dtype: ScalarDType;

  constructor(op: Operation, valueIndex: number, shape: readonly PrimExpr[], dtype: ScalarDType) {
    this.op = op;
    this.valueIndex = valueIndex;
    this.shape = shape;
    this.dtype = dtype;
  }

  /** The operation's name; with the number of the output if there are several. */
  get name(): string {
    const outputs = this.op.kind === "compute" ? this.op.body.length : this.op.kind === "extern" ? this.op.outputBuffers.length : 1;
    return outputs > 1 ? `${this.op.name}_v${this.valueIndex}` : this.op.name;
  }

  /** The number of dimensions. */
  get ndim(): number {
    return this.shape.length;
  }

  /** One element. @throws RangeError if the number of indices is not that of dimensions. */
  at(...indices: readonly Index[]): ProducerLoad {
    if (indices.length !== this.shape.length) {
      throw new RangeError(`\`${this.name}\` has ${this.shape.length} dimensions but was given ${indices.length} indices.`);
    }
    return makeProducerLoad(this, this.dtype, indices.map((i, d) => (typeof i === "number" ? constant(i, this.shape[d]?.dtype ?? "int64") : i)));
  }
}

/** Narrows the producer of a load, or anything else, to a tensor. */
export function isTensor(value: unknown): value is Tensor {
  return isNode(value) && value.kind === "te.Tensor";
}
