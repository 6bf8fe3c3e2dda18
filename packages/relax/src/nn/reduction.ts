import type { ScalarDType } from "@verticil/runtime-ffi";
import type { AttrMap } from "@verticil/ir-core";
import { callOp, onlyTensor, tensorOp } from "./ops.ts";
import type { Tensor } from "./value.ts";

// What many elements have to say together, by the names of upstream's `nn.op`.

/** Axes to reduce over; all unless told. */
export type Axes = number | readonly number[];

function over(axis: Axes | undefined, keepdims: boolean): AttrMap {
  return { axis: axis === undefined ? null : typeof axis === "number" ? [axis] : [...axis], keepdims };
}

export function sum(x: Tensor, axis?: Axes, keepdims = false): Tensor {
  return tensorOp("relax.sum", [x], over(axis, keepdims), "sum");
}

export function mean(x: Tensor, axis?: Axes, keepdims = false): Tensor {
  return tensorOp("relax.mean", [x], over(axis, keepdims), "mean");
}

export function max(x: Tensor, axis?: Axes, keepdims = false): Tensor {
  return tensorOp("relax.max", [x], over(axis, keepdims), "max");
}

export function min(x: Tensor, axis?: Axes, keepdims = false): Tensor {
  return tensorOp("relax.min", [x], over(axis, keepdims), "min");
}

/** Sums of all elements up to each, along an axis; of all elements in a row unless one is told. */
export function cumsum(x: Tensor, axis?: number, opts: { readonly dtype?: ScalarDType; readonly exclusive?: boolean } = {}): Tensor {
  return tensorOp("relax.cumsum", [x], { axis: axis ?? null, dtype: opts.dtype ?? null, exclusive: opts.exclusive ?? false }, "cumsum");
}

/** In order along an axis. */
export function sort(x: Tensor, axis = -1, descending = false): Tensor {
  return tensorOp("relax.sort", [x], { axis, descending }, "sort");
}

/** Where each element of the order comes from. */
export function argsort(x: Tensor, axis = -1, descending = false, dtype: ScalarDType = "int32"): Tensor {
  return tensorOp("relax.argsort", [x], { axis, descending, dtype }, "argsort");
}

/** The `k` largest elements along an axis, or smallest, and where they were. */
export function topk(x: Tensor, k: number, opts: { readonly axis?: number; readonly largest?: boolean; readonly dtype?: ScalarDType } = {}): readonly [values: Tensor, indices: Tensor] {
  const attrs = { k, axis: opts.axis ?? -1, ret_type: "both", largest: opts.largest ?? true, dtype: opts.dtype ?? "int32" };
  const [values, indices] = [callOp("relax.topk", [x], attrs, "topk")].flat().map((v) => onlyTensor(v, "topk"));
  if (values === undefined || indices === undefined) throw new TypeError("`topk` gives two tensors.");
  return [values, indices];
}
