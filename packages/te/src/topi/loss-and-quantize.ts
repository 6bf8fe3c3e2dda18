import { at } from "@verticil/ir-core";
import { isFloat, parseDType, type ScalarDType } from "@verticil/runtime-ffi";
import { add, cast, constant, div, eq, intrin, max, min, mul, ne, select, sub, type PrimExpr } from "@verticil/tir";
import { compute } from "../compute.ts";
import { reduceAxis, sum } from "../reduce.ts";
import type { Tensor } from "../tensor.ts";
import type { Operand } from "./broadcast.ts";
import { Tensor as TeTensor } from "../tensor.ts";
import { axisOf } from "./transform.ts";

/** A value limited to the range of an integer type, and converted. */
function clipCast(value: PrimExpr, dtype: ScalarDType): PrimExpr {
  const { code, bits } = parseDType(dtype);
  if (code !== "int" && code !== "uint") return cast(dtype, value);
  const low = code === "int" ? -(2 ** (bits - 1)) : 0;
  const high = code === "int" ? 2 ** (bits - 1) - 1 : 2 ** bits - 1;
  return cast(dtype, max(min(value, constant(high, value.dtype)), constant(low, value.dtype)));
}

/** A scalar, or the value of a channel. */
function perChannel(o: Operand, cell: readonly PrimExpr[], axis: number): PrimExpr {
  if (!(o instanceof TeTensor)) return o;
  if (o.ndim === 0) return o.at();
  return o.at(o.shape[0]?.kind === "ir.IntImm" && o.shape[0].value === 1 ? 0 : at(cell, axis));
}

/** `round(x / scale) + zero point`, limited to the range of `dtype`. */
export function quantize(x: Tensor, scale: Operand, zeroPoint: Operand, axis: number, dtype: ScalarDType): Tensor {
  const a = axisOf(axis, Math.max(x.ndim, 1));
  return compute(
    x.shape,
    (...i) => {
      const scaled = div(x.at(...i), cast(x.dtype, perChannel(scale, i, a)));
      const whole = isFloat(dtype) ? scaled : intrin("round", scaled.dtype, [scaled]);
      return clipCast(add(whole, cast(x.dtype, perChannel(zeroPoint, i, a))), dtype);
    },
    "quantized",
    { tag: "injective" },
  );
}

/** What `quantize` followed by `dequantize` makes of floats, in floats: `round(x / scale) + zero point` within the range of `dtype`. */
export function simulatedQuantize(x: Tensor, dtype: ScalarDType, scale: Operand, zeroPoint: Operand, axis: number): Tensor {
  const whole = quantize(x, scale, zeroPoint, axis, dtype);
  return compute(x.shape, (...i) => cast(x.dtype, whole.at(...i)), "simulated_quantize", { tag: "injective" });
}

/** `(x - zero point) * scale` of values that `simulatedQuantize` gave. */
export function simulatedDequantize(x: Tensor, scale: Operand, zeroPoint: Operand, axis: number): Tensor {
  const a = axisOf(axis, Math.max(x.ndim, 1));
  return compute(
    x.shape,
    (...i) => mul(sub(x.at(...i), cast(x.dtype, perChannel(zeroPoint, i, a))), cast(x.dtype, perChannel(scale, i, a))),
    "simulated_dequantize",
    { tag: "injective" },
  );
}

const HALF_MAX = 65504;

/** `(x - zero point) * scale`. */
export function dequantize(x: Tensor, scale: Operand, zeroPoint: Operand, axis: number, dtype: ScalarDType): Tensor {
  const a = axisOf(axis, Math.max(x.ndim, 1));
  const wide: ScalarDType = isFloat(x.dtype) ? "float32" : "int32";
  return compute(
    x.shape,
    (...i) => {
      const shifted = sub(cast(wide, x.at(...i)), cast(wide, perChannel(zeroPoint, i, a)));
      const value = mul(cast("float32", shifted), cast("float32", perChannel(scale, i, a)));
      // Half floats end early.
      if (dtype !== "float16") return cast(dtype, value);
      return cast(dtype, max(min(value, constant(HALF_MAX, "float32")), constant(-HALF_MAX, "float32")));
    },
    "dequantized",
    { tag: "injective" },
  );
}

/** The negative log-likelihood of the targets: `predictions` are log-probabilities with classes on axis 1. */
export function nllLoss(
  predictions: Tensor,
  targets: Tensor,
  weights: Tensor | undefined,
  reduction: "none" | "mean" | "sum",
  ignoreIndex: number,
): Tensor {
  const batched = predictions.ndim > 1;
  const dtype = predictions.dtype;
  const target = (i: readonly PrimExpr[]): PrimExpr => cast("int64", targets.at(...i));
  const kept = (i: readonly PrimExpr[]): PrimExpr => ne(target(i), constant(ignoreIndex, "int64"));
  const safe = (i: readonly PrimExpr[]): PrimExpr => select(eq(target(i), constant(ignoreIndex, "int64")), constant(0, "int64"), target(i));
  const weight = (i: readonly PrimExpr[]): PrimExpr =>
    select(kept(i), weights === undefined ? constant(1, dtype) : weights.at(safe(i)), constant(0, dtype));
  const losses = compute(
    targets.shape,
    (...i) => {
      const read = batched ? predictions.at(at(i, 0), safe(i), ...i.slice(1)) : predictions.at(safe(i));
      return mul(sub(constant(0, dtype), read), weight(i));
    },
    "nll_loss",
    { tag: "injective" },
  );
  if (reduction === "none") return losses;
  const total = (f: (i: readonly PrimExpr[]) => PrimExpr, name: string): Tensor => {
    const axes = targets.shape.map((d, n) => reduceAxis(d, `k${n}`));
    return compute([], () => sum(f(axes.map((k) => k.var)), axes), name);
  };
  const all = total((i) => losses.at(...i), "nll_loss_red");
  if (reduction === "sum") return all;
  const weighed = total(weight, "weight_red");
  return compute([], () => div(all.at(), weighed.at()), "T_divide");
}
