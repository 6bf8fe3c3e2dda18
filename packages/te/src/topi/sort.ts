import { at } from "@verticil/ir-core";
import type { ScalarDType } from "@verticil/runtime-ffi";
import { add, asInt, cast, ge, gt, intrin, lt, makeBuffer, min, mul, sub, type Buffer, type PrimExpr, type Stmt } from "@verticil/tir";
import { compute, extern } from "../compute.ts";
import type { Tensor } from "../tensor.ts";
import { cellBuffer, load, loop, loops, seq, store, when } from "./statements.ts";
import { axisOf, int } from "./transform.ts";

/** The buffers that a sort works in. */
export interface SortScratch {
  /** The order found: positions in the input. */
  readonly order: Buffer;
  readonly all: readonly Buffer[];
}

/** Scratch buffers to sort `n` elements with. */
export function sortScratch(n: PrimExpr): SortScratch & { readonly next: Buffer; readonly left: Buffer; readonly right: Buffer } {
  const order = makeBuffer("order", [n], "int64");
  const next = makeBuffer("next", [n], "int64");
  const [left, right] = [cellBuffer("left", "int64"), cellBuffer("right", "int64")];
  return { order, next, left, right, all: [order, next, left, right] };
}

/**
 * Statements that leave in `scratch.order` the positions `0…n-1` in sorted order: a stable merge sort, from the bottom
 * up. `before(a, b)` says that the element at `a` must come before that at `b`.
 */
export function mergeSort(n: PrimExpr, scratch: ReturnType<typeof sortScratch>, before: (a: PrimExpr, b: PrimExpr) => PrimExpr): Stmt {
  const { order, next, left, right } = scratch;
  const known = asInt(n);
  const levels = known === undefined ? 31 : Math.ceil(Math.log2(Math.max(known, 1)));
  const merge = (pair: PrimExpr, width: PrimExpr): Stmt => {
    const start = mul(pair, mul(width, 2));
    const middle = min(add(start, width), n);
    const end = min(add(start, mul(width, 2)), n);
    const [i, j] = [load(left, 0), load(right, 0)];
    const step = (k: PrimExpr): Stmt => {
      const takeLeft = seq(store(next, load(order, i), add(start, k)), store(left, add(i, int(1)), 0));
      const takeRight = seq(store(next, load(order, j), add(start, k)), store(right, add(j, int(1)), 0));
      const both = when(before(load(order, j), load(order, i)), takeRight, takeLeft);
      return when(ge(j, end), takeLeft, when(ge(i, middle), takeRight, both));
    };
    return seq(store(left, start, 0), store(right, middle, 0), loop("k", sub(end, start), step));
  };
  const level = (p: PrimExpr): Stmt => {
    const width = intrin("shift_left", "int64", [int(1), p]);
    const pairs = intrin("shift_right", "int64", [sub(add(n, mul(width, 2)), int(1)), add(p, int(1))]);
    const work = seq(
      loop("pair", pairs, (pair) => merge(pair, width)),
      loop("i", n, (i) => store(order, load(next, i), i)),
    );
    return known === undefined ? when(lt(width, n), work) : work;
  };
  return seq(
    loop("i", n, (i) => store(order, i, i)),
    loop("level", int(levels), level),
  );
}

/** What a sort is told. */
export interface SortOptions {
  readonly axis: number;
  readonly descending: boolean;
}

/** Positions along an axis in sorted order; equal elements keep theirs. */
export function argsort(x: Tensor, o: SortOptions, dtype: ScalarDType = "int32"): Tensor {
  const a = axisOf(o.axis, x.ndim);
  const n = at(x.shape, a);
  const rest = x.shape.filter((_, i) => i !== a);
  const [out] = extern(
    [{ shape: x.shape, dtype }],
    [x],
    ([input], [output]) => {
      if (input === undefined || output === undefined) throw new RangeError("A sort has one input and one output.");
      const scratch = sortScratch(n);
      const body = loops("i", rest, (cell) => {
        const indices = (i: PrimExpr): readonly PrimExpr[] => [...cell.slice(0, a), i, ...cell.slice(a)];
        const value = (i: PrimExpr): PrimExpr => load(input, ...indices(i));
        const sorted = mergeSort(n, scratch, (i, j) => (o.descending ? gt(value(i), value(j)) : lt(value(i), value(j))));
        return seq(sorted, loop("i", n, (i) => store(output, cast(dtype, load(scratch.order, i)), ...indices(i))));
      });
      return { body, scratch: scratch.all };
    },
    "argsort",
  );
  if (out === undefined) throw new Error("A sort has one output.");
  return out;
}

/** `x` read at positions along an axis. */
function along(x: Tensor, positions: Tensor, axis: number, shape: readonly PrimExpr[], name: string): Tensor {
  return compute(
    shape,
    (...i) => x.at(...i.map((v, d) => (d === axis ? cast("int64", positions.at(...i)) : v))),
    name,
    { axes: "ax", tag: "injective" },
  );
}

/** The elements along an axis in sorted order. */
export function sort(x: Tensor, o: SortOptions): Tensor {
  return along(x, argsort(x, o, "int64"), axisOf(o.axis, x.ndim), x.shape, "sort");
}

/** The first `k` elements of the sorted axis, and their positions. */
export function topk(x: Tensor, k: PrimExpr, o: SortOptions, dtype: ScalarDType): { readonly values: Tensor; readonly indices: Tensor } {
  const a = axisOf(o.axis, x.ndim);
  const order = argsort(x, o, "int64");
  const shape = x.shape.map((d, i) => (i === a ? k : d));
  return {
    values: along(x, order, a, shape, "topk_values"),
    indices: compute(shape, (...i) => cast(dtype, order.at(...i)), "topk_indices", { axes: "ax", tag: "injective" }),
  };
}
