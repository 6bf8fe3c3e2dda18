import { tensorFrom, type ScalarDType, type Tensor as TensorData } from "@verticil/runtime-ffi";
import { at, type AttrMap } from "@verticil/ir-core";
import { asInt, type PrimExpr } from "@verticil/tir";
import { callTe } from "../ir/call-te.ts";
import type { Expr } from "../ir/expr.ts";
import { makeConstant, makeShapeExpr, makeTupleGetItem, type Dim } from "../ir/make.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";
import type { TeFunction } from "../op/legalize-rule.ts";
import { Parameter } from "./parameter.ts";
import { ObjectValue, ShapeValue, Tensor, type TraceScope, type Value } from "./value.ts";

/** What an operation takes: a tensor of the trace, a parameter, a number of the other operands' type. */
export type Operand = Tensor | Parameter | number;

/** The trace that operands belong to. @throws TypeError if they are parameters and numbers only. */
export function scopeOf(operands: readonly (Operand | Value)[]): TraceScope {
  for (const o of operands) if (typeof o === "object" && "scope" in o) return o.scope;
  throw new TypeError("One of the operands has to be a tensor of the trace: parameters and numbers belong to none.");
}

/** Binds a call of an operator on expressions, among them shapes and tuples, whose result is one tensor. */
export function exprOp(scope: TraceScope, name: string, args: readonly Expr[], attrs: AttrMap = {}, hint?: string): Tensor {
  return onlyTensor(wrapNested(scope.bb.callOp(name, args, attrs), scope, hint), name);
}

function dtypeOf(operands: readonly (Operand | Value)[]): ScalarDType {
  for (const o of operands) if (o instanceof Tensor || o instanceof Parameter) return o.dtype;
  return "float32";
}

/** The expression of an operand; a number becomes a constant of the type. */
export function exprOf(operand: Operand | Value, scope: TraceScope, dtype: ScalarDType): Expr {
  if (typeof operand === "number") return makeConstant(tensorFrom([operand], [], dtype));
  return operand instanceof Parameter ? scope.exprOf(operand) : operand.expr;
}

/**
 * Binds an expression in the trace that `like` belongs to, and gives it back as a value: several for a tuple
 * (upstream's `wrap_nested`).
 */
export function wrapNested(expr: Expr, scope: TraceScope, hint?: string): Value | readonly Value[] {
  const v = scope.bb.emit(expr, hint);
  const info = structInfoOf(v);
  switch (info?.kind) {
    case "relax.TensorStructInfo":
      return new Tensor(v, scope);
    case "relax.ShapeStructInfo":
      return new ShapeValue(v, scope, info.values ?? []);
    case "relax.TupleStructInfo":
      return info.fields.flatMap((_, i) => wrapNested(makeTupleGetItem(v, i), scope));
    default:
      return new ObjectValue(v, scope);
  }
}

/**
 * Calls any registered operator: `callOp("relax.nn.relu", [x])`, or one of a vertical's own. Numbers become constants of
 * the type of the first tensor.
 * @throws RangeError if the operator or an attribute is unknown, or the operands do not fit.
 */
export function callOp(name: string, operands: readonly (Operand | Value)[], attrs: AttrMap = {}, hint?: string): Value | readonly Value[] {
  const scope = scopeOf(operands);
  const dtype = dtypeOf(operands);
  const call = scope.bb.callOp(name, operands.map((o) => exprOf(o, scope, dtype)), attrs);
  return wrapNested(call, scope, hint);
}

/** Like `callOp` for an operator whose result is one tensor. @throws TypeError if it is not. */
export function tensorOp(name: string, operands: readonly (Operand | Value)[], attrs: AttrMap = {}, hint?: string): Tensor {
  return onlyTensor(callOp(name, operands, attrs, hint), name);
}

/** The value if it is one tensor. @throws TypeError that names the operation if it is not. */
export function onlyTensor(value: Value | readonly Value[], name: string): Tensor {
  if (value instanceof Tensor) return value;
  throw new TypeError(`\`${name}\` gives no single tensor.`);
}

/** A computation written as tensor expressions: `tensorExprOp((x) => …, "index", [x])` (upstream's `tensor_expr_op`). */
export function tensorExprOp(fn: TeFunction, name: string, operands: readonly (Tensor | Parameter)[]): Tensor {
  const [only, ...more] = tensorExprOps(fn, name, operands);
  if (only === undefined || more.length > 0) throw new TypeError(`\`${name}\` gives no single tensor.`);
  return only;
}

/** Like `tensorExprOp` for a computation of several tensors. */
export function tensorExprOps(fn: TeFunction, name: string, operands: readonly (Tensor | Parameter)[]): readonly Tensor[] {
  const scope = scopeOf(operands);
  const call = callTe(scope.bb, fn, operands.map((o) => exprOf(o, scope, "float32")), { name });
  return [wrapNested(call, scope, name)].flat().map((v) => onlyTensor(v, name));
}

export function add(a: Operand, b: Operand): Tensor {
  return tensorOp("relax.add", [a, b]);
}

export function subtract(a: Operand, b: Operand): Tensor {
  return tensorOp("relax.subtract", [a, b]);
}

export function multiply(a: Operand, b: Operand): Tensor {
  return tensorOp("relax.multiply", [a, b]);
}

export function divide(a: Operand, b: Operand): Tensor {
  return tensorOp("relax.divide", [a, b]);
}

