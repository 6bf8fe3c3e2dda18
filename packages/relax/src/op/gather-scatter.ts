import { at } from "@verticil/ir-core";
import { isFloat } from "@verticil/runtime-ffi";
import { asInt, ceilDiv, max, min, sub, add, lt, select, constant, type PrimExpr } from "@verticil/tir";
import type { Call } from "../ir/expr.ts";
import { makeTensorStructInfo, shapeOf } from "../ir/make.ts";
import type { InferContext, InferStructInfo, OpDef } from "../ir/op-def.ts";
import type { TensorStructInfo } from "../ir/struct-info.ts";
import { boolAttr, intAttr, opName, optIntAttr, stringAttr } from "./attrs-of.ts";
import { atLeast, oneOf, takeModes } from "./attr-checks.ts";
import { attr, defineOp, newAttr } from "./define.ts";
import { argInfo, broadcastInfo, dim, normAxis, primsArg, replaced, sameAs, simplified, tensorArg, tensorLike, tensorTupleArg, type Dims } from "./infer.ts";

/** The indices of a `take`: a tensor, or one scalar. */
function indicesInfo(call: Call): TensorStructInfo {
  const info = argInfo(call, 1);
  return info.kind === "relax.PrimStructInfo" ? makeTensorStructInfo([], info.dtype) : tensorArg(call, 1);
}

const take: InferStructInfo = (call) => {
  const x = tensorArg(call, 0);
  const indices = indicesInfo(call);
  const axis = optIntAttr(call, "axis");
  if (axis === undefined && x.ndim > 1) throw new RangeError("`relax.take` needs an axis for a tensor of more than one dimension.");
  if (stringAttr(call, "mode") === "nan" && x.dtype !== undefined && !isFloat(x.dtype)) throw new RangeError(`\`relax.take\` cannot give NaN in ${x.dtype}.`);
  const ndim = x.ndim < 0 || indices.ndim < 0 ? -1 : x.ndim - 1 + indices.ndim;
  const dims = shapeOf(x);
  const taken = shapeOf(indices);
  if (dims === undefined || taken === undefined) return tensorLike(x, ndim);
  const a = normAxis(call, axis ?? 0, dims.length);
  return tensorLike(x, [...dims.slice(0, a), ...taken, ...dims.slice(a + 1)]);
};

/**
 * The number of elements of a slice after Python's rules: bounds count from the end if negative and are clamped
 * (unless `assumeInbound`). Undefined for a symbolic step.
 */
export function sliceLength(
  size: PrimExpr,
  begin: PrimExpr,
  end: PrimExpr,
  step: PrimExpr,
  assumeInbound: boolean,
): PrimExpr | undefined {
  const s = asInt(step);
  if (s === undefined) return undefined;
  if (s === 0) throw new RangeError("`relax.strided_slice` has step 0.");
  const [b, e] = assumeInbound ? [begin, end] : [canonicalBegin(size, begin, s), canonicalEnd(size, end, s)];
  const length = s > 0 ? ceilDiv(sub(e, b), step) : ceilDiv(sub(b, e), constant(-s, step.dtype));
  return assumeInbound ? length : max(length, dim(0));
}

function fromEnd(size: PrimExpr, i: PrimExpr): PrimExpr {
  const value = asInt(i);
  if (value !== undefined) return value < 0 ? add(size, i) : i;
  return select(lt(i, constant(0, i.dtype)), add(i, size), i);
}

/** The first index of a slice, in bounds. */
export function canonicalBegin(size: PrimExpr, begin: PrimExpr, step: number): PrimExpr {
  const b = fromEnd(size, begin);
  return step > 0 ? min(max(b, dim(0)), size) : min(max(b, dim(-1)), sub(size, dim(1)));
}

/** The index that a slice stops before; -1 is before the first when stepping backwards. */
export function canonicalEnd(size: PrimExpr, end: PrimExpr, step: number): PrimExpr {
  const e = fromEnd(size, end);
  return step > 0 ? min(max(e, dim(0)), size) : min(max(e, dim(-1)), sub(size, dim(1)));
}

/** A strided slice's arguments, if they are all known. */
export function sliceArgs(call: Call): { readonly axes: readonly number[]; readonly begin: Dims; readonly end: Dims; readonly strides: Dims } | undefined {
  const axes = primsArg(call, 1);
  const begin = primsArg(call, 2);
  const end = primsArg(call, 3);
  if (axes === undefined || begin === undefined || end === undefined) return undefined;
  const numbers = axes.map(asInt).filter((a) => a !== undefined);
  if (numbers.length < axes.length) return undefined;
  if (begin.length !== axes.length || end.length !== axes.length) {
    throw new RangeError(`${opName(call)} has ${axes.length} axes, ${begin.length} begins and ${end.length} ends.`);
  }
  const strides = call.args.length > 4 ? primsArg(call, 4) : axes.map(() => dim(1));
  return strides === undefined ? undefined : { axes: numbers, begin, end, strides };
}

