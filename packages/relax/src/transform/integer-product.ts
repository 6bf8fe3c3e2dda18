import { at, type AttrMap } from "@verticil/ir-core";
import { elementCount, tensorFrom, type ScalarDType, type Tensor } from "@verticil/runtime-ffi";
import { intAttr, stringAttr } from "../op/attrs-of.ts";
import { opNameOf } from "../ir/call-target.ts";
import type { Call, Constant, Expr } from "../ir/expr.ts";
import { makeConstant } from "../ir/make.ts";
import type { RuleContext } from "../ir/mutate.ts";
import { alongAxis, channel, dequantizedValue, isByte, isPerTensor, numbers, rankOf, type QuantizedValue } from "./quantized-value.ts";

/** Where the axes of a product lie. */
interface ProductAxes {
  /** The reduction's axis of the data and of the weight, where it is one that may grow. */
  readonly inner: readonly [data: number, weight: number] | undefined;
  /** The weight's axis of results, and where it is in the result. */
  readonly outer: readonly [weight: number, result: number];
  /** One input channel for each result: a window of numbers, no product of matrices. */
  readonly isDepthwise: boolean;
}

/**
 * A convolution or matrix product of dequantized bytes with dequantized constants as one of integers: the differences from
 * the zero points fit 16 bits, their products are added up in 32, exactly, and one multiplication by the scales makes
 * floats of the sums. A border of zeros is then right as it is. Undefined for other calls, and where the sums might not
 * fit.
 */
export function integerProduct(call: Call, ctx: RuleContext): Expr | undefined {
  const axes = axesOf(call);
  const [x, w] = call.args;
  const data = axes && x && dequantizedValue(x, ctx);
  const weight = data && w && dequantizedValue(w, ctx);
  if (axes === undefined || data === undefined || weight?.data.kind !== "relax.Constant") return undefined;
  if (!isByte(data.dtype) || !isByte(weight.dtype) || !isPerTensor(data)) return undefined;
  const [outer, outerResult] = axes.outer;
  if (!isPerTensor(weight) && weight.axis !== outer) return undefined;
  const values = centredValues(weight.data.data, weight);
  if (!sumsFit(values, weight.data.data.shape[outer] ?? 1)) return undefined;
  const odd = axes.inner !== undefined && (weight.data.data.shape[axes.inner[1]] ?? 0) % 2 === 1 && (weight.data.data.shape[outer] ?? 0) > 1;
  const kernel = weightConstant(values, weight.data.data.shape, axes, odd);
  const { bb } = ctx;
  const wide = centred(data, ctx);
  const input = odd && axes.inner !== undefined ? bb.emitOp("relax.nn.pad", [wide], oneMore(axes.inner[0], rankOf(wide))) : wide;
  const attrs: AttrMap = { ...call.attrs, out_dtype: "int32" };
  const sums = bb.emitOp(opNameOf(call) ?? "", [input, kernel], attrs);
  const scales = weight.scale.map((s) => Math.fround(s * at(data.scale, 0)));
  return bb.callOp("relax.multiply", [bb.emitOp("relax.astype", [sums], { dtype: "float32" }), alongAxis(scales, "float32", outerResult, rankOf(sums))]);
}

function axesOf(call: Call): ProductAxes | undefined {
  switch (opNameOf(call)) {
    case "relax.nn.conv1d":
    case "relax.nn.conv2d":
    case "relax.nn.conv3d": {
      const [data, kernel] = [stringAttr(call, "data_layout"), stringAttr(call, "kernel_layout")];
      const groups = intAttr(call, "groups");
      const result = stringAttr(call, "out_layout") || data;
      const inner: readonly [number, number] = [data.indexOf("C"), kernel.indexOf("I")];
      return { inner: groups === 1 ? inner : undefined, outer: [kernel.indexOf("O"), result.indexOf("C")], isDepthwise: groups > 1 };
    }
    case "relax.matmul": {
      const [a, b] = call.args.map(rankOf);
      if (a === undefined || b === undefined || a < 2 || b < 2) return undefined;
      return { inner: [a - 1, b - 2], outer: [b - 1, Math.max(a, b) - 1], isDepthwise: false };
    }
    default:
      return undefined;
  }
}

/** The weight less its zero points. */
function centredValues(data: Tensor, q: QuantizedValue): Int16Array {
  const inner = elementCount(data.shape.slice(q.axis + 1));
  const size = data.shape[q.axis] ?? 1;
  return Int16Array.from(numbers(data), (v, i) => v - channel(q.zero, Math.floor(i / inner) % size));
}

/** True if no sum of products with differences of bytes leaves 32 bits. */
function sumsFit(values: Int16Array, results: number): boolean {
  const most = values.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
  return (values.length / results) * most * 255 < 2 ** 31;
}

/** Bytes where the values fit and many results share what is read; words where each is read to be used once. */
function weightConstant(values: Int16Array, shape: readonly number[], axes: ProductAxes, odd: boolean): Constant {
  const fits = values.every((v) => v >= -128 && v <= 127);
  const dtype: ScalarDType = fits && !axes.isDepthwise ? "int8" : "int16";
  if (!odd || axes.inner === undefined) return makeConstant(tensorFrom(values, shape, dtype));
  const [, axis] = axes.inner;
  const size = shape[axis] ?? 1;
  const inner = elementCount(shape.slice(axis + 1));
  const grown = shape.map((d, i) => (i === axis ? d + 1 : d));
  const next = new Int16Array(elementCount(grown));
  values.forEach((v, i) => {
    const before = Math.floor(i / (inner * size));
    next[before * inner * (size + 1) + (i - before * inner * size)] = v;
  });
  return makeConstant(tensorFrom(next, grown, dtype));
}

/** A zero more at the end of an axis: pairs of 16 bits are what is multiplied at once. */
function oneMore(axis: number, rank: number): AttrMap {
  return { pad_width: Array.from({ length: 2 * rank }, (_, i) => (i === 2 * axis + 1 ? 1 : 0)) };
}

/** The integers less their zero point, in 16 bits. */
export function centred(q: QuantizedValue, ctx: RuleContext, dtype: "int16" | "int32" = "int16"): Expr {
  const wide = ctx.bb.emitOp("relax.astype", [q.data], { dtype });
  const zero = at(q.zero, 0);
  return zero === 0 ? wide : ctx.bb.emitOp("relax.subtract", [wide, makeConstant(tensorFrom([zero], [], dtype))]);
}
