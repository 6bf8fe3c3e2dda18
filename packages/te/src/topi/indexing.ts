import { at } from "@verticil/ir-core";
import type { ScalarDType } from "@verticil/runtime-ffi";
import { add, and, asInt, cast, constant, eq, floorDiv, floorMod, ge, ifThenElse, lt, max, min, mul, select, sub, type PrimExpr } from "@verticil/tir";
import { compute } from "../compute.ts";
import { Tensor } from "../tensor.ts";
import { broadcastAt, broadcastShape } from "./broadcast.ts";
import { axisOf, int } from "./transform.ts";

const injective = { axes: "ax", tag: "injective" } as const;

/** What `take` does with an index out of bounds: not checked, limited to the bounds, wrapped around, or NaN. */
export type TakeMode = "fast" | "clip" | "wrap" | "nan";

function inBounds(index: PrimExpr, size: PrimExpr, mode: TakeMode): PrimExpr {
  const wide = cast("int64", index);
  switch (mode) {
    case "fast":
    case "nan":
      // Upstream keeps the index's own type; buffers take any integer.
      return cast(size.dtype, index);
    case "clip":
      return min(max(int(0), wide), sub(size, int(1)));
    case "wrap":
      return floorMod(floorMod(wide, size), size);
  }
}

/** Slices of `x` along an axis, at the given indices. */
export function take(x: Tensor, indices: Tensor | PrimExpr, axis: number, mode: TakeMode = "fast"): Tensor {
  const a = axisOf(axis, x.ndim);
  const taken = indices instanceof Tensor ? indices.shape : [];
  return compute(
    [...x.shape.slice(0, a), ...taken, ...x.shape.slice(a + 1)],
    (...i) => {
      const index = indices instanceof Tensor ? indices.at(...i.slice(a, a + indices.ndim)) : indices;
      const value = x.at(...i.slice(0, a), inBounds(index, at(x.shape, a), mode), ...i.slice(a + taken.length));
      if (mode !== "nan") return value;
      const place = cast("int64", index);
      return ifThenElse(and(ge(place, int(0)), lt(place, at(x.shape, a))), value, constant(NaN, x.dtype));
    },
    "T_take",
    injective,
  );
}

/** One slice of an axis: where it begins, its step, and how many elements it has. */
export interface Slice {
  readonly axis: number;
  readonly begin: PrimExpr;
  readonly step: PrimExpr;
  readonly size: PrimExpr;
}

/** A regular selection along some axes. */
export function stridedSlice(x: Tensor, slices: readonly Slice[]): Tensor {
  const byAxis = new Map(slices.map((s) => [axisOf(s.axis, x.ndim), s]));
  const shape = x.shape.map((d, i) => byAxis.get(i)?.size ?? d);
  return compute(
    shape,
    (...i) =>
      x.at(
        ...i.map((v, d) => {
          const s = byAxis.get(d);
          return s === undefined ? v : add(mul(v, s.step), s.begin);
        }),
      ),
    "T_strided_slice_with_axes",
    injective,
  );
}

/** A regular selection whose bounds are tensors, one value an axis of `x`. */
export function dynamicStridedSlice(x: Tensor, begin: Tensor, strides: Tensor, shape: readonly PrimExpr[]): Tensor {
  return compute(
    shape,
    (...i) =>
      x.at(
        ...i.map((v, d) => {
          const step = cast("int64", strides.at(d));
          const own = cast("int64", begin.at(d));
          const size = at(x.shape, d);
          const front = select(lt(own, int(0)), add(own, size), own);
          const low = select(lt(step, int(0)), int(-1), int(0));
          const high = select(lt(step, int(0)), sub(size, int(1)), size);
          return add(mul(v, step), min(max(front, low), high));
        }),
      ),
    "T_strided_slice_dynamic",
    injective,
  );
}

