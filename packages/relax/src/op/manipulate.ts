import { at, isNode, type AttrValue } from "@verticil/ir-core";
import { add, asInt, floorDiv, isConstInt, mul, sub, type IndexMap, type PrimExpr } from "@verticil/tir";
import type { Call } from "../ir/expr.ts";
import { makeShapeStructInfo, makeTensorStructInfo, makeTupleStructInfo, shapeOf } from "../ir/make.ts";
import type { InferContext, InferStructInfo, OpDef } from "../ir/op-def.ts";
import type { TensorStructInfo } from "../ir/struct-info.ts";
import { intAttr, intsAttr, opName, optIntAttr, optIntsAttr } from "./attrs-of.ts";
import { ascending, atLeast, distinct, nodeOf, oneOf, whole } from "./attr-checks.ts";
import { attr, defineOp } from "./define.ts";
import {
  dim,
  dimAt,
  normAxes,
  normAxis,
  product,
  provablyDiffer,
  replaced,
  sameDType,
  shapeArg,
  simplified,
  sumDims,
  tensorArg,
  tensorLike,
  tensorTupleArg,
  type Dims,
} from "./infer.ts";

const ofShapeArg: InferStructInfo = (call) => {
  const x = tensorArg(call, 0);
  const { dims, ndim } = shapeArg(call, 1);
  if (dims !== undefined) return tensorLike(x, dims);
  const shape = call.args[1];
  return shape === undefined ? tensorLike(x, ndim) : makeTensorStructInfo(shape, x.dtype, x.vdevice);
};

/** The dimensions that a reshape asks for: 0 copies the input's, -1 takes what is left. */
export function resolveReshape(from: Dims | undefined, to: Dims, ctx: InferContext): Dims {
  const copied = to.map((d, i) => (isConstInt(d, 0) && from?.[i] !== undefined ? from[i] : d));
  const open = copied.findIndex((d) => isConstInt(d, -1));
  if (open < 0 || from === undefined) return copied;
  const rest = product(copied.filter((_, i) => i !== open));
  return copied.map((d, i) => (i === open ? simplified(ctx, floorDiv(product(from), rest)) : d));
}

const reshape: InferStructInfo = (call, ctx) => {
  const x = tensorArg(call, 0);
  const { dims } = shapeArg(call, 1);
  if (dims === undefined) return ofShapeArg(call, ctx);
  const from = shapeOf(x);
  const to = resolveReshape(from, dims, ctx);
  if (from !== undefined && provablyDiffer(product(from), product(to))) {
    throw new RangeError(`\`relax.reshape\` cannot make ${asInt(product(to))} elements of ${asInt(product(from))}.`);
  }
  return tensorLike(x, to);
};

const broadcastTo: InferStructInfo = (call, ctx) => {
  const x = tensorArg(call, 0);
  const { dims } = shapeArg(call, 1);
  const from = shapeOf(x);
  if (dims !== undefined && from !== undefined) {
    if (from.length > dims.length) throw new RangeError("`relax.broadcast_to` cannot remove dimensions.");
    from.forEach((d, i) => {
      const target = dimAt(dims, i - from.length);
      if (!isConstInt(d, 1) && provablyDiffer(d, target)) {
        throw new RangeError(`\`relax.broadcast_to\` cannot make dimension ${asInt(d)} into ${asInt(target)}.`);
      }
    });
  }
  return ofShapeArg(call, ctx);
};

const concat: InferStructInfo = (call, ctx) => {
  const infos = tensorTupleArg(call, 0);
  const first = infos[0];
  if (first === undefined) throw new RangeError("`relax.concat` takes at least one tensor.");
  const dtype = sameDType(call, infos);
  const ndim = Math.max(...infos.map((i) => i.ndim));
  if (ndim < 0) return tensorLike(first, -1, dtype);
  if (infos.some((i) => i.ndim >= 0 && i.ndim !== ndim)) throw new RangeError("`relax.concat` takes tensors of one number of dimensions.");
  const axis = normAxis(call, optIntAttr(call, "axis") ?? 0, ndim);
  const shapes = infos.map(shapeOf);
  const known = shapes.filter((s) => s !== undefined);
  if (known.length < shapes.length) return tensorLike(first, ndim, dtype);
  const dims = at(known, 0).map((d, i) => (i === axis ? joinedDim(known.map((s) => at(s, i)), ctx) : checkEqual(call, known, i, d)));
  return tensorLike(first, dims, dtype);
};

