import type { ScalarDType } from "@verticil/runtime-ffi";
import { add, asInt, ceilDiv, sub, type PrimExpr } from "@verticil/tir";
import type { Call } from "../ir/expr.ts";
import { makeTensorStructInfo } from "../ir/make.ts";
import type { InferStructInfo, OpDef } from "../ir/op-def.ts";
import type { TensorStructInfo } from "../ir/struct-info.ts";
import { dtypeAttr, opName } from "./attrs-of.ts";
import { attr, defineOp, optDType } from "./define.ts";
import { dim, primArg, sameAs, shapeArg, simplified, tensorArg, withDType } from "./infer.ts";

function ofShape(call: Call, dtype: ScalarDType | undefined): TensorStructInfo {
  const { dims, ndim } = shapeArg(call, 0);
  if (dims !== undefined) return makeTensorStructInfo(dims, dtype);
  const shape = call.args[0];
  return shape !== undefined && shape.kind !== "relax.ShapeExpr" ? makeTensorStructInfo(shape, dtype) : makeTensorStructInfo(ndim, dtype);
}

const init: InferStructInfo = (call) => ofShape(call, dtypeAttr(call, "dtype"));
const full: InferStructInfo = (call) => {
  const fill = tensorArg(call, 1);
  if (fill.ndim > 0) throw new RangeError(`${opName(call)} takes a scalar tensor to fill with.`);
  return ofShape(call, dtypeAttr(call, "dtype") ?? fill.dtype);
};
const like: InferStructInfo = (call) => {
  const x = tensorArg(call, 0);
  return withDType(x, dtypeAttr(call, "dtype") ?? x.dtype);
};

const eye: InferStructInfo = (call) => {
  const dtype = dtypeAttr(call, "dtype");
  const n = primArg(call, 0);
  const m = primArg(call, 1);
  return n === undefined || m === undefined ? makeTensorStructInfo(2, dtype) : makeTensorStructInfo([n, m], dtype);
};

/** The number of values from `start` by `step` before `end`. */
function arangeLength(start: PrimExpr, end: PrimExpr, step: PrimExpr): PrimExpr | undefined {
  const s = asInt(step);
  if (s === undefined) return undefined;
  if (s === 0) throw new RangeError("`relax.arange` has step 0.");
  const length = s > 0 ? ceilDiv(sub(end, start), step) : ceilDiv(sub(start, end), sub(dim(0), step));
  // As upstream has it, symbolic bounds are taken to be in order.
  const known = asInt(length);
  return known === undefined ? length : dim(Math.max(known, 0));
}

const arange: InferStructInfo = (call, ctx) => {
  const dtype = dtypeAttr(call, "dtype");
  const [start, end, step] = [primArg(call, 0), primArg(call, 1), primArg(call, 2)];
  if (start === undefined || end === undefined || step === undefined) return makeTensorStructInfo(1, dtype);
  if (start.kind === "ir.FloatImm" || end.kind === "ir.FloatImm" || step.kind === "ir.FloatImm") {
    return floatArange(start, end, step, dtype);
  }
  const length = arangeLength(start, end, step);
  return length === undefined ? makeTensorStructInfo(1, dtype) : makeTensorStructInfo([simplified(ctx, length)], dtype);
};

function floatArange(start: PrimExpr, end: PrimExpr, step: PrimExpr, dtype: ScalarDType | undefined): TensorStructInfo {
  const values = [start, end, step].map((e) => (e.kind === "ir.FloatImm" || e.kind === "ir.IntImm" ? Number(e.value) : NaN));
  const [s = NaN, e = NaN, d = NaN] = values;
  const length = Math.max(0, Math.ceil((e - s) / d));
  return Number.isNaN(length) ? makeTensorStructInfo(1, dtype) : makeTensorStructInfo([length], dtype);
}

const hamming: InferStructInfo = (call) => {
  const size = primArg(call, 0);
  const dtype = dtypeAttr(call, "dtype");
  return size === undefined ? makeTensorStructInfo(1, dtype) : makeTensorStructInfo([add(size, 0)], dtype);
};

const prims = (...names: string[]): Readonly<Record<string, "prim">> => Object.fromEntries(names.map((n) => [n, "prim"]));

/** Operators that make tensors from shapes and scalars, and the triangular selections. */
export const createOps: readonly OpDef[] = [
  defineOp("full", { args: ["shape", "fill_value"], argKinds: { shape: "shape" }, attrs: { dtype: optDType }, infer: full }),
  defineOp("full_like", { args: ["x", "fill_value"], attrs: { dtype: optDType }, infer: like }),
  ...["ones", "zeros"].map((name) =>
    defineOp(name, { args: ["shape"], argKinds: { shape: "shape" }, attrs: { dtype: attr("dtype") }, infer: init }),
  ),
  ...["ones_like", "zeros_like"].map((name) => defineOp(name, { args: ["x"], attrs: { dtype: optDType }, infer: like })),
  defineOp("eye", { args: ["n", "m", "k"], argKinds: prims("n", "m", "k"), attrs: { dtype: attr("dtype", "float32") }, infer: eye }),
  defineOp("eye_like", { args: ["x", "k"], argKinds: prims("k"), attrs: { dtype: optDType }, infer: like }),
  defineOp("arange", {
    args: ["start", "end", "step"],
    argKinds: prims("start", "end", "step"),
    attrs: { dtype: attr("dtype", "int64") },
    infer: arange,
  }),
  defineOp("hamming_window", {
    args: ["window_size", "periodic", "alpha", "beta"],
    argKinds: prims("window_size", "periodic", "alpha", "beta"),
    attrs: { dtype: attr("dtype", "float32") },
    infer: hamming,
  }),
  ...["tril", "triu"].map((name) => defineOp(name, { args: ["x", "k"], argKinds: prims("k"), infer: sameAs() })),
];