/** The sizes of `dynamicStridedSlice`'s result, int64, one an axis of `x`, after Python's rules (upstream's `shape_func`). */
export function dynamicStridedSliceShape(x: Tensor, begin: Tensor, end: Tensor, strides: Tensor): Tensor {
  const along = (axis: number, i: PrimExpr): PrimExpr => {
    const [first, last, step] = [begin, end, strides].map((t) => cast("int64", t.at(i))) as [PrimExpr, PrimExpr, PrimExpr];
    const size = cast("int64", at(x.shape, axis));
    const backwards = lt(step, int(0));
    const [low, high] = [select(backwards, int(-1), int(0)), select(backwards, sub(size, int(1)), size)];
    const limited = (v: PrimExpr): PrimExpr => min(max(select(lt(v, int(0)), add(v, size), v), low), high);
    const way = select(backwards, sub(limited(first), limited(last)), sub(limited(last), limited(first)));
    const width = select(backwards, sub(int(0), step), step);
    return max(floorDiv(sub(add(way, width), int(1)), width), int(0));
  };
  const sizes = (i: PrimExpr): PrimExpr => x.shape.map((_, axis) => axis).reduceRight<PrimExpr>((rest, axis) => select(eq(i, int(axis)), along(axis, i), rest), int(0));
  return compute([int(x.ndim)], sizes, "T_shape_func_strided_slice_dynamic", injective);
}

/** An index that counts from the end if negative. */
function wrapNegative(index: PrimExpr, size: PrimExpr): PrimExpr {
  const wide = cast(size.dtype, index);
  return select(lt(wide, constant(0, wide.dtype)), add(wide, size), wide);
}

/** `out[i][j] = x[indices[i][j]][j]` for axis 0, and so on (ONNX's GatherElements). */
export function gather(x: Tensor, axis: number, indices: Tensor): Tensor {
  const a = axisOf(axis, x.ndim);
  return compute(
    indices.shape,
    (...i) => x.at(...i.map((v, d) => (d === a ? wrapNegative(indices.at(...i), at(x.shape, a)) : v))),
    "T_gather",
    injective,
  );
}

/** Slices of `x` at positions that are the last axis of `indices`; the first `batchDims` axes go along. */
export function gatherNd(x: Tensor, indices: Tensor, batchDims: number): Tensor {
  const depth = asInt(at(indices.shape, indices.ndim - 1));
  if (depth === undefined) throw new RangeError("`gather_nd` needs indices whose last dimension is known.");
  const outer = indices.shape.slice(0, -1);
  return compute(
    [...outer, ...x.shape.slice(batchDims + depth)],
    (...i) => {
      const head = i.slice(0, outer.length);
      const position = Array.from({ length: depth }, (_, k) => wrapNegative(indices.at(...head, int(k)), at(x.shape, batchDims + k)));
      return x.at(...head.slice(0, batchDims), ...position, ...i.slice(outer.length));
    },
    "T_gather_nd",
    injective,
  );
}

/** `on` at the position that the index names along a new axis, `off` elsewhere. */
export function oneHot(indices: Tensor, on: PrimExpr, off: PrimExpr, depth: number, axis: number, dtype: ScalarDType): Tensor {
  const a = axis < 0 ? axis + indices.ndim + 1 : axis;
  const shape = [...indices.shape.slice(0, a), int(depth), ...indices.shape.slice(a)];
  return compute(
    shape,
    (...i) => {
      const index = indices.at(...i.filter((_, d) => d !== a));
      return select(eq(cast("int64", index), cast("int64", at(i, a))), cast(dtype, on), cast(dtype, off));
    },
    "T_one_hot",
    injective,
  );
}

/** `x[i0, i1, …]` with index tensors that broadcast together (NumPy's advanced indexing on the leading axes). */
export function advIndex(x: Tensor, indices: readonly Tensor[]): Tensor {
  const taken = broadcastShape(indices.map((t) => t.shape));
  return compute(
    [...taken, ...x.shape.slice(indices.length)],
    (...i) => {
      const head = i.slice(0, taken.length);
      const position = indices.map((t, k) => wrapNegative(broadcastAt(t, head, taken), at(x.shape, k)));
      return x.at(...position, ...i.slice(taken.length));
    },
    "advanced_index",
    injective,
  );
}