/** The sum of sizes, in the order of the tensors where no two belong together (as upstream's). */
function joinedDim(sizes: Dims, ctx: InferContext): PrimExpr {
  const open = sizes.filter((d) => d.kind !== "ir.IntImm");
  const apart = new Set(open).size === open.length && open.every((d) => d.kind === "tir.Var" || d.kind === "tir.SizeVar");
  return apart ? sumDims(sizes) : simplified(ctx, sumDims(sizes));
}

function checkEqual(call: Call, shapes: readonly Dims[], i: number, d: PrimExpr): PrimExpr {
  for (const s of shapes) {
    if (provablyDiffer(d, at(s, i))) throw new RangeError(`${opName(call)} has dimension ${i} of ${asInt(d)} and ${asInt(at(s, i))}.`);
  }
  return shapes.map((s) => at(s, i)).find((x) => x.kind === "ir.IntImm") ?? d;
}

const stack: InferStructInfo = (call) => {
  const infos = tensorTupleArg(call, 0);
  const first = infos[0];
  if (first === undefined) throw new RangeError("`relax.stack` takes at least one tensor.");
  const dtype = sameDType(call, infos);
  if (first.ndim < 0) return tensorLike(first, -1, dtype);
  const axis = normAxis(call, optIntAttr(call, "axis") ?? 0, first.ndim + 1);
  const dims = shapeOf(first);
  if (dims === undefined) return tensorLike(first, first.ndim + 1, dtype);
  return tensorLike(first, [...dims.slice(0, axis), dim(infos.length), ...dims.slice(axis)], dtype);
};

const expandDims: InferStructInfo = (call) => {
  const x = tensorArg(call, 0);
  const axes = intsAttr(call, "axis");
  if (x.ndim < 0) return tensorLike(x, -1);
  const ndim = x.ndim + axes.length;
  const dims = shapeOf(x);
  const added = new Set(normAxes(call, axes, ndim));
  if (dims === undefined) return tensorLike(x, ndim);
  let next = 0;
  return tensorLike(x, Array.from({ length: ndim }, (_, i) => (added.has(i) ? dim(1) : at(dims, next++))));
};

const squeeze: InferStructInfo = (call) => {
  const x = tensorArg(call, 0);
  const axes = optIntsAttr(call, "axis");
  const dims = shapeOf(x);
  if (axes === undefined) {
    if (dims === undefined || dims.some((d) => d.kind !== "ir.IntImm")) return tensorLike(x, -1);
    return tensorLike(x, dims.filter((d) => !isConstInt(d, 1)));
  }
  if (x.ndim < 0) return tensorLike(x, -1);
  const gone = new Set(normAxes(call, axes, x.ndim));
  if (dims === undefined) return tensorLike(x, x.ndim - gone.size);
  for (const a of gone) {
    const d = at(dims, a);
    if (d.kind === "ir.IntImm" && d.value !== 1) throw new RangeError(`\`relax.squeeze\` cannot remove axis ${a} of size ${d.value}.`);
  }
  return tensorLike(x, dims.filter((_, i) => !gone.has(i)));
};

const flatten: InferStructInfo = (call, ctx) => {
  const x = tensorArg(call, 0);
  const dims = shapeOf(x);
  return dims === undefined ? tensorLike(x, 1) : tensorLike(x, [simplified(ctx, product(dims))]);
};

const batchFlatten: InferStructInfo = (call, ctx) => {
  const x = tensorArg(call, 0);
  const dims = shapeOf(x);
  return dims === undefined ? tensorLike(x, 2) : tensorLike(x, [dimAt(dims, 0), simplified(ctx, product(dims.slice(1)))]);
};

const permuteDims: InferStructInfo = (call) => {
  const x = tensorArg(call, 0);
  const axes = optIntsAttr(call, "axes");
  const dims = shapeOf(x);
  if (axes !== undefined && x.ndim >= 0 && axes.length !== x.ndim) {
    throw new RangeError(`\`relax.permute_dims\` has ${axes.length} axes for ${x.ndim} dimensions.`);
  }
  if (dims === undefined) return tensorLike(x, axes?.length ?? x.ndim);
  const order = axes === undefined ? dims.map((_, i) => dims.length - 1 - i) : normAxes(call, axes, dims.length);
  return tensorLike(x, order.map((a) => at(dims, a)));
};

/** Sections or cut points of a `split`. */
export function splitPoints(call: Call): number | readonly number[] {
  const value: AttrValue | undefined = call.attrs["indices_or_sections"];
  if (typeof value === "number" || typeof value === "bigint") return Number(value);
  if (isNode(value)) return intAttr(call, "indices_or_sections");
  return intsAttr(call, "indices_or_sections");
}

