import type { ScalarDType } from "@verticil/runtime-ffi";
import type { Call } from "../ir/expr.ts";
import { makePrimStructInfo, makeTensorStructInfo } from "../ir/make.ts";
import type { InferStructInfo, OpDef } from "../ir/op-def.ts";
import type { TensorStructInfo } from "../ir/struct-info.ts";
import { opName } from "./attrs-of.ts";
import { defineOp } from "./define.ts";
import { argInfo, broadcastInfo, sameDType, tensorArg } from "./infer.ts";

/** An operand as a tensor; a scalar is one without dimensions. */
function operand(call: Call, i: number): TensorStructInfo {
  const info = argInfo(call, i);
  if (info.kind === "relax.PrimStructInfo") return makeTensorStructInfo([], info.dtype);
  if (info.kind === "relax.TensorStructInfo") return info;
  throw new TypeError(`Argument ${i} of ${opName(call)} is a tensor or a scalar.`);
}

function broadcasting(count: number, result?: ScalarDType): InferStructInfo {
  return (call, ctx) => {
    const infos = Array.from({ length: count }, (_, i) => operand(call, i));
    const dtype = sameDType(call, infos);
    const scalars = call.args.every((_, i) => argInfo(call, i).kind === "relax.PrimStructInfo");
    if (scalars && dtype !== undefined) return makePrimStructInfo(result ?? dtype);
    return broadcastInfo(call, infos, result ?? dtype, ctx);
  };
}

/** Operators whose result has the operands' dtype. */
export const arithBinaryNames: readonly string[] = [
  "add", "subtract", "multiply", "divide", "floor_divide", "mod", "floor_mod", "power", "maximum", "minimum",
  "left_shift", "right_shift", "bitwise_and", "bitwise_or", "bitwise_xor", "logical_and", "logical_or", "logical_xor",
  "log_add_exp", "atan2",
];
/** Operators whose result is `bool`. */
export const compareNames: readonly string[] = ["equal", "not_equal", "greater", "greater_equal", "less", "less_equal"];

const where: InferStructInfo = (call, ctx) => {
  const condition = tensorArg(call, 0);
  if (condition.dtype !== undefined && condition.dtype !== "bool") {
    throw new TypeError(`The condition of \`relax.where\` is a bool tensor, not ${condition.dtype}.`);
  }
  const values = [operand(call, 1), operand(call, 2)];
  return broadcastInfo(call, [condition, ...values], sameDType(call, values), ctx);
};

/** Element-wise operators of two or three operands, with broadcasting. */
export const binaryOps: readonly OpDef[] = [
  ...arithBinaryNames.map((name) => defineOp(name, { args: ["x1", "x2"], infer: broadcasting(2) })),
  ...compareNames.map((name) => defineOp(name, { args: ["x1", "x2"], infer: broadcasting(2, "bool") })),
  defineOp("ewise_fma", { args: ["x1", "x2", "x3"], infer: broadcasting(3) }),
  defineOp("where", { args: ["condition", "x1", "x2"], infer: where }),
];
