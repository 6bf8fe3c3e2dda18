import { at, type AttrMap } from "@verticil/ir-core";
import { asInt } from "@verticil/tir";
import type { Call, Expr } from "../ir/expr.ts";
import { makePrimValue, makeTuple, staticShapeOf } from "../ir/make.ts";
import { intAttr, intsAttr, optIntAttr, optIntsAttr, stringAttr } from "./attrs-of.ts";
import { arithBinaryNames, compareNames } from "./binary.ts";
import { primsArg } from "./infer.ts";
import {
  axisOrder,
  isIdentityOrder,
  storedAxis,
  type AxisOrder,
  type LayoutContext,
  type LayoutDecision,
  type LayoutRule,
  type LayoutTable,
} from "./layout-rule.ts";
import { arithUnaryNames, floatUnaryNames } from "./unary.ts";

// Where a rule follows, its decision is the identity for operands in the model's order: nothing changes then.

function arg(call: Call, i: number): Expr {
  return at(call.args, i);
}

function orderOf(call: Call, i: number, ctx: LayoutContext): AxisOrder {
  return ctx.orderOf(arg(call, i));
}

function ndimOf(e: Expr): number | undefined {
  const info = "structInfo" in e ? e.structInfo : undefined;
  if (info?.kind === "relax.PrimStructInfo") return 0;
  return info?.kind === "relax.TensorStructInfo" && info.ndim >= 0 ? info.ndim : undefined;
}

/** A layout's name with its axes in stored order. */
function reordered(layout: string, order: AxisOrder): string {
  return order.map((axis) => at([...layout], axis)).join("");
}

function isPlain(layout: string): boolean {
  return /^[A-Z]+$/.test(layout);
}

/** A convolution runs in the layouts that the pipeline wants, or as it is. */
const convolution: LayoutRule = (call, ctx) => {
  const name = call.op.kind === "ir.Op" ? call.op.name : "";
  const [data, kernel, out = data] = ctx.desired[name] ?? [];
  const [ownData, ownKernel, ownOut] = [stringAttr(call, "data_layout"), stringAttr(call, "kernel_layout"), stringAttr(call, "out_layout")];
  if (data === undefined || kernel === undefined || out === undefined) return undefined;
  if (![ownData, ownKernel, ownOut, data, kernel, out].every(isPlain)) return undefined;
  return {
    args: [axisOrder(ownData, data), axisOrder(ownKernel, kernel)],
    outputs: [axisOrder(ownOut, out)],
    attrs: { ...call.attrs, data_layout: data, kernel_layout: kernel, out_layout: out },
  };
};

/** An operator with a layout of its own runs in whatever order its operand is stored. */
const spatial: LayoutRule = (call, ctx) => {
  const layout = stringAttr(call, "layout");
  const order = orderOf(call, 0, ctx);
  if (!isPlain(layout) || order.length !== layout.length) return undefined;
  const stored = reordered(layout, order);
  const out = call.attrs["out_layout"] === undefined ? {} : { out_layout: stored };
  return { args: [order], outputs: [order], attrs: { ...call.attrs, layout: stored, ...out } };
};

/** Element by element: any order will do. */
const follow: LayoutRule = (call, ctx) => {
  const order = orderOf(call, 0, ctx);
  return { args: [order], outputs: [order] };
};

/**
 * The order in which an operand of fewer dimensions broadcasts against one stored in `order`; undefined if that takes
 * more than a permutation.
 */
function aligned(ndim: number, order: AxisOrder): AxisOrder | undefined {
  const offset = order.length - ndim;
  if (order.slice(0, offset).some((axis) => axis >= offset)) return undefined;
  return order.slice(offset).map((axis) => axis - offset);
}

/** Element by element with broadcasting: the first operand of full rank that is stored in another order decides. */
const broadcasting: LayoutRule = (call, ctx) => {
  const ranks = call.args.map(ndimOf);
  const known = ranks.filter((r) => r !== undefined);
  if (known.length < ranks.length) return undefined;
  const rank = Math.max(...known);
  const full = call.args.filter((_, i) => ranks[i] === rank).map((a) => ctx.orderOf(a));
  const order = full.find((o) => !isIdentityOrder(o)) ?? full[0];
  if (order === undefined || order.length !== rank) return undefined;
  const args = call.args.map((a, i) => (isSingle(a) ? ctx.orderOf(a) : aligned(ranks[i] ?? 0, order)));
  return args.every((o) => o !== undefined) ? { args, outputs: [order] } : undefined;
};

/** True for a tensor of one element with fewer dimensions than matter: it broadcasts in any order. */
function isSingle(e: Expr): boolean {
  const shape = staticShapeOf("structInfo" in e ? e.structInfo : undefined);
  return shape !== undefined && shape.length <= 1 && shape.every((d) => d === 1);
}

/** The order of what is left when some axes go. */
function without(order: AxisOrder, gone: ReadonlySet<number>): AxisOrder {
  return order.filter((a) => !gone.has(a)).map((a) => a - [...gone].filter((g) => g < a).length);
}

function normalized(axes: readonly number[], ndim: number): readonly number[] {
  return axes.map((a) => (a < 0 ? a + ndim : a));
}

/** A reduction over the same axes, wherever they are stored. */
const reduction: LayoutRule = (call, ctx) => {
  const order = orderOf(call, 0, ctx);
  const axes = optIntsAttr(call, "axis");
  const keep = call.attrs["keepdims"] === true;
  if (axes === undefined) return { args: [order], outputs: [keep ? order : []] };
  const own = normalized(axes, order.length);
  const single = typeof call.attrs["axis"] === "number";
  const stored = own.map((a) => storedAxis(order, a));
  return {
    args: [order],
    outputs: [keep ? order : without(order, new Set(own))],
    attrs: { ...call.attrs, axis: single ? at(stored, 0) : stored.toSorted((a, b) => a - b) },
  };
};

