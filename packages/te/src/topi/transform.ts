import { at } from "@verticil/ir-core";
import type { ScalarDType } from "@verticil/runtime-ffi";
import {
  add,
  asInt,
  cast,
  constant,
  floorDiv,
  floorMod,
  ge,
  ifThenElse,
  isConstInt,
  le,
  lt,
  mul,
  select,
  sub,
  type PrimExpr,
} from "@verticil/tir";
import { compute } from "../compute.ts";
import type { Tensor } from "../tensor.ts";

/** Options of upstream's injective transformations. */
const injective = { axes: "ax", tag: "injective" } as const;

/** An int64 constant. */
export function int(value: number): PrimExpr {
  return constant(value, "int64");
}

/** The product of dimensions. */
export function productOf(dims: readonly PrimExpr[]): PrimExpr {
  return dims.reduce<PrimExpr>((acc, d) => mul(acc, d), int(1));
}

/** An axis counted from the front. */
export function axisOf(axis: number, ndim: number): number {
  return axis < 0 ? axis + ndim : axis;
}

/** The axes in another order; reversed unless told. */
export function transpose(x: Tensor, axes?: readonly number[]): Tensor {
  const order = axes?.map((a) => axisOf(a, x.ndim)) ?? x.shape.map((_, i) => x.ndim - 1 - i);
  const shape = order.map((a) => at(x.shape, a));
  return compute(shape, (...i) => x.at(...x.shape.map((_, d) => at(i, order.indexOf(d)))), "T_transpose", injective);
}

/** The row-major position of a cell. */
export function ravelIndex(indices: readonly PrimExpr[], shape: readonly PrimExpr[]): PrimExpr {
  return indices.reduce<PrimExpr>((acc, index, i) => (i === 0 ? index : add(mul(acc, at(shape, i)), index)), int(0));
}

/** The cell at a row-major position. */
export function unravelIndex(position: PrimExpr, shape: readonly PrimExpr[]): readonly PrimExpr[] {
  const out: PrimExpr[] = [];
  let rest = position;
  for (let i = shape.length - 1; i >= 0; i--) {
    const size = at(shape, i);
    out.unshift(isConstInt(size, 1) ? int(0) : floorMod(rest, size));
    if (!isConstInt(size, 1)) rest = floorDiv(rest, size);
  }
  return out;
}

/** The elements in row-major order with other dimensions. */
export function reshape(x: Tensor, shape: readonly PrimExpr[], name = "T_reshape"): Tensor {
  const kept = sharedPrefix(x.shape, shape);
  return compute(
    shape,
    (...i) => {
      const tail = unravelIndex(ravelIndex(i.slice(kept), shape.slice(kept)), x.shape.slice(kept));
      return x.at(...i.slice(0, kept), ...tail);
    },
    name,
    injective,
  );
}

/** How many leading dimensions two shapes share, so that their indices need no arithmetic. */
function sharedPrefix(a: readonly PrimExpr[], b: readonly PrimExpr[]): number {
  let n = 0;
  for (; n < a.length && n < b.length; n++) {
    const x = at(a, n);
    const y = at(b, n);
    if (x !== y && (asInt(x) === undefined || asInt(x) !== asInt(y))) break;
  }
  return n;
}

/** New dimensions of size 1 at `axes` of the result. */
export function expandDims(x: Tensor, axes: readonly number[]): Tensor {
  const ndim = x.ndim + axes.length;
  const added = new Set(axes.map((a) => axisOf(a, ndim)));
  let next = 0;
  const shape = Array.from({ length: ndim }, (_, i) => (added.has(i) ? int(1) : at(x.shape, next++)));
  return compute(shape, (...i) => x.at(...i.filter((_, d) => !added.has(d))), "expand_dims", { axes: "i", tag: "broadcast" });
}

/** Dimensions of size 1 removed: those of `axes`, or all. */
export function squeeze(x: Tensor, axes?: readonly number[]): Tensor {
  const gone = new Set(axes?.map((a) => axisOf(a, x.ndim)) ?? x.shape.flatMap((d, i) => (isConstInt(d, 1) ? [i] : [])));
  const shape = x.shape.filter((_, i) => !gone.has(i));
  return compute(
    shape,
    (...i) => {
      let next = 0;
      return x.at(...x.shape.map((d, axis) => (gone.has(axis) ? constant(0, d.dtype) : at(i, next++))));
    },
    "T_squeeze",
    injective,
  );
}

/** Tensors one after the other along an axis. */
export function concatenate(tensors: readonly Tensor[], axis: number): Tensor {
  const first = at(tensors, 0);
  const a = axisOf(axis, first.ndim);
  const total = tensors.reduce<PrimExpr>((acc, t) => add(acc, at(t.shape, a)), int(0));
  const shape = first.shape.map((d, i) => (i === a ? total : d));
  return compute(
    shape,
    (...i) => {
      // What is left of the position behind the tensors before; the last one that it reaches is read.
      let rest = at(i, a);
      let value: PrimExpr = first.at(...i);
      tensors.slice(1).forEach((t, k) => {
        rest = sub(rest, at(at(tensors, k).shape, a));
        const own = rest;
        value = ifThenElse(ge(own, int(0)), t.at(...i.map((x, d) => (d === a ? own : x))), value);
      });
      return value;
    },
    "T_concat",
    injective,
  );
}

