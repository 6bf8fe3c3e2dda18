import { at } from "@verticil/ir-core";
import { makePrimValue, makeShapeExpr, makeTensorStructInfo, type Expr } from "@verticil/relax";
import { tensorFrom, type Tensor } from "@verticil/runtime-ffi";
import { asInt } from "@verticil/tir";
import type { Converter, ConverterTable } from "../converter.ts";
import type { NodeContext } from "../node-context.ts";
import { dtypeOf, readTensor } from "../proto/tensor.ts";
import { constantValue } from "../value.ts";
import { extended } from "./positions.ts";

const constantNode: Converter = (ctx) => constantValue(constantOf(ctx));

function constantOf(ctx: NodeContext): Tensor {
  const { attrs } = ctx;
  const proto = attrs.tensor("value");
  if (proto !== undefined) return readTensor(proto, ctx.name);
  const float = attrs.float("value_float");
  if (float !== undefined) return tensorFrom([float], [], "float32");
  const int = attrs.int("value_int");
  if (int !== undefined) return tensorFrom([int], [], "int64");
  const floats = attrs.floats("value_floats");
  if (floats !== undefined) return tensorFrom(floats, [floats.length], "float32");
  const ints = attrs.ints("value_ints");
  if (ints !== undefined) return tensorFrom(ints, [ints.length], "int64");
  return ctx.unsupported(`its value is given as ${attrs.names.join(", ") || "nothing"}`);
}

const constantOfShape: Converter = (ctx) => {
  const dims = ctx.dimsInput(0, "the shape");
  const proto = ctx.attrs.tensor("value");
  const value = proto === undefined ? tensorFrom([0], [], "float32") : { ...readTensor(proto), shape: [] };
  return ctx.emit("full", [makeShapeExpr(dims), ctx.constant(value)], { dtype: value.dtype });
};

const range: Converter = (ctx) => {
  if ([0, 1, 2].some((i) => ctx.known(i) === undefined)) {
    const bounds = [0, 1, 2].map((i) => ctx.input(i));
    return ctx.withOpenDims(ctx.emitPacked("relax.run.range", bounds, makeTensorStructInfo(1, ctx.dtype(at(bounds, 0)))), [undefined]);
  }
  const bounds = [0, 1, 2].map((i) => {
    const known = ctx.known(i);
    return makePrimValue(at(known?.elems ?? ctx.dynamic("its bounds"), 0));
  });
  return ctx.emit("arange", bounds, { dtype: ctx.known(0)?.dtype ?? "int64" });
};

const eyeLike: Converter = (ctx) => {
  const x = ctx.input(0);
  const [rows, columns] = ctx.staticDims(x);
  const to = ctx.attrs.int("dtype");
  const dtype = to === undefined ? ctx.dtype(x) : dtypeOf(to, `The result of ${ctx.label}`);
  const args = [rows ?? 0, columns ?? 0, ctx.attrs.int("k", 0)].map((n) => makePrimValue(n));
  return ctx.emit("eye", args, { dtype });
};

const trilu: Converter = (ctx) => {
  const k = ctx.optionalValue(1) === undefined ? 0 : at(ctx.dimsInput(1, "the diagonal"), 0);
  return ctx.emit(ctx.attrs.flag("upper", true) ? "triu" : "tril", [ctx.input(0), makePrimValue(k)]);
};

const MODES: Readonly<Record<string, string>> = { constant: "constant", reflect: "reflect", edge: "replicate", wrap: "circular" };

/** True if an input is there and computed by the model. */
function isComputed(ctx: NodeContext, i: number): boolean {
  return ctx.optionalValue(i) !== undefined && ctx.known(i) === undefined;
}

const pad: Converter = (ctx) => {
  const x = ctx.input(0);
  if (ctx.opset >= 11 && (isComputed(ctx, 1) || isComputed(ctx, 2))) return openPad(ctx, x);
  const rank = ctx.rank(x);
  const given = ctx.opset < 11 ? (ctx.attrs.ints("pads") ?? ctx.attrs.ints("paddings") ?? []) : ctx.numbers(1, "the widths");
  const axes = ctx.axes(ctx.optionalNumbers(3, "the axes") ?? Array.from({ length: rank }, (_, i) => i), rank);
  const widths = new Array<number>(2 * rank).fill(0);
  for (const [i, axis] of axes.entries()) {
    widths[2 * axis] = given[i] ?? 0;
    widths[2 * axis + 1] = given[i + axes.length] ?? 0;
  }
  const mode = ctx.attrs.string("mode", "constant");
  const name = MODES[mode] ?? ctx.unsupported(`its mode is \`${mode}\``);
  const value = ctx.opset < 11 ? ctx.attrs.float("value", 0) : (ctx.optionalNumbers(2, "the value", true)?.[0] ?? 0);
  return padded(ctx, cropped(ctx, x, widths), widths.map((w) => Math.max(0, w)), { name, value });
};

/** Padding by widths, or with a value, that the model computes. */
function openPad(ctx: NodeContext, x: Expr): Expr {
  const mode = ctx.attrs.string("mode", "constant");
  if (mode !== "constant" && mode !== "edge" && mode !== "reflect" && mode !== "wrap") return ctx.unsupported(`its mode is \`${mode}\``);
  const rank = ctx.rank(x);
  const axes = ctx.axes(ctx.optionalNumbers(3, "the axes") ?? Array.from({ length: rank }, (_, i) => i), rank);
  const widths = ctx.dimsInput(1, "the widths");
  const given = ctx.optional(2);
  const value = given === undefined || ctx.dims(given).some((d) => asInt(d) === 0) ? ctx.scalar(0, x) : ctx.reshape(given, []);
  return axes.reduce((y, axis, i) => extended(ctx, y, axis, at(widths, i), at(widths, i + axes.length), { mode, value }), x);
}

/** Negative widths cut off instead. */
function cropped(ctx: NodeContext, x: Expr, widths: readonly number[]): Expr {
  const dims = ctx.dims(x);
  const axes = dims.flatMap((_, i) => (at(widths, 2 * i) < 0 || at(widths, 2 * i + 1) < 0 ? [i] : []));
  if (axes.length === 0) return x;
  const sizes = axes.map((a) => asInt(at(dims, a)) ?? ctx.unsupported("it cuts off an axis of unknown size"));
  const begin = axes.map((a) => Math.max(0, -at(widths, 2 * a)));
  const end = axes.map((a, i) => at(sizes, i) - Math.max(0, -at(widths, 2 * a + 1)));
  return ctx.emit("strided_slice", [x, ctx.prims(axes), ctx.prims(begin), ctx.prims(end)]);
}

function padded(ctx: NodeContext, x: Expr, widths: readonly number[], how: { readonly name: string; readonly value: number }): Expr {
  if (widths.every((w) => w === 0)) return x;
  const dtype = ctx.dtype(x);
  // Booleans are padded as numbers.
  if (dtype === "bool") return ctx.astype(padded(ctx, ctx.astype(x, "uint8"), widths, how), "bool");
  return ctx.emit("nn.pad", [x], { pad_width: widths, pad_value: how.value, pad_mode: how.name });
}

/** Operators that make tensors, and padding. */
export const creationConverters: ConverterTable = {
  Constant: constantNode,
  ConstantOfShape: constantOfShape,
  Range: range,
  EyeLike: eyeLike,
  Trilu: trilu,
  Pad: pad,
};
