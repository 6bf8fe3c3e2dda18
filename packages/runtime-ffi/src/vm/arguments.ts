import { describeAny, isShapeValue, isTensor, type Any, type PackedFunction } from "../any.ts";
import { isDType, type ScalarDType } from "../dtype.ts";
import { FfiError } from "../ffi-error.ts";
import { getElement, type Tensor } from "../tensor.ts";

/** `args[i]` as a tensor. */
export function tensorAt(args: readonly Any[], i: number): Tensor {
  const value = args[i];
  if (isTensor(value)) return value;
  throw new FfiError("runtime", `Argument ${i} is ${describeAny(value)}, not a tensor.`);
}

/** The dimensions of `args[i]`, a shape. */
export function shapeAt(args: readonly Any[], i: number): readonly number[] {
  const value = args[i];
  if (isShapeValue(value)) return value.shape;
  throw new FfiError("runtime", `Argument ${i} is ${describeAny(value)}, not a shape.`);
}

/** `args[i]` as a data type. */
export function dtypeAt(args: readonly Any[], i: number): ScalarDType {
  const value = args[i];
  if (typeof value === "string" && isDType(value)) return value as ScalarDType;
  throw new FfiError("runtime", `Argument ${i} is ${describeAny(value)}, not a data type.`);
}

/** Whether a condition holds: a boolean scalar, as a tensor or by itself. */
export function isTrue(value: Any): boolean {
  return isTensor(value) ? Number(getElement(value, 0)) !== 0 : Boolean(value);
}

/** `args[i]` as a function. */
export function functionAt(args: readonly Any[], i: number): PackedFunction {
  const value = args[i];
  if (typeof value === "function") return value;
  throw new FfiError("runtime", `Argument ${i} is ${describeAny(value)}, not a function.`);
}
