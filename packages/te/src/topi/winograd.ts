import { at } from "@verticil/ir-core";
import { add, asInt, cast, constant, floorDiv, floorMod, mul, select, eq, type PrimExpr } from "@verticil/tir";
import { compute } from "../compute.ts";
import { reduceAxis, sum } from "../reduce.ts";
import type { Tensor } from "../tensor.ts";
import { pad } from "./nn-pad.ts";
import { int } from "./transform.ts";
import { winogradMatrices, type Matrix } from "./winograd-scheme.ts";

/** What a Winograd convolution is told. `padding` is top, left, bottom, right. */
export interface WinogradOptions {
  readonly padding: readonly [number, number, number, number];
  /** Outputs a tile and axis: 2 is exact to a few ulp, 4 does fewer products and loses about a decimal digit. */
  readonly tileSize?: 2 | 4;
}

/** An element of a constant matrix, chosen by a chain of selects that unrolling folds away. */
function element(matrix: Matrix, row: PrimExpr, column: PrimExpr, dtype: Tensor["dtype"]): PrimExpr {
  const width = at(matrix, 0).length;
  const cell = add(mul(row, width), column);
  return matrix.flat().reduceRight<PrimExpr>((rest, v, i) => select(eq(cell, int(i)), constant(v, dtype), rest), constant(0, dtype));
}

/**
 * A 2-d convolution of stride 1 by Winograd's minimal filtering, data NCHW, kernel OIHW with a square window: input and
 * kernel tiles transformed, multiplied in one batched product over channels, transformed back (upstream's
 * `conv2d_winograd_without_weight_transform` with the transform in front). Spatial sizes must be static.
 * @throws RangeError if the window is not square or a size is symbolic.
 */
export function conv2dWinograd(data: Tensor, kernel: Tensor, o: WinogradOptions): Tensor {
  const m = o.tileSize ?? 2;
  const [r, r2, height, width] = [at(kernel.shape, 2), at(kernel.shape, 3), at(data.shape, 2), at(data.shape, 3)].map((d) => asInt(d));
  if (r === undefined || r !== r2 || height === undefined || width === undefined) {
    throw new RangeError("A Winograd convolution needs a square window and static spatial sizes.");
  }
  const [top, left, bottom, right] = o.padding;
  const { a, b, g } = winogradMatrices(m, r);
  const alpha = m + r - 1;
  const dtype = data.dtype;
  const [batch, inChannels, outChannels] = [at(data.shape, 0), at(data.shape, 1), at(kernel.shape, 0)];
  const [outHeight, outWidth] = [height + top + bottom - r + 1, width + left + right - r + 1];
  const [tilesDown, tilesAcross] = [Math.ceil(outHeight / m), Math.ceil(outWidth / m)];
  // The last tiles may reach over the border.
  const extra = [tilesDown * m - outHeight, tilesAcross * m - outWidth];
  const padded = pad(data, [0, 0, top, left].map(int), [0, 0, bottom + at(extra, 0), right + at(extra, 1)].map(int), constant(0, dtype), "data_pad");
  const tiles = mul(batch, tilesDown * tilesAcross);

  const rKh = reduceAxis(r, "r_kh");
  const rKw = reduceAxis(r, "r_kw");
  const kernelPack = compute(
    [alpha, alpha, inChannels, outChannels],
    (eps, nu, ci, co) => sum(mul(mul(kernel.at(co ?? 0, ci ?? 0, rKh.var, rKw.var), element(g, eps ?? int(0), rKh.var, dtype)), element(g, nu ?? int(0), rKw.var, dtype)), [rKh, rKw]),
    "kernel_pack",
  );
  const tileAt = (p: PrimExpr): { readonly n: PrimExpr; readonly h: PrimExpr; readonly w: PrimExpr } => ({
    n: floorDiv(p, tilesDown * tilesAcross),
    h: mul(floorMod(floorDiv(p, tilesAcross), tilesDown), m),
    w: mul(floorMod(p, tilesAcross), m),
  });
  const inputTile = compute(
    [inChannels, tiles, alpha, alpha],
    (ci, p, eps, nu) => {
      const { n, h, w } = tileAt(p ?? int(0));
      return padded.at(n, ci ?? 0, add(h, eps ?? 0), add(w, nu ?? 0));
    },
    "input_tile",
  );
  const rA = reduceAxis(alpha, "r_a");
  const rB = reduceAxis(alpha, "r_b");
  const dataPack = compute(
    [alpha, alpha, inChannels, tiles],
    (eps, nu, ci, p) => sum(mul(mul(inputTile.at(ci ?? 0, p ?? 0, rA.var, rB.var), element(b, rA.var, eps ?? int(0), dtype)), element(b, rB.var, nu ?? int(0), dtype)), [rA, rB]),
    "data_pack",
  );
  const ci = reduceAxis(inChannels, "ci");
  const gemm = compute(
    [alpha, alpha, outChannels, tiles],
    (eps, nu, co, p) => sum(mul(dataPack.at(eps ?? 0, nu ?? 0, ci.var, p ?? 0), kernelPack.at(eps ?? 0, nu ?? 0, ci.var, co ?? 0)), ci),
    "bgemm",
  );
  const rC = reduceAxis(alpha, "r_a");
  const rD = reduceAxis(alpha, "r_b");
  const inverse = compute(
    [outChannels, tiles, m, m],
    (co, p, vh, vw) => sum(mul(mul(gemm.at(rC.var, rD.var, co ?? 0, p ?? 0), element(a, rC.var, vh ?? int(0), dtype)), element(a, rD.var, vw ?? int(0), dtype)), [rC, rD]),
    "inverse",
  );
  return compute(
    [batch, outChannels, outHeight, outWidth],
    (n, co, h, w) => {
      const [row, column] = [h ?? int(0), w ?? int(0)];
      const p = add(mul(add(mul(n ?? int(0), tilesDown), floorDiv(row, m)), tilesAcross), floorDiv(column, m));
      return inverse.at(co ?? 0, cast("int64", p), floorMod(row, m), floorMod(column, m));
    },
    "conv2d_winograd",
    { tag: "conv2d_winograd" },
  );
}
