import { at } from "@verticil/ir-core";
import { isFloat } from "@verticil/runtime-ffi";
import {
  add,
  and,
  asInt,
  cast,
  ceilDiv,
  constant,
  div,
  floorDiv,
  floorMod,
  isConstInt,
  lt,
  max as maxExpr,
  min as minExpr,
  mul,
  select,
  sub,
  type IterVar,
  type PrimExpr,
} from "@verticil/tir";
import { compute } from "../compute.ts";
import { max, minReduceIdentity, reduceAxis, sum } from "../reduce.ts";
import type { Tensor } from "../tensor.ts";
import { layoutIndex } from "./layout.ts";
import { pad } from "./nn-pad.ts";
import { int } from "./transform.ts";

/** What a pooling is told. `padding` holds all begins, then all ends. */
export interface PoolOptions {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
  readonly ceilMode: boolean;
  readonly countIncludePad: boolean;
  readonly layout: string;
}

const SPATIAL = ["W", "HW", "DHW"] as const;

interface Window {
  readonly axis: number;
  readonly rv: IterVar;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
  /** The end padding, the extra cells of `ceil_mode` included. */
  readonly after: number;
  readonly outSize: PrimExpr;
}

function windows(x: Tensor, o: PoolOptions): readonly Window[] {
  const n = o.kernel.length;
  return [...at(SPATIAL, n - 1)].map((letter, i) => {
    const axis = layoutIndex(o.layout, letter);
    const [kernel, stride, dilation] = [at(o.kernel, i), at(o.strides, i), at(o.dilation, i)];
    const before = at(o.padding, i);
    const after = at(o.padding, i + n) + (o.ceilMode ? stride - 1 : 0);
    const span = add(at(x.shape, axis), before + after - ((kernel - 1) * dilation + 1));
    return { axis, rv: reduceAxis(kernel, `rv${i}`), kernel, stride, dilation, before, after, outSize: add(floorDiv(span, stride), 1) };
  });
}

function withBorder(x: Tensor, list: readonly Window[], value: PrimExpr): Tensor {
  if (list.every((w) => w.before === 0 && w.after === 0)) return x;
  const side = (of: (w: Window) => number): readonly PrimExpr[] =>
    x.shape.map((_, d) => {
      const w = list.find((own) => own.axis === d);
      return int(w === undefined ? 0 : of(w));
    });
  return pad(x, side((w) => w.before), side((w) => w.after), value, "pad_temp");
}

function outShape(x: Tensor, list: readonly Window[]): readonly PrimExpr[] {
  return x.shape.map((d, i) => list.find((w) => w.axis === i)?.outSize ?? d);
}

/** Where a cell of the result reads the bordered input. */
function source(cell: readonly PrimExpr[], list: readonly Window[]): readonly PrimExpr[] {
  return cell.map((v, i) => {
    const w = list.find((own) => own.axis === i);
    return w === undefined ? v : add(mul(v, w.stride), mul(w.rv.var, w.dilation));
  });
}

/** The largest value in each window. */
export function maxPool(x: Tensor, o: PoolOptions): Tensor {
  const list = windows(x, o);
  const temp = withBorder(x, list, minReduceIdentity(x.dtype));
  return compute(outShape(x, list), (...i) => max(temp.at(...source(i, list)), list.map((w) => w.rv)), "pool_max", {
    axes: "ax",
    tag: "pool_max",
  });
}

/** The mean of each window; of the cells inside the input unless `countIncludePad`. */
export function avgPool(x: Tensor, o: PoolOptions): Tensor {
  const list = windows(x, o);
  const temp = withBorder(x, list, constant(0, x.dtype));
  const total = compute(outShape(x, list), (...i) => sum(temp.at(...source(i, list)), list.map((w) => w.rv)), "pool_sum", {
    axes: "ax",
    tag: "pool_sum",
  });
  return compute(
    total.shape,
    (...i) => {
      const count = list.reduce<PrimExpr>((acc, w, k) => mul(acc, counted(at(i, w.axis), at(x.shape, w.axis), w, o, k)), int(1));
      const size = cast(isFloat(x.dtype) ? x.dtype : "int32", count.kind === "ir.IntImm" ? count : maxExpr(count, int(1)));
      return div(total.at(...i), cast(x.dtype, size));
    },
    "pool_avg",
    { axes: "ax", tag: "elemwise" },
  );
}

