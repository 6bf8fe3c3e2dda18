import { makePrimValue, type Expr } from "@verticil/relax";
import { isFloat, type ScalarDType } from "@verticil/runtime-ffi";
import { constant } from "@verticil/tir";
import type { NodeContext } from "../node-context.ts";

/** The largest numbers of the floats of at most 8 bits. */
const LARGEST: Partial<Record<ScalarDType, number>> = { float8_e4m3fn: 448, float8_e5m2: 57344, float8_e4m3fnuz: 240, float8_e5m2fnuz: 57344, float4_e2m1fn: 6 };

/** True for a type of at most 8 bits, whose conversions saturate unless told otherwise. */
export function isSmallFloat(dtype: ScalarDType): boolean {
  return LARGEST[dtype] !== undefined;
}

/**
 * `x` as a float of at most 8 bits, the nearest one. With the attribute `saturate`, which is the default, what is too large becomes the
 * largest number, infinities as well; without it, infinity or what is no number, as the type has it.
 */
export function toSmallFloat(ctx: NodeContext, x: Expr, dtype: ScalarDType): Expr {
  const largest = LARGEST[dtype] ?? ctx.unsupported(`${dtype} is no float of at most 8 bits`);
  if (ctx.dtype(x) === dtype) return x;
  const float = isFloat(ctx.dtype(x)) ? x : ctx.astype(x, "float32");
  if (!ctx.attrs.flag("saturate", true)) return ctx.astype(float, dtype);
  const of = (value: number): Expr => makePrimValue(constant(value, ctx.dtype(float)));
  const within = ctx.emit("clip", [float, of(-largest), of(largest)]);
  // Limits may let what is no number become one: `T.min` and `T.max` compare.
  // The 4-bit float has nothing that is no number: ONNX gives minus zero for it.
  const none = dtype === "float4_e2m1fn" ? ctx.scalar(-0, float) : float;
  return ctx.astype(ctx.emit("where", [ctx.emit("not_equal", [float, float]), none, within]), dtype);
}
