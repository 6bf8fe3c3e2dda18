import * as te from "@verticil/te";
import { cast, type PrimExpr } from "@verticil/tir";
import { scalarOf } from "@verticil/runtime-ffi";
import { makeConstant } from "../../ir/make.ts";
import { tensorFrom, type ScalarDType } from "@verticil/runtime-ffi";
import { dtypeAttr, floatAttr, intAttr } from "../attrs-of.ts";
import type { LegalizeRule } from "../legalize-rule.ts";
import { arg, of1, of2, resultDims, scalarConst, viaTe, whenKnown } from "./rule-parts.ts";

const unaries: Readonly<Record<string, te.Unary>> = {
  abs: te.abs, acos: te.acos, acosh: te.acosh, asin: te.asin, asinh: te.asinh, atan: te.atan, atanh: te.atanh,
  bitwise_not: te.bitwiseNot, ceil: te.ceil, cos: te.cos, cosh: te.cosh, exp: te.exp, floor: te.floor, log: te.log,
  logical_not: te.logicalNot, negative: te.negative, round: te.round, rsqrt: te.rsqrt, sigmoid: te.sigmoid, sign: te.sign,
  sin: te.sin, sinh: te.sinh, square: te.square, sqrt: te.sqrt, tan: te.tan, tanh: te.tanh, trunc: te.trunc,
  isfinite: te.isfinite, isinf: te.isinf, isnan: te.isnan,
};

const activations: Readonly<Record<string, te.Unary>> = {
  relu: te.relu, gelu: te.gelu, gelu_tanh: te.geluTanh, selu: te.selu, silu: te.silu,
};

/** A scalar operand that is known is folded into the program: only the other one is passed. */
function binary(name: string, f: te.Binary): LegalizeRule {
  return whenKnown((call, bb) => {
    const [a, b] = [arg(call, 0), arg(call, 1)];
    const right = scalarConst(b);
    if (right !== undefined && isTensorArg(a)) return bb.callTe(of1((x) => f(x, right)), [a], { name });
    const left = scalarConst(a);
    if (left !== undefined && isTensorArg(b)) return bb.callTe(of1((y) => f(left, y)), [b], { name });
    if (isTensorArg(a) && isTensorArg(b)) return bb.callTe(of2(f), [a, b], { name });
    return isOperand(a) && isOperand(b) && (isTensorArg(a) || isTensorArg(b)) ? bb.callTeOperands((x, y) => f(operand(x), operand(y)), [a, b], { name }) : undefined;
  });
}

function isOperand(e: ReturnType<typeof arg>): boolean {
  return isTensorArg(e) || ("structInfo" in e && e.structInfo?.kind === "relax.PrimStructInfo");
}

function isTensorArg(e: ReturnType<typeof arg>): boolean {
  return "structInfo" in e && e.structInfo?.kind === "relax.TensorStructInfo";
}

/** An operator of several operands, each of which may be a known scalar. */
function variadic(name: string, count: number, f: (...operands: readonly te.Operand[]) => te.Tensor): LegalizeRule {
  return whenKnown((call, bb) => {
    const operands = Array.from({ length: count }, (_, i) => arg(call, i));
    const scalars: readonly (PrimExpr | undefined)[] = operands.map(scalarConst);
    const tensors = operands.filter((_, i) => scalars[i] === undefined);
    if (tensors.length === 0 || !tensors.every(isTensorArg)) {
      return operands.every(isTensorArg) ? bb.callTe((...t) => f(...t), operands, { name }) : undefined;
    }
    return bb.callTe(
      (...t) => {
        let next = 0;
        return f(...scalars.map((s) => s ?? takeAt(t, next++)));
      },
      tensors,
      { name },
    );
  });
}

function takeAt(list: readonly te.Tensor[], i: number): te.Tensor {
  const found = list[i];
  if (found === undefined) throw new RangeError("An operand is missing.");
  return found;
}

const clip: LegalizeRule = whenKnown((call, bb) => {
  const [low, high] = [arg(call, 1), arg(call, 2)];
  if (low.kind !== "relax.PrimValue" || high.kind !== "relax.PrimValue") return undefined;
  return bb.callTe(of1((x) => te.clip(x, low.value, high.value)), [arg(call, 0)], { name: "tir_clip" });
});

const astype: LegalizeRule = whenKnown((call, bb) => {
  const dtype = dtypeAttr(call, "dtype");
  if (dtype === undefined || !isTensorArg(arg(call, 0))) return undefined;
  const known = scalarConst(arg(call, 0));
  const folded = known === undefined ? undefined : cast(dtype, known);
  if (folded?.kind === "ir.IntImm" || folded?.kind === "ir.FloatImm") return makeConstant(tensorFrom([folded.value], [], scalar(dtype)));
  return bb.callTe(of1((x) => te.cast(x, dtype)), [arg(call, 0)], { name: "cast" });
});

function scalar(dtype: ScalarDType): ScalarDType {
  return scalarOf(dtype);
}

const prelu: LegalizeRule = viaTe("prelu", 2, (call) => of2((x, slope) => te.prelu(x, slope, intAttr(call, "axis"))));

/** Element-wise operators, with and without broadcasting. */
export const elementwiseRules: Readonly<Record<string, LegalizeRule>> = {
  ...Object.fromEntries(Object.entries(unaries).map(([name, f]) => [name, viaTe(`tir_${name}`, 1, () => of1(f))])),
  ...Object.fromEntries(Object.entries(activations).map(([name, f]) => [`nn.${name}`, viaTe(name, 1, () => of1(f))])),
  ...Object.fromEntries(Object.entries(te.binaryOps).map(([name, f]) => [name, binary(name, f)])),
  erf: viaTe("erf", 1, () => of1(te.erf)),
  where: variadic("where", 3, (c, a, b) => te.where(operand(c), operand(a), operand(b))),
  ewise_fma: variadic("ewise_fma", 3, (a, b, c) => te.ewiseFma(operand(a), operand(b), operand(c))),
  clip,
  astype,
  wrap_param: astype,
  "nn.leakyrelu": viaTe("leaky_relu", 1, (call) => of1((x) => te.leakyRelu(x, floatAttr(call, "alpha")))),
  "nn.prelu": prelu,
  "nn.softplus": viaTe("softplus", 1, (call) => of1((x) => te.softplus(x, floatAttr(call, "beta"), floatAttr(call, "threshold")))),
  broadcast_to: viaTe("broadcast_to", 1, (call) => of1((x) => te.broadcastTo(x, resultDims(call)))),
};

function operand(o: te.Operand | undefined): te.Operand {
  if (o === undefined) throw new RangeError("An operand is missing.");
  return o;
}
