import type { Node } from "@verticil/ir-core";
import { asInt, floorDiv, mul, type PrimExpr } from "@verticil/tir";
import { isDType, scalarOf, type ScalarDType } from "@verticil/runtime-ffi";
import type { Call } from "../ir/expr.ts";
import {
  makeObjectStructInfo,
  makePrimStructInfo,
  makeShapeStructInfo,
  makeTensorStructInfo,
  makeTupleStructInfo,
  shapeOf,
} from "../ir/make.ts";
import type { ArgKind, InferStructInfo, OpDef } from "../ir/op-def.ts";
import type { StructInfo } from "../ir/struct-info.ts";
import { dtypeAttr, intAttr, opName, optIntAttr } from "./attrs-of.ts";
import { atLeast, nodeOf, notEmpty, oneOf, options, takeModes } from "./attr-checks.ts";
import { attr, defineOp, newAttr, type OpSpec } from "./define.ts";
import { argInfo, dim, normAxis, primArg, replaced, sameAs, shapeArg, simplified, tensorArg, tensorLike } from "./infer.ts";
import { normalizePoolAttrs, poolAttrs } from "./nn-pool.ts";

/** The struct info that the call was given. */
const given: InferStructInfo = (call) => {
  const [first] = call.sinfoArgs;
  if (first === undefined) throw new TypeError(`${opName(call)} needs the struct info of its result.`);
  return call.sinfoArgs.length === 1 ? first : makeTupleStructInfo(call.sinfoArgs);
};
const givenOrObject: InferStructInfo = (call, ctx) => (call.sinfoArgs.length === 0 ? makeObjectStructInfo() : given(call, ctx));
const object: InferStructInfo = () => makeObjectStructInfo();
const nothing: InferStructInfo = () => makeTupleStructInfo([]);

const tirCall: Pick<OpSpec, "args" | "argKinds"> = { args: ["func", "args", "packed_ints?"], argKinds: { func: "func", args: "tuple", packed_ints: "shape" } };
const dpsCall: Pick<OpSpec, "args" | "argKinds"> = { args: ["func", "args"], argKinds: { func: "func", args: "tuple" } };
const inplaceAttrs = { inplace_indices: attr("ints", undefined, notEmpty, atLeast(-1)) };

/** Calls of functions of the module and of the runtime. */
const callOps: readonly OpDef[] = [
  defineOp("call_tir", { ...tirCall, infer: given }),
  defineOp("call_tir_inplace", { ...tirCall, attrs: inplaceAttrs, infer: given }),
  defineOp("call_tir_with_grad", {
    ...tirCall,
    attrs: { te_grad_name: attr("string"), te_grad_kwargs: attr("any", {}, options) },
    infer: given,
  }),
  defineOp("call_dps_packed", { ...dpsCall, infer: given }),
  defineOp("call_py_func", { ...dpsCall, infer: given }),
  defineOp("call_pure_packed", { args: ["func", "args..."], argKinds: { func: "func" }, infer: givenOrObject }),
  defineOp("call_inplace_packed", { args: ["func", "args..."], argKinds: { func: "func" }, attrs: inplaceAttrs, infer: givenOrObject }),
  defineOp("call_builtin_with_ctx", { ...dpsCall, pure: false, infer: givenOrObject }),
  defineOp("make_closure", { ...dpsCall, infer: object }),
  defineOp("invoke_closure", { args: ["closure", "args"], argKinds: { args: "tuple" }, pure: false, infer: givenOrObject }),
  defineOp("invoke_pure_closure", { args: ["closure", "args"], argKinds: { args: "tuple" }, infer: givenOrObject }),
];

const tensorToShape: InferStructInfo = (call) => {
  const size = shapeOf(tensorArg(call, 0))?.[0];
  const ndim = size === undefined ? undefined : asInt(size);
  return makeShapeStructInfo(ndim ?? -1);
};

const shapeToTensor: InferStructInfo = (call) => {
  const { ndim } = shapeArg(call, 0);
  return ndim < 0 ? makeTensorStructInfo(1, "int64") : makeTensorStructInfo([ndim], "int64");
};

