import { at } from "@verticil/ir-core";
import { isFloat } from "@verticil/runtime-ffi";
import { add, and, asInt, cast, constant, div, floorDiv, ge, lt, max, min, mul, select, type Buffer, type PrimExpr, type Stmt } from "@verticil/tir";
import { extern } from "../compute.ts";
import type { Tensor } from "../tensor.ts";
import { broadcastShape } from "./broadcast.ts";
import { load, loops, seq, store, when } from "./statements.ts";
import { axisOf, int } from "./transform.ts";

/** What happens to a cell that is written: replaced, or combined with what is there. */
export type ScatterReduction = "update" | "add" | "mul" | "mean" | "min" | "max";

function combined(old: PrimExpr, value: PrimExpr, reduction: ScatterReduction): PrimExpr {
  switch (reduction) {
    case "update":
      return value;
    case "add":
      return add(old, value);
    case "mul":
      return mul(old, value);
    case "mean":
      // As upstream: of what is there and what comes, one after the other, not of all that come.
      return isFloat(old.dtype) ? div(add(old, value), constant(2, old.dtype)) : floorDiv(add(old, value), constant(2, old.dtype));
    case "min":
      return min(old, value);
    case "max":
      return max(old, value);
  }
}

function fromEnd(index: PrimExpr, size: PrimExpr): PrimExpr {
  const wide = cast(size.dtype, index);
  return select(lt(wide, constant(0, wide.dtype)), add(wide, size), wide);
}

/** A copy of the first input into which `build` writes. */
function onCopy(inputs: readonly Tensor[], name: string, build: (buffers: readonly Buffer[], out: Buffer) => Stmt): Tensor {
  const data = at(inputs, 0);
  const [result] = extern(
    [{ shape: data.shape, dtype: data.dtype }],
    inputs,
    (buffers, [out]) => {
      if (out === undefined) throw new RangeError("A scatter has one output.");
      const copy = loops("i", data.shape, (cell) => store(out, load(at(buffers, 0), ...cell), ...cell));
      return seq(copy, build(buffers, out));
    },
    name,
  );
  if (result === undefined) throw new Error("A scatter has one output.");
  return result;
}

function write(out: Buffer, value: PrimExpr, cell: readonly PrimExpr[], reduction: ScatterReduction): Stmt {
  return store(out, combined(load(out, ...cell), value, reduction), ...cell);
}

/** `out[indices[i][j]][j] ∘= updates[i][j]` for axis 0, and so on. */
export function scatterElements(data: Tensor, indices: Tensor, updates: Tensor, axis: number, reduction: ScatterReduction): Tensor {
  const a = axisOf(axis, data.ndim);
  return onCopy([data, indices, updates], "scatter_elements", (buffers, out) =>
    loops("j", indices.shape, (cell) => {
      const target = cell.map((v, d) => (d === a ? fromEnd(load(at(buffers, 1), ...cell), at(data.shape, a)) : v));
      return write(out, load(at(buffers, 2), ...cell), target, reduction);
    }),
  );
}

/** Slices of `updates` written at positions that are the last axis of `indices`. */
export function scatterNd(data: Tensor, indices: Tensor, updates: Tensor, reduction: ScatterReduction): Tensor {
  const depth = asInt(at(indices.shape, indices.ndim - 1));
  if (depth === undefined) throw new RangeError("`scatter_nd` needs indices whose last dimension is known.");
  const outer = indices.shape.slice(0, -1);
  return onCopy([data, indices, updates], "scatter_nd", (buffers, out) =>
    loops("j", [...outer, ...data.shape.slice(depth)], (cell) => {
      const head = cell.slice(0, outer.length);
      const position = Array.from({ length: depth }, (_, k) => fromEnd(load(at(buffers, 1), ...head, k), at(data.shape, k)));
      return write(out, load(at(buffers, 2), ...cell), [...position, ...cell.slice(outer.length)], reduction);
    }),
  );
}

/** `data[i0, i1, …] = values`, or added, with index tensors that broadcast together. */
export function indexPut(data: Tensor, indices: readonly Tensor[], values: Tensor, accumulate: boolean): Tensor {
  const taken = broadcastShape(indices.map((t) => t.shape));
  const shape = [...taken, ...data.shape.slice(indices.length)];
  const readAt = (buffer: Buffer, dims: readonly PrimExpr[], cell: readonly PrimExpr[]): PrimExpr =>
    load(buffer, ...dims.map((d, i) => (asInt(d) === 1 ? int(0) : at(cell, i - dims.length + cell.length))));
  return onCopy([data, ...indices, values], "index_put", (buffers, out) =>
    loops("j", shape, (cell) => {
      const head = cell.slice(0, taken.length);
      const position = indices.map((t, k) => fromEnd(readAt(at(buffers, k + 1), t.shape, head), at(data.shape, k)));
      const value = readAt(at(buffers, indices.length + 1), values.shape, cell);
      return write(out, value, [...position, ...cell.slice(taken.length)], accumulate ? "add" : "update");
    }),
  );
}

/** `data` with `src` written into a regular slice of one axis. */
export function sliceScatter(data: Tensor, src: Tensor, start: PrimExpr, step: PrimExpr, axis: number): Tensor {
  const a = axisOf(axis, data.ndim);
  return onCopy([data, src], "slice_scatter", (buffers, out) =>
    loops("j", src.shape, (cell) => {
      const target = cell.map((v, d) => (d === a ? add(mul(v, cast("int64", step)), cast("int64", start)) : v));
      const own = at(target, a);
      return when(and(ge(own, int(0)), lt(own, at(data.shape, a))), write(out, load(at(buffers, 1), ...cell), target, "update"));
    }),
  );
}

/** A dense tensor of `fill` with `values[i]` at the cell `indices[i]`; a single value goes to all of them. */
export function sparseToDense(indices: Tensor, shape: readonly PrimExpr[], values: Tensor, fill: number): Tensor {
  const [result] = extern(
    [{ shape, dtype: values.dtype }],
    [indices, values],
    ([places, what], [out]) => {
      if (places === undefined || what === undefined || out === undefined) throw new RangeError("`sparseToDense` has two inputs and one output.");
      const filled = loops("i", shape, (cell) => store(out, constant(fill, values.dtype), ...cell));
      const written = loops("j", indices.shape.slice(0, 1), (cell) => {
        const target = shape.map((d, k) => cast(d.dtype, indices.ndim === 1 ? load(places, ...cell) : load(places, ...cell, k)));
        return store(out, values.ndim === 0 ? load(what) : load(what, ...cell), ...target);
      });
      return seq(filled, written);
    },
    "sparse_to_dense",
  );
  if (result === undefined) throw new Error("`sparseToDense` has one output.");
  return result;
}

/** `data` with a slice replaced: the cells `begin + i * step` of each axis get the elements of `values`. */
export function stridedSet(data: Tensor, values: Tensor, begin: readonly number[], step: readonly number[] = begin.map(() => 1)): Tensor {
  return onCopy([data, values], "strided_set", (buffers, out) =>
    loops("j", values.shape, (cell) => {
      const target = cell.map((v, d) => add(fromEnd(int(begin[d] ?? 0), at(data.shape, d)), mul(v, int(step[d] ?? 1))));
      return store(out, load(at(buffers, 1), ...cell), ...target);
    }),
  );
}
