import * as te from "@verticil/te";
import { tensorFrom } from "@verticil/runtime-ffi";
import { makeOp } from "@verticil/ir-core";
import { asInt, cast, constant, div, intrin, isConst, isConstInt, makeVar as makeTirVar, max, mul, sub, type PrimExpr } from "@verticil/tir";
import { makeCall, makeConstant, makeShapeStructInfo, makeTupleGetItem, shapeOf } from "../../ir/make.ts";
import type { Call, Expr } from "../../ir/expr.ts";
import { boolAttr, dtypeAttr, intAttr, intsAttr, optIntAttr, optIntsAttr, stringAttr } from "../attrs-of.ts";
import { canonicalBegin, sliceArgs } from "../gather-scatter.ts";
import { parseEinsum } from "../linear-algebra.ts";
import type { LegalizeBuilder, LegalizeRule } from "../legalize-rule.ts";
import { arg, infoOf, isKnown, nth, of1, of2, of3, resultDims, scalarConst, viaTe, whenKnown } from "./rule-parts.ts";

const toShape = (name: string): LegalizeRule => viaTe(name, 1, (call) => of1((x) => te.reshape(x, resultDims(call))));

/** The tensors of a tuple argument: its fields, or what is taken out of a variable that holds one. */
export function tupleFields(e: Expr, bb: LegalizeBuilder): readonly Expr[] {
  if (e.kind === "relax.Tuple") return e.fields;
  const info = infoOf(e);
  if (info?.kind !== "relax.TupleStructInfo") throw new TypeError("A tuple of tensors was expected.");
  return info.fields.map((_, i) => bb.emit(makeTupleGetItem(e, i)));
}

const onTuple = (name: string, f: (call: Call, tensors: readonly te.Tensor[]) => te.Tensor | readonly te.Tensor[]): LegalizeRule =>
  whenKnown((call, bb) => bb.callTe((...t) => f(call, t), tupleFields(arg(call, 0), bb), { name }));

const split: LegalizeRule = whenKnown((call, bb) => {
  const result = call.structInfo;
  if (result?.kind !== "relax.TupleStructInfo") return undefined;
  const axis = intAttr(call, "axis");
  const ndim = shapeOf(infoOf(call.args[0]))?.length ?? 0;
  const a = axis < 0 ? axis + ndim : axis;
  const sizes = result.fields.map((f) => shapeOf(f)?.[a]).filter((s) => s !== undefined);
  const sections = typeof call.attrs["indices_or_sections"] === "number";
  return bb.callTe(of1((x) => te.split(x, sizes, a, sections ? "T_split_sections" : "T_split")), [arg(call, 0)], { name: "split" });
});

const repeat: LegalizeRule = viaTe("repeat", 1, (call) =>
  of1((x) => {
    const axis = optIntAttr(call, "axis");
    const flat = axis === undefined ? te.reshape(x, [te.productOf(x.shape)]) : x;
    return te.repeat(flat, intAttr(call, "repeats"), axis ?? 0);
  }),
);

/** The sizes of the result are computed first, and become symbolic sizes of the program that takes the slice. */
const dynamicStridedSlice: LegalizeRule = (call, bb) => {
  const [x, begin, end, strides] = [0, 1, 2, 3].map((i) => arg(call, i)) as [Expr, Expr, Expr, Expr];
  if (!call.args.every((a) => isKnown(infoOf(a)))) return undefined;
  const ndim = shapeOf(infoOf(x))?.length ?? 0;
  const sizes = bb.emit(bb.callTe((...t) => te.dynamicStridedSliceShape(nth(t, 0), nth(t, 1), nth(t, 2), nth(t, 3)), [x, begin, end, strides], { name: "shape_func" }));
  const dims = Array.from({ length: ndim }, (_, i) => makeTirVar(i === 0 ? "s" : `s_${i}`, "int64"));
  bb.matchCast(bb.emit(makeCall(makeOp("relax.tensor_to_shape"), [sizes])), makeShapeStructInfo(dims));
  return bb.callTe(of3((t, b, s) => te.dynamicStridedSlice(t, b, s, dims)), [x, begin, strides], { name: "dynamic_strided_slice" });
};

const stridedSlice: LegalizeRule = whenKnown((call, bb) => {
  const args = sliceArgs(call);
  const from = shapeOf(infoOf(call.args[0]));
  const to = resultDims(call);
  if (args === undefined || from === undefined) return undefined;
  const slices = args.axes.map((axis, i): te.Slice | undefined => {
    const a = axis < 0 ? axis + from.length : axis;
    const [size, begin, step, length] = [from[a], args.begin[i], args.strides[i], to[a]];
    const s = step === undefined ? undefined : asInt(step);
    if (size === undefined || begin === undefined || s === undefined || length === undefined) return undefined;
    const first = boolAttr(call, "assume_inbound") ? begin : canonicalBegin(size, begin, s);
    return { axis: a, begin: first, step: constant(s, "int64"), size: length };
  });
  const known = slices.filter((s) => s !== undefined);
  if (known.length < slices.length) return undefined;
  return bb.callTe(of1((x) => te.stridedSlice(x, known)), [arg(call, 0)], { name: "strided_slice" });
});