/** The product of matrices or stacks of matrices. */
export function matmul(a: Operand, b: Operand, outDType?: ScalarDType): Tensor {
  return tensorOp("relax.matmul", [a, b], outDType === undefined ? {} : { out_dtype: outDType }, "matmul");
}

/** Dimensions in another order; reversed unless told. */
export function permuteDims(x: Tensor, axes?: readonly number[]): Tensor {
  return tensorOp("relax.permute_dims", [x], { axes: axes === undefined ? null : [...axes] }, "permute_dims");
}

/** The same elements in another shape; one dimension may be -1. */
export function reshape(x: Tensor, shape: readonly Dim[]): Tensor {
  return onlyTensor(wrapNested(x.scope.bb.callOp("relax.reshape", [x.expr, makeShapeExpr(shape)]), x.scope, "reshape"), "reshape");
}

/** Parts along an axis that end where `indices` say, or as many equal ones as a number says. */
export function split(x: Tensor, indicesOrSections: number | readonly number[], axis = 0): readonly Tensor[] {
  const parts = [callOp("relax.split", [x], { indices_or_sections: indicesOrSections, axis }, "split")].flat();
  return parts.map((p) => onlyTensor(p, "split"));
}

/** Slices of `x` along an axis, at the indices that a tensor holds. */
export function take(x: Tensor | Parameter, indices: Tensor, axis: number): Tensor {
  return tensorOp("relax.take", [x, indices], { axis }, "take");
}

export function astype(x: Tensor, dtype: ScalarDType): Tensor {
  return x.dtype === dtype ? x : tensorOp("relax.astype", [x], { dtype });
}

export function softmax(x: Tensor, axis = -1): Tensor {
  return tensorOp("relax.nn.softmax", [x], { axis }, "softmax");
}

/** `x · sigmoid(x)`. */
export function silu(x: Tensor): Tensor {
  return tensorOp("relax.nn.silu", [x], {}, "silu");
}

export function relu(x: Tensor): Tensor {
  return tensorOp("relax.nn.relu", [x], {}, "relu");
}

/** `x · Φ(x)`, by the error function or approximated by a hyperbolic tangent. */
export function gelu(x: Tensor, approximate?: "tanh"): Tensor {
  return tensorOp(approximate === "tanh" ? "relax.nn.gelu_tanh" : "relax.nn.gelu", [x], {}, "gelu");
}

/** `x / sqrt(mean(x²) + epsilon) · weight` over `axes`. */
export function rmsNorm(x: Tensor, weight: Operand, axes: readonly number[] = [-1], epsilon = 1e-5): Tensor {
  return tensorOp("relax.nn.rms_norm", [x, weight], { axes: [...axes], epsilon }, "rms_norm");
}

/** Normalization to mean 0 and variance 1 over `axes`, then scale and offset. */
export function layerNorm(x: Tensor, weight: Operand, bias: Operand, axes: readonly number[] = [-1], epsilon = 1e-5): Tensor {
  return tensorOp("relax.nn.layer_norm", [x, weight, bias], { axes: [...axes], epsilon }, "layer_norm");
}

/** What `groupNorm` may be told. */
export interface GroupNormOptions {
  /** Scale a channel; 1 unless told. */
  readonly weight?: Tensor | Parameter | undefined;
  /** Offset a channel; 0 unless told. */
  readonly bias?: Tensor | Parameter | undefined;
  readonly epsilon?: number;
  readonly channelAxis?: number;
  /** Axes that are normalized together with the channels of a group; all after the second unless told. */
  readonly axes?: readonly number[];
}

/** Normalization of groups of channels to mean 0 and variance 1, then scale and offset a channel. */
export function groupNorm(x: Tensor, numGroups: number, opts: GroupNormOptions = {}): Tensor {
  const { epsilon = 1e-5, channelAxis = 1, axes = Array.from({ length: x.ndim - 2 }, (_, i) => i + 2) } = opts;
  const channels = asInt(at(x.shape, channelAxis));
  if (channels === undefined) throw new TypeError("`groupNorm` needs a known number of channels.");
  const scale = opts.weight ?? x.constant(filled(channels, 1, x.dtype));
  const offset = opts.bias ?? x.constant(filled(channels, 0, x.dtype));
  return tensorOp("relax.nn.group_norm", [x, scale, offset], { num_groups: numGroups, channel_axis: channelAxis, axes: [...axes], epsilon }, "group_norm");
}

function filled(count: number, value: number, dtype: ScalarDType): TensorData {
  return tensorFrom(Array.from({ length: count }, () => value), [count], dtype);
}

/** What `scaledDotProductAttention` may be told. */
export interface AttentionOptions {
  /** Hides keys after a query's own position; queries are the last of the keys. */
  readonly causal?: boolean;
  /** What products are multiplied with; the root of the features' reciprocal unless told. */
  readonly scale?: number;
}

/** Attention of `[batch, sequence, head, feature]` tensors; several query heads may share a key head. */
export function scaledDotProductAttention(query: Tensor, key: Tensor, value: Tensor, opts: AttentionOptions = {}): Tensor {
  const attrs = { causal_mask: opts.causal === true ? "BottomRight" : null, scale: opts.scale ?? null };
  return tensorOp("relax.nn.attention", [query, key, value], attrs, "attention");
}

/** The size of a tensor along an axis, for `reshape`; a symbolic one as expression. @throws RangeError if there is no such axis. */
export function sizeOf(x: Tensor, axis: number): PrimExpr {
  return at(x.shape, axis < 0 ? axis + x.ndim : axis);
}
