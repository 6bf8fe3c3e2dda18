import type { Expr } from "@verticil/relax";
import { asInt } from "@verticil/tir";
import type { Converter, ConverterTable } from "../converter.ts";
import type { NodeContext } from "../node-context.ts";

const matmul: Converter = (ctx) => ctx.emit("matmul", [ctx.input(0), ctx.input(1)]);

const gemm: Converter = (ctx) => {
  const operand = (i: number, flag: string): Expr => (ctx.attrs.flag(flag) ? ctx.transpose(ctx.input(i), [1, 0]) : ctx.input(i));
  const product = ctx.emit("matmul", [operand(0, "transA"), operand(1, "transB")]);
  const scaled = times(ctx, product, ctx.attrs.float("alpha", 1));
  const c = ctx.optional(2);
  if (c === undefined) return scaled;
  return ctx.emit("add", [scaled, times(ctx, c, ctx.attrs.float("beta", 1))]);
};

function times(ctx: NodeContext, x: Expr, factor: number): Expr {
  return factor === 1 ? x : ctx.emit("multiply", [x, ctx.scalar(factor, x)]);
}

/** Integers less their zero point, in a type that holds the difference: int16 does for bytes. */
export function shifted(ctx: NodeContext, x: Expr, zeroPoint: Expr | undefined, dtype: "int16" | "int32" = "int32"): Expr {
  const wide = ctx.astype(x, dtype);
  return zeroPoint === undefined ? wide : ctx.emit("subtract", [wide, ctx.astype(zeroPoint, dtype)]);
}

/** `MatMulInteger`, and that of 16 bits. */
export const matmulInteger: Converter = (ctx) => {
  const a = ctx.input(0);
  // The difference to a zero point takes one bit more than the numbers.
  const wide = [0, 1].some((i) => ctx.dtype(ctx.input(i)).endsWith("16")) ? "int32" : "int16";
  const zero = ctx.optional(2);
  // One zero point a row stands before the columns.
  const isPerRow = zero !== undefined && ctx.rank(zero) === 1 && ctx.dims(zero).every((d) => asInt(d) !== 1);
  const zeroA = isPerRow ? ctx.reshape(zero, [...ctx.dims(zero), 1]) : zero;
  return ctx.emit("matmul", [shifted(ctx, a, zeroA, wide), shifted(ctx, ctx.input(1), ctx.optional(3), wide)], { out_dtype: "int32" });
};

/** Products of matrices. */
export const matmulConverters: ConverterTable = {
  MatMul: matmul,
  Gemm: gemm,
  MatMulInteger: matmulInteger,
};