const astype: InferStructInfo = (call) => {
  const info = argInfo(call, 0);
  const dtype = dtypeAttr(call, "dtype");
  if (info.kind === "relax.PrimStructInfo" && dtype !== undefined) return makePrimStructInfo(dtype);
  return { ...tensorArg(call, 0), dtype };
};

const toVDevice: InferStructInfo = (call) => {
  const target = call.attrs["dst_vdevice"];
  const x = tensorArg(call, 0);
  return typeof target === "object" && target !== null && "kind" in target && (target as Node).kind === "ir.VDevice"
    ? { ...x, vdevice: target as typeof x.vdevice }
    : x;
};

const valueOps: readonly OpDef[] = [
  defineOp("tensor_to_shape", { args: ["input"], infer: tensorToShape }),
  defineOp("shape_to_tensor", { args: ["input"], argKinds: { input: "shape" }, infer: shapeToTensor }),
  defineOp("size", { args: ["input"], infer: () => makeTensorStructInfo([], "int64") }),
  defineOp("null_value", { args: [], infer: object }),
  defineOp("print", { args: ["format", "vals..."], argKinds: { format: "string" }, pure: false, infer: nothing }),
  defineOp("assert_op", { args: ["condition", "format", "vals..."], argKinds: { condition: "any", format: "string" }, pure: false, infer: nothing }),
  defineOp("hint_on_device", {
    args: ["data"],
    attrs: { dev_type: attr("int", 1, atLeast(1)), dev_id: attr("int", 0, atLeast(0)), memory_scope: newAttr("string", "global") },
    infer: sameAs(),
  }),
  defineOp("to_vdevice", { args: ["data"], attrs: { dst_vdevice: attr("any", undefined, nodeOf("a device of the module", "ir.VDevice")) }, infer: toVDevice }),
  defineOp("astype", { args: ["x"], attrs: { dtype: attr("dtype") }, infer: astype }),
  defineOp("wrap_param", { args: ["data"], attrs: { dtype: attr("dtype", "float32") }, infer: (call) => ({ ...tensorArg(call, 0), dtype: dtypeAttr(call, "dtype") }) }),
];

function dtypeImm(call: Call, i: number): ScalarDType | undefined {
  const arg = call.args[i];
  return arg?.kind === "relax.DataTypeImm" && isDType(arg.value) ? scalarOf(arg.value) : undefined;
}

/** A tensor of the shape at argument `shape` and the dtype at `dtype`. */
function allocated(shape: number, dtype: number): InferStructInfo {
  return (call) => {
    const { dims, ndim } = shapeArg(call, shape);
    const expr = call.args[shape];
    const known = dims ?? (expr !== undefined && expr.kind === "relax.Var" ? expr : ndim);
    return makeTensorStructInfo(known, dtypeImm(call, dtype));
  };
}

const view: InferStructInfo = (call) => {
  const x = tensorArg(call, 0);
  const shape = call.args[1];
  const info = shape !== undefined && "structInfo" in shape ? shape.structInfo : undefined;
  const dtype = dtypeImm(call, 2) ?? x.dtype;
  if (info?.kind !== "relax.ShapeStructInfo") return { ...x, dtype };
  return tensorLike(x, info.values ?? info.ndim, dtype);
};

const kinds = (entries: Readonly<Record<string, ArgKind>>): Readonly<Record<string, ArgKind>> => entries;

