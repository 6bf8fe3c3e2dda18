import { at } from "@verticil/ir-core";
import { add, constant, eq, floorDiv, floorMod, ifThenElse, mul, sub, type PrimExpr } from "@verticil/tir";
import { compute } from "../compute.ts";
import type { Tensor } from "../tensor.ts";
import { pad } from "./nn-pad.ts";
import { int } from "./transform.ts";

const injective = { axes: "ax", tag: "injective" } as const;

/** `[N, C * b * b, H, W]` to `[N, C, H * b, W * b]`; `DCR` has the block in front of the channels, `CRD` behind. */
export function depthToSpace(x: Tensor, block: number, mode: "DCR" | "CRD" = "DCR"): Tensor {
  const [n, c, h, w] = [at(x.shape, 0), at(x.shape, 1), at(x.shape, 2), at(x.shape, 3)];
  const channels = floorDiv(c, block * block);
  return compute(
    [n, channels, mul(h, block), mul(w, block)],
    (b = int(0), f = int(0), i = int(0), j = int(0)) => {
      const cell = add(mul(floorMod(i, block), block), floorMod(j, block));
      const channel = mode === "DCR" ? add(mul(cell, channels), f) : add(mul(f, block * block), cell);
      return x.at(b, channel, floorDiv(i, block), floorDiv(j, block));
    },
    "depth_to_space",
    injective,
  );
}

/** `[N, C, H, W]` to `[N, C * b * b, H / b, W / b]`, the block in front of the channels. */
export function spaceToDepth(x: Tensor, block: number): Tensor {
  const [n, c, h, w] = [at(x.shape, 0), at(x.shape, 1), at(x.shape, 2), at(x.shape, 3)];
  return compute(
    [n, mul(c, block * block), floorDiv(h, block), floorDiv(w, block)],
    (b = int(0), f = int(0), i = int(0), j = int(0)) => {
      const cell = floorDiv(f, c);
      return x.at(b, floorMod(f, c), add(mul(i, block), floorDiv(cell, block)), add(mul(j, block), floorMod(cell, block)));
    },
    "space_to_depth",
    injective,
  );
}

/** Spatial axes 1 to n cut into blocks that become more of the batch; padded with `value` first. */
export function spaceToBatchNd(x: Tensor, block: readonly number[], before: readonly number[], after: readonly number[], value: number = 0): Tensor {
  const n = block.length;
  const side = (widths: readonly number[]): readonly PrimExpr[] => x.shape.map((_, d) => int(d >= 1 && d <= n ? at(widths, d - 1) : 0));
  const padded = pad(x, side(before), side(after), constant(value, x.dtype), "pad");
  const batch = at(x.shape, 0);
  const cells = block.reduce((a, b) => a * b, 1);
  const shape = padded.shape.map((d, i) => (i === 0 ? mul(batch, cells) : i <= n ? floorDiv(d, at(block, i - 1)) : d));
  return compute(
    shape,
    (...i) => {
      let cell = floorDiv(at(i, 0), batch);
      const offsets: PrimExpr[] = [];
      for (let k = n - 1; k >= 0; k--) {
        offsets[k] = floorMod(cell, at(block, k));
        cell = floorDiv(cell, at(block, k));
      }
      return padded.at(...i.map((v, d) => (d === 0 ? floorMod(v, batch) : d <= n ? add(mul(v, at(block, d - 1)), at(offsets, d - 1)) : v)));
    },
    "space_to_batch_nd",
    injective,
  );
}

/** The inverse of `spaceToBatchNd`: batch entries put back as blocks of the spatial axes, then cropped. */
export function batchToSpaceNd(x: Tensor, block: readonly number[], cropBegin: readonly number[], cropEnd: readonly number[]): Tensor {
  const n = block.length;
  const cells = block.reduce((a, b) => a * b, 1);
  const batch = floorDiv(at(x.shape, 0), cells);
  const shape = x.shape.map((d, i) =>
    i === 0 ? batch : i <= n ? sub(mul(d, at(block, i - 1)), at(cropBegin, i - 1) + at(cropEnd, i - 1)) : d,
  );
  return compute(
    shape,
    (...i) => {
      const place = i.map((v, d) => (d >= 1 && d <= n ? add(v, at(cropBegin, d - 1)) : v));
      const cell = block.reduce<PrimExpr>((acc, b, k) => add(mul(acc, b), floorMod(at(place, k + 1), b)), int(0));
      return x.at(...place.map((v, d) => (d === 0 ? add(mul(cell, batch), v) : d <= n ? floorDiv(v, at(block, d - 1)) : v)));
    },
    "batch_to_space_nd",
    injective,
  );
}

/** Each axis spread by its stride, `value` in the gaps. */
export function dilate(x: Tensor, strides: readonly number[], value: number = 0): Tensor {
  const shape = x.shape.map((d, i) => (at(strides, i) === 1 ? d : add(mul(sub(d, 1), at(strides, i)), 1)));
  return compute(
    shape,
    (...i) => {
      const inner = x.at(...i.map((v, d) => (at(strides, d) === 1 ? v : floorDiv(v, at(strides, d)))));
      const hits = i.flatMap((v, d) => (at(strides, d) === 1 ? [] : [eq(floorMod(v, at(strides, d)), int(0))]));
      return hits.reduceRight((acc, hit) => ifThenElse(hit, acc, constant(value, x.dtype)), inner as PrimExpr);
    },
    "DilatedInput",
    injective,
  );
}