const squeeze: LayoutRule = (call, ctx) => {
  const order = orderOf(call, 0, ctx);
  const axes = optIntsAttr(call, "axis");
  if (axes === undefined) return undefined;
  const own = normalized(axes, order.length);
  return {
    args: [order],
    outputs: [without(order, new Set(own))],
    attrs: { ...call.attrs, axis: own.map((a) => storedAxis(order, a)) },
  };
};

/** One axis in an attribute, the result like the operand. */
const onAxis: LayoutRule = (call, ctx) => {
  const order = orderOf(call, 0, ctx);
  if (optIntAttr(call, "axis") === undefined) return undefined;
  return { args: [order], outputs: [order], attrs: { ...call.attrs, axis: storedAxis(order, intAttr(call, "axis")) } };
};

const concat: LayoutRule = (call, ctx) => {
  const tensors = arg(call, 0);
  if (tensors.kind !== "relax.Tuple") return undefined;
  const orders = tensors.fields.map((f) => ctx.orderOf(f));
  const order = orders.find((o) => !isIdentityOrder(o)) ?? orders[0];
  if (order === undefined) return undefined;
  const attrs: AttrMap = { ...call.attrs, axis: storedAxis(order, optIntAttr(call, "axis") ?? 0) };
  return { args: orders.map(() => order), outputs: [order], attrs };
};

const pad: LayoutRule = (call, ctx) => {
  const order = orderOf(call, 0, ctx);
  const width = intsAttr(call, "pad_width");
  const stored = order.flatMap((axis) => [at(width, 2 * axis), at(width, 2 * axis + 1)]);
  return { args: [order], outputs: [order], attrs: { ...call.attrs, pad_width: stored } };
};

const stridedSlice: LayoutRule = (call, ctx) => {
  const order = orderOf(call, 0, ctx);
  const axes = primsArg(call, 1)?.map((a) => asInt(a)).filter((a) => a !== undefined);
  if (axes === undefined || axes.length !== primsArg(call, 1)?.length) return undefined;
  const stored = makeTuple(axes.map((a) => makePrimValue(storedAxis(order, a))));
  return { args: [order], outputs: [order], callArgs: new Map(isIdentityOrder(order) ? [] : [[1, stored]]) };
};

/** A permutation of a tensor stored in another order is one permutation of what is stored. */
const permuteDims: LayoutRule = (call, ctx) => {
  const order = orderOf(call, 0, ctx);
  const axes = optIntsAttr(call, "axes") ?? order.map((_, i) => order.length - 1 - i);
  const out = normalized(axes, order.length).map((a) => storedAxis(order, a));
  return { args: [order], outputs: [out.map((_, i) => i)], attrs: { ...call.attrs, axes: out } };
};

/** A scale and a zero point, or one of each a channel, stay as they are; only their axis moves. */
const quantization: LayoutRule = (call, ctx) => {
  const order = orderOf(call, 0, ctx);
  const [scale, zero] = [arg(call, 1), arg(call, 2)];
  const axis = order.length === 0 ? intAttr(call, "axis") : storedAxis(order, intAttr(call, "axis"));
  return { args: [order, ctx.orderOf(scale), ctx.orderOf(zero)], outputs: [order], attrs: { ...call.attrs, axis } };
};

/** A slope a channel stays as it is; only its axis moves. */
const prelu: LayoutRule = (call, ctx) => {
  const order = orderOf(call, 0, ctx);
  const decision: LayoutDecision = {
    args: [order, ctx.orderOf(arg(call, 1))],
    outputs: [order],
    attrs: { ...call.attrs, axis: storedAxis(order, intAttr(call, "axis")) },
  };
  return decision;
};

function rules(names: readonly string[], rule: LayoutRule): readonly (readonly [string, LayoutRule])[] {
  return names.map((name) => [`relax.${name}`, rule]);
}

/** How operators run on tensors stored in other orders, by full name; what `ConvertLayout` uses unless told. */
export const layoutTable: LayoutTable = new Map([
  ...rules(["nn.conv1d", "nn.conv2d", "nn.conv3d", "nn.conv1d_transpose", "nn.conv2d_transpose", "nn.conv3d_transpose"], convolution),
  ...rules([1, 2, 3].flatMap((n) => [`nn.max_pool${n}d`, `nn.avg_pool${n}d`, `nn.adaptive_avg_pool${n}d`]), spatial),
  ...rules(["image.resize2d", "image.resize3d"], spatial),
  ...rules([...arithUnaryNames, ...floatUnaryNames, "bitwise_not", "logical_not", "isfinite", "isinf", "isnan", "clip", "astype"], follow),
  ...rules(["relu", "gelu", "gelu_tanh", "selu", "silu", "leakyrelu", "softplus"].map((n) => `nn.${n}`), follow),
  ...rules([...arithBinaryNames, ...compareNames, "ewise_fma", "where"], broadcasting),
  ...rules(["max", "mean", "min", "prod", "std", "sum", "variance", "argmax", "argmin"], reduction),
  ...rules(["nn.softmax", "nn.log_softmax", "cumsum", "cumprod", "sort", "argsort", "flip"], onAxis),
  ...rules(["squeeze"], squeeze),
  ...rules(["concat"], concat),
  ...rules(["nn.pad"], pad),
  ...rules(["strided_slice"], stridedSlice),
  ...rules(["permute_dims"], permuteDims),
  ...rules(["nn.prelu"], prelu),
  ...rules(["quantize", "dequantize"], quantization),
]);