const split: InferStructInfo = (call, ctx) => {
  const x = tensorArg(call, 0);
  const points = splitPoints(call);
  const dims = shapeOf(x);
  const count = typeof points === "number" ? points : points.length + 1;
  if (dims === undefined) return makeTupleStructInfo(Array.from({ length: count }, () => tensorLike(x, x.ndim)));
  const axis = normAxis(call, intAttr(call, "axis"), dims.length);
  const size = at(dims, axis);
  const sizes = typeof points === "number" ? evenSizes(size, points, ctx) : cutSizes(size, points, ctx);
  return makeTupleStructInfo(sizes.map((s): TensorStructInfo => tensorLike(x, replaced(dims, new Map([[axis, s]])))));
};

function evenSizes(size: PrimExpr, sections: number, ctx: InferContext): Dims {
  if (sections === 1) return [size];
  const n = asInt(size);
  if (n === undefined) {
    const part = simplified(ctx, floorDiv(add(size, sections - 1), sections));
    const last = simplified(ctx, sub(size, mul(part, sections - 1)));
    return Array.from({ length: sections }, (_, i) => (i < sections - 1 ? part : last));
  }
  const part = Math.ceil(n / sections);
  return Array.from({ length: sections }, (_, i) => dim(Math.max(0, Math.min(n, (i + 1) * part) - Math.min(n, i * part))));
}

function cutSizes(size: PrimExpr, points: readonly number[], ctx: InferContext): Dims {
  const n = asInt(size);
  const clamp = (p: number): number => (n === undefined ? p : Math.min(Math.max(p, 0), n));
  const cuts = [0, ...points.map(clamp)];
  return cuts.map((from, i) => {
    const to = cuts[i + 1];
    if (to !== undefined) return dim(Math.max(0, to - from));
    return simplified(ctx, sub(size, dim(from)));
  });
}

const repeat: InferStructInfo = (call, ctx) => {
  const x = tensorArg(call, 0);
  const axis = optIntAttr(call, "axis");
  const repeats = intAttr(call, "repeats");
  const dims = shapeOf(x);
  if (axis === undefined) return tensorLike(x, dims === undefined ? 1 : [simplified(ctx, mul(product(dims), repeats))]);
  if (dims === undefined) return tensorLike(x, x.ndim);
  const a = normAxis(call, axis, dims.length);
  return tensorLike(x, replaced(dims, new Map([[a, simplified(ctx, mul(at(dims, a), repeats))]])));
};

const tile: InferStructInfo = (call, ctx) => {
  const x = tensorArg(call, 0);
  const repeats = intsAttr(call, "repeats");
  const dims = shapeOf(x);
  const ndim = x.ndim < 0 ? -1 : Math.max(x.ndim, repeats.length);
  if (dims === undefined) return tensorLike(x, ndim);
  return tensorLike(
    x,
    Array.from({ length: ndim }, (_, i) => {
      const d = dims[i - ndim + dims.length] ?? dim(1);
      return simplified(ctx, mul(d, repeats[i - ndim + repeats.length] ?? 1));
    }),
  );
};

const onAxis: InferStructInfo = (call) => {
  const x = tensorArg(call, 0);
  if (x.ndim >= 0) normAxis(call, intAttr(call, "axis"), x.ndim);
  return x;
};

const collapseSumLike: InferStructInfo = (call) => {
  const x = tensorArg(call, 0);
  const target = tensorArg(call, 1);
  return target.shape === undefined ? tensorLike(x, target.ndim) : makeTensorStructInfo(target.shape, x.dtype, x.vdevice);
};

/** The largest value of a non-negative index expression over the box of `sizes`; undefined for shapes it does not know. */
function largest(e: PrimExpr, sizes: ReadonlyMap<PrimExpr, number>): number | undefined {
  const value = sizes.get(e) ?? asInt(e);
  if (value !== undefined) return sizes.has(e) ? value - 1 : value;
  if (e.kind !== "tir.Add" && e.kind !== "tir.Mul" && e.kind !== "tir.FloorDiv" && e.kind !== "tir.FloorMod") return undefined;
  const x = largest(e.a, sizes);
  const y = largest(e.b, sizes);
  if (x === undefined || y === undefined) return undefined;
  switch (e.kind) {
    case "tir.Add":
      return x + y;
    case "tir.Mul":
      return x * y;
    case "tir.FloorDiv":
      return asInt(e.b) === undefined ? undefined : Math.floor(x / y);
    case "tir.FloorMod":
      return asInt(e.b) === undefined ? undefined : Math.min(x, y - 1);
  }
}