const memoryOps: readonly OpDef[] = [
  defineOp("builtin.alloc_tensor", {
    args: ["shape", "dtype", "runtime_device_index", "storage_scope"],
    argKinds: kinds({ shape: "shape", dtype: "dtype", runtime_device_index: "prim", storage_scope: "string" }),
    infer: allocated(0, 1),
  }),
  defineOp("builtin.stop_lift_params", { args: ["x"], infer: sameAs() }),
  defineOp("memory.alloc_storage", {
    args: ["size", "virtual_device_index", "storage_scope", "dtype"],
    argKinds: kinds({ size: "shape", virtual_device_index: "prim", storage_scope: "string", dtype: "dtype" }),
    infer: object,
  }),
  defineOp("memory.alloc_tensor", {
    args: ["storage", "offset", "shape", "dtype", "runtime_device_ind?"],
    argKinds: kinds({ storage: "any", offset: "prim", shape: "shape", dtype: "dtype", runtime_device_ind: "prim" }),
    infer: allocated(2, 3),
  }),
  defineOp("memory.kill_storage", { args: ["storage"], argKinds: { storage: "any" }, pure: false, infer: nothing }),
  defineOp("memory.kill_tensor", { args: ["tensor"], pure: false, infer: nothing }),
  defineOp("memory.view", {
    args: ["data", "shape", "dtype", "relative_byte_offset"],
    argKinds: kinds({ shape: "shape", dtype: "dtype", relative_byte_offset: "prim" }),
    infer: view,
  }),
  defineOp("memory.ensure_zero_offset", { args: ["data"], infer: sameAs() }),
  defineOp("vm.alloc_storage", {
    args: ["shape", "runtime_device_index", "dtype", "storage_scope?"],
    argKinds: kinds({ shape: "shape", runtime_device_index: "prim", dtype: "dtype", storage_scope: "string" }),
    infer: object,
  }),
  defineOp("vm.alloc_tensor", {
    args: ["storage", "offset", "shape", "dtype", "runtime_device_ind?"],
    argKinds: kinds({ storage: "any", offset: "prim", shape: "shape", dtype: "dtype", runtime_device_ind: "prim" }),
    infer: allocated(2, 3),
  }),
  defineOp("vm.kill_object", { args: ["obj"], argKinds: { obj: "any" }, pure: false, infer: nothing }),
  defineOp("vm.call_tir_dyn", { ...dpsCall, pure: false, infer: nothing }),
];

const allgather: InferStructInfo = (call, ctx) => {
  const x = tensorArg(call, 0);
  const dims = shapeOf(x);
  const first = dims?.[0];
  if (dims === undefined || first === undefined) return tensorLike(x, x.ndim);
  return tensorLike(x, [simplified(ctx, mul(first, intAttr(call, "num_workers"))), ...dims.slice(1)]);
};

const scatter: InferStructInfo = (call, ctx) => {
  const x = tensorArg(call, 0);
  const dims = shapeOf(x);
  if (dims === undefined) return tensorLike(x, x.ndim);
  const axis = normAxis(call, intAttr(call, "axis"), dims.length);
  const size: PrimExpr = dims[axis] ?? dim(1);
  return tensorLike(x, replaced(dims, new Map([[axis, simplified(ctx, floorDiv(size, intAttr(call, "num_workers")))]])));
};

const scatterAttrs = { num_workers: attr("int", undefined, atLeast(1)), axis: attr("int", 0, atLeast(0)) };
const shardAttrs = { device_mesh: attr("any", undefined, nodeOf("a mesh of devices", "relax.distributed.DeviceMesh")), placement: attr("string") };

const distributedOps: readonly OpDef[] = [
  defineOp("ccl.allreduce", { args: ["x"], attrs: { op_type: attr("string", "sum", oneOf("sum", "prod", "min", "max", "avg")), in_group: attr("bool", true) }, infer: sameAs() }),
  defineOp("ccl.allgather", { args: ["x"], attrs: { num_workers: attr("int", undefined, atLeast(1)), in_group: attr("bool", true) }, infer: allgather }),
  defineOp("ccl.broadcast_from_worker0", { args: ["x"], infer: sameAs() }),
  defineOp("ccl.scatter_from_worker0", { args: ["x"], attrs: scatterAttrs, infer: scatter }),
  defineOp("dist.annotate_sharding", { args: ["input"], attrs: shardAttrs, infer: (call) => argInfo(call, 0) }),
  defineOp("dist.redistribute", { args: ["input"], attrs: shardAttrs, infer: (call) => argInfo(call, 0) }),
  defineOp("dist.call_tir_local_view", { ...tirCall, infer: given }),
  defineOp("dist.redistribute_replica_to_shard", { args: ["input"], attrs: scatterAttrs, infer: scatter }),
];

