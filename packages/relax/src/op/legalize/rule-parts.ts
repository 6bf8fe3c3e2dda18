import type { Tensor as TeTensor } from "@verticil/te";
import { getElement } from "@verticil/runtime-ffi";
import { constant, isConst, type PrimExpr } from "@verticil/tir";
import type { Call, Expr } from "../../ir/expr.ts";
import { shapeOf } from "../../ir/make.ts";
import type { StructInfo } from "../../ir/struct-info.ts";
import type { Dims } from "../infer.ts";
import type { LegalizeRule, TeFunction } from "../legalize-rule.ts";

/** The struct info of an expression, undefined where it has none. */
export function infoOf(e: Expr | undefined): StructInfo | undefined {
  return e !== undefined && "structInfo" in e ? e.structInfo : undefined;
}

/** True if everything that a tensor program must know of the value is known: shape and data type of each tensor. */
export function isKnown(info: StructInfo | undefined): boolean {
  switch (info?.kind) {
    case "relax.TensorStructInfo":
      return info.dtype !== undefined && shapeOf(info) !== undefined;
    case "relax.TupleStructInfo":
      return info.fields.every(isKnown);
    case undefined:
    case "relax.PrimStructInfo":
    case "relax.ShapeStructInfo":
    case "relax.ObjectStructInfo":
    case "relax.FuncStructInfo":
      return true;
    case "relax.DTensorStructInfo":
      return isKnown(info.tensorInfo);
  }
}

/** The rule for calls whose tensors are all known; others stay as they are. */
export function whenKnown(rule: LegalizeRule): LegalizeRule {
  return (call, bb) => (call.args.every((a) => isKnown(infoOf(a))) && isKnown(call.structInfo) ? rule(call, bb) : undefined);
}

/** The argument at `i`. @throws RangeError if there is none. */
export function arg(call: Call, i: number): Expr {
  const found = call.args[i];
  if (found === undefined) throw new RangeError(`Argument ${i} is missing.`);
  return found;
}

/** The value of a scalar that is known when compiling: a 0-dimensional constant tensor, or a constant scalar value. */
export function scalarConst(e: Expr | undefined): PrimExpr | undefined {
  if (e?.kind === "relax.PrimValue") return isConst(e.value) ? e.value : undefined;
  if (e?.kind !== "relax.Constant" || e.data.shape.length > 0) return undefined;
  return constant(getElement(e.data, 0), e.data.dtype);
}

/** The dimensions of the result. @throws TypeError if they are not known. */
export function resultDims(call: Call): Dims {
  const dims = shapeOf(call.structInfo);
  if (dims === undefined) throw new TypeError("The shape of the result is not known.");
  return dims;
}

/** A rule that calls `f` on the first `count` arguments. */
export function viaTe(name: string, count: number, f: (call: Call) => TeFunction): LegalizeRule {
  return whenKnown((call, bb) => bb.callTe(f(call), call.args.slice(0, count), { name }));
}

/** The tensors of a te function by position. @throws RangeError if there are fewer. */
export function nth(tensors: readonly TeTensor[], i: number): TeTensor {
  const found = tensors[i];
  if (found === undefined) throw new RangeError(`Tensor ${i} is missing.`);
  return found;
}

/** A te function of exactly one tensor. */
export function of1(f: (x: TeTensor) => TeTensor | readonly TeTensor[]): TeFunction {
  return (...t) => f(nth(t, 0));
}

/** A te function of exactly two tensors. */
export function of2(f: (x: TeTensor, y: TeTensor) => TeTensor | readonly TeTensor[]): TeFunction {
  return (...t) => f(nth(t, 0), nth(t, 1));
}

/** A te function of exactly three tensors. */
export function of3(f: (x: TeTensor, y: TeTensor, z: TeTensor) => TeTensor | readonly TeTensor[]): TeFunction {
  return (...t) => f(nth(t, 0), nth(t, 1), nth(t, 2));
}
