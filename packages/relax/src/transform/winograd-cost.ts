import { winogradTiles, winogradScheme } from "@verticil/te";

/** A convolution that Winograd's scheme could compute: window 3×3, stride 1. */
export interface DenseConv {
  /** Shape of the data, NHWC. */
  readonly data: readonly [number, number, number, number];
  readonly outChannels: number;
  readonly padding: readonly number[];
}

/** All costs are in multiply-adds of a register tile. What a value of a transform costs, by the tile's size. */
const transformCost = { 2: 8, 4: 12 } as const;
/** What a weight costs that no cache holds from one run to the next. */
const streamedWeightCost = 4;
/** What a byte of weights costs when it is loaded: hashed, copied. Measured: 2.4 ns, of 33 multiply-adds a ns each two operations. */
const loadedByteCost = 40;
/** Half of a core's second cache. */
const cacheBytes = 1 << 20;
/** The tiles of a whole image are in memory at a time, before and after the product; beyond this a convolution stays direct. */
const mostScratchBytes = 16 << 20;
/** Smaller gains are within what the estimate is wrong by. */
const leastGain = 1.15;

/**
 * The tile size with which a convolution by Winograd's scheme gains most over the direct one in `runs` runs, what the larger
 * weights take to load included; undefined if the direct one is better.
 */
export function winogradTileSize(conv: DenseConv, runs: number): 2 | 4 | undefined {
  let best: { readonly m: 2 | 4; readonly gain: number } | undefined;
  for (const m of [2, 4] as const) {
    const gain = gainOf(conv, m, runs);
    if (gain > (best?.gain ?? 0)) best = { m, gain };
  }
  return best?.m;
}

function gainOf({ data, outChannels, padding }: DenseConv, m: 2 | 4, runs: number): number {
  const t = winogradTiles(data, padding, winogradScheme(m));
  const inChannels = data[3];
  const elements = (m + 2) ** 2;
  const values = t.batch * t.down * t.across * elements;
  const weights = inChannels * outChannels;
  if (4 * values * (inChannels + outChannels) > mostScratchBytes) return 0;
  const direct = t.batch * t.outHeight * t.outWidth * 9 * weights;
  const streamed = 4 * elements * weights > cacheBytes ? streamedWeightCost * elements * weights : 0;
  const cost = values * weights + transformCost[m] * values * (inChannels + outChannels) + streamed;
  return direct < leastGain * cost ? 0 : runs * (direct - cost) - loadedByteCost * 4 * (elements - 9) * weights;
}