const prim = (dtype: ScalarDType): InferStructInfo => () => makePrimStructInfo(dtype);

const shapeI: InferStructInfo = (call) => {
  const axis = primArg(call, 1);
  const i = axis === undefined ? undefined : asInt(axis);
  const value = i === undefined ? undefined : shapeOf(tensorArg(call, 0))?.[i];
  return makePrimStructInfo("int64", value);
};

const inspectOps: readonly OpDef[] = [
  defineOp("inspect.tensor_shape_i", { args: ["tensor", "axis"], argKinds: { axis: "prim" }, infer: shapeI }),
  defineOp("inspect.tensor_stride_i", { args: ["tensor", "axis"], argKinds: { axis: "prim" }, infer: prim("int64") }),
  defineOp("inspect.tensor_byte_offset", { args: ["tensor"], infer: prim("int64") }),
  defineOp("inspect.tensor_elem_offset", { args: ["tensor"], infer: prim("int64") }),
  defineOp("inspect.tensor_ndim", { args: ["tensor"], infer: prim("int32") }),
  defineOp("inspect.tensor_dtype_code", { args: ["tensor"], infer: prim("uint8") }),
  defineOp("inspect.tensor_dtype_bits", { args: ["tensor"], infer: prim("uint8") }),
  defineOp("inspect.tensor_dtype_lanes", { args: ["tensor"], infer: prim("uint16") }),
];

const gradOps: readonly OpDef[] = [
  ...["no_grad", "start_checkpoint", "end_checkpoint"].map((name) =>
    defineOp(`grad.${name}`, { args: ["input"], argKinds: { input: "any" }, infer: (call) => argInfo(call, 0) }),
  ),
  defineOp("grad.nll_loss_backward", {
    args: ["output_grad", "predictions", "targets", "weights?"],
    attrs: { reduction: attr("string", "mean", oneOf("none", "mean", "sum")), ignore_index: attr("int", -100) },
    infer: sameAs(1),
  }),
  ...["max", "avg"].map((kind) =>
    defineOp(`grad.${kind}_pool2d_backward`, {
      args: ["output_grad", "data"],
      attrs: poolAttrs(2),
      normalizeAttrs: normalizePoolAttrs(2),
      infer: sameAs(1),
    }),
  ),
  defineOp("grad.take_backward", {
    args: ["output_grad", "x", "indices"],
    attrs: { axis: attr("optional-int", null), mode: newAttr("string", "fast", takeModes) },
    infer: sameAs(1),
  }),
];

const quantized: InferStructInfo = (call) => {
  const x = tensorArg(call, 0);
  const axis = optIntAttr(call, "axis") ?? -1;
  if (x.ndim > 0) normAxis(call, axis, x.ndim);
  return { ...x, dtype: dtypeAttr(call, "out_dtype") };
};

const multinomial: InferStructInfo = (call): StructInfo => {
  const indices = tensorArg(call, 2);
  return { ...indices, dtype: dtypeAttr(call, "dtype") ?? "int64" };
};

const quantizationOps: readonly OpDef[] = [
  defineOp("quantize", {
    args: ["data", "scale", "zero_point"],
    attrs: { out_dtype: attr("dtype", "int8"), axis: attr("int", -1) },
    infer: quantized,
  }),
  defineOp("dequantize", {
    args: ["data", "scale", "zero_point"],
    attrs: { out_dtype: attr("dtype", "float32"), axis: attr("int", -1) },
    infer: quantized,
  }),
  defineOp("multinomial_from_uniform", {
    args: ["prob", "uniform_sample", "sample_indices"],
    attrs: { dtype: attr("dtype", "int64") },
    infer: multinomial,
  }),
];

/** Calls, memory, conversion, collectives, inspection, gradients, quantization. */
export const coreOps: readonly OpDef[] = [
  ...callOps,
  ...valueOps,
  ...memoryOps,
  ...distributedOps,
  ...inspectOps,
  ...gradOps,
  ...quantizationOps,
];
