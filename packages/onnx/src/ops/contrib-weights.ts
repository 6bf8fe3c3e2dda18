import { at } from "@verticil/ir-core";
import type { Expr } from "@verticil/relax";
import { tensorFrom } from "@verticil/runtime-ffi";
import { asInt, mul } from "@verticil/tir";
import type { Converter, ConverterTable } from "../converter.ts";
import type { NodeContext } from "../node-context.ts";
import { gather } from "./indexing.ts";
import { unpackedBits } from "./packed-bits.ts";

// Weights of few bits in the forms of ONNX Runtime's quantizers, other than `MatMulNBits`.

/** The values that four bits stand for, of floats and of what is spread like a normal distribution. */
const FP4 = [0, 0.0052083333, 0.66666667, 1, 0.33333333, 0.5, 0.16666667, 0.25];
const NF4 = [
  -1, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334, -0.09105003625154495, 0,
  0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1,
];

/** A product with weights by blocks of a row-major `[N, K]`, the first of two values in the high half of its byte. */
const matMulBnb4: Converter = (ctx) => {
  const a = ctx.input(0);
  const [k, n, block] = ["K", "N", "block_size"].map((name) => ctx.attrs.int(name) ?? ctx.unsupported(`it has no ${name}`));
  if (k === undefined || n === undefined || block === undefined) throw new Error("internal: three attributes");
  const kind = ctx.attrs.int("quant_type") ?? ctx.unsupported("it has no quant_type");
  const values = kind === 1 ? NF4 : [...FP4, ...FP4.map((v) => -v)];
  const count = n * k;
  const blocks = Math.ceil(count / block);
  const nibbles = ctx.emit("flip", [unpackedBits(ctx, ctx.input(1), 4)], { axis: 1 });
  const flat = cut(ctx, ctx.reshape(nibbles, [Math.ceil(count / 2) * 2]), 0, count);
  const shares = ctx.emit("take", [ctx.constant(tensorFrom(values, [16], "float32")), flat], { axis: 0 });
  const scales = cut(ctx, ctx.emit("repeat", [ctx.reshape(ctx.input(2), [blocks])], { repeats: block, axis: 0 }), 0, count);
  const weight = ctx.reshape(ctx.emit("multiply", [ctx.astype(shares, ctx.dtype(scales)), scales]), [n, k]);
  return ctx.emit("matmul", [a, ctx.transpose(ctx.astype(weight, ctx.dtype(a)), [1, 0])]);
};

/** The first `size` rows of an axis. */
function cut(ctx: NodeContext, x: Expr, axis: number, size: number): Expr {
  if (asInt(at(ctx.dims(x), axis)) === size) return x;
  return ctx.emit("strided_slice", [x, ctx.prims([axis]), ctx.prims([0]), ctx.prims([size])]);
}

/** Bytes with several values each along the last axis, as those values; other types as they are. */
function valuesOf(ctx: NodeContext, x: Expr, bits: number): Expr {
  if (ctx.dtype(x) !== "uint8" || bits === 8) return x;
  const dims = ctx.dims(x);
  const last = at(dims, -1);
  return ctx.reshape(unpackedBits(ctx, x, bits), [...dims.slice(0, -1), ctx.simplify(mul(last, 8 / bits))]);
}

/** Rows of a quantized table: what belongs to them is gathered, and only that made floats. */
const gatherBlockQuantized: Converter = (ctx) => {
  const rank = ctx.rank(ctx.input(0));
  const [axis, along] = [ctx.axis(ctx.attrs.int("gather_axis", 0), rank), ctx.axis(ctx.attrs.int("quantize_axis", 1), rank)];
  if (axis === along) return ctx.unsupported("it gathers along the axis of its blocks");
  const block = ctx.attrs.int("block_size", 128);
  const bits = ctx.attrs.int("bits", 4);
  if (![2, 4, 8].includes(bits)) return ctx.unsupported(`its values have ${bits} bits`);
  const own = ctx.dtype(ctx.input(0));
  const rows = (i: number): Expr => gather(ctx, ctx.input(i), axis);
  const data = valuesOf(ctx, rows(0), bits);
  const scales = rows(2);
  // What is gathered may have more axes than the one it stands for.
  const blocksAxis = along < axis ? along : along + ctx.rank(data) - rank;
  const length = asInt(at(ctx.dims(data), blocksAxis)) ?? ctx.dynamic("the length of its rows");
  const everywhere = (v: Expr): Expr => cut(ctx, ctx.emit("repeat", [v], { repeats: block, axis: blocksAxis }), blocksAxis, length);
  const blocks = asInt(at(ctx.dims(scales), blocksAxis)) ?? ctx.dynamic("the number of its blocks");
  const zero = ctx.optionalValue(3) === undefined ? undefined : cut(ctx, valuesOf(ctx, rows(3), bits), blocksAxis, blocks);
  const float = ctx.dtype(scales);
  const offset = zero === undefined ? ctx.scalar(own === "uint8" ? 2 ** (bits - 1) : 0, float) : everywhere(ctx.astype(zero, float));
  return ctx.emit("multiply", [ctx.emit("subtract", [ctx.astype(data, float), offset]), everywhere(scales)]);
};

/** Weights of few bits in ONNX Runtime's own domain. */
export const contribWeightConverters: ConverterTable = {
  "com.microsoft:MatMulBnb4": matMulBnb4,
  "com.microsoft:GatherBlockQuantized": gatherBlockQuantized,
};
