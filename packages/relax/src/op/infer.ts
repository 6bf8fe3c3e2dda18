import { at } from "@verticil/ir-core";
import type { ScalarDType } from "@verticil/runtime-ffi";
import { add, asInt, constant, isConstInt, mul, type PrimExpr } from "@verticil/tir";
import type { Call, Expr } from "../ir/expr.ts";
import { makeTensorStructInfo, shapeOf } from "../ir/make.ts";
import type { InferContext, InferStructInfo } from "../ir/op-def.ts";
import type { StructInfo, TensorStructInfo } from "../ir/struct-info.ts";
import { opName } from "./attrs-of.ts";

// What the inference rules share: typed arguments, axes, broadcasting, and shapes that may be partly unknown.

/** The dimensions of a tensor as expressions, undefined if its shape is not known. */
export type Dims = readonly PrimExpr[];

/** The struct info of an argument. @throws TypeError if the call has no such argument or it is not normalized. */
export function argInfo(call: Call, i: number): StructInfo {
  const arg = call.args[i];
  const info = arg !== undefined && "structInfo" in arg ? arg.structInfo : undefined;
  if (info === undefined) throw new TypeError(`Argument ${i} of ${opName(call)} ${arg === undefined ? "is missing" : "has no struct info"}.`);
  return info;
}

/** The struct info of a tensor argument. @throws TypeError if it is something else. */
export function tensorArg(call: Call, i: number): TensorStructInfo {
  const info = argInfo(call, i);
  if (info.kind !== "relax.TensorStructInfo") {
    throw new TypeError(`Argument ${i} of ${opName(call)} is a tensor, not ${info.kind.replace("relax.", "")}.`);
  }
  return info;
}

/** The struct infos of a tuple of tensors. @throws TypeError if it is something else. */
export function tensorTupleArg(call: Call, i: number): readonly TensorStructInfo[] {
  const info = argInfo(call, i);
  if (info.kind !== "relax.TupleStructInfo") throw new TypeError(`Argument ${i} of ${opName(call)} is a tuple of tensors.`);
  return info.fields.map((f) => {
    if (f.kind !== "relax.TensorStructInfo") throw new TypeError(`Argument ${i} of ${opName(call)} holds something other than tensors.`);
    return f;
  });
}

/** The dimensions of a shape argument, undefined if they are not known. @throws TypeError if it is something else. */
export function shapeArg(call: Call, i: number): { readonly dims: Dims | undefined; readonly ndim: number } {
  const info = argInfo(call, i);
  if (info.kind !== "relax.ShapeStructInfo") throw new TypeError(`Argument ${i} of ${opName(call)} is a shape.`);
  const arg = call.args[i];
  return { dims: arg?.kind === "relax.ShapeExpr" ? arg.values : info.values, ndim: info.ndim };
}

/** The value of a scalar argument, undefined if it is not known. */
export function primArg(call: Call, i: number): PrimExpr | undefined {
  const arg = call.args[i];
  if (arg?.kind === "relax.PrimValue") return arg.value;
  const info = argInfo(call, i);
  return info.kind === "relax.PrimStructInfo" ? info.value : undefined;
}

/** The values of a tuple of scalars, undefined if they are not all known. */
export function primsArg(call: Call, i: number): Dims | undefined {
  const arg = call.args[i];
  if (arg?.kind === "relax.ShapeExpr") return arg.values;
  if (arg?.kind === "relax.Tuple") return allKnown(arg.fields.map(primOf));
  const info = argInfo(call, i);
  if (info.kind !== "relax.TupleStructInfo") return undefined;
  return allKnown(info.fields.map((f) => (f.kind === "relax.PrimStructInfo" ? f.value : undefined)));
}

function primOf(e: Expr): PrimExpr | undefined {
  if (e.kind === "relax.PrimValue") return e.value;
  const info = "structInfo" in e ? e.structInfo : undefined;
  return info?.kind === "relax.PrimStructInfo" ? info.value : undefined;
}

function allKnown<T>(list: readonly (T | undefined)[]): readonly T[] | undefined {
  const out: T[] = [];
  for (const x of list) {
    if (x === undefined) return undefined;
    out.push(x);
  }
  return out;
}

/** A tensor of dtype and device like `like`'s unless told. */
export function tensorLike(
  like: TensorStructInfo,
  shape: Dims | number,
  dtype: ScalarDType | undefined = like.dtype,
): TensorStructInfo {
  return makeTensorStructInfo(shape, dtype, like.vdevice);
}

/** The same tensor with another dtype, its shape kept even where it is a variable. */
export function withDType(info: TensorStructInfo, dtype: ScalarDType | undefined): TensorStructInfo {
  return { ...info, dtype };
}

/** The dimension `d` as an int64 constant. */
export function dim(d: number): PrimExpr {
  return constant(d, "int64");
}

/** An axis in `[0, ndim)`; negative ones count from the end. @throws RangeError if there is no such axis. */
export function normAxis(call: Call, axis: number, ndim: number): number {
  const out = axis < 0 ? axis + ndim : axis;
  if (out < 0 || out >= ndim) throw new RangeError(`${opName(call)} has axis ${axis} but its input has ${ndim} dimensions.`);
  return out;
}

