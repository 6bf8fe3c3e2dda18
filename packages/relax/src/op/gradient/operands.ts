import { tensorFrom } from "@verticil/runtime-ffi";
import { at, structuralEqual } from "@verticil/ir-core";
import { tir } from "@verticil/tir";
import type { Call, Expr } from "../../ir/expr.ts";
import { makeConstant, makeShapeExpr, shapeOf } from "../../ir/make.ts";
import { tensorInfoOf } from "../../ir/struct-info-of.ts";
import { opName, optIntsAttr } from "../attrs-of.ts";
import { normAxes, type Dims } from "../infer.ts";
import type { GradientBuilder } from "../gradient-rule.ts";

/** Argument `i` of a call. */
export function arg(call: Call, i: number): Expr {
  return at(call.args, i);
}

/** A scalar of the dtype of `like`. */
export function scalarLike(value: number, like: Expr): Expr {
  return makeConstant(tensorFrom([value], [], tensorInfoOf(like).dtype ?? "float32"));
}

/** The dimensions of a tensor. @throws RangeError if its shape is not known. */
export function dimsOf(call: Call, e: Expr): Dims {
  const dims = shapeOf(tensorInfoOf(e));
  if (dims === undefined) throw new RangeError(`The gradient of ${opName(call)} needs the shape of its operands.`);
  return dims;
}

/** The shape of a tensor as an operand. */
export function shapeExprOf(call: Call, e: Expr): Expr {
  return makeShapeExpr(dimsOf(call, e));
}

/** A gradient brought to the shape of an operand that was broadcast: summed over what was repeated. */
export function fitted(call: Call, grad: Expr, operand: Expr, b: GradientBuilder): Expr {
  const [from, to] = [dimsOf(call, grad), dimsOf(call, operand)];
  const same = from.length === to.length && from.every((d, i) => structuralEqual(d, at(to, i), { dialects: [tir], mapFreeVars: false }));
  return same ? grad : b.op("collapse_sum_to", [grad, makeShapeExpr(to)]);
}

/** The axes that a reduction reduces, all if it names none. */
export function reducedAxes(call: Call): readonly number[] {
  const { ndim } = tensorInfoOf(arg(call, 0));
  const axes = optIntsAttr(call, "axis");
  return axes === undefined ? Array.from({ length: ndim }, (_, i) => i) : normAxes(call, axes, ndim);
}
