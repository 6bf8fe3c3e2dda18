import { at } from "@verticil/ir-core";
import { add, allOf, cast, constant, div, eq, floorDiv, ge, ifThenElse, lt, max as maxExpr, min as minExpr, mul, select, sub, type IterVar, type PrimExpr } from "@verticil/tir";
import { compute } from "../compute.ts";
import { reduceAxis, sum } from "../reduce.ts";
import type { Tensor } from "../tensor.ts";
import { layoutIndex } from "./layout.ts";
import type { PoolOptions } from "./nn-pool.ts";
import { maxPool } from "./nn-pool.ts";
import { int } from "./transform.ts";

/** A spatial axis of a pooling, seen from a cell of the input. */
interface Side {
  readonly axis: number;
  readonly kernel: number;
  readonly stride: number;
  readonly before: number;
  readonly size: PrimExpr;
  readonly outSize: PrimExpr;
  /** Counts the windows that hold the cell. */
  readonly window: IterVar;
}

function sides(x: Tensor, grad: Tensor, o: PoolOptions): readonly Side[] {
  return ["H", "W"].map((letter, i) => {
    const axis = layoutIndex(o.layout, letter);
    const [kernel, stride] = [at(o.kernel, i), at(o.strides, i)];
    const window = reduceAxis(Math.ceil(kernel / stride), i === 0 ? "wh" : "ww");
    return { axis, kernel, stride, before: at(o.padding, i), size: at(x.shape, axis), outSize: at(grad.shape, axis), window };
  });
}

/** The window number along an axis, and whether it exists and holds the cell. */
function windowOf(cell: PrimExpr, s: Side): { readonly out: PrimExpr; readonly holds: PrimExpr } {
  const padded = add(cell, s.before);
  const out = sub(floorDiv(padded, s.stride), s.window.var);
  const first = select(lt(padded, int(s.kernel)), int(0), add(floorDiv(sub(padded, s.kernel), s.stride), 1));
  return { out, holds: allOf([ge(out, first), ge(out, int(0)), lt(out, s.outSize)]) };
}

function gradient(x: Tensor, list: readonly Side[], value: (out: readonly PrimExpr[], cell: readonly PrimExpr[]) => PrimExpr): Tensor {
  return compute(
    x.shape,
    (...cell) => {
      const found = list.map((s) => windowOf(at(cell, s.axis), s));
      const out = cell.map((v, d) => {
        const i = list.findIndex((s) => s.axis === d);
        return i < 0 ? v : at(found, i).out;
      });
      const term = ifThenElse(allOf(found.map((f) => f.holds)), value(out, cell), constant(0, x.dtype));
      return sum(term, list.map((s) => s.window));
    },
    "T_pool_grad",
    { axes: "ax" },
  );
}

/** The gradient of a mean pooling: each window hands its share to its cells. */
export function avgPoolGrad(grad: Tensor, x: Tensor, o: PoolOptions): Tensor {
  return gradient(x, sides(x, grad, o), (out) => {
    const count = sides(x, grad, o).reduce<PrimExpr>((acc, s) => {
      if (o.countIncludePad) return mul(acc, s.kernel);
      const start = sub(mul(at(out, s.axis), s.stride), s.before);
      return mul(acc, sub(minExpr(add(start, s.kernel), s.size), maxExpr(start, int(0))));
    }, int(1));
    return div(grad.at(...out), cast(x.dtype, maxExpr(count, int(1))));
  });
}

/** The gradient of a maximum pooling: to the cells that are as large as the maximum of their window. */
export function maxPoolGrad(grad: Tensor, x: Tensor, o: PoolOptions): Tensor {
  const top = maxPool(x, o);
  return gradient(x, sides(x, grad, o), (out, cell) => {
    const hit = eq(x.at(...cell), top.at(...out));
    return select(hit, grad.at(...out), constant(0, x.dtype));
  });
}