const takeMode = (call: Call): te.TakeMode => {
  const mode = call.attrs["mode"];
  return mode === "clip" || mode === "wrap" || mode === "nan" ? mode : "fast";
};

const take: LegalizeRule = whenKnown((call, bb) => {
  const axis = optIntAttr(call, "axis") ?? 0;
  const index = scalarConst(call.args[1]);
  const negative = index?.kind === "ir.IntImm" && Number(index.value) < 0;
  const info = infoOf(call.args[1]);
  if (index !== undefined && !negative) return bb.callTe(of1((x) => te.take(x, index, axis, takeMode(call))), [arg(call, 0)], { name: "take" });
  if (info?.kind !== "relax.TensorStructInfo") return undefined;
  return bb.callTe(of2((x, i) => te.take(x, i, axis, takeMode(call))), [arg(call, 0), arg(call, 1)], { name: "take" });
});

const oneHot: LegalizeRule = whenKnown((call, bb) => {
  const on = scalarConst(call.args[1]);
  const off = scalarConst(call.args[2]);
  const result = call.structInfo;
  if (on === undefined || off === undefined || result?.kind !== "relax.TensorStructInfo" || result.dtype === undefined) return undefined;
  const dtype = result.dtype;
  return bb.callTe(of1((i) => te.oneHot(i, on, off, intAttr(call, "depth"), intAttr(call, "axis"), dtype)), [arg(call, 0)], { name: "one_hot" });
});

/** A tensor of one value; it reads no input. */
function filled(name: string, value: number | undefined): LegalizeRule {
  return whenKnown((call, bb) => {
    const info = call.structInfo;
    const dims = shapeOf(info);
    if (info?.kind !== "relax.TensorStructInfo" || info.dtype === undefined || dims === undefined) return undefined;
    const { dtype } = info;
    const known: PrimExpr | undefined = value === undefined ? scalarConst(call.args[1]) : constant(value, dtype);
    if (known !== undefined) return bb.callTe(() => te.full(dims, dtype, known), [], { name });
    return bb.callTe(of1((v) => te.compute(dims, () => cast(dtype, v.at()), "T_full", { axes: "ax" })), [arg(call, 1)], { name });
  });
}

const arange: LegalizeRule = (call, bb) => {
  const dtype = dtypeAttr(call, "dtype");
  const [start, , step] = call.args.map((a) => (a.kind === "relax.PrimValue" ? a.value : undefined));
  const length = shapeOf(call.structInfo)?.[0];
  if (dtype === undefined || start === undefined || step === undefined || length === undefined) return undefined;
  const n = asInt(length);
  if (n !== undefined && isConst(start) && isConst(step)) {
    const values = Array.from({ length: n }, (_, i) => Number(start.value) + i * Number(step.value));
    return makeConstant(tensorFrom(values, [n], dtype));
  }
  return bb.callTe(() => te.arange(length, start, step, dtype), [], { name: "arange" });
};

const hamming: LegalizeRule = (call, bb) => openHamming(call, bb) ?? constantHamming(call);

/** A window whose size is known when it runs. */
const openHamming: LegalizeRule = (call, bb) => {
  const [, periodic, alpha, beta] = call.args.map((a) => scalarConst(a));
  const dtype = dtypeAttr(call, "dtype");
  const dims = shapeOf(call.structInfo);
  const size = dims?.[0];
  if (size === undefined || asInt(size) !== undefined || periodic === undefined || alpha === undefined || beta === undefined || dtype === undefined || dims === undefined) return undefined;
  const span = cast(dtype, max(isConstInt(periodic, 0) ? sub(size, 1) : size, 1));
  const wave = (i: PrimExpr): PrimExpr => intrin("cos", dtype, [div(mul(constant(2 * Math.PI, dtype), cast(dtype, i)), span)]);
  return bb.callTe(() => te.compute(dims, (i) => sub(cast(dtype, alpha), mul(cast(dtype, beta), wave(i ?? size))), "hamming_window", { tag: "injective" }), [], { name: "hamming_window" });
};

const constantHamming = (call: Call): Expr | undefined => {
  const [size, periodic, alpha, beta] = call.args.map((a) => scalarConst(a)).map((e) => (e?.kind === "ir.IntImm" || e?.kind === "ir.FloatImm" ? Number(e.value) : NaN));
  const dtype = dtypeAttr(call, "dtype");
  if (size === undefined || Number.isNaN(size) || alpha === undefined || beta === undefined || dtype === undefined) return undefined;
  const span = periodic === 0 ? size - 1 : size;
  const values = Array.from({ length: size }, (_, i) => alpha - beta * Math.cos((2 * Math.PI * i) / Math.max(span, 1)));
  return makeConstant(tensorFrom(values, [size], dtype));
};

