import type { ScalarDType } from "@verticil/runtime-ffi";
import type { Call } from "../ir/expr.ts";
import { makeTensorStructInfo, makeTupleStructInfo, shapeOf } from "../ir/make.ts";
import type { InferStructInfo, OpDef } from "../ir/op-def.ts";
import type { TensorStructInfo } from "../ir/struct-info.ts";
import { boolAttr, dtypeAttr, intAttr, optIntAttr, optIntsAttr, stringAttr } from "./attrs-of.ts";
import { distinct, oneOf } from "./attr-checks.ts";
import { attr, defineOp, optDType } from "./define.ts";
import { dim, normAxes, normAxis, product, replaced, simplified, tensorArg, tensorLike } from "./infer.ts";

/** The tensor left after reducing over `axes` (all if undefined). */
function reduced(call: Call, x: TensorStructInfo, axes: readonly number[] | undefined, dtype?: ScalarDType): TensorStructInfo {
  const keep = boolAttr(call, "keepdims");
  const result = dtype ?? x.dtype;
  if (x.ndim < 0) return tensorLike(x, axes === undefined && !keep ? [] : -1, result);
  const gone = new Set(axes === undefined ? Array.from({ length: x.ndim }, (_, i) => i) : normAxes(call, axes, x.ndim));
  const dims = shapeOf(x);
  if (dims === undefined) {
    const ndim = keep ? x.ndim : x.ndim - gone.size;
    return tensorLike(x, ndim === 0 ? [] : ndim, result);
  }
  const left = keep ? dims.map((d, i) => (gone.has(i) ? dim(1) : d)) : dims.filter((_, i) => !gone.has(i));
  return tensorLike(x, left, result);
}

const statistical: InferStructInfo = (call) => reduced(call, tensorArg(call, 0), optIntsAttr(call, "axis"));

const argSearch: InferStructInfo = (call) => {
  const axis = optIntAttr(call, "axis");
  return reduced(call, tensorArg(call, 0), axis === undefined ? undefined : [axis], "int64");
};

const median: InferStructInfo = (call) => {
  const x = tensorArg(call, 0);
  const axes = optIntsAttr(call, "axis");
  const values = reduced(call, x, axes);
  return axes?.length === 1 ? makeTupleStructInfo([values, { ...values, dtype: "int64" }]) : values;
};

const scan: InferStructInfo = (call, ctx) => {
  const x = tensorArg(call, 0);
  const dtype = dtypeAttr(call, "dtype") ?? x.dtype;
  const axis = optIntAttr(call, "axis");
  if (axis !== undefined) {
    if (x.ndim >= 0) normAxis(call, axis, x.ndim);
    return { ...x, dtype };
  }
  const dims = shapeOf(x);
  return tensorLike(x, dims === undefined ? 1 : [simplified(ctx, product(dims))], dtype);
};

const sort = (call: Call): TensorStructInfo => {
  const x = tensorArg(call, 0);
  if (x.ndim > 0) normAxis(call, intAttr(call, "axis"), x.ndim);
  return x;
};

const topk: InferStructInfo = (call) => {
  const x = tensorArg(call, 0);
  const k = intAttr(call, "k");
  const dims = shapeOf(x);
  const axis = dims === undefined ? 0 : normAxis(call, intAttr(call, "axis"), dims.length);
  const shape = dims === undefined || k <= 0 ? dims ?? x.ndim : replaced(dims, new Map([[axis, dim(k)]]));
  const values = tensorLike(x, shape);
  const indices = tensorLike(x, shape, dtypeAttr(call, "dtype") ?? "int32");
  const type = stringAttr(call, "ret_type");
  return type === "both" ? makeTupleStructInfo([values, indices]) : type === "values" ? values : indices;
};

const unique: InferStructInfo = (call) => {
  const x = tensorArg(call, 0);
  const flag = (i: number): boolean => {
    const arg = call.args[i];
    return arg?.kind === "relax.PrimValue" && arg.value.kind === "ir.IntImm" && arg.value.value !== 0;
  };
  const hasAxis = call.args[5]?.kind === "relax.PrimValue";
  // A scalar is the one value there is.
  const ofRank = (rank: number, dtype?: ScalarDType): TensorStructInfo => (x.ndim === 0 ? makeTensorStructInfo([1], dtype ?? x.dtype, x.vdevice) : tensorLike(x, rank, dtype));
  const values = ofRank(hasAxis ? x.ndim : 1);
  const counts = [2, 3, 4].filter(flag).map(() => ofRank(1, "int64"));
  return counts.length === 0 ? values : makeTupleStructInfo([values, ...counts]);
};

const nonzero: InferStructInfo = (call) => tensorLike(tensorArg(call, 0), 2, "int64");

const bucketize: InferStructInfo = (call) => ({ ...tensorArg(call, 0), dtype: boolAttr(call, "out_int32") ? "int32" : "int64" });

const statisticalAttrs = { axis: attr("optional-ints", null, distinct), keepdims: attr("bool", false) };
const scanAttrs = { axis: attr("optional-int", null), dtype: optDType, exclusive: attr("bool", false) };

/** Reductions, scans, searches, sorts and sets. */
export const reduceOps: readonly OpDef[] = [
  ...["max", "mean", "min", "prod", "std", "sum", "variance"].map((name) =>
    defineOp(name, { args: ["x"], attrs: statisticalAttrs, infer: statistical }),
  ),
  defineOp("median", { args: ["x"], attrs: statisticalAttrs, infer: median }),
  ...["argmax", "argmin"].map((name) =>
    defineOp(name, { args: ["x"], attrs: { axis: attr("optional-int", null), keepdims: attr("bool", false) }, infer: argSearch }),
  ),
  ...["cumsum", "cumprod"].map((name) => defineOp(name, { args: ["data"], attrs: scanAttrs, infer: scan })),
  defineOp("sort", { args: ["data"], attrs: { axis: attr("int", -1), descending: attr("bool", false) }, infer: sort }),
  defineOp("argsort", {
    args: ["data"],
    attrs: { axis: attr("int", -1), descending: attr("bool", false), dtype: attr("dtype", "int32") },
    infer: (call) => ({ ...sort(call), dtype: dtypeAttr(call, "dtype") ?? "int32" }),
  }),
  defineOp("topk", {
    args: ["data"],
    attrs: {
      k: attr("int", 1),
      axis: attr("int", -1),
      ret_type: attr("string", "both", oneOf("both", "values", "indices")),
      largest: attr("bool", true),
      dtype: attr("dtype", "int32"),
    },
    infer: topk,
  }),
  defineOp("unique", {
    args: ["x", "sorted", "return_index", "return_inverse", "return_counts", "axis?"],
    argKinds: { sorted: "prim", return_index: "prim", return_inverse: "prim", return_counts: "prim", axis: "prim" },
    infer: unique,
  }),
  defineOp("nonzero", { args: ["x"], infer: nonzero }),
  defineOp("bucketize", {
    args: ["input_tensor", "boundaries"],
    attrs: { out_int32: attr("bool", false), right: attr("bool", false) },
    infer: bucketize,
  }),
];
