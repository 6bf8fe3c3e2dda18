import { at } from "@verticil/ir-core";
import { asInt } from "@verticil/tir";
import { makeTuple, makeTupleGetItem } from "../../ir/make.ts";
import { tensorInfoOf, structInfoOf } from "../../ir/struct-info-of.ts";
import type { Call, Expr } from "../../ir/expr.ts";
import { boolAttr, intAttr, intsAttr, opName, optIntAttr, optIntsAttr } from "../attrs-of.ts";
import type { GradientBuilder, GradientRule } from "../gradient-rule.ts";
import { normAxes, normAxis } from "../infer.ts";
import { arg, dimsOf, fitted, reducedAxes, scalarLike, shapeExprOf } from "./operands.ts";

/** The gradient in the shape of the operand: the elements stay where they are. */
const reshaped: GradientRule = ({ call, grad }, b) => [b.op("reshape", [grad, shapeExprOf(call, arg(call, 0))]), ...call.args.slice(1).map(() => undefined)];

/** A reduced tensor with the axes of size 1 that the reduction took away; a scalar fits any tensor as it is. */
function restored(call: Call, e: Expr, b: GradientBuilder): Expr {
  const axes = reducedAxes(call);
  const isScalar = axes.length === dimsOf(call, arg(call, 0)).length;
  return boolAttr(call, "keepdims") || isScalar ? e : b.op("expand_dims", [e], { axis: axes.toSorted((x, y) => x - y) });
}

/** The number of elements that a reduction puts into one; a tensor where sizes are symbolic. */
function reducedCount(call: Call, b: GradientBuilder): Expr {
  const x = arg(call, 0);
  const dims = dimsOf(call, x);
  const sizes = reducedAxes(call).map((a) => asInt(at(dims, a)));
  const count = sizes.reduce<number | undefined>((n, s) => (n === undefined || s === undefined ? undefined : n * s), 1);
  if (count !== undefined) return scalarLike(count, x);
  return b.op("sum", [b.op("ones_like", [x])], { axis: reducedAxes(call), keepdims: true });
}

const sum: GradientRule = ({ call, grad }, b) => {
  const x = arg(call, 0);
  return [b.op("broadcast_to", [restored(call, grad, b), shapeExprOf(call, x)])];
};

const mean: GradientRule = ({ call, grad }, b) => {
  const spread = b.op("divide", [restored(call, grad, b), reducedCount(call, b)]);
  return [b.op("broadcast_to", [spread, shapeExprOf(call, arg(call, 0))])];
};

const variance: GradientRule = ({ call, grad }, b) => {
  const x = arg(call, 0);
  const centred = b.op("subtract", [x, b.op("mean", [x], { axis: reducedAxes(call), keepdims: true })]);
  const spread = b.op("divide", [b.op("multiply", [restored(call, grad, b), scalarLike(2, x)]), reducedCount(call, b)]);
  return [b.op("multiply", [centred, spread])];
};

/** To the elements that are the extreme; each of several gets all of it. */
const extreme: GradientRule = ({ call, output, grad }, b) => {
  const x = arg(call, 0);
  const hit = b.op("equal", [x, restored(call, output, b)]);
  return [b.op("where", [hit, restored(call, grad, b), scalarLike(0, grad)])];
};

const permuteDims: GradientRule = ({ call, grad }, b) => {
  const axes = optIntsAttr(call, "axes");
  if (axes === undefined) return [b.op("permute_dims", [grad])];
  const order = normAxes(call, axes, axes.length);
  return [b.op("permute_dims", [grad], { axes: order.map((_, i) => order.indexOf(i)) })];
};

const concat: GradientRule = ({ call, grad }, b) => {
  const tuple = arg(call, 0);
  const info = structInfoOf(tuple);
  const fields = tuple.kind === "relax.Tuple" ? tuple.fields : (info?.kind === "relax.TupleStructInfo" ? info.fields : []).map((_, i) => makeTupleGetItem(tuple, i));
  const axis = normAxis(call, optIntAttr(call, "axis") ?? 0, tensorInfoOf(grad).ndim);
  const cuts: number[] = [];
  for (const f of fields.slice(0, -1)) {
    const size = asInt(at(dimsOf(call, f), axis));
    if (size === undefined) throw new RangeError(`The gradient of ${opName(call)} needs the sizes that it puts together.`);
    cuts.push((cuts.at(-1) ?? 0) + size);
  }
  return [cuts.length === 0 ? makeTuple([grad]) : b.op("split", [grad], { indices_or_sections: cuts, axis })];
};

const cumsum: GradientRule = ({ call, grad }, b) => {
  const x = arg(call, 0);
  const axis = optIntAttr(call, "axis");
  const along = { axis: axis ?? 0 };
  const back = b.op("cumsum", [b.op("flip", [grad], along)], { ...along, exclusive: boolAttr(call, "exclusive") });
  const flipped = b.op("flip", [back], along);
  return [axis === undefined ? b.op("reshape", [flipped, shapeExprOf(call, x)]) : flipped];
};

const triangle =
  (name: string): GradientRule =>
  ({ call, grad }, b) => [b.op(name, [grad, ...call.args.slice(1)], call.attrs), ...call.args.slice(1).map(() => undefined)];

/** Gradients of what moves, repeats or adds up elements. */
export const shapeGradients: Readonly<Record<string, GradientRule>> = {
  sum,
  mean,
  variance,
  max: extreme,
  min: extreme,
  permute_dims: permuteDims,
  concat,
  cumsum,
  triu: triangle("triu"),
  tril: triangle("tril"),
  split: ({ call, grad }, b) => [b.op("concat", [grad], { axis: intAttr(call, "axis") })],
  expand_dims: ({ call, grad }, b) => [b.op("squeeze", [grad], { axis: intsAttr(call, "axis") })],
  squeeze: reshaped,
  flatten: reshaped,
  reshape: reshaped,
  flip: ({ call, grad }, b) => [b.op("flip", [grad], call.attrs)],
  broadcast_to: ({ call, grad }, b) => [fitted(call, grad, arg(call, 0), b), undefined],
  take: ({ call, grad }, b) => [b.op("grad.take_backward", [grad, arg(call, 0), arg(call, 1)], { axis: call.attrs["axis"] ?? null }), undefined],
};
