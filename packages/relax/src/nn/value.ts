import type { ScalarDType, Tensor as TensorData } from "@verticil/runtime-ffi";
import type { PrimExpr } from "@verticil/tir";
import type { BlockBuilder } from "../ir/block-builder.ts";
import type { Expr } from "../ir/expr.ts";
import { makeConstant, makeShapeExpr, shapeOf } from "../ir/make.ts";
import { structInfoOf, tensorInfoOf } from "../ir/struct-info-of.ts";
import type { Effect } from "./effect.ts";
import type { Parameter } from "./parameter.ts";

/** What a forward function is traced in: where bindings go, and which expression stands for a parameter. */
export interface TraceScope {
  readonly bb: BlockBuilder;
  /** @throws RangeError for a parameter that is not one of the module being exported. */
  exprOf(parameter: Parameter): Expr;
  /** What an effect's state is at this place. @throws RangeError for an effect that the method does not take. */
  stateOf(effect: Effect): Expr;
  /** Sets what an effect's state is from here on. @throws RangeError for an effect that the method does not take. */
  setState(effect: Effect, state: Expr): void;
  /** The effect of debugging, if the module is exported with it. */
  readonly io: Effect | undefined;
}

/** A value inside a forward function: an expression and the trace that it belongs to. */
export class Value {
  readonly expr: Expr;
  readonly scope: TraceScope;

  constructor(expr: Expr, scope: TraceScope) {
    this.expr = expr;
    this.scope = scope;
  }

  /** A parameter as a tensor of this value's trace. @throws RangeError if it is none of the module being exported. */
  parameter(p: Parameter): Tensor {
    return new Tensor(this.scope.exprOf(p), this.scope);
  }

  /** A constant as a tensor of this value's trace. */
  constant(data: TensorData): Tensor {
    return new Tensor(makeConstant(data), this.scope);
  }
}

/** A tensor inside a forward function (upstream's `nn.Tensor`). */
export class Tensor extends Value {
  /** The dimensions, symbolic ones as expressions. @throws TypeError if they are not known. */
  get shape(): readonly PrimExpr[] {
    const dims = shapeOf(structInfoOf(this.expr));
    if (dims === undefined) throw new TypeError("The shape of the tensor is not known.");
    return dims;
  }

  /** @throws TypeError if it is not known. */
  get dtype(): ScalarDType {
    const { dtype } = tensorInfoOf(this.expr);
    if (dtype === undefined) throw new TypeError("The data type of the tensor is not known.");
    return dtype;
  }

  get ndim(): number {
    return this.shape.length;
  }

  /** Its dimensions as a value, for operators that take a shape. */
  sizes(): ShapeValue {
    return new ShapeValue(makeShapeExpr(this.shape), this.scope, this.shape);
  }
}

/** A runtime object inside a forward function, such as a cache (upstream's `nn.Object`). */
export class ObjectValue extends Value {}

/** A shape inside a forward function, whose dimensions are symbolic. */
export class ShapeValue extends Value {
  readonly dims: readonly PrimExpr[];

  constructor(expr: Expr, scope: TraceScope, dims: readonly PrimExpr[]) {
    super(expr, scope);
    this.dims = dims;
  }
}