/** Tensors one after the other along a new axis. */
export function stack(tensors: readonly Tensor[], axis: number): Tensor {
  const first = at(tensors, 0);
  const a = axisOf(axis, first.ndim + 1);
  const shape = [...first.shape.slice(0, a), int(tensors.length), ...first.shape.slice(a)];
  return compute(
    shape,
    (...i) => {
      const rest = i.filter((_, d) => d !== a);
      return tensors.reduceRight<PrimExpr | undefined>(
        (acc, t, k) => (acc === undefined ? t.at(...rest) : ifThenElse(le(at(i, a), int(k)), t.at(...rest), acc)),
        undefined,
      ) ?? constant(0, first.dtype);
    },
    "T_stack",
    injective,
  );
}

/** A part of a tensor along one axis. */
function slab(x: Tensor, axis: number, from: PrimExpr, size: PrimExpr, name: string): Tensor {
  const shape = x.shape.map((d, i) => (i === axis ? size : d));
  return compute(shape, (...i) => x.at(...i.map((v, d) => (d === axis ? add(v, from) : v))), name, injective);
}

/** Parts of the given sizes along an axis, one after the other. */
export function split(x: Tensor, sizes: readonly PrimExpr[], axis: number, name = "T_split"): readonly Tensor[] {
  const a = axisOf(axis, x.ndim);
  let from: PrimExpr = int(0);
  return sizes.map((size) => {
    const part = slab(x, a, from, size, name);
    from = add(from, size);
    return part;
  });
}

/** Each element `count` times along an axis. */
export function repeat(x: Tensor, count: number, axis: number): Tensor {
  const a = axisOf(axis, x.ndim);
  const shape = x.shape.map((d, i) => (i === a ? mul(int(count), d) : d));
  return compute(shape, (...i) => x.at(...i.map((v, d) => (d === a ? floorDiv(v, int(count)) : v))), "T_repeat", injective);
}

/** The whole tensor several times along each axis. */
export function tile(x: Tensor, shape: readonly PrimExpr[]): Tensor {
  return compute(
    shape,
    (...i) => x.at(...x.shape.map((d, k) => (isConstInt(d, 1) ? int(0) : floorMod(at(i, k - x.ndim + i.length), d)))),
    "T_tile",
    { axes: "ax", tag: "broadcast" },
  );
}

/** The elements along an axis in reverse. */
export function flip(x: Tensor, axis: number): Tensor {
  const a = axisOf(axis, x.ndim);
  return compute(
    x.shape,
    (...i) => x.at(...i.map((v, d) => (d === a ? sub(sub(at(x.shape, a), v), int(1)) : v))),
    "T_reverse_sequence",
    injective,
  );
}

/** The first `lengths[batch]` elements along an axis in reverse, the others as they are. */
export function reverseSequence(x: Tensor, lengths: Tensor, seqAxis: number, batchAxis: number): Tensor {
  const s = axisOf(seqAxis, x.ndim);
  const b = axisOf(batchAxis, x.ndim);
  return compute(
    x.shape,
    (...i) => {
      const length = cast("int64", lengths.at(at(i, b)));
      const v = at(i, s);
      const index = select(lt(v, length), sub(sub(length, v), int(1)), v);
      return x.at(...i.map((own, d) => (d === s ? index : own)));
    },
    "T_reverse_sequence",
    injective,
  );
}

/** A tensor of one value. */
export function full(shape: readonly PrimExpr[], dtype: ScalarDType, value: PrimExpr, name = "T_full"): Tensor {
  return compute(shape, () => cast(dtype, value), name, { axes: "ax", tag: "elemwise" });
}

/** `start, start + step, …`. */
export function arange(length: PrimExpr, start: PrimExpr, step: PrimExpr, dtype: ScalarDType): Tensor {
  return compute([length], (i = int(0)) => add(cast(dtype, start), mul(cast(dtype, step), cast(dtype, i))), "T_arange", injective);
}

/** Ones on diagonal number `k`, zeros elsewhere. */
export function eye(n: PrimExpr, m: PrimExpr, k: PrimExpr, dtype: ScalarDType): Tensor {
  return compute([n, m], (i = int(0), j = int(0)) => {
    const on = { kind: "tir.EQ", dtype: "bool", a: sub(j, i), b: cast(j.dtype, k) } as const;
    return select(on, constant(1, dtype), constant(0, dtype));
  }, "T_eye", injective);
}

/** The upper or the lower triangle of each matrix, zeros elsewhere. */
export function trilu(x: Tensor, k: PrimExpr, upper: boolean): Tensor {
  return compute(
    x.shape,
    (...i) => {
      const row = at(i, x.ndim - 2);
      const column = at(i, x.ndim - 1);
      const edge = cast(row.dtype, k);
      const inside = upper ? ge(column, add(row, edge)) : le(column, add(row, edge));
      return select(inside, x.at(...i), constant(0, x.dtype));
    },
    "trilu",
    { axes: "i", tag: "elemwise" },
  );
}

/** Channels moved into space: `[…, C r², H, W]` to `[…, C, H r, W r]`. */
export function pixelShuffle(x: Tensor, factor: number): Tensor {
  const n = x.ndim;
  const r = int(factor);
  const shape = x.shape.map((d, i) => (i === n - 3 ? floorDiv(d, factor * factor) : i >= n - 2 ? mul(d, r) : d));
  return compute(
    shape,
    (...i) => {
      const [c, h, w] = [at(i, n - 3), at(i, n - 2), at(i, n - 1)];
      const channel = add(add(mul(c, factor * factor), mul(floorMod(h, r), r)), floorMod(w, r));
      return x.at(...i.slice(0, n - 3), channel, floorDiv(h, r), floorDiv(w, r));
    },
    "T_pixel_shuffle",
    injective,
  );
}