const layoutTransform: InferStructInfo = (call) => {
  const x = tensorArg(call, 0);
  const node = call.attrs["index_map"];
  if (!isNode(node) || node.kind !== "tir.IndexMap") throw new TypeError("`relax.layout_transform` needs an index map.");
  const map = node as IndexMap;
  const dims = shapeOf(x);
  if (x.ndim >= 0 && map.initialIndices.length !== x.ndim) {
    throw new RangeError(`\`relax.layout_transform\` has a map of ${map.initialIndices.length} indices for ${x.ndim} dimensions.`);
  }
  const sizes = new Map<PrimExpr, number>();
  map.initialIndices.forEach((v, i) => {
    const size = dims?.[i] === undefined ? undefined : asInt(at(dims, i));
    if (size !== undefined) sizes.set(v, size);
  });
  const out = map.finalIndices.map((e) => {
    const last = largest(e, sizes);
    const own = map.initialIndices.findIndex((v) => v === e);
    return last !== undefined ? dim(last + 1) : own >= 0 ? dims?.[own] : undefined;
  });
  const known = out.filter((d) => d !== undefined);
  return tensorLike(x, known.length === out.length ? known : out.length);
};

const meshgrid: InferStructInfo = (call) => {
  const infos = tensorTupleArg(call, 0);
  const sizes = infos.map((i) => shapeOf(i)?.[0]);
  const known = sizes.filter((s) => s !== undefined);
  return makeTupleStructInfo(infos.map((i) => tensorLike(i, known.length === sizes.length ? known : sizes.length)));
};

const shapeArgKind = { shape: "shape" } as const;

/** Operators that rearrange elements. */
export const manipulateOps: readonly OpDef[] = [
  defineOp("broadcast_to", { args: ["x", "shape"], argKinds: shapeArgKind, infer: broadcastTo }),
  defineOp("concat", { args: ["tensors"], argKinds: { tensors: "tuple" }, attrs: { axis: attr("optional-int", 0) }, infer: concat }),
  defineOp("stack", { args: ["tensors"], argKinds: { tensors: "tuple" }, attrs: { axis: attr("optional-int", 0) }, infer: stack }),
  defineOp("expand_dims", { args: ["x"], attrs: { axis: attr("ints", undefined, distinct) }, infer: expandDims }),
  defineOp("flatten", { args: ["x"], infer: flatten }),
  defineOp("layout_transform", {
    args: ["x"],
    attrs: {
      index_map: attr("any", undefined, nodeOf("a map of indices", "tir.IndexMap")),
      pad_value: attr("any", null, nodeOf("a scalar", "relax.PrimValue")),
      axis_separators: attr("optional-ints", [], atLeast(0), ascending),
      input_axis_separators: attr("optional-ints", [], atLeast(0), ascending),
    },
    infer: layoutTransform,
  }),
  defineOp("permute_dims", { args: ["x"], attrs: { axes: attr("optional-ints", null, distinct) }, infer: permuteDims }),
  defineOp("reshape", { args: ["x", "shape"], argKinds: shapeArgKind, infer: reshape }),
  defineOp("split", { args: ["x"], attrs: { indices_or_sections: attr("any", undefined, whole, atLeast(0)), axis: attr("int", 0) }, infer: split }),
  defineOp("squeeze", { args: ["x"], attrs: { axis: attr("optional-ints", null, distinct) }, infer: squeeze }),
  defineOp("collapse_sum_like", { args: ["data", "collapse_target"], infer: collapseSumLike }),
  defineOp("collapse_sum_to", { args: ["data", "shape"], argKinds: shapeArgKind, infer: ofShapeArg }),
  defineOp("repeat", { args: ["data"], attrs: { repeats: attr("int", undefined, atLeast(0)), axis: attr("optional-int", null) }, infer: repeat }),
  defineOp("tile", { args: ["data"], attrs: { repeats: attr("ints", undefined, atLeast(0)) }, infer: tile }),
  defineOp("flip", { args: ["data"], attrs: { axis: attr("int") }, infer: onAxis }),
  defineOp("reverse_sequence", {
    args: ["data", "seq_lengths"],
    attrs: { seq_axis: attr("int", 1), batch_axis: attr("int", 0) },
    infer: (call) => tensorArg(call, 0),
  }),
  defineOp("meshgrid", { args: ["tensors"], argKinds: { tensors: "tuple" }, attrs: { indexing: attr("any", "ij", oneOf("ij", "xy")) }, infer: meshgrid }),
  defineOp("nn.batch_flatten", { args: ["data"], infer: batchFlatten }),
  defineOp("shape_of", { args: ["input"], infer: shapeOfInfo }),
];

function shapeOfInfo(call: Call): ReturnType<InferStructInfo> {
  const x = tensorArg(call, 0);
  return makeShapeStructInfo(shapeOf(x) ?? x.ndim);
}
