import { at, type AttrMap } from "@verticil/ir-core";
import { asInt } from "@verticil/tir";
import type { Call, Expr } from "../ir/expr.ts";
import { makePrimValue, makeTuple, staticShapeOf } from "../ir/make.ts";
import { intAttr, intsAttr, optIntAttr, optIntsAttr, stringAttr } from "./attrs-of.ts";
import { arithBinaryNames, compareNames } from "./binary.ts";
import { primsArg } from "./infer.ts";
import {
  axisOrder,
  identityOrder,
  isIdentityOrder,
  isPlainOrder,
  modelAxis,
  modelRank,
  storedAxis,
  type AxisOrder,
  type LayoutContext,
  type LayoutDecision,
  type LayoutRule,
  type LayoutTable,
  type PlainOrder,
  type StoredAxis,
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
  const name = (stored: StoredAxis): string => {
    const letter = at([...layout], modelAxis(stored));
    return typeof stored === "number" ? letter : `${stored.factor}${letter.toLowerCase()}`;
  };
  return order.map(name).join("");
}

/** A rule for tensors without tiles; with one, operands go back to the model's order. */
function untiled(rule: (call: Call, order: PlainOrder, ctx: LayoutContext) => LayoutDecision | undefined): LayoutRule {
  return (call, ctx) => {
    const order = orderOf(call, 0, ctx);
    return isPlainOrder(order) ? rule(call, order, ctx) : undefined;
  };
}

function isPlain(layout: string): boolean {
  return /^[A-Z]+$/.test(layout);
}

/** True if what `result` tiles, channels that the kernel tells or images, is whole tiles. */
function makesTiles(call: Call, kernelLayout: string, outLayout: string, result: AxisOrder, ctx: LayoutContext): boolean {
  const inner = result.filter((s) => typeof s !== "number");
  return inner.every(({ axis, factor }) => {
    const [operand, layout, letter] = outLayout[axis] === "C" ? [1, kernelLayout, "O"] as const : [0, stringAttr(call, "data_layout"), "N"] as const;
    return ctx.fits(arg(call, operand), [...identityOrder(layout.length), { axis: layout.indexOf(letter), factor }]);
  });
}

/** True for a layout that splits nothing but channels and images. */
function tilesNoSpace(layout: string): boolean {
  return !/\d[^ncoi]/.test(layout);
}

/** A convolution runs in the layouts that the pipeline wants, or as it is where its channels are no whole tiles. */
const convolution: LayoutRule = (call, ctx) => {
  const name = call.op.kind === "ir.Op" ? call.op.name : "";
  const [data, kernel, out = data] = ctx.desired[name] ?? [];
  const [ownData, ownKernel, ownOut] = [stringAttr(call, "data_layout"), stringAttr(call, "kernel_layout"), stringAttr(call, "out_layout")];
  if (data === undefined || kernel === undefined || out === undefined) return undefined;
  if (![ownData, ownKernel, ownOut].every(isPlain) || ![data, kernel, out].every(tilesNoSpace)) return undefined;
  const args = [axisOrder(ownData, data), axisOrder(ownKernel, kernel)];
  const result = axisOrder(ownOut, out);
  if (!args.every((order, i) => ctx.fits(arg(call, i), order)) || !makesTiles(call, ownKernel, ownOut, result, ctx)) return undefined;
  return {
    args,
    outputs: [result],
    attrs: { ...call.attrs, data_layout: data, kernel_layout: kernel, out_layout: out },
  };
};

/** An operator with a layout of its own runs in whatever order its operand is stored. */
const spatial: LayoutRule = (call, ctx) => {
  const layout = stringAttr(call, "layout");
  const order = orderOf(call, 0, ctx);
  if (!isPlain(layout) || modelRank(order) !== layout.length) return undefined;
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
  const offset = modelRank(order) - ndim;
  if (order.some((stored, i) => (modelAxis(stored) < offset) !== (i < offset))) return undefined;
  return order.slice(offset).map((stored) => (typeof stored === "number" ? stored - offset : { ...stored, axis: stored.axis - offset }));
}

/** Element by element with broadcasting: the first operand of full rank that is stored in another order decides. */
const broadcasting: LayoutRule = (call, ctx) => {
  const ranks = call.args.map((a) => (ndimOf(a) === undefined ? undefined : modelRank(ctx.orderOf(a))));
  const known = ranks.filter((r) => r !== undefined);
  if (known.length < ranks.length) return undefined;
  const rank = Math.max(...known);
  const full = call.args.filter((_, i) => ranks[i] === rank).map((a) => ctx.orderOf(a));
  const order = full.find((o) => !isIdentityOrder(o)) ?? full[0];
  if (order === undefined || modelRank(order) !== rank) return undefined;
  const args = call.args.map((a, i) => (isSingle(a) ? ctx.orderOf(a) : aligned(ranks[i] ?? 0, order)));
  return args.every((o, i) => o !== undefined && ctx.fits(arg(call, i), o)) ? { args, outputs: [order] } : undefined;
};

