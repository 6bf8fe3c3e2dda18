import { isFloat } from "@verticil/runtime-ffi";
import type { InferStructInfo, OpDef } from "../ir/op-def.ts";
import { opName } from "./attrs-of.ts";
import { defineOp } from "./define.ts";
import { sameAs, tensorArg, withDType } from "./infer.ts";

/** The shape of the operand. @throws TypeError if its dtype is known and not floating-point. */
export const floatUnary: InferStructInfo = (call) => {
  const x = tensorArg(call, 0);
  if (x.dtype !== undefined && !isFloat(x.dtype)) throw new TypeError(`${opName(call)} takes a floating-point tensor, not ${x.dtype}.`);
  return x;
};

const toBool: InferStructInfo = (call) => withDType(tensorArg(call, 0), "bool");

/** Element-wise operators of one operand that are defined on every number. */
export const arithUnaryNames: readonly string[] = ["abs", "ceil", "floor", "negative", "round", "sign", "square", "trunc"];
/** Those defined on floating-point numbers only. */
export const floatUnaryNames: readonly string[] = [
  "acos", "acosh", "asin", "asinh", "atan", "atanh", "cos", "cosh", "erf", "exp", "log", "rsqrt", "sigmoid", "sin",
  "sinh", "sqrt", "tan", "tanh",
];

/** Element-wise operators of one operand, checks (`isnan`, …) and `clip`. */
export const unaryOps: readonly OpDef[] = [
  ...arithUnaryNames.map((name) => defineOp(name, { args: ["x"], infer: sameAs() })),
  ...floatUnaryNames.map((name) => defineOp(name, { args: ["x"], infer: floatUnary })),
  defineOp("bitwise_not", { args: ["x"], infer: sameAs() }),
  defineOp("logical_not", { args: ["x"], infer: sameAs() }),
  ...["isfinite", "isinf", "isnan"].map((name) => defineOp(name, { args: ["x"], infer: toBool })),
  defineOp("clip", { args: ["x", "min", "max"], argKinds: { min: "prim", max: "prim" }, infer: sameAs() }),
];