/** Axes in `[0, ndim)`, in the order given. @throws RangeError if one does not exist or comes twice. */
export function normAxes(call: Call, axes: readonly number[], ndim: number): readonly number[] {
  const out = axes.map((a) => normAxis(call, a, ndim));
  if (new Set(out).size !== out.length) throw new RangeError(`${opName(call)} has an axis twice: ${axes.join(", ")}.`);
  return out;
}

/** The product of dimensions. */
export function product(dims: Dims): PrimExpr {
  return dims.reduce<PrimExpr>((acc, d) => mul(acc, d), dim(1));
}

/** The sum of dimensions. */
export function sumDims(dims: Dims): PrimExpr {
  return dims.reduce<PrimExpr>((acc, d) => add(acc, d), dim(0));
}

/** A dimension, simplified unless it is a constant or a variable. */
export function simplified(ctx: InferContext, d: PrimExpr): PrimExpr {
  return d.kind === "ir.IntImm" || d.kind === "tir.Var" || d.kind === "tir.SizeVar" ? d : ctx.simplify(d);
}

/** True if two constant dimensions differ: certainly wrong, where unknown ones are checked at run time. */
export function provablyDiffer(a: PrimExpr, b: PrimExpr): boolean {
  const x = asInt(a);
  const y = asInt(b);
  return x !== undefined && y !== undefined && x !== y;
}

/**
 * The shape of an element-wise operation on shapes `a` and `b`, undefined where two symbolic dimensions cannot be told.
 * @throws RangeError if two dimensions are known to differ and neither is 1.
 */
export function broadcastDims(call: Call, a: Dims, b: Dims, ctx: InferContext): Dims | undefined {
  const ndim = Math.max(a.length, b.length);
  const out: PrimExpr[] = [];
  for (let i = 0; i < ndim; i++) {
    const x = a[i - ndim + a.length];
    const y = b[i - ndim + b.length];
    if (x === undefined || y === undefined) {
      out.push(x ?? y ?? dim(1));
    } else if (isConstInt(x, 1)) {
      out.push(y);
    } else if (isConstInt(y, 1)) {
      out.push(x);
    } else if (provablyDiffer(x, y)) {
      throw new RangeError(`${opName(call)} cannot broadcast dimensions ${asInt(x)} and ${asInt(y)}.`);
    } else if (x === y || ctx.proveEqual(x, y)) {
      out.push(x);
    } else {
      return undefined;
    }
  }
  return out;
}

/** The tensor that results from broadcasting; of unknown shape where that cannot be told. */
export function broadcastInfo(
  call: Call,
  infos: readonly TensorStructInfo[],
  dtype: ScalarDType | undefined,
  ctx: InferContext,
): TensorStructInfo {
  const vdevice = infos.find((i) => i.vdevice !== undefined)?.vdevice;
  let dims: Dims | undefined = [];
  for (const info of infos) {
    const own: Dims | undefined = shapeOf(info);
    dims = dims === undefined || own === undefined ? undefined : broadcastDims(call, dims, own, ctx);
  }
  if (dims !== undefined) return makeTensorStructInfo(dims, dtype, vdevice);
  const [first, ...rest] = infos;
  const shape = first?.shape;
  if (shape !== undefined && shape.kind !== "relax.ShapeExpr" && rest.every((r) => r.shape === shape)) {
    return makeTensorStructInfo(shape, dtype, vdevice);
  }
  const ndim = infos.some((i) => i.ndim < 0) ? -1 : Math.max(...infos.map((i) => i.ndim));
  return makeTensorStructInfo(ndim, dtype, vdevice);
}

/** The dtype that operands share. @throws TypeError if two are known and differ. */
export function sameDType(call: Call, infos: readonly TensorStructInfo[]): ScalarDType | undefined {
  let dtype: ScalarDType | undefined;
  for (const info of infos) {
    if (info.dtype === undefined) return undefined;
    if (dtype !== undefined && info.dtype !== dtype) {
      throw new TypeError(`${opName(call)} takes operands of one data type, not ${dtype} and ${info.dtype}.`);
    }
    dtype = info.dtype;
  }
  return dtype;
}

/** The result is like argument `i`, dtype and all. */
export function sameAs(i = 0): InferStructInfo {
  return (call) => tensorArg(call, i);
}

/** The dimensions of a tensor argument and its rank. @throws RangeError if the rank is known and not `ndim`. */
export function dimsOfRank(call: Call, i: number, ndim: number): Dims | undefined {
  const info = tensorArg(call, i);
  if (info.ndim >= 0 && info.ndim !== ndim) {
    throw new RangeError(`Argument ${i} of ${opName(call)} has ${ndim} dimensions, not ${info.ndim}.`);
  }
  return shapeOf(info);
}

/** `dims` with some replaced. */
export function replaced(dims: Dims, changes: ReadonlyMap<number, PrimExpr>): Dims {
  return dims.map((d, i) => changes.get(i) ?? d);
}

/** The item at `i`, counted from the end if negative. */
export function dimAt(dims: Dims, i: number): PrimExpr {
  return at(dims, i < 0 ? i + dims.length : i);
}