/** True for a tensor of one element with fewer dimensions than matter: it broadcasts in any order. */
function isSingle(e: Expr): boolean {
  const shape = staticShapeOf("structInfo" in e ? e.structInfo : undefined);
  return shape !== undefined && shape.length <= 1 && shape.every((d) => d === 1);
}

/** The order of what is left when some axes go. */
function without(order: PlainOrder, gone: ReadonlySet<number>): PlainOrder {
  return order.filter((a) => !gone.has(a)).map((a) => a - [...gone].filter((g) => g < a).length);
}

function normalized(axes: readonly number[], ndim: number): readonly number[] {
  return axes.map((a) => (a < 0 ? a + ndim : a));
}

/** A reduction over the same axes, wherever they are stored. */
const reduction = untiled((call, order) => {
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
});

const squeeze = untiled((call, order) => {
  const axes = optIntsAttr(call, "axis");
  if (axes === undefined) return undefined;
  const own = normalized(axes, order.length);
  return {
    args: [order],
    outputs: [without(order, new Set(own))],
    attrs: { ...call.attrs, axis: own.map((a) => storedAxis(order, a)) },
  };
});

/** One axis in an attribute, the result like the operand. */
const onAxis = untiled((call, order) => {
  if (optIntAttr(call, "axis") === undefined) return undefined;
  return { args: [order], outputs: [order], attrs: { ...call.attrs, axis: storedAxis(order, intAttr(call, "axis")) } };
});

const concat: LayoutRule = (call, ctx) => {
  const tensors = arg(call, 0);
  if (tensors.kind !== "relax.Tuple") return undefined;
  const orders = tensors.fields.map((f) => ctx.orderOf(f));
  const order = orders.find((o) => !isIdentityOrder(o)) ?? orders[0];
  if (order === undefined) return undefined;
  if (!tensors.fields.every((f) => ctx.fits(f, order))) return undefined;
  const attrs: AttrMap = { ...call.attrs, axis: storedAxis(order, optIntAttr(call, "axis") ?? 0) };
  return { args: orders.map(() => order), outputs: [order], attrs };
};

const pad = untiled((call, order) => {
  const width = intsAttr(call, "pad_width");
  const stored = order.flatMap((axis) => [at(width, 2 * axis), at(width, 2 * axis + 1)]);
  return { args: [order], outputs: [order], attrs: { ...call.attrs, pad_width: stored } };
});

const stridedSlice = untiled((call, order) => {
  const axes = primsArg(call, 1)?.map((a) => asInt(a)).filter((a) => a !== undefined);
  if (axes === undefined || axes.length !== primsArg(call, 1)?.length) return undefined;
  const stored = makeTuple(axes.map((a) => makePrimValue(storedAxis(order, a))));
  return { args: [order], outputs: [order], callArgs: new Map(isIdentityOrder(order) ? [] : [[1, stored]]) };
});

/** A permutation of a tensor stored in another order is one permutation of what is stored. */
const permuteDims = untiled((call, order) => {
  const axes = optIntsAttr(call, "axes") ?? order.map((_, i) => order.length - 1 - i);
  const out = normalized(axes, order.length).map((a) => storedAxis(order, a));
  return { args: [order], outputs: [out.map((_, i) => i)], attrs: { ...call.attrs, axes: out } };
});

/** A scale and a zero point, or one of each a channel, stay as they are; only their axis moves. */
const quantization = untiled((call, order, ctx) => {
  const [scale, zero] = [arg(call, 1), arg(call, 2)];
  const axis = order.length === 0 ? intAttr(call, "axis") : storedAxis(order, intAttr(call, "axis"));
  return { args: [order, ctx.orderOf(scale), ctx.orderOf(zero)], outputs: [order], attrs: { ...call.attrs, axis } };
});

/** A slope a channel stays as it is; only its axis moves. */
const prelu = untiled((call, order, ctx) => {
  const decision: LayoutDecision = {
    args: [order, ctx.orderOf(arg(call, 1))],
    outputs: [order],
    attrs: { ...call.attrs, axis: storedAxis(order, intAttr(call, "axis")) },
  };
  return decision;
});

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