const stridedSlice: InferStructInfo = (call, ctx) => {
  const x = tensorArg(call, 0);
  const dims = shapeOf(x);
  const args = sliceArgs(call);
  if (dims === undefined || args === undefined) return tensorLike(x, x.ndim);
  const inbound = boolAttr(call, "assume_inbound");
  const changes = new Map<number, PrimExpr>();
  args.axes.forEach((axis, i) => {
    const a = normAxis(call, axis, dims.length);
    const length = sliceLength(at(dims, a), at(args.begin, i), at(args.end, i), at(args.strides, i), inbound);
    if (length !== undefined) changes.set(a, simplified(ctx, length));
  });
  return changes.size < args.axes.length ? tensorLike(x, x.ndim) : tensorLike(x, replaced(dims, changes));
};

const rankOnly: InferStructInfo = (call) => {
  const x = tensorArg(call, 0);
  return tensorLike(x, x.ndim);
};

const gatherElements: InferStructInfo = (call) => {
  const x = tensorArg(call, 0);
  const indices = tensorArg(call, 1);
  if (x.ndim >= 0) normAxis(call, intAttr(call, "axis"), x.ndim);
  if (x.ndim >= 0 && indices.ndim >= 0 && x.ndim !== indices.ndim) {
    throw new RangeError(`\`relax.gather_elements\` takes indices of ${x.ndim} dimensions, not ${indices.ndim}.`);
  }
  return { ...indices, dtype: x.dtype };
};

const gatherNd: InferStructInfo = (call) => {
  const x = tensorArg(call, 0);
  const indices = tensorArg(call, 1);
  const batch = intAttr(call, "batch_dims");
  const dims = shapeOf(x);
  const index = shapeOf(indices);
  const depth = index === undefined ? undefined : asInt(at(index, index.length - 1));
  if (dims === undefined || index === undefined || depth === undefined) return tensorLike(x, -1);
  if (batch + depth > dims.length) throw new RangeError(`\`relax.gather_nd\` has indices of ${depth} numbers for ${dims.length} dimensions.`);
  return tensorLike(x, [...index.slice(0, -1), ...dims.slice(batch + depth)]);
};

const oneHot: InferStructInfo = (call) => {
  const indices = tensorArg(call, 0);
  const on = argInfo(call, 1);
  const dtype = on.kind === "relax.PrimStructInfo" || on.kind === "relax.TensorStructInfo" ? on.dtype : undefined;
  const dims = shapeOf(indices);
  if (dims === undefined) return tensorLike(indices, indices.ndim < 0 ? -1 : indices.ndim + 1, dtype);
  const axis = normAxis(call, intAttr(call, "axis"), dims.length + 1);
  return makeTensorStructInfo([...dims.slice(0, axis), dim(intAttr(call, "depth")), ...dims.slice(axis)], dtype, indices.vdevice);
};

const indexTensor: InferStructInfo = (call, ctx: InferContext) => {
  const x = tensorArg(call, 0);
  const indices = tensorTupleArg(call, 1);
  const dims = shapeOf(x);
  const taken = shapeOf(broadcastInfo(call, indices, undefined, ctx));
  if (dims === undefined || taken === undefined) return tensorLike(x, -1);
  if (indices.length > dims.length) throw new RangeError(`\`relax.index_tensor\` has ${indices.length} indices for ${dims.length} dimensions.`);
  return tensorLike(x, [...taken, ...dims.slice(indices.length)]);
};

/** Operators that read or write at computed positions. */
export const gatherScatterOps: readonly OpDef[] = [
  defineOp("take", { args: ["x", "indices"], attrs: { axis: attr("optional-int", null), mode: newAttr("string", "fast", takeModes) }, infer: take }),
  defineOp("strided_slice", {
    args: ["x", "axes", "begin", "end", "strides?"],
    argKinds: { axes: "prims", begin: "prims", end: "prims", strides: "prims" },
    attrs: { assume_inbound: attr("bool", false) },
    infer: stridedSlice,
  }),
  defineOp("dynamic_strided_slice", { args: ["x", "begin", "end", "strides"], infer: rankOnly }),
  defineOp("gather_elements", { args: ["data", "indices"], attrs: { axis: attr("int", 0) }, infer: gatherElements }),
  defineOp("gather_nd", { args: ["data", "indices"], attrs: { batch_dims: attr("int", 0, atLeast(0)) }, infer: gatherNd }),
  defineOp("scatter_elements", {
    args: ["data", "indices", "updates"],
    attrs: { axis: attr("int", 0), reduction: attr("string", "update", oneOf("update", "add", "mul", "mean", "min", "max")) },
    infer: sameAs(),
  }),
  defineOp("scatter_nd", { args: ["data", "indices", "updates"], attrs: { reduction: attr("string", "update", oneOf("update", "add", "mul", "min", "max")) }, infer: sameAs() }),
  defineOp("slice_scatter", {
    args: ["input_tensor", "src", "start", "end", "step"],
    argKinds: { start: "prim", end: "prim", step: "prim" },
    attrs: { axis: attr("int", 0) },
    infer: sameAs(),
  }),
  defineOp("one_hot", {
    args: ["indices", "on_value", "off_value"],
    argKinds: { on_value: "prim", off_value: "prim" },
    attrs: { depth: attr("int", undefined, atLeast(1)), axis: attr("int", -1) },
    infer: oneHot,
  }),
  defineOp("index_tensor", { args: ["data", "indices"], argKinds: { indices: "tuple" }, infer: indexTensor }),
  defineOp("index_put", {
    args: ["data", "indices", "values"],
    argKinds: { indices: "tuple" },
    attrs: { accumulate: attr("bool", false) },
    infer: sameAs(),
  }),
];
