import { elementCount, getElement, tensorFrom, type ScalarDType, type Tensor } from "@verticil/runtime-ffi";
import { makeIndexMap, makeVar } from "@verticil/tir";
import { at } from "@verticil/ir-core";
import { dtypeAttr, intAttr, optIntsAttr } from "../op/attrs-of.ts";
import { opNameOf } from "../ir/call-target.ts";
import type { Call, Constant, Expr } from "../ir/expr.ts";
import { makeConstant, shapeOf } from "../ir/make.ts";
import type { RuleContext } from "../ir/mutate.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";
import { packTensor } from "./pack-tensor.ts";

/** How integers stand for real numbers: `(q - zero) * scale`, one scale and one zero point, or one of each a channel of `axis`. */
export interface Quantization {
  readonly dtype: ScalarDType;
  readonly scale: readonly number[];
  readonly zero: readonly number[];
  /** Not negative; of no meaning where there is one scale. */
  readonly axis: number;
}

/** Integers with what they stand for. */
export interface QuantizedValue extends Quantization {
  readonly data: Expr;
}

const BYTES: ReadonlySet<string> = new Set(["int8", "uint8"]);

/** True for the types that integer kernels take: a difference of two values fits 16 bits. */
export function isByte(dtype: ScalarDType): boolean {
  return BYTES.has(dtype);
}

/** The integers that `e` dequantizes to float32 with constant scales, through permutations of constants; undefined if it does not. */
export function dequantizedValue(e: Expr, ctx: RuleContext): QuantizedValue | undefined {
  const call = valueOf(e, ctx);
  if (call.kind !== "relax.Call") return undefined;
  if (opNameOf(call) === "relax.permute_dims") return permuted(call, ctx);
  if (opNameOf(call) !== "relax.dequantize" || dtypeAttr(call, "out_dtype") !== "float32") return undefined;
  const [data] = call.args;
  const dtype = data && dtypeOf(data);
  const params = dtype && parametersOf(call, dtype, ctx);
  return data && params && { ...params, data: constantOf(data, ctx) ?? data };
}

/** The scales and zero points of a `quantize` or `dequantize` of integers of type `dtype`, where they are constants. */
export function parametersOf(call: Call, dtype: ScalarDType, ctx: RuleContext): Quantization | undefined {
  const [data, s, z] = call.args;
  const scale = s && constantOf(s, ctx);
  const zero = z && constantOf(z, ctx);
  if (data === undefined || scale === undefined || zero === undefined || scale.data.dtype !== "float32") return undefined;
  const axis = intAttr(call, "axis");
  return { dtype, scale: numbers(scale.data), zero: numbers(zero.data), axis: axis < 0 ? axis + rankOf(data) : axis };
}

/** Transposed integers are as good as the transposed numbers; of constants, so that no copy is made at run time. */
function permuted(call: Call, ctx: RuleContext): QuantizedValue | undefined {
  const [x] = call.args;
  const inner = x && dequantizedValue(x, ctx);
  if (inner?.data.kind !== "relax.Constant") return undefined;
  const { data } = inner.data;
  const axes = optIntsAttr(call, "axes") ?? data.shape.map((_, i) => data.shape.length - 1 - i);
  const order = axes.map((a) => (a < 0 ? a + data.shape.length : a));
  const initial = data.shape.map((_, i) => makeVar(`i${i}`, "int64"));
  const moved = packTensor(data, makeIndexMap(initial, order.map((a) => at(initial, a))));
  return { ...inner, data: makeConstant(moved), axis: order.indexOf(inner.axis) };
}

/** What a variable is bound to; other expressions are themselves. */
export function valueOf(e: Expr, ctx: RuleContext): Expr {
  return ctx.value(e) ?? e;
}

/** The constant that an operand is, through reshapes and products of constants. */
export function constantOf(e: Expr, ctx: RuleContext): Constant | undefined {
  const value = valueOf(e, ctx);
  if (value.kind === "relax.Constant") return value;
  if (value.kind !== "relax.Call") return undefined;
  if (opNameOf(value) === "relax.reshape") {
    const [x] = value.args;
    const inner = x && constantOf(x, ctx);
    const shape = staticShape(e);
    return inner && shape && makeConstant({ ...inner.data, shape });
  }
  if (opNameOf(value) !== "relax.multiply") return undefined;
  const [a, b] = value.args.map((x) => constantOf(x, ctx));
  const shape = staticShape(e);
  if (a?.data.dtype !== "float32" || b?.data.dtype !== "float32" || shape === undefined || shape.length > 1) return undefined;
  const [xs, ys] = [numbers(a.data), numbers(b.data)];
  const product = Array.from({ length: elementCount(shape) }, (_, i) => channel(xs, i) * channel(ys, i));
  return makeConstant(tensorFrom(product, shape, "float32"));
}

function staticShape(e: Expr): readonly number[] | undefined {
  const dims = shapeOf(structInfoOf(e))?.map((d) => (d.kind === "ir.IntImm" ? Number(d.value) : -1));
  return dims?.includes(-1) === false ? dims : undefined;
}

/** The elements of a tensor as numbers. */
export function numbers(t: Tensor): readonly number[] {
  return Array.from({ length: elementCount(t.shape) }, (_, i) => Number(getElement(t, i)));
}

/** The value of channel `i`, where there is one for all or one for each. */
export function channel(values: readonly number[], i: number): number {
  return values.length === 1 ? at(values, 0) : at(values, i);
}

export function rankOf(e: Expr): number {
  const info = structInfoOf(e);
  return info?.kind === "relax.TensorStructInfo" ? info.ndim : -1;
}

export function dtypeOf(e: Expr): ScalarDType | undefined {
  const info = structInfoOf(e);
  return info?.kind === "relax.TensorStructInfo" ? info.dtype : undefined;
}

/** True for one scale and one zero point. */
export function isPerTensor(q: Quantization): boolean {
  return q.scale.length === 1 && q.zero.length === 1;
}

/** A constant that broadcasts along `axis` of a tensor of rank `rank`: a scalar where there is one value. */
export function alongAxis(values: readonly number[], dtype: ScalarDType, axis: number, rank: number): Constant {
  if (values.length === 1) return makeConstant(tensorFrom(values, [], dtype));
  const shape = Array.from({ length: rank - axis }, (_, i) => (i === 0 ? values.length : 1));
  return makeConstant(tensorFrom(values, shape, dtype));
}