/** How many cells of a window count: those inside the input, or inside input and declared padding. */
function counted(cell: PrimExpr, size: PrimExpr, w: Window, o: PoolOptions, i: number): PrimExpr {
  const declaredAfter = at(o.padding, i + o.kernel.length);
  const overhang = w.after > declaredAfter && !(o.ceilMode && exactFit(size, w, declaredAfter));
  if (o.countIncludePad && !overhang) return int(w.kernel);
  if (w.before === 0 && w.after === 0) return int(w.kernel);
  const start = sub(mul(cell, w.stride), w.before);
  const limit = o.countIncludePad ? add(size, declaredAfter) : size;
  const reach = (w.kernel - 1) * w.dilation + 1;
  if (w.dilation === 1) {
    const end = minExpr(add(start, reach), limit);
    const from = o.countIncludePad ? start : maxExpr(start, int(0));
    return sub(end, from);
  }
  // With dilation, the first and the last tap inside decide.
  const skipped = o.countIncludePad ? int(0) : ceilDiv(maxExpr(sub(int(0), start), int(0)), w.dilation);
  const last = minExpr(floorDiv(sub(sub(limit, 1), start), w.dilation), int(w.kernel - 1));
  return add(sub(last, skipped), 1);
}

/** True if `ceil_mode` adds no window that hangs over the declared padding. */
function exactFit(size: PrimExpr, w: Window, after: number): boolean {
  const n = asInt(size);
  return n !== undefined && (n + w.before + after - ((w.kernel - 1) * w.dilation + 1)) % w.stride === 0;
}

/** The mean of each of `outputSize` nearly equal parts of the spatial axes. */
export function adaptiveAvgPool(x: Tensor, outputSize: readonly PrimExpr[], layout: string): Tensor {
  const parts = [...at(SPATIAL, outputSize.length - 1)].map((letter, i) => {
    const axis = layoutIndex(layout, letter);
    return adaptivePart(axis, at(x.shape, axis), at(outputSize, i), i);
  });
  const shape = x.shape.map((d, i) => parts.find((p) => p.axis === i)?.out ?? d);
  const total = compute(
    shape,
    (...cell) => {
      const inside: PrimExpr[] = [];
      const read = cell.map((v, d) => {
        const p = parts.find((own) => own.axis === d);
        if (p === undefined) return v;
        const start = p.start(v);
        if (!p.even) inside.push(lt(add(start, p.rv.var), p.end(v)));
        return p.even ? add(start, p.rv.var) : minExpr(add(start, p.rv.var), sub(at(x.shape, d), 1));
      });
      const value = x.at(...read);
      const first = inside[0];
      const counted = first === undefined ? value : select(inside.slice(1).reduce(and, first), value, constant(0, x.dtype));
      return sum(counted, parts.map((p) => p.rv));
    },
    "adaptive_pool_sum",
    { axes: "ax", tag: "adaptive_pool_sum" },
  );
  return compute(
    shape,
    (...cell) => {
      const count = parts.reduce<PrimExpr>((acc, p) => mul(acc, p.even ? p.window : sub(p.end(at(cell, p.axis)), p.start(at(cell, p.axis)))), int(1));
      return div(total.at(...cell), cast(x.dtype, count));
    },
    "adaptive_pool_avg",
    { axes: "ax", tag: "elemwise" },
  );
}

interface AdaptivePart {
  readonly axis: number;
  readonly out: PrimExpr;
  readonly even: boolean;
  readonly window: PrimExpr;
  readonly rv: IterVar;
  readonly start: (cell: PrimExpr) => PrimExpr;
  readonly end: (cell: PrimExpr) => PrimExpr;
}

/** The parts of one axis. Where they are not all of one size, the largest is taken and cells outside are left out. */
function adaptivePart(axis: number, size: PrimExpr, out: PrimExpr, i: number): AdaptivePart {
  const n = asInt(size);
  const m = asInt(out);
  const even = isConstInt(out, 1) || (n !== undefined && m !== undefined && n % m === 0);
  const window = even ? floorDiv(size, out) : add(ceilDiv(size, out), 1);
  const start = (cell: PrimExpr): PrimExpr => (isConstInt(out, 1) ? int(0) : even ? mul(cell, window) : floorDiv(mul(cell, size), out));
  const end = (cell: PrimExpr): PrimExpr => {
    const stop = mul(add(cell, 1), size);
    return add(floorDiv(stop, out), cast("int64", select(lt(int(0), floorMod(stop, out)), int(1), int(0))));
  };
  return { axis, out, even, window, rv: reduceAxis(window, `rv${i}`), start, end };
}
