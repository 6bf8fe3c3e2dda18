import { at } from "@verticil/ir-core";
import { add, asInt, constant, eq, floorDiv, floorMod, mul, select, sub, type PrimExpr } from "@verticil/tir";
import { compute, type ComputeOptions } from "../compute.ts";
import { reduceAxis, sum } from "../reduce.ts";
import type { Tensor } from "../tensor.ts";
import { pad } from "./nn-pad.ts";
import { int } from "./transform.ts";
import { transformSteps, type Matrix, type WinogradScheme } from "./winograd-scheme.ts";

/** The result of a Winograd convolution, and its tiles of `m` by `m` pixels, which may reach over the border. */
export interface WinogradTiles {
  readonly batch: number;
  readonly outHeight: number;
  readonly outWidth: number;
  /** Rows of tiles of an image, and tiles of a row. */
  readonly down: number;
  readonly across: number;
}

/** The tiles of images of a shape in NHWC; `padding` is top, left, bottom, right. */
export function winogradTiles(shape: readonly [number, number, number, number], padding: readonly number[], { m, r }: WinogradScheme): WinogradTiles {
  const [batch, height, width] = shape;
  const [outHeight, outWidth] = [height + at(padding, 0) + at(padding, 2) - r + 1, width + at(padding, 1) + at(padding, 3) - r + 1];
  return { batch, outHeight, outWidth, down: Math.ceil(outHeight / m), across: Math.ceil(outWidth / m) };
}

/**
 * `Bᵀ d B` of the window `d` of every tile of NHWC images: [tiles, alpha, alpha, channels], the stage `data_pack` of upstream's
 * `conv2d_winograd_nhwc`. A tile's values lie together, so that writing them and reading them back are few streams of memory.
 */
export function winogradDataPack(data: Tensor, padding: readonly number[], t: WinogradTiles, s: WinogradScheme): Tensor {
  const alpha = s.m + s.r - 1;
  const [top, left] = [at(padding, 0), at(padding, 1)];
  const grown = (size: number, before: number, axis: number): number => size - before - (asInt(at(data.shape, axis)) ?? 0);
  const after = [grown(t.down * s.m + s.r - 1, top, 1), grown(t.across * s.m + s.r - 1, left, 2)];
  const padded = pad(data, [0, top, left, 0].map(int), [0, at(after, 0), at(after, 1), 0].map(int), constant(0, data.dtype), "data_pad");
  const window: TileElement = (p, row, column, c) => {
    const [n, h, w] = [floorDiv(p, t.down * t.across), floorMod(floorDiv(p, t.across), t.down), floorMod(p, t.across)];
    return padded.at(n, add(mul(h, s.m), row), add(mul(w, s.m), column), c);
  };
  const shape: TileShape = [t.batch * t.down * t.across, alpha, alpha, at(data.shape, 3)];
  return transformed(window, shape, s.b, "data_pack");
}

/** The tiles times the transformed weight [alpha, alpha, ci, co], each element's channels a product of matrices: [tiles, alpha, alpha, co]. */
export function winogradProduct(dataPack: Tensor, kernelPack: Tensor): Tensor {
  const ci = reduceAxis(at(dataPack.shape, 3), "ci");
  return compute(
    [at(dataPack.shape, 0), at(dataPack.shape, 1), at(dataPack.shape, 2), at(kernelPack.shape, 3)],
    (...[p, eps, nu, co]) => sum(mul(dataPack.at(p ?? 0, eps ?? 0, nu ?? 0, ci.var), kernelPack.at(eps ?? 0, nu ?? 0, ci.var, co ?? 0)), ci),
    "bgemm",
    { axes: ["p", "eps", "nu", "co"] },
  );
}

/** `Aᵀ M A` of every tile `M`, put together to images in NHWC. */
export function winogradInverse(product: Tensor, t: WinogradTiles, s: WinogradScheme): Tensor {
  const alpha = s.m + s.r - 1;
  const channels = at(product.shape, 3);
  const element: TileElement = (...indices) => product.at(...indices);
  const inverse = transformed(element, [at(product.shape, 0), alpha, alpha, channels], s.a, "inverse");
  return compute(
    [t.batch, t.outHeight, t.outWidth, channels],
    (...indices) => {
      const [n, h, w, co] = [0, 1, 2, 3].map((i) => at(indices, i)) as [PrimExpr, PrimExpr, PrimExpr, PrimExpr];
      const p = add(mul(add(mul(n, t.down), floorDiv(h, s.m)), t.across), floorDiv(w, s.m));
      return inverse.at(p, floorMod(h, s.m), floorMod(w, s.m), co);
    },
    "conv2d_winograd",
    { axes: ["n", "h", "w", "co"], tag: "conv2d_winograd" },
  );
}

