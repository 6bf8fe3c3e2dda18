import { at } from "@verticil/ir-core";
import { add, and, asInt, cast, ceilDiv, constant, floorDiv, floorMod, ge, ifThenElse, isConstInt, lt, mul, select, sub, type PrimExpr } from "@verticil/tir";
import { compute } from "../compute.ts";
import type { Tensor } from "../tensor.ts";
import { dimsInLayout, parseLayout, wholeAxes } from "./layout.ts";
import { axisOf, int } from "./transform.ts";

const injective = { axes: "ax", tag: "injective" } as const;

/** A tensor in another layout; what a tile has beyond its axis is zero. */
export function layoutTransform(x: Tensor, from: string, to: string): Tensor {
  const sizes = wholeAxes(from, x.shape);
  const [source, target] = [parseLayout(from), parseLayout(to)];
  return compute(
    dimsInLayout(to, sizes),
    (...i) => {
      const outside: PrimExpr[] = [];
      const position = (name: string): PrimExpr => {
        const outer = target.findIndex((a) => a.factor === 0 && a.name === name);
        const inner = target.findIndex((a) => a.factor > 0 && a.name.toUpperCase() === name);
        if (outer < 0) throw new RangeError(`\`${to}\` has no axis ${name}.`);
        if (inner < 0) return at(i, outer);
        const { factor } = at(target, inner);
        const place = add(mul(at(i, outer), factor), at(i, inner));
        const size = sizes.get(name);
        const exact = size !== undefined && asInt(size) !== undefined && (asInt(size) ?? 1) % factor === 0;
        if (size !== undefined && !exact) outside.push(lt(place, size));
        return place;
      };
      const cell = source.map((a) => {
        const name = a.name.toUpperCase();
        const tile = source.find((b) => b.factor > 0 && b.name.toUpperCase() === name);
        const place = position(name);
        if (tile === undefined) return place;
        return a.factor > 0 ? floorMod(place, a.factor) : floorDiv(place, tile.factor);
      });
      const value = x.at(...cell);
      return outside.length === 0 ? value : ifThenElse(outside.reduce(and), value, constant(0, x.dtype));
    },
    "T_layout_trans",
    injective,
  );
}

/** `x` with `value` past the length of each sequence; sequences run along axis 0 (batch on axis 1), or the other way round. */
export function sequenceMask(x: Tensor, lengths: Tensor, value: number, axis: 0 | 1): Tensor {
  return compute(
    x.shape,
    (...i) => {
      const length = cast("int64", lengths.at(at(i, 1 - axis)));
      return select(lt(cast("int64", at(i, axis)), length), x.at(...i), constant(value, x.dtype));
    },
    "T_sequence_mask",
    injective,
  );
}

/** Matrices with other diagonals: `k[0]` to `k[1]`, positive above the main one; the last diagonal comes first in `diagonal`. */
export function matrixSetDiag(x: Tensor, diagonal: Tensor, k: readonly [number, number] = [0, 0], alignLeft = true): Tensor {
  const [rows, columns] = [at(x.shape, x.ndim - 2), at(x.shape, x.ndim - 1)];
  const several = k[0] !== k[1];
  return compute(
    x.shape,
    (...i) => {
      const [r, c] = [at(i, i.length - 2), at(i, i.length - 1)];
      const offset = sub(c, r);
      const along = select(ge(offset, int(0)), r, c);
      const longest = at(diagonal.shape, diagonal.ndim - 1);
      const own = select(ge(offset, int(0)), minOf(sub(columns, offset), rows), minOf(add(rows, offset), columns));
      const place = alignLeft ? along : add(along, sub(longest, own));
      const read = diagonal.at(...i.slice(0, -2), ...(several ? [sub(int(k[1]), offset)] : []), place);
      return ifThenElse(and(ge(offset, int(k[0])), lt(offset, int(k[1] + 1))), read, x.at(...i));
    },
    "matrix_set_diag",
    injective,
  );
}

function minOf(a: PrimExpr, b: PrimExpr): PrimExpr {
  return { kind: "tir.Min", dtype: a.dtype, a, b, span: undefined };
}

/** All windows of `window` cells, `strides` apart, over the axes from `axis` on: `[…, places…, window…]`. */
export function slidingWindow(x: Tensor, axis: number, window: readonly number[], strides: readonly number[]): Tensor {
  const first = axisOf(axis, x.ndim);
  const moving = x.shape.slice(first);
  if (moving.length !== window.length || window.length !== strides.length) throw new RangeError(`A window over ${moving.length} axes needs as many sizes and strides.`);
  const places = moving.map((d, n) => ceilDiv(sub(d, at(window, n) - 1), at(strides, n)));
  return compute(
    [...x.shape.slice(0, first), ...places, ...window.map(int)],
    (...i) => x.at(...i.slice(0, first), ...moving.map((_, n) => add(mul(at(i, first + n), at(strides, n)), at(i, first + moving.length + n)))),
    "sliding_window",
    injective,
  );
}

/** `x` repeated along axes that it does not have, to the shape of `like`. */
export function expandLike(x: Tensor, like: Tensor, axes: readonly number[]): Tensor {
  const added = axes.map((a) => axisOf(a, like.ndim));
  return compute(like.shape, (...i) => x.at(...i.filter((_, d) => !added.includes(d)).map((v, d) => (isConstInt(at(x.shape, d), 1) ? int(0) : v))), "expand_like", injective);
}

/** The newest `length` cells along an axis: what a buffer of that size holds after `x` is pushed. */
export function fifoBuffer(x: Tensor, buffer: Tensor, axis: number): Tensor {
  const a = axisOf(axis, x.ndim);
  const [size, fresh] = [at(buffer.shape, a), at(x.shape, a)];
  return compute(
    buffer.shape,
    (...i) => {
      const moved = (by: PrimExpr): readonly PrimExpr[] => i.map((v, d) => (d === a ? by : v));
      const old = sub(size, fresh);
      return ifThenElse(lt(at(i, a), old), buffer.at(...moved(add(at(i, a), fresh))), x.at(...moved(sub(at(i, a), old))));
    },
    "fifo_buffer",
    injective,
  );
}

/** Nearest-neighbour enlargement of the spatial axes of `layout` by whole factors. */
export function upsampling(x: Tensor, factors: readonly number[], layout: string): Tensor {
  const spatial = parseLayout(layout).flatMap((a, d) => (a.name === "N" || a.name.toUpperCase() === "C" ? [] : [d]));
  const factor = (d: number): number => (spatial.includes(d) ? at(factors, spatial.indexOf(d)) : 1);
  return compute(
    x.shape.map((size, d) => mul(size, factor(d))),
    (...i) => x.at(...i.map((v, d) => (factor(d) === 1 ? v : floorDiv(v, factor(d))))),
    "upsampling",
    injective,
  );
}