const eye: LegalizeRule = whenKnown((call, bb) => {
  const info = call.structInfo;
  const [n, m] = resultDims(call);
  const k = call.args[call.args.length - 1];
  if (info?.kind !== "relax.TensorStructInfo" || info.dtype === undefined || n === undefined || m === undefined || k?.kind !== "relax.PrimValue") return undefined;
  const { dtype } = info;
  return bb.callTe(() => te.eye(n, m, k.value, dtype), [], { name: "eye" });
});

const triangle = (upper: boolean): LegalizeRule =>
  whenKnown((call, bb) => {
    const k = call.args[1];
    const edge = k === undefined ? constant(0, "int64") : k.kind === "relax.PrimValue" ? k.value : undefined;
    if (edge === undefined) return undefined;
    return bb.callTe(of1((x) => te.trilu(x, edge, upper)), [arg(call, 0)], { name: upper ? "triu" : "tril" });
  });

const meshgrid: LegalizeRule = onTuple("meshgrid", (call, tensors) => {
  const xy = call.attrs["indexing"] === "xy";
  const order = tensors.map((_, i) => (xy && i < 2 ? 1 - i : i));
  const shape = order.map((i) => nth(tensors, i).shape[0] ?? constant(1, "int64"));
  return tensors.map((t, i) =>
    te.compute(shape, (...cell) => t.at(cell[order.indexOf(i)] ?? constant(0, "int64")), "T_meshgrid", { axes: "ax", tag: "injective" }),
  );
});

const matmul: LegalizeRule = viaTe("matmul", 2, (call) => of2((a, b) => te.matmul(a, b, dtypeAttr(call, "out_dtype"))));

const einsum: LegalizeRule = onTuple("einsum", (call, tensors) => {
  const spec = parseEinsum(stringAttr(call, "subscripts"), tensors.map((t) => t.ndim));
  return te.einsum(tensors, spec.inputs, spec.output);
});

const collapse: LegalizeRule = viaTe("collapse_sum", 1, (call) => of1((x) => te.collapseSum(x, resultDims(call))));

const indexTensor: LegalizeRule = whenKnown((call, bb) => {
  const indices = tupleFields(arg(call, 1), bb);
  return bb.callTe((...t) => te.advIndex(nth(t, 0), t.slice(1)), [arg(call, 0), ...indices], { name: "index" });
});

/** Operators that rearrange, select, make or multiply tensors. */
export const shapeRules: Readonly<Record<string, LegalizeRule>> = {
  reshape: toShape("reshape"),
  flatten: toShape("reshape"),
  "nn.batch_flatten": toShape("reshape"),
  expand_dims: viaTe("expand_dims", 1, (call) => of1((x) => te.expandDims(x, intsAttr(call, "axis")))),
  squeeze: viaTe("squeeze", 1, (call) => of1((x) => te.squeeze(x, optIntsAttr(call, "axis")))),
  permute_dims: viaTe("transpose", 1, (call) => of1((x) => te.transpose(x, optIntsAttr(call, "axes")))),
  concat: onTuple("concatenate", (call, t) => te.concatenate(t, optIntAttr(call, "axis") ?? 0)),
  stack: onTuple("stack", (call, t) => te.stack(t, optIntAttr(call, "axis") ?? 0)),
  split,
  repeat,
  tile: viaTe("tile", 1, (call) => of1((x) => te.tile(x, resultDims(call)))),
  flip: viaTe("flip", 1, (call) => of1((x) => te.flip(x, intAttr(call, "axis")))),
  reverse_sequence: viaTe("reverse_sequence", 2, (call) =>
    of2((x, lengths) => te.reverseSequence(x, lengths, intAttr(call, "seq_axis"), intAttr(call, "batch_axis"))),
  ),
  "nn.pixel_shuffle": viaTe("pixel_shuffle", 1, (call) => of1((x) => te.pixelShuffle(x, intAttr(call, "upscale_factor")))),
  meshgrid,
  strided_slice: stridedSlice,
  dynamic_strided_slice: dynamicStridedSlice,
  take,
  gather_elements: viaTe("gather", 2, (call) => of2((x, i) => te.gather(x, intAttr(call, "axis"), i))),
  gather_nd: viaTe("gather_nd", 2, (call) => of2((x, i) => te.gatherNd(x, i, intAttr(call, "batch_dims")))),
  one_hot: oneHot,
  index_tensor: indexTensor,
  full: filled("full", undefined),
  full_like: filled("full", undefined),
  ones: filled("ones", 1),
  ones_like: filled("ones", 1),
  zeros: filled("zeros", 0),
  zeros_like: filled("zeros", 0),
  arange,
  hamming_window: hamming,
  eye,
  eye_like: eye,
  tril: triangle(false),
  triu: triangle(true),
  collapse_sum_to: collapse,
  collapse_sum_like: collapse,
  matmul,
  einsum,
  outer: viaTe("outer", 2, () => of2((a, b) => te.einsum([a, b], [["i"], ["j"]], ["i", "j"]))),
};