/**
 * A 2-d convolution of stride 1, data NHWC, by a weight that was transformed before, [alpha, alpha, ci, co] (upstream's
 * `conv2d_winograd_nhwc_without_weight_transform`). Spatial sizes must be static. @throws RangeError if a size is symbolic.
 */
export function conv2dWinogradNhwcWithoutWeightTransform(data: Tensor, kernelPack: Tensor, padding: readonly number[], s: WinogradScheme): Tensor {
  const [n, h, w, c] = data.shape.map((d) => asInt(d));
  if (n === undefined || h === undefined || w === undefined || c === undefined) throw new RangeError("A Winograd convolution needs static sizes.");
  const tiles = winogradTiles([n, h, w, c], padding, s);
  return winogradInverse(winogradProduct(winogradDataPack(data, padding, tiles, s), kernelPack), tiles, s);
}

/** An element of a tile: of which tile, row, column, channel. */
type TileElement = (p: PrimExpr, row: PrimExpr, column: PrimExpr, c: PrimExpr) => PrimExpr;
type TileShape = readonly [tiles: number | PrimExpr, rows: number, columns: number, channels: PrimExpr];

/**
 * `T d Tᵀ` of each tile `d`: the steps of `matrix` on its rows, then on its columns, each a stage of its own that is written
 * out where it is scheduled. The last stage names the rule that does so, as upstream's `schedule_rule` does.
 */
function transformed(element: TileElement, shape: TileShape, matrix: Matrix, name: string): Tensor {
  const [tiles, , columns, channels] = shape;
  const steps = transformSteps(matrix);
  const axes = ["p", "eps", "nu", "c"];
  let from = element;
  for (const [i, step] of steps.entries()) {
    const before = from;
    const stage = formula((p, eps, nu, c) => applied(step, eps, (k) => before(p, int(k), nu, c)));
    const rows = compute([tiles, step.length, columns, channels], stage, `${name}_rows_${i}`, { axes });
    from = (...indices) => rows.at(...indices);
  }
  let last: Tensor | undefined;
  for (const [i, step] of steps.entries()) {
    const before = from;
    const isLast = i === steps.length - 1;
    const stage = formula((p, eps, nu, c) => applied(step, nu, (k) => before(p, eps, int(k), c)));
    const options: ComputeOptions = isLast ? { axes, attrs: { schedule_rule: `conv2d_nhwc_winograd_${name}` } } : { axes };
    const result = compute([tiles, matrix.length, step.length, channels], stage, isLast ? name : `${name}_columns_${i}`, options);
    from = (...indices) => result.at(...indices);
    last = result;
  }
  if (last === undefined) throw new Error("internal: a transform without steps");
  return last;
}

function formula(f: TileElement): (...indices: readonly PrimExpr[]) => PrimExpr {
  return (...indices) => f(at(indices, 0), at(indices, 1), at(indices, 2), at(indices, 3));
}

/** Row `index` of a constant matrix times a vector: a chain of selects that unrolling folds away, zeros left out. */
function applied(matrix: Matrix, index: PrimExpr, element: (k: number) => PrimExpr): PrimExpr {
  const values = matrix.map((row) => weightedSum(row, element));
  return values.slice(0, -1).reduceRight<PrimExpr>((rest, v, i) => select(eq(index, int(i)), v, rest), at(values, values.length - 1));
}

/** The terms that are added come before those that are subtracted: nothing is negated. */
function weightedSum(row: readonly number[], element: (k: number) => PrimExpr): PrimExpr {
  const terms = row.flatMap((v, k) => (v === 0 ? [] : [{ v, x: element(k) }])).sort((a, b) => Number(a.v < 0) - Number(b.v < 0));
  const scaled = ({ v, x }: { readonly v: number; readonly x: PrimExpr }): PrimExpr => (Math.abs(v) === 1 ? x : mul(x, constant(Math.abs(v), x.dtype)));
  const [first, ...rest] = terms;
  if (first === undefined) throw new RangeError("A row of a transform is all zero.");
  const start = first.v < 0 ? sub(constant(0, first.x.dtype), scaled(first)) : scaled(first);
  return rest.reduce((total, term) => (term.v < 0 ? sub(total, scaled(term)) : add(total, scaled(term))), start);
}
