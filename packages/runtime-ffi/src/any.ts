import type { ScalarDType } from "./dtype.ts";
import type { Tensor } from "./tensor.ts";

/** A shape as a value. */
export interface ShapeValue {
  readonly isShape: true;
  readonly shape: readonly number[];
}

/**
 * Something of the host's that programs pass around without looking inside: a KV cache, a random generator. Whoever made
 * it calls `dispose`.
 */
export interface FfiObject {
  /** What it is, for error messages: `"llm.KVCache"`. */
  readonly typeKey: string;
  dispose?(): void;
}

/**
 * Whatever a program passes between its parts (tvm-ffi's `Any`). A number is an integer or a float as its receiver
 * reads it, integers beyond 2^53 are bigints, strings are also data types, a list is a tuple, undefined is null.
 */
export type Any = Tensor | ShapeValue | FfiObject | PackedFunction | number | bigint | boolean | string | undefined | readonly Any[];

/**
 * A function that a program can call, wherever it comes from: the host, another function of the program, a closure.
 * Tensors among the arguments are lent: their `data` is valid until the function returns or makes a tensor, and it
 * reads them again after that. One that a `call_dps_packed` calls is handed the destinations last and writes into them.
 */
export type PackedFunction = (args: readonly Any[], ctx: CallContext) => Any;

/** Functions that a program calls by name. */
export type Functions = Readonly<Record<string, PackedFunction>>;

/** A tensor that stays until it is disposed of. */
export interface OwnedTensor extends Tensor {
  /** Gives the memory back, once; views of it that programs hold stay valid. */
  dispose(): void;
}

/** What a function of the host is given by the program that calls it: memory that the program's kernels can read. */
export interface CallContext {
  /** A tensor for a result, elements unspecified: it lives as long as the program refers to it. */
  empty(dtype: ScalarDType, shape: readonly number[]): Tensor;
  /** A tensor of zeros that an object keeps beyond the call. */
  own(dtype: ScalarDType, shape: readonly number[]): OwnedTensor;
  /**
   * Part of a tensor's memory under another shape, without a copy; `byteOffset` counts from the tensor's start.
   * @throws RangeError if it does not fit.
   */
  view(t: Tensor, shape: readonly number[], byteOffset?: number, dtype?: ScalarDType): Tensor;
  /** Calls a function value that was handed over. */
  call(f: PackedFunction, args: readonly Any[]): Any;
}

/** True for a tensor. */
export function isTensor(value: Any): value is Tensor {
  return typeof value === "object" && "dtype" in value && "data" in value;
}

/** True for a shape value. */
export function isShapeValue(value: Any): value is ShapeValue {
  return typeof value === "object" && "isShape" in value;
}

/** True for a tuple. */
export function isTuple(value: Any): value is readonly Any[] {
  return Array.isArray(value);
}

/** A shape value of dimensions. */
export function shapeValue(dims: readonly number[]): ShapeValue {
  return { isShape: true, shape: dims };
}

/** What a value is, for error messages: `float32[2, 3]`, `shape[4]`, `a tuple of 2`. */
export function describeAny(value: Any): string {
  if (isTensor(value)) return `${value.dtype}[${value.shape.join(", ")}]`;
  if (isTuple(value)) return `a tuple of ${value.length}`;
  if (isShapeValue(value)) return `shape[${value.shape.join(", ")}]`;
  if (typeof value === "object") return `a ${value.typeKey}`;
  return value === undefined ? "null" : typeof value === "function" ? "a function" : `${typeof value} ${String(value)}`;
}
